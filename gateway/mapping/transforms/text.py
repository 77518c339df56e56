"""Transforms of plain values, for every format: text, numbers, yes and no, dates.

Examples in docstrings are tests; `>>>` lines call the transform with a list of values and show what it returns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any

from gateway.domain.dates import PartialDate
from gateway.domain.names import comparable
from gateway.mapping.registry import Context, transform

_TRUE = frozenset(("y", "yes", "true", "1"))
_FALSE = frozenset(("n", "no", "false", "0"))
_BREAKS = re.compile(r"[^\w]+|[\d_]+")
_NUMBER = re.compile(r"([+-]?\d+)(?:[.,]0*)?")


def tidy(text: str) -> str:
    """NFC, single spaces, no ends: how the gateway keeps every text."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def as_text(value: Any) -> str | None:
    """A single value as text; None when it has parts (a composite), which no plain transform may flatten."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return tidy(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    return str(value) if isinstance(value, int | float | Decimal | PartialDate) else None


def first_text(values: Sequence[Any], context: Context) -> str | None:
    """The first value that is not blank, as text. A composite is a finding."""
    for value in values:
        text = as_text(value)
        if text is None:
            context.note("value.unreadable", "a single value was expected")
        elif text:
            return text
    return None


@transform("text")
def text(values: Sequence[Any], context: Context) -> str | None:
    """The first value, NFC with single spaces.

    >>> text(["  Trần   Thị\\tBé "])
    'Trần Thị Bé'
    """
    return first_text(values, context)


@transform("code")
def code(values: Sequence[Any], context: Context) -> str | None:
    """A code in upper case without blanks, to look up or to pass on.

    >>> code([" vn "])
    'VN'
    """
    found = first_text(values, context)
    return "".join(found.split()).upper() if found else None


@transform("digits")
def digits(values: Sequence[Any], context: Context) -> str | None:
    """A number that people write with blanks, dots or hyphens, as digits only; anything else in it is a finding.

    >>> digits(["999 123-456.789"])
    '999123456789'
    """
    found = first_text(values, context)
    if not found:
        return None
    bare = re.sub(r"[\s.\-]", "", found)
    if bare.isascii() and bare.isdigit():
        return bare
    context.note("value.unreadable", "digits were expected")
    return None


@transform("integer")
def integer(values: Sequence[Any], context: Context) -> int | None:
    """A whole number.

    >>> integer(["3200.0"])
    3200
    """
    found = first_text(values, context)
    if not found:
        return None
    match = _NUMBER.fullmatch(found)
    if match is None:
        context.note("value.unreadable", "a whole number was expected")
        return None
    return int(match[1])


@transform("boolean")
def boolean(values: Sequence[Any], context: Context) -> bool | None:
    """Yes or no: Y/N (HL7 table 0136), true/false, 1/0.

    >>> boolean(["N"])
    False
    """
    found = first_text(values, context)
    if not found:
        return None
    if found.casefold() in _TRUE:
        return True
    if found.casefold() in _FALSE:
        return False
    context.note("value.unreadable", "yes or no was expected")
    return None


@transform("date")
def read_date(values: Sequence[Any], context: Context) -> PartialDate | None:
    """A date or instant at the precision sent: HL7 DTM, MoH yyyyMMdd[HHmm], ISO 8601.

    >>> read_date(["1950"])
    PartialDate(year=1950, month=None, day=None, hour=None, minute=None, second=None, offset=None)
    """
    found = first_text(values, context)
    if not found:
        return None
    try:
        return PartialDate.parse(found)
    except ValueError:
        context.note("value.unreadable", "not a date")
        return None


def is_placeholder(name: str, context: Context, at_least: int = 1) -> bool:
    """Whether a newborn's "name" is the hospital's stand-in ("Con bà …", "BB1 …", "Bé trai"), not a name anyone gave.
    `at_least` leaves out phrases of fewer words.

    It starts with a phrase of the table `placeholder_names` or of the feed's own list, as whole words, marks included:
    "Bé Trai" is one, while the family name Bế and the given name in "Nguyễn Văn Bé" are names.
    """
    words = _words(name)
    phrases = (*context.table("placeholder_names").codes(), *context.feed.placeholder_names)
    return any(len(phrase) >= at_least and words[: len(phrase)] == phrase for phrase in map(_phrase, phrases))


def _words(text: str) -> tuple[str, ...]:
    return tuple(_BREAKS.sub(" ", comparable(text)).split())


_phrase = lru_cache(maxsize=1024)(_words)  # the table's phrases only: a person's name is not kept in a cache
