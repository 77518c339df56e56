"""What a person types into a form, as a typed fact of a notification."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from gateway.domain.dates import PartialDate
from gateway.domain.person import PersonName, Sex

_DAY = re.compile(r"(?:(?:(\d{1,2})[./-])?(\d{1,2})[./-])?(\d{4})(?:[ ,]+(\d{1,2})[:h](\d{2}))?")


def read_typed(wanted: type, text: str) -> Any:
    """The value, or None when the text is not one: PersonName (họ, chữ đệm, tên), Sex by its name, PartialDate as
    "23.11.2026 08:15", "11.2026" or "2026" on the office's clock, text."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if not text:
        return None
    if wanted is PersonName:
        family, *middle = text.split()
        return PersonName(family, " ".join(middle[:-1]), middle[-1]) if middle else PersonName(given=family)
    if wanted is Sex:
        return Sex(text) if text in set(Sex) else None
    if wanted is PartialDate:
        return _read_day(text)
    return text if wanted is str else None


def _read_day(text: str) -> PartialDate | None:
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute = (int(part) if part else None for part in match.groups())
    if year is None or (hour is not None and day is None):
        return None
    try:
        return PartialDate(year, month, day, hour, minute)
    except ValueError:
        return None
