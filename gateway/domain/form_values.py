"""Values of national form fields as people read them, whichever wire form wrote them: text in one, an object of parts
in another (mappings/outbound). Pure; everything returned is NFC."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from unicodedata import normalize

from gateway.domain.commune import Commune

_NAME = ("Ho", "ChuDem", "Ten")
_DATE = ("ngaySinh", "thangSinh", "namSinh")
_SHAPES = (r"(\d\d)[./](\d\d)[./](\d{4})", r"()(\d\d)[./](\d{4})", r"()()(\d{4})")


def text_of(value: Any) -> str:
    """One line of text: NFC, no control characters, single spaces; "" for a value that is no text."""
    if not isinstance(value, str | int):
        return ""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in normalize("NFC", str(value))).split())


def name_of(value: Any) -> str:
    """A person's name in Vietnamese order."""
    if isinstance(value, Mapping):
        return " ".join(filter(None, (text_of(value.get(part)) for part in _NAME)))
    return text_of(value)


def day_of(value: Any) -> tuple[int, int, int]:
    """Day, month, year of a date field, 0 for what is not known; (0, 0, 0) for what is no date."""
    if isinstance(value, Mapping):
        parts = tuple(text_of(value.get(part)) for part in _DATE)
    else:
        found = (re.fullmatch(shape, text_of(value), re.ASCII) for shape in _SHAPES)
        parts = next((match.groups() for match in found if match), ("", "", ""))
    day, month, year = (int(part) if part.isascii() and part.isdecimal() else 0 for part in parts)
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return 0, 0, 0
    return day if month else 0, month, year


def date_of(value: Any) -> date | None:
    """The calendar day of a date field; None when part of it is unknown."""
    day, month, year = day_of(value)
    return date(year, month, day) if day else None


def day_in_words(value: Any) -> str:
    """ "ngày 05 tháng 02 năm 2027" (days below 10 and months below 3 with a zero, NĐ 30/2020), "tháng 3 năm 2027", "năm
    2027", ""."""
    day, month, year = day_of(value)
    if not year:
        return ""
    parts = (f"ngày {day:02d}" if day else "", _month(month) if month else "", f"năm {year}")
    return " ".join(filter(None, parts))


def _month(month: int) -> str:
    return f"tháng {month:02d}" if month < 3 else f"tháng {month}"


UNKNOWN_RESIDENCE = "Không có thông tin"
"""What the forms' mappings fill in for a person whose residence is not known."""


def address_of(value: Any, today: Callable[[str], Commune | None]) -> str:
    """An address in one line; `today` gives the unit of a commune's code. "" for what registers write when the
    residence is not known: nobody can take papers there, and the other parent's may be known."""
    if not isinstance(value, Mapping):
        return text_of(value).replace(UNKNOWN_RESIDENCE, "")
    detail, code = text_of(value.get("dcChiTiet")).replace(UNKNOWN_RESIDENCE, ""), text_of(value.get("maXa"))
    unit = today(code) if code else None
    whole = f"{unit.name}, {unit.province}" if unit else ""
    if whole and whole.casefold() in detail.casefold():
        return detail
    return ", ".join(filter(None, (detail, whole)))
