"""Transforms for FHIR elements (FHIR R4 datatypes). Values are JSON objects, or text for primitives.

Identifier systems and extension URLs of the two Vietnamese guides are data (table `fhir_systems`), and so are
the type codes of identifiers (table `fhir_identifier_types`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.domain.person import Address, PersonName
from gateway.mapping.registry import Context, transform
from gateway.mapping.transforms.text import is_placeholder, tidy
from gateway.mapping.transforms.whole_names import split_name

_UNUSED_NAMES = ("old", "maiden", "nickname", "anonymous")
_COMMUNE = re.compile(r"(phường|xã|thị trấn|đặc khu|p\.|x\.|tt\.)\s*\S", re.IGNORECASE)
_DISTRICT = re.compile(r"(quận|huyện|thị xã|q\.|h\.|tx\.)\s*\S", re.IGNORECASE)
_GRAMS = {"g": 1, "gram": 1, "grams": 1, "kg": 1000, "": 1}
_WEEKS: Mapping[str, int | Decimal] = {"wk": 1, "w": 1, "week": 1, "weeks": 1, "tuần": 1, "": 1, "d": Decimal(1) / 7}


@transform("fhir_name")
def fhir_name(values: Sequence[Any], context: Context) -> PersonName | None:
    """A HumanName in Vietnamese order. `given` lists names in the order of presentation, so the last word is the given
    name. `text` wins where it starts with `family` or there is no `family`: many senders fill nothing else.

    {"family": "Nguyễn", "given": ["Văn", "An"]} and {"text": "Nguyễn Văn An"} → họ Nguyễn, đệm Văn, tên An
    """
    for name in _names(values):
        if found := _read_name(name, context):
            return found
    return None


@transform("fhir_child_name")
def fhir_child_name(values: Sequence[Any], context: Context) -> PersonName | None:
    """As `fhir_name`, but a placeholder ("BB …", given "Bé trai", use `temp`) is no name but a finding."""
    for name in _names(values):
        given = tidy(" ".join(_texts(name.get("given"))))
        # A single given name such as Bé is a real one; a phrase such as "Bé trai" is not.
        stands_in = is_placeholder(_full(name), context) or " " in given and is_placeholder(given, context)
        if name.get("use") == "temp" or stands_in:
            context.note("name.placeholder")
            return None
        if found := _read_name(name, context):
            return found
    return None


def _names(values: Sequence[Any]) -> list[Mapping[str, Any]]:
    names = [name for name in _objects(values) if name.get("use") not in _UNUSED_NAMES]
    return sorted(names, key=lambda name: name.get("use") != "official")


def _full(name: Mapping[str, Any]) -> str:
    family = tidy(_text(name.get("family")))
    text = tidy(_text(name.get("text")))
    if text and (not family or text.casefold().startswith(family.casefold() + " ")):
        return text
    return tidy(" ".join([family, *_texts(name.get("given"))])) or text


def _read_name(name: Mapping[str, Any], context: Context) -> PersonName | None:
    family, given = tidy(_text(name.get("family"))), tidy(" ".join(_texts(name.get("given"))))
    whole = _full(name)
    if " " in whole and not given and family == whole or " " in whole and not family and given == whole:
        context.note("name.whole_in_family")
        family = ""
    return split_name(whole, family)


@transform("fhir_personal_id")
def fhir_personal_id(values: Sequence[Any], context: Context) -> str | None:
    """Số định danh cá nhân: 12 digits, from an identifier of kind `personal`. Identifiers of kind `unclear` (a national
    number by type only) count when they have 12 digits."""
    number = _identifier(
        values, context, lambda kind, value: kind == "personal" or kind == "unclear" and len(value) == 12
    )
    if number is not None and not re.fullmatch(r"\d{12}", number):
        context.note("id.not_12_digits", str(len(number)))
        return None
    return number


@transform("fhir_cmnd")
def fhir_cmnd(values: Sequence[Any], context: Context) -> str | None:
    """Giấy chứng minh nhân dân: 9 digits, from an identifier of kind `cmnd`, or of a national kind with 9 digits."""
    return _identifier(
        values, context, lambda kind, value: kind in ("cmnd", "unclear") and bool(re.fullmatch(r"\d{9}", value))
    )


@transform("fhir_passport")
def fhir_passport(values: Sequence[Any], context: Context) -> str | None:
    """Passport number (type PPN)."""
    return _identifier(values, context, lambda kind, value: kind == "passport")


@transform("fhir_insurance")
def fhir_insurance(values: Sequence[Any], context: Context) -> str | None:
    """Health insurance card: 15, 12 or 10 characters, never all zeros."""

    def is_card(kind: str | None, value: str) -> bool:
        return kind == "insurance" and len(value) in (10, 12, 15) and bool(value.strip("0"))

    return _identifier(values, context, is_card)


@transform("fhir_facility_id")
def fhir_facility_id(values: Sequence[Any], context: Context) -> str | None:
    """The hospital's own patient number (type MR, PI)."""
    return _identifier(values, context, lambda kind, value: kind == "facility")


def _identifier(values: Sequence[Any], context: Context, wanted: Callable[[str | None, str], bool]) -> str | None:
    for identifier in _objects(values):
        value = tidy(_text(identifier.get("value")))
        if value and identifier.get("use") != "old" and wanted(_kind(identifier, context), value):
            return value
    return None


def _kind(identifier: Mapping[str, Any], context: Context) -> str | None:
    """personal | cmnd | passport | insurance | facility | unclear. The system decides, because both guides give the old
    and the new number one type code; the type speaks where the system is unknown."""
    if kind := context.table("fhir_systems").get(_text(identifier.get("system"))):
        return kind
    types = context.table("fhir_identifier_types")
    for concept in _objects(identifier.get("type")):
        for coding in _objects(concept.get("coding")):
            if (code := _text(coding.get("code"))) and (kind := types.get(code)):
                return kind
    return None


@transform("fhir_address")
def fhir_address(values: Sequence[Any], context: Context) -> Address | None:
    """An Address (use `home` first, `old` never): codes from the guides' ward, district and province extensions, names
    from their displays, else from `district`, `city`, `state` and the lines by their Vietnamese prefixes."""
    addresses = sorted((a for a in _objects(values) if a.get("use") != "old"), key=lambda a: a.get("use") != "home")
    for address in addresses:
        units = _named_units(address) | _coded_units(address, context)
        lines = [line for line in map(tidy, _texts(address.get("line"))) if line and line != units.get("commune")]
        line = ", ".join(lines) or ("" if units else tidy(_text(address.get("text"))))
        country = tidy(_text(address.get("country")))
        if line or units:
            return Address(line=line, country=country, **units)
    return None


def _named_units(address: Mapping[str, Any]) -> dict[str, str]:
    district, city, state = (tidy(_text(address.get(name))) for name in ("district", "city", "state"))
    units = {"province": state or city}
    rest = [place for place in (city if state else "", district) if place]
    smaller = [*map(tidy, _texts(address.get("line"))), *rest]
    units["commune"] = next((place for place in smaller if _COMMUNE.match(place)), "")
    units["district"] = next((place for place in rest if _DISTRICT.match(place)), "")
    plain = [place for place in rest if place not in units.values()]
    # Unprefixed names: FHIR puts the city inside the district; since 2025 nothing lies between commune and province.
    if plain and not units["commune"]:
        units["commune"] = plain.pop(0)
    if plain and not units["district"]:
        units["district"] = plain.pop(0)
    return {name: value for name, value in units.items() if value}


def _coded_units(address: Mapping[str, Any], context: Context) -> dict[str, str]:
    """commune_code, commune, … from extensions on the address or on its parts."""
    systems = context.table("fhir_systems")
    units: dict[str, str] = {}
    for extension in _extensions(address):
        unit = systems.get(_text(extension.get("url"))) or ""
        if unit not in ("commune", "district", "province"):
            continue
        for coding in _codings(extension):
            if code := _text(coding.get("code")):
                units.setdefault(f"{unit}_code", code)
                if display := tidy(_text(coding.get("display"))):
                    units.setdefault(unit, display)
    return units


def _extensions(element: Any) -> Iterator[Mapping[str, Any]]:
    """Extensions of an element and, nested, of its parts."""
    if isinstance(element, Mapping):
        yield from _objects(element.get("extension"))
        for inner in element.values():
            yield from _extensions(inner)
    elif isinstance(element, list):
        for inner in element:
            yield from _extensions(inner)


def _codings(extension: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from _objects(extension.get("valueCoding"))
    for concept in _objects(extension.get("valueCodeableConcept")):
        yield from _objects(concept.get("coding"))


@transform("fhir_code")
def fhir_code(values: Sequence[Any], context: Context) -> str | None:
    """The first code of CodeableConcepts, Codings, codes, or extensions holding one (nested too)."""
    for value in values:
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, Mapping):
            own = [*_codings(value), value, *_objects(value.get("coding"))]
            for coding in [*own, *(coding for extension in _extensions(value) for coding in _codings(extension))]:
                if code := _text(coding.get("code")):
                    return code
    return None


@transform("fhir_words")
def fhir_words(values: Sequence[Any], context: Context) -> str | None:
    """The first text for people: a string, a CodeableConcept's text or display, a Reference's display."""
    for value in values:
        if isinstance(value, str):
            found = tidy(value)
        else:
            displays = (coding.get("display") for coding in _objects(value.get("coding")))
            options = map(_text, (value.get("text"), *displays, value.get("display")))
            found = next((tidy(option) for option in options if option), "")
        if found:
            return found
    return None


@transform("quantity_grams")
def quantity_grams(values: Sequence[Any], context: Context) -> int | None:
    """A Quantity as whole grams: {"value": 3.2, "code": "kg"} → 3200. Another unit is a finding."""
    return _quantity(values, context, _GRAMS)


@transform("quantity_weeks")
def quantity_weeks(values: Sequence[Any], context: Context) -> int | None:
    """A Quantity as completed weeks: {"value": 39, "code": "wk"} → 39; {"value": 274, "code": "d"} → 39."""
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
        if factor is None or not amount.is_finite() or amount <= 0:
            context.note("value.unreadable", "not an amount in a known unit")
            return None
        return int(amount * factor)
    return None


@transform("fhir_whole_number")
def fhir_whole_number(values: Sequence[Any], context: Context) -> int | None:
    """A whole number from an integer, a Quantity or a text: 2, {"value": 2}, "2" → 2."""
    for value in values:
        number = value.get("value") if isinstance(value, Mapping) else value
        if re.fullmatch(r"\d{1,4}(\.0+)?", str(number).strip()):
            return int(Decimal(str(number)))
        context.note("value.unreadable", "not a whole number")
        return None
    return None


@transform("fhir_multiple")
def fhir_multiple(values: Sequence[Any], context: Context) -> bool | None:
    """multipleBirth[x] as yes or no: "true" → yes, "false" → no, a birth order → yes."""
    for value in values:
        if value in ("true", "false"):
            return bool(value == "true")
        if isinstance(value, str) and value.isdigit():
            return True
    return None


def _objects(values: Any) -> list[Mapping[str, Any]]:
    items = values if isinstance(values, Sequence) and not isinstance(values, str) else [values]
    return [item for item in items if isinstance(item, Mapping)]


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
