"""Transforms for the Ministry of Health's XML (Decision 130/QĐ-BYT as amended, Circulars 22 and 25/2025/TT-BYT).

Values are element texts. Zeros stand for "unknown" in many of these fields, so a value of nothing but zeros is absent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gateway.domain.dates import PartialDate
from gateway.domain.person import PersonName
from gateway.mapping.registry import Context, transform
from gateway.mapping.transforms.text import is_placeholder, tidy
from gateway.mapping.transforms.whole_names import split_name

_PASSPORT = re.compile(r"[A-Z]{1,2}\d{6,8}")
_GCS_NUMBER = re.compile(r"\d{5}\.GCS\.(\d{5})\.\d{2}")


def _valued(values: Sequence[Any]) -> list[str]:
    """Texts that say something: not empty, not only zeros."""
    return [text for value in values if (text := tidy(str(value))) and text.strip("0")]


@transform("moh_name")
def moh_name(values: Sequence[Any], context: Context) -> PersonName | None:
    """A full name: "NGUYỄN THỊ HOA" → họ NGUYỄN, đệm THỊ, tên HOA. Capitals stay as sent.

    >>> moh_name(["NGUYỄN THỊ HOA"])
    PersonName(family='NGUYỄN', middle='THỊ', given='HOA')
    """
    return next((name for text in _valued(values) if (name := split_name(text))), None)


@transform("moh_child_name")
def moh_child_name(values: Sequence[Any], context: Context) -> PersonName | None:
    """The name the parents intend for the child; a placeholder is a finding and no name.

    >>> moh_child_name(["Lê Minh Khôi"]).full
    'Lê Minh Khôi'
    >>> moh_child_name(["Con bà Nguyễn Thị Hoa"])
    """
    for text in _valued(values):
        if is_placeholder(text, context):
            context.note("name.placeholder")
            return None
        return split_name(text)
    return None


@transform("moh_datetime")
def moh_datetime(values: Sequence[Any], context: Context) -> PartialDate | None:
    """yyyyMMdd, yyyyMMddHHmm (a colon between hour and minute is seen) or yyyyMMddHHmmss; "0000" for an unknown day and
    month leaves the year: "19900000" → 1990, "2026112308:15" → 2026-11-23T08:15.

    >>> str(moh_datetime(["19900000"])), str(moh_datetime(["2026112308:15"]))
    ('1990', '2026-11-23T08:15')
    """
    for text in _valued(values):
        try:
            return PartialDate.parse(text)
        except ValueError:
            context.note("value.unreadable", "not a date as yyyyMMdd[HHmm[ss]]")
            return None
    return None


@transform("moh_personal_id")
def moh_personal_id(values: Sequence[Any], context: Context) -> str | None:
    """The 12 digits of a field that may hold CCCD, CMND or a passport. What is none of the three is a finding.

    >>> moh_personal_id(["999000000001"])
    '999000000001'
    >>> moh_personal_id(["999000001"])
    """
    for text in map(_compact, _valued(values)):
        if re.fullmatch(r"\d{12}", text):
            return text
        if not re.fullmatch(r"\d{9}", text) and not _PASSPORT.fullmatch(text):
            context.note("id.not_12_digits", str(len(text)))
    return None


@transform("moh_cmnd")
def moh_cmnd(values: Sequence[Any], context: Context) -> str | None:
    """The 9 digits of an old identity card in the same field.

    >>> moh_cmnd(["999000001"])
    '999000001'
    """
    return next((text for text in map(_compact, _valued(values)) if re.fullmatch(r"\d{9}", text)), None)


@transform("moh_passport")
def moh_passport(values: Sequence[Any], context: Context) -> str | None:
    """A passport number in the same field: one or two letters and six to eight digits.

    >>> moh_passport(["C9990001"])
    'C9990001'
    """
    return next((text for text in map(_compact, _valued(values)) if _PASSPORT.fullmatch(text)), None)


@transform("moh_insurance")
def moh_insurance(values: Sequence[Any], context: Context) -> str | None:
    """A health insurance card (15 or 12 characters) before a social insurance number (10). Ten zeros are no number.

    >>> moh_insurance(["9990000001", "DN4999900000001"])
    'DN4999900000001'
    >>> moh_insurance(["0000000000"])
    """
    numbers = [text for text in map(_compact, _valued(values)) if len(text) in (10, 12, 15)]
    return max(numbers, key=len, default=None)


@transform("moh_province_code")
def moh_province_code(values: Sequence[Any], context: Context) -> str | None:
    """Two digits; the field has room for three: "52", "052" → "52".

    >>> moh_province_code(["52"]), moh_province_code(["052"])
    ('52', '52')
    """
    return _code(values, context, 2)


@transform("moh_district_code")
def moh_district_code(values: Sequence[Any], context: Context) -> str | None:
    """Three digits; empty or zeros since districts were abolished on 01/07/2025.

    >>> moh_district_code(["540"])
    '540'
    >>> moh_district_code(["000"])
    """
    return _code(values, context, 3)


@transform("moh_commune_code")
def moh_commune_code(values: Sequence[Any], context: Context) -> str | None:
    """Five digits, zeros in front kept: "1234" → "01234".

    >>> moh_commune_code(["1234"])
    '01234'
    """
    return _code(values, context, 5)


@transform("moh_ethnicity")
def moh_ethnicity(values: Sequence[Any], context: Context) -> str | None:
    """Two digits: "1" → "01" (column typed as a number until Decision 4750/QĐ-BYT).

    >>> moh_ethnicity(["1"])
    '01'
    """
    return _code(values, context, 2)


def _code(values: Sequence[Any], context: Context, width: int) -> str | None:
    for text in _valued(values):
        digits = text.lstrip("0").zfill(width)
        if text.isascii() and text.isdigit() and len(digits) == width:
            return digits
        context.note("value.unreadable", "not a code of the right length")
        return None
    return None


@transform("moh_grams")
def moh_grams(values: Sequence[Any], context: Context) -> int | None:
    """One child's birth weight in grams. A list for several children (";") cannot be told apart: a finding.

    >>> moh_grams(["3200"])
    3200
    >>> moh_grams(["3200;2900"])
    """
    for text in _valued(values):
        parts = [part for part in text.split(";") if part.strip()]
        number = re.fullmatch(r"(\d{3,4})([.,]0+)?", parts[0].strip()) if len(parts) == 1 else None
        if number:
            return int(number[1])
        context.note("value.unreadable", "not one weight in grams")
        return None
    return None


@transform("moh_several")
def moh_several(values: Sequence[Any], context: Context) -> bool | None:
    """Whether a count of children of one delivery means several; what is no count says nothing here.

    >>> moh_several(["02"])
    True
    """
    return next((int(text) > 1 for text in _valued(values) if text.isascii() and text.isdigit()), None)


@transform("moh_gcs_number")
def moh_gcs_number(values: Sequence[Any], context: Context) -> str | None:
    """A number of the form NNNNN.GCS.FFFFF.YY (Circular 22/2025/TT-BYT); XML9's SO may hold it, or an older running
    number that names no paper by itself.

    >>> moh_gcs_number(["00012.GCS.99001.26"])
    '00012.GCS.99001.26'
    >>> moh_gcs_number(["12"])
    """
    return next((text for text in map(_compact, _valued(values)) if _GCS_NUMBER.fullmatch(text)), None)


@transform("moh_facility_code")
def moh_facility_code(values: Sequence[Any], context: Context) -> str | None:
    """Five digits, given as such or inside a paper number: "99001", "00012.GCS.99001.26" → "99001".

    >>> moh_facility_code(["00012.GCS.99001.26"])
    '99001'
    """
    for text in map(_compact, _valued(values)):
        if re.fullmatch(r"\d{5}", text):
            return text
        if inside := _GCS_NUMBER.fullmatch(text):
            return inside[1]
    return None


def _compact(text: str) -> str:
    return "".join(text.split()).upper()
