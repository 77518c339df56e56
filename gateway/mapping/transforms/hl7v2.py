"""Transforms for HL7 v2 data types (chapter 2A): names, addresses, identifiers, times and measurements.

Values are texts, or composites: `item[n]` is the text of component n (from 1), `item.text` the plain value,
`item.field(n)` a sibling field of the same segment. Codes live in tables: `identifier_types` sorts CX.5 into kinds of
numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.domain.dates import PartialDate
from gateway.domain.person import Address, PersonName
from gateway.mapping.registry import Context, transform
from gateway.mapping.transforms.hl7v2_address import read_address
from gateway.mapping.transforms.hl7v2_values import Composite, by_type, composites
from gateway.mapping.transforms.text import is_placeholder, tidy
from gateway.mapping.transforms.whole_names import split_name


@transform("hl7_datetime")
def hl7_datetime(values: Sequence[Any], context: Context) -> PartialDate | None:
    """TS or DTM at the precision sent: "1950" → 1950, "20261123081500+0700" → 2026-11-23T08:15:00+07:00. Nothing but
    zeros means unknown.

    >>> str(hl7_datetime(["1950"])), str(hl7_datetime(["20261123081500+0700"]))
    ('1950', '2026-11-23T08:15:00+07:00')
    >>> hl7_datetime(["00000000"])
    """
    text = _first_plain(values)
    if not text.strip("0"):
        return None
    try:
        return PartialDate.parse(text)
    except ValueError:
        context.note("value.unreadable", "not an HL7 date or time")
        return None


# Names are of type XPN.


@transform("xpn_name")
def xpn_name(values: Sequence[Any], context: Context) -> PersonName | None:
    """XPN in Vietnamese order. The standard has family ^ given ^ middle, so the full name is XPN.1 + XPN.3 + XPN.2.

    - Nguyễn^Lan^Thị → họ Nguyễn, đệm Thị, tên Lan
    - Nguyễn^Thị Ngọc Lan (no middle) → the last word is the given name: họ Nguyễn, đệm Thị Ngọc, tên Lan
    - Nguyễn Thị Lan (one component holds all, or XPN.1 repeats XPN.2 and XPN.3) → split, finding name.whole_in_family

    Of several names the legal one (XPN.7 = L) or one without a type comes first, then the birth or maiden name.

    >>> xpn_name(hl7("Nguyễn^Lan^Thị"))
    PersonName(family='Nguyễn', middle='Thị', given='Lan')
    >>> xpn_name(hl7("Nguyễn^Thị Ngọc Lan"))
    PersonName(family='Nguyễn', middle='Thị Ngọc', given='Lan')
    >>> xpn_name(hl7("Bí^Danh^^^^^A~Nguyễn^Lan^Thị^^^^L")).full
    'Nguyễn Thị Lan'
    """
    for item in by_type(values, 7, ("L", "", "B", "M", "C", "U", "D")):
        if name := _read_name(item, context):
            return name
    return None


@transform("xpn_child_name")
def xpn_child_name(values: Sequence[Any], context: Context) -> PersonName | None:
    """As `xpn_name`, but a hospital's placeholder is a finding and no name.

    It is one when the whole name, in the order of the components or in Vietnamese order, starts with a phrase of table
    `placeholder_names` ("BB Nguyễn Thị Hoa", "Bé trai^Hoa"). Behind a family name it takes a phrase of several words or
    an abbreviation ("Trần^Bé gái", "Trần^BB"), because "Cao^Bé" and "Nguyễn^Bé Ba" are names. Marks count: so is họ Bế.

    >>> xpn_child_name(hl7("BB Nguyễn Thị Hoa"))
    >>> xpn_child_name(hl7("Cao^Bé")).full
    'Cao Bé'
    """
    for item in by_type(values, 7, ("L", "", "B", "C", "U", "D", "TEMP")):
        family, given, middle = tidy(item[1]), tidy(item[2]), tidy(item[3])
        if not (family or given or middle):
            continue
        orders = (f"{family} {middle} {given}", f"{family} {given} {middle}")
        behind = is_placeholder(f"{middle} {given}", context, at_least=2) or (
            _is_abbreviation(given) and is_placeholder(given, context)
        )
        if behind or any(is_placeholder(order, context) for order in orders):
            context.note("name.placeholder")
            return None
        return _read_name(item, context)
    return None


def _is_abbreviation(text: str) -> bool:
    """No vowel: BB and CB are nobody's given name."""
    letters = {letter for letter in unicodedata.normalize("NFD", text.casefold()) if letter.isalpha()}
    return bool(letters) and not letters & set("aeiouy")


def _read_name(item: Composite, context: Context) -> PersonName | None:
    family, given, middle = tidy(item[1]), tidy(item[2]), tidy(item[3])
    rest = tidy(f"{middle} {given}")
    whole = ""
    if not family and not rest:
        return None
    if not family or not rest:
        whole = family or rest
    elif _ends(family, rest):
        whole = family
    elif _ends(" ".join(reversed(rest.split())), " ".join(reversed(family.split()))):
        whole = rest  # the given name repeats the family name in front
    if whole:
        if " " in whole:
            context.note("name.whole_in_family")
        return split_name(whole)
    if middle:
        return PersonName(family, middle, given)
    *between, last = given.split()
    return PersonName(family, " ".join(between), last)


def _ends(longer: str, shorter: str) -> bool:
    words, tail = longer.casefold().split(), shorter.casefold().split()
    return len(words) > len(tail) and words[-len(tail) :] == tail


# Addresses are of type XAD.


@transform("xad_address")
def xad_address(values: Sequence[Any], context: Context) -> Address | None:
    """XAD as an address with codes where there are any. The permanent address (XAD.7 = P) comes first, then legal, home
    and untyped ones; places of birth, work and bad addresses are none.

    XAD.9 is the commune's code and XAD.4 the province's when they are digits; else they are names. A commune's name is
    what carries its type (Xã, Phường, Thị trấn, Đặc khu) in XAD.2, XAD.8 or XAD.3; without a type it is XAD.3, or what
    stands beside a district there. XAD.1 and what is left over are the line. XAD.8 of three digits is an old district.
    The table `hl7v2_address_type` says which types are a permanent or a temporary residence.

    >>> address = xad_address(hl7("12 Lê Lợi^^Phường Quy Nhơn^52^^VN^P^^21583"))
    >>> address.line, address.commune, address.commune_code, address.province_code, address.residence
    ('12 Lê Lợi', 'Phường Quy Nhơn', '21583', '52', 'permanent')
    """
    usable = [item for item in composites(values) if item[7].upper() not in ("BA", "BDL", "N", "B", "F", "O")]
    for item in by_type(usable, 7, ("P", "L", "RH", "H", "", "BR", "C", "M")):
        if address := read_address(item):
            return replace(address, residence=context.table("hl7v2_address_type").get(item[7]) or "")
    return None


# Identifiers are of type CX.


@transform("cx_personal_id")
def cx_personal_id(values: Sequence[Any], context: Context) -> str | None:
    """Số định danh cá nhân: the number of a personal kind, if it has exactly 12 digits. Nine digits there are an old
    identity card (`cx_cmnd`); anything else is not used: finding id.not_12_digits.

    >>> cx_personal_id(hl7("BN001^^^BV^MR~999000000001^^^^CCCD"))
    '999000000001'
    """
    for number, kind in _numbers(values, context):
        if kind != "personal" or re.fullmatch(r"\d{9}", number):
            continue
        if re.fullmatch(r"\d{12}", number) and number.strip("0"):
            return number
        context.note("id.not_12_digits", str(len(number)))
    return None


@transform("cx_cmnd")
def cx_cmnd(values: Sequence[Any], context: Context) -> str | None:
    """Giấy chứng minh nhân dân: nine digits, of its own kind or where a personal number was expected.

    >>> cx_cmnd(hl7("999000001^^^^NI"))
    '999000001'
    """
    numbers = (number for number, kind in _numbers(values, context) if kind in ("cmnd", "personal"))
    return next((number for number in numbers if re.fullmatch(r"\d{9}", number)), None)


@transform("cx_passport")
def cx_passport(values: Sequence[Any], context: Context) -> str | None:
    """Passport number (PPN), in capitals.

    >>> cx_passport(hl7("c9990001^^^^PPN"))
    'C9990001'
    """
    return next((number for number, kind in _numbers(values, context) if kind == "passport"), None)


@transform("cx_insurance")
def cx_insurance(values: Sequence[Any], context: Context) -> str | None:
    """Health or social insurance number; nothing but zeros is none.

    >>> cx_insurance(hl7("DN 4 9999 00000001^^^^BHYT"))
    'DN4999900000001'
    """
    numbers = (number for number, kind in _numbers(values, context) if kind == "insurance")
    return next((number for number in numbers if number.strip("0")), None)


@transform("cx_facility_id")
def cx_facility_id(values: Sequence[Any], context: Context) -> str | None:
    """The hospital's own patient number (MR, PI), else a number without a type; as written.

    >>> cx_facility_id(hl7("999000000001^^^^CCCD~BN001^^^BV^MR"))
    'BN001'
    """
    found = [(kind, item.text) for item, kind in _kinds(values, context) if kind in ("facility", "") and item.text]
    return next((number for kind, number in found if kind), None) or next((number for _, number in found), None)


@transform("cx_paper_number")
def cx_paper_number(values: Sequence[Any], context: Context) -> str | None:
    """Number of the giấy chứng sinh or giấy báo tử among the patient's identifiers; as written.

    >>> cx_paper_number(hl7("BN001^^^BV^MR~00012.GCS.99001.26^^^^GCS"))
    '00012.GCS.99001.26'
    """
    return next((item.text for item, kind in _kinds(values, context) if kind == "paper" and item.text), None)


def _kinds(values: Sequence[Any], context: Context) -> Iterator[tuple[Composite, str]]:
    """Each identifier with its kind by table `identifier_types`; "" when the sender gives no type, "other" when the
    table does not know it."""
    table = context.table("identifier_types")
    for item in composites(values):
        code = item[5].strip()
        yield item, (table.get(code) or "other") if code else ""


def _numbers(values: Sequence[Any], context: Context) -> Iterator[tuple[str, str]]:
    """Numbers in capitals without the blanks, dots and hyphens people put in, with their kinds."""
    for item, kind in _kinds(values, context):
        if number := re.sub(r"[\s.\-]", "", item.text).upper():
            yield number, kind


# Codes, telephones, measurements


@transform("cwe_words")
def cwe_words(values: Sequence[Any], context: Context) -> str | None:
    """The words of a CE or CWE: original text (CWE.9), else CWE.2, else CWE.5, else a CWE.1 that no code system claims.
    Of a plain ST or TX that is the text itself. A bare code is no words: "I21.9^^ICD10" → nothing.

    >>> cwe_words(hl7("I21.9^Nhồi máu cơ tim^ICD10"))
    'Nhồi máu cơ tim'
    >>> cwe_words(hl7("I21.9^^ICD10"))
    """
    for item in composites(values):
        bare = "" if item[3] or re.fullmatch(r"[A-Z]\d{2}(\.\w{1,4})?", item[1]) else item[1]
        if found := tidy(item[9] or item[2] or item[5] or bare):
            return found
    return None


@transform("ethnic_code")
def ethnic_code(values: Sequence[Any], context: Context) -> str | None:
    """Dân tộc from a CE or CWE: what table `ethnicity` knows of CWE.1, CWE.2 (without the words "Dân tộc") or CWE.4.

    >>> ethnic_code(hl7("^Dân tộc Ba Na")), ethnic_code(hl7("01"))
    ('13', '01')
    """
    table = context.table("ethnicity")
    for item in composites(values):
        candidates = [re.sub(r"(?i)^dân tộc\s+", "", tidy(item[number])) for number in (1, 2, 4, 5)]
        for candidate in filter(None, candidates):
            if code := table.get(candidate):
                return code
        if any(candidates):
            context.note("value.no_crosswalk", "ethnicity")
    return None


@transform("xtn_phone")
def xtn_phone(values: Sequence[Any], context: Context) -> str | None:
    """XTN as one number: XTN.12, else XTN.1, else country, area and local number (XTN.5 to 7).

    >>> xtn_phone(hl7("^PRN^PH^^84^256^3999999"))
    '+84 256 3999999'
    """
    for item in composites(values):
        parts = tidy(item[12]) or tidy(item[1])
        country = f"+{item[5].lstrip('+')}" if item[5] else ""
        if found := parts or tidy(f"{country} {item[6]} {item[7]}"):
            return found
    return None


@transform("facility_code")
def facility_code(values: Sequence[Any], context: Context) -> str | None:
    """Mã cơ sở khám chữa bệnh: five digits. Names of systems and departments in the same place are none.

    >>> facility_code(["99001"])
    '99001'
    >>> facility_code(["BVDK"])
    """
    text = _first_plain(values)
    return text if re.fullmatch(r"\d{5}", text) else None


_GRAMS = {"g": 1, "gm": 1, "gr": 1, "gram": 1, "grams": 1, "kg": 1000, "kilogram": 1000}
_DAYS = {"wk": 7, "w": 7, "wks": 7, "week": 7, "weeks": 7, "tuần": 7, "d": 1, "day": 1, "days": 1, "ngày": 1}


@transform("obx_grams")
def obx_grams(values: Sequence[Any], context: Context) -> int | None:
    """A birth weight: OBX-5 in the unit of OBX-6. 3.2 kg → 3200. Without a unit three or four digits are grams; a
    weight outside 200 to 9,999 g is not believed.

    >>> obx_grams(hl7("3.2", unit="kg")), obx_grams(hl7("3200"))
    (3200, 3200)
    >>> obx_grams(hl7("32", unit="kg"))
    """
    for item in composites(values):
        number, unit = _number(item), item.field(6).casefold()
        factor = _GRAMS.get(unit) if unit else 1
        grams = round(number * factor) if number is not None and factor else 0
        if 200 <= grams <= 9999:
            return grams
        context.note("value.unreadable", "not a birth weight in g or kg")
    return None


@transform("obx_weeks")
def obx_weeks(values: Sequence[Any], context: Context) -> int | None:
    """A gestational age in completed weeks: 39 wk → 39, 276 d → 39, "39w4d" and "39+4" → 39; 16 to 45 is believed.

    >>> obx_weeks(hl7("39", unit="wk")), obx_weeks(hl7("276", unit="d")), obx_weeks(hl7("39w4d"))
    (39, 39, 39)
    """
    for item in composites(values):
        combined = re.fullmatch(r"(\d{2})\s*(?:w|wk|\+|tuần)\s*\d?\s*(?:d|ngày)?", item.text.casefold())
        number = Decimal(combined[1]) if combined else _number(item)
        unit = "" if combined else item.field(6).casefold()
        days = _DAYS.get(unit) if unit else 7
        weeks = int(number * days // 7) if number is not None and days else 0
        if 16 <= weeks <= 45:
            return weeks
        context.note("value.unreadable", "not a gestational age in weeks or days")
    return None


def _number(item: Composite) -> Decimal | None:
    """NM, or SN (comparator ^ number)."""
    text = item.text if item.text not in ("", "=") else item[2]
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 100_000 else None


def _first_plain(values: Sequence[Any]) -> str:
    return next((text for value in values if (text := value if isinstance(value, str) else value.text)), "")
