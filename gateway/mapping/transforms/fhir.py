"""Transforms for FHIR elements (FHIR R4 datatypes). Values are JSON objects, or text for primitives.

Identifier systems and extension URLs of the two Vietnamese guides are data (table `fhir_systems`), and so are
the type codes of identifiers (table `fhir_identifier_types`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.domain.person import Address, PersonName
from gateway.mapping.registry import Context, transform
from gateway.mapping.transforms.fhir_address import coded_units, named_units
from gateway.mapping.transforms.fhir_elements import codings_of, extensions_of, objects_of, text_of, texts_of
from gateway.mapping.transforms.text import is_placeholder, tidy
from gateway.mapping.transforms.whole_names import split_name

_UNUSED_NAMES = ("old", "maiden", "nickname", "anonymous")
_TOO_MUCH = 1_000_000  # of any unit below
_GRAMS = {"g": 1, "gram": 1, "grams": 1, "kg": 1000, "": 1}
_WEEKS: Mapping[str, int | Decimal] = {"wk": 1, "w": 1, "week": 1, "weeks": 1, "tuần": 1, "": 1, "d": Decimal(1) / 7}


@transform("fhir_name")
def fhir_name(values: Sequence[Any], context: Context) -> PersonName | None:
    """A HumanName in Vietnamese order. `given` lists names in the order of presentation, so the last word is the given
    name. `text` wins where it starts with `family` or there is no `family`: many senders fill nothing else.

    {"family": "Nguyễn", "given": ["Văn", "An"]} and {"text": "Nguyễn Văn An"} → họ Nguyễn, đệm Văn, tên An
    A document of this gateway states the parts in an extension of the name; they are then taken as they are.

    >>> fhir_name([{"family": "Nguyễn", "given": ["Văn", "An"]}])
    PersonName(family='Nguyễn', middle='Văn', given='An')
    >>> fhir_name([{"text": "Nguyễn Văn An"}])
    PersonName(family='Nguyễn', middle='Văn', given='An')
    """
    for name in _names(values):
        if found := _read_name(name, context):
            return found
    return None


@transform("fhir_child_name")
def fhir_child_name(values: Sequence[Any], context: Context) -> PersonName | None:
    """As `fhir_name`, but a placeholder ("BB …", given "Bé trai", use `temp`) is no name but a finding.

    >>> fhir_child_name([{"family": "Trần", "given": ["Bé trai"]}])
    >>> fhir_child_name([{"family": "Trần", "given": ["Bé"]}])
    PersonName(family='Trần', middle='', given='Bé')
    """
    for name in _names(values):
        if parts := _stated(name, "name", PersonName, context):
            return PersonName(**parts)  # decided before: a chosen name may look like a placeholder
        given = tidy(" ".join(texts_of(name.get("given"))))
        # A single given name such as Bé is a real one; a phrase such as "Bé trai" is not.
        stands_in = is_placeholder(_full(name), context) or " " in given and is_placeholder(given, context)
        if name.get("use") == "temp" or stands_in:
            context.note("name.placeholder")
            return None
        if found := _read_name(name, context):
            return found
    return None


def _names(values: Sequence[Any]) -> list[Mapping[str, Any]]:
    names = [name for name in objects_of(values) if name.get("use") not in _UNUSED_NAMES]
    return sorted(names, key=lambda name: name.get("use") != "official")


def _full(name: Mapping[str, Any]) -> str:
    family = tidy(text_of(name.get("family")))
    text = tidy(text_of(name.get("text")))
    if text and (not family or text.casefold().startswith(family.casefold() + " ")):
        return text
    return tidy(" ".join([family, *texts_of(name.get("given"))])) or text


def _stated(element: Mapping[str, Any], kind: str, unit: type, context: Context) -> dict[str, str]:
    """The parts of a name or address as a document of this gateway states them beside it; {} when it does not."""
    systems, known = context.table("fhir_systems"), {leaf.name for leaf in fields(unit)}
    for extension in objects_of(element.get("extension")):
        if systems.get(text_of(extension.get("url"))) == kind:
            parts = (
                (text_of(p.get("url")), tidy(text_of(p.get("valueString"))))
                for p in objects_of(extension.get("extension"))
            )
            return {name: value for name, value in parts if name in known and value}
    return {}


def _read_name(name: Mapping[str, Any], context: Context) -> PersonName | None:
    if parts := _stated(name, "name", PersonName, context):
        return PersonName(**parts)
    family, given = tidy(text_of(name.get("family"))), tidy(" ".join(texts_of(name.get("given"))))
    whole = _full(name)
    if " " in whole and not given and family == whole or " " in whole and not family and given == whole:
        context.note("name.whole_in_family")
        family = ""
    return split_name(whole, family)


@transform("fhir_personal_id")
def fhir_personal_id(values: Sequence[Any], context: Context) -> str | None:
    """Số định danh cá nhân: 12 digits, from an identifier of kind `personal`. Identifiers of kind `unclear` (a national
    number by type only) count when they have 12 digits.

    >>> fhir_personal_id([{"type": {"coding": [{"code": "CCCD"}]}, "value": "999000000001"}])
    '999000000001'
    >>> fhir_personal_id([{"type": {"coding": [{"code": "NI"}]}, "value": "999000001"}])
    """
    number = _identifier(
        values, context, lambda kind, value: kind == "personal" or kind == "unclear" and len(value) == 12
    )
    if number is not None and not re.fullmatch(r"\d{12}", number):
        context.note("id.not_12_digits", str(len(number)))
        return None
    return number


@transform("fhir_cmnd")
def fhir_cmnd(values: Sequence[Any], context: Context) -> str | None:
    """Giấy chứng minh nhân dân: 9 digits, from an identifier of kind `cmnd`, or of a national kind with 9 digits.

    >>> fhir_cmnd([{"type": {"coding": [{"code": "NI"}]}, "value": "999000001"}])
    '999000001'
    """
    return _identifier(
        values, context, lambda kind, value: kind in ("cmnd", "unclear") and bool(re.fullmatch(r"\d{9}", value))
    )


@transform("fhir_passport")
def fhir_passport(values: Sequence[Any], context: Context) -> str | None:
    """Passport number (type PPN).

    >>> fhir_passport([{"type": {"coding": [{"code": "PPN"}]}, "value": "C9990001"}])
    'C9990001'
    """
    return _identifier(values, context, lambda kind, value: kind == "passport")


@transform("fhir_insurance")
def fhir_insurance(values: Sequence[Any], context: Context) -> str | None:
    """Health insurance card: 15, 12 or 10 characters, never all zeros.

    >>> fhir_insurance([{"type": {"coding": [{"code": "BHYT"}]}, "value": "DN4999900000001"}])
    'DN4999900000001'
    >>> fhir_insurance([{"type": {"coding": [{"code": "BHYT"}]}, "value": "0000000000"}])
    """

    def is_card(kind: str | None, value: str) -> bool:
        return kind == "insurance" and len(value) in (10, 12, 15) and bool(value.strip("0"))

    return _identifier(values, context, is_card)


@transform("fhir_facility_id")
def fhir_facility_id(values: Sequence[Any], context: Context) -> str | None:
    """The hospital's own patient number (type MR, PI).

    >>> fhir_facility_id([{"type": {"coding": [{"code": "MR"}]}, "value": "BN001"}])
    'BN001'
    """
    return _identifier(values, context, lambda kind, value: kind == "facility")


def _identifier(values: Sequence[Any], context: Context, wanted: Callable[[str | None, str], bool]) -> str | None:
    for identifier in objects_of(values):
        value = tidy(text_of(identifier.get("value")))
        if value and identifier.get("use") != "old" and wanted(_kind(identifier, context), value):
            return value
    return None


def _kind(identifier: Mapping[str, Any], context: Context) -> str | None:
    """personal | cmnd | passport | insurance | facility | unclear. The system decides, because both guides give the old
    and the new number one type code; the type speaks where the system is unknown."""
    if kind := context.table("fhir_systems").get(text_of(identifier.get("system"))):
        return kind
    types = context.table("fhir_identifier_types")
    for concept in objects_of(identifier.get("type")):
        for coding in objects_of(concept.get("coding")):
            if (code := text_of(coding.get("code"))) and (kind := types.get(code)):
                return kind
    return None


@transform("fhir_address")
def fhir_address(values: Sequence[Any], context: Context) -> Address | None:
    """An Address (use `home` first, `old` never): codes from the guides' ward, district and province extensions, names
    from their displays, else from `district`, `city`, `state` and the lines by their Vietnamese prefixes. A document of
    this gateway states the parts in an extension of the address; they are then taken as they are.

    >>> fhir_address([{"line": ["12 Lê Lợi"], "city": "Phường Quy Nhơn", "state": "Tỉnh Gia Lai"}]).text
    '12 Lê Lợi, Phường Quy Nhơn, Tỉnh Gia Lai'
    >>> fhir_address([{"use": "temp", "city": "Tỉnh Gia Lai"}]).residence
    'temporary'
    """
    addresses = sorted((a for a in objects_of(values) if a.get("use") != "old"), key=lambda a: a.get("use") != "home")
    for address in addresses:
        if parts := _stated(address, "address", Address, context):
            return Address(**parts)
        units = named_units(address) | coded_units(address, context)
        lines = [line for line in map(tidy, texts_of(address.get("line"))) if line and line != units.get("commune")]
        line = ", ".join(lines) or ("" if units else tidy(text_of(address.get("text"))))
        country = tidy(text_of(address.get("country")))
        if line or units:
            residence = context.table("fhir_address_use").get(text_of(address.get("use"))) or ""
            return Address(line=line, country=country, residence=residence, **units)
    return None


@transform("fhir_code")
def fhir_code(values: Sequence[Any], context: Context) -> str | None:
    """The first code of CodeableConcepts, Codings, codes, or extensions holding one (nested too).

    >>> fhir_code([{"coding": [{"system": "http://hl7.org/fhir/administrative-gender", "code": "female"}]}])
    'female'
    """
    for value in values:
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, Mapping):
            own = [*codings_of(value), value, *objects_of(value.get("coding"))]
            for coding in [*own, *(coding for extension in extensions_of(value) for coding in codings_of(extension))]:
                if code := text_of(coding.get("code")):
                    return code
    return None


@transform("fhir_words")
def fhir_words(values: Sequence[Any], context: Context) -> str | None:
    """The first text for people: a string, a CodeableConcept's text or display, a Reference's display.

    >>> fhir_words([{"coding": [{"code": "I21.9", "display": "Nhồi máu cơ tim"}]}])
    'Nhồi máu cơ tim'
    >>> fhir_words([{"reference": "Organization/1", "display": "Trạm y tế xã"}])
    'Trạm y tế xã'
    """
    for value in values:
        if isinstance(value, str):
            found = tidy(value)
        else:
            displays = (coding.get("display") for coding in objects_of(value.get("coding")))
            options = map(text_of, (value.get("text"), *displays, value.get("display")))
            found = next((tidy(option) for option in options if option), "")
        if found:
            return found
    return None


@transform("quantity_grams")
def quantity_grams(values: Sequence[Any], context: Context) -> int | None:
    """A Quantity as whole grams: {"value": 3.2, "code": "kg"} → 3200. Another unit is a finding.

    >>> quantity_grams([{"value": 3.2, "code": "kg"}])
    3200
    >>> quantity_grams([{"value": 7, "code": "[lb_av]"}])
    """
    return _quantity(values, context, _GRAMS)


@transform("quantity_weeks")
def quantity_weeks(values: Sequence[Any], context: Context) -> int | None:
    """A Quantity as completed weeks: {"value": 39, "code": "wk"} → 39; {"value": 274, "code": "d"} → 39.

    >>> quantity_weeks([{"value": 39, "code": "wk"}]), quantity_weeks([{"value": 274, "code": "d"}])
    (39, 39)
    """
    return _quantity(values, context, _WEEKS)


def _quantity(values: Sequence[Any], context: Context, units: Mapping[str, int | Decimal]) -> int | None:
    for value in values:
        quantity = value if isinstance(value, Mapping) else {"value": value}
        number, unit = quantity.get("value"), quantity.get("code") or quantity.get("unit") or ""
        factor = units.get(str(unit).casefold())
        try:
            amount = Decimal(str(number))
        except InvalidOperation:
            amount = Decimal("NaN")
        # "1e999999999" is a number too, and writing it out as an integer would never end.
        if factor is None or not amount.is_finite() or not 0 < amount < _TOO_MUCH:
            context.note("value.unreadable", "not an amount in a known unit")
            return None
        return int(amount * factor)
    return None


@transform("fhir_whole_number")
def fhir_whole_number(values: Sequence[Any], context: Context) -> int | None:
    """A whole number from an integer, a Quantity or a text: 2, {"value": 2}, "2" → 2.

    >>> fhir_whole_number([2]), fhir_whole_number([{"value": 2}]), fhir_whole_number(["2"])
    (2, 2, 2)
    """
    for value in values:
        number = value.get("value") if isinstance(value, Mapping) else value
        if re.fullmatch(r"\d{1,4}(\.0+)?", str(number).strip()):
            return int(Decimal(str(number)))
        context.note("value.unreadable", "not a whole number")
        return None
    return None


@transform("fhir_surrogate")
def fhir_surrogate(values: Sequence[Any], context: Context) -> bool | None:
    """Whether a surrogate mother gave birth: "true" → yes, and a finding, because only a person can say who the parents
    are (Law on marriage and family 52/2014, article 94).

    >>> fhir_surrogate(["true"]), fhir_surrogate(["false"]), fhir_surrogate(["unknown"])
    (True, False, None)
    """
    for value in values:
        if value == "true":
            context.note("birth.surrogate")
        if value in ("true", "false"):
            return bool(value == "true")
    return None


@transform("fhir_multiple")
def fhir_multiple(values: Sequence[Any], context: Context) -> bool | None:
    """multipleBirth[x] as yes or no: "true" → yes, "false" → no, a birth order → yes.

    >>> fhir_multiple(["true"]), fhir_multiple(["2"]), fhir_multiple(["false"])
    (True, True, False)
    """
    for value in values:
        if value in ("true", "false"):
            return bool(value == "true")
        if isinstance(value, str) and value.isdigit():
            return True
    return None
