"""Transforms of typed values into what national forms want: text, dotted dates, dates in words, address objects.

They name no code and no field of any law: codes are tables, fields are rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from gateway.domain.dates import PartialDate
from gateway.domain.person import Address, PersonName
from gateway.mapping.registry import Context, transform

T = TypeVar("T")


def _first(values: Sequence[Any], wanted: type[T]) -> T:
    """The one typed value of an outbound path. A row that asks for another type is a mistake of the mapping file."""
    value = values[0]
    if not isinstance(value, wanted):
        raise TypeError(f"{wanted.__name__} expected, got {type(value).__name__}")
    return value


@transform("full_name")
def full_name(values: Sequence[Any], context: Context) -> str | None:
    """Họ, chữ đệm, tên in Vietnamese order.

    >>> full_name([PersonName("Nguyễn", "Thị", "Hoa")])
    'Nguyễn Thị Hoa'
    """
    return _first(values, PersonName).full or None


@transform("date_dots")
def date_dots(values: Sequence[Any], context: Context) -> str | None:
    """dd.MM.yyyy on the feed's wall clock; the year alone when the day is unknown: registers take 10, 4 or 0 letters.

    >>> date_dots([PartialDate(2026, 11, 3)])
    '03.11.2026'
    >>> date_dots([PartialDate(1950, 7)])
    '1950'
    """
    moment = _first(values, PartialDate).local(context.feed.offset)
    day = moment.date
    return f"{day:%d.%m}.{day.year:04d}" if day else f"{moment.year:04d}"


@transform("time_hm")
def time_hm(values: Sequence[Any], context: Context) -> str | None:
    """HH:mm on the feed's wall clock; nothing when the minute is unknown.

    >>> time_hm([PartialDate(2026, 11, 3, 8, 5)])
    '08:05'
    """
    moment = _first(values, PartialDate).local(context.feed.offset)
    return None if moment.hour is None or moment.minute is None else f"{moment.hour:02d}:{moment.minute:02d}"


@transform("date_words")
def date_words(values: Sequence[Any], context: Context) -> str | None:
    """The date in Vietnamese words, as registers write it.

    >>> date_words([PartialDate(2026, 11, 23)])
    'Ngày hai mươi ba tháng mười một năm hai nghìn không trăm hai mươi sáu'
    >>> date_words([PartialDate(1995)])
    'Năm một nghìn chín trăm chín mươi lăm'
    """
    moment = _first(values, PartialDate).local(context.feed.offset)
    year = f"năm {number_words(moment.year)}"
    month = f"tháng {number_words(moment.month)} {year}" if moment.month else year
    words = f"ngày {number_words(moment.day)} {month}" if moment.day else month
    return words[0].upper() + words[1:]


_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")


def number_words(number: int) -> str:
    """A number from 0 to 9999 in Vietnamese words: mười/mươi, một/mốt, năm/lăm, and linh for an empty ten.

    >>> number_words(2105)
    'hai nghìn một trăm linh năm'
    """
    thousands, rest = divmod(number, 1000)
    words = [_DIGITS[thousands], "nghìn"] if thousands else []
    hundreds, rest = divmod(rest, 100)
    if hundreds or (thousands and rest):
        words += [_DIGITS[hundreds], "trăm"]
    tens, ones = divmod(rest, 10)
    if tens > 1:
        words += [_DIGITS[tens], "mươi"]
    elif tens:
        words.append("mười")
    elif ones and words:
        words.append("linh")
    if ones or not words:
        words.append(_ones(tens, ones))
    return " ".join(words)


def _ones(tens: int, ones: int) -> str:
    if ones == 1 and tens > 1:
        return "mốt"
    return "lăm" if ones == 5 and tens else _DIGITS[ones]


@transform("address_text")
def address_text(values: Sequence[Any], context: Context) -> str | None:
    """The address in one line, smallest unit first.

    >>> address_text([Address(line="12 Lê Lợi", commune="Phường Quy Nhơn", province="Tỉnh Gia Lai")])
    '12 Lê Lợi, Phường Quy Nhơn, Tỉnh Gia Lai'
    """
    return _first(values, Address).text or None


@transform("address_object")
def address_object(values: Sequence[Any], context: Context) -> dict[str, str] | None:
    """{maTinh, maHuyen, maXa, dcChiTiet} with today's codes; there are no districts since 01/07/2025, so maHuyen is "".

    When the commune is sure, dcChiTiet holds what is smaller than it; else the codes stay empty and dcChiTiet holds the
    whole address as written, so that nothing is lost.
    """
    address = _first(values, Address)
    commune = context.commune_of(address).commune
    if commune is None:
        # A code without its unit tells nobody anything, but it must not vanish either.
        detail = address.text or address.commune_code
        return {"maTinh": "", "maHuyen": "", "maXa": "", "dcChiTiet": detail} if detail else None
    return {
        "maTinh": commune.province_code,
        "maHuyen": "",
        "maXa": commune.code,
        "dcChiTiet": address.line,
    }


@transform("place_text")
def place_text(values: Sequence[Any], context: Context) -> str | None:
    """A place by its name as written, or an address in one line.

    >>> place_text(["Bệnh viện Đa khoa Thử Nghiệm"])
    'Bệnh viện Đa khoa Thử Nghiệm'
    """
    return address_text(values, context) if isinstance(values[0], Address) else _first(values, str)


@transform("source_field")
def source_field(values: Sequence[Any], context: Context) -> str | None:
    """The name of the field that supplied the value: with `codes`, which kind of paper a number is of.

    `from = ["mother.personal_id", "mother.passport"]` gives "personal_id" when there is one, else "passport".
    """
    return context.path.rpartition(".")[2]
