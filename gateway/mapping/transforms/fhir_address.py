"""The administrative units of a FHIR Address (R4 datatypes), by name and by the codes of the Vietnamese guides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.mapping.registry import Context
from gateway.mapping.transforms.fhir_elements import codings_of, extensions_of, text_of, texts_of
from gateway.mapping.transforms.text import tidy

_COMMUNE = re.compile(r"(phường|xã|thị trấn|đặc khu|p\.|x\.|tt\.)\s*\S", re.IGNORECASE)
_DISTRICT = re.compile(r"(quận|huyện|thị xã|q\.|h\.|tx\.)\s*\S", re.IGNORECASE)


def named_units(address: Mapping[str, Any]) -> dict[str, str]:
    """province, commune, district by the names in `state`, `city`, `district` and the lines; what is not there is left
    out."""
    district, city, state = (tidy(text_of(address.get(name))) for name in ("district", "city", "state"))
    units = {"province": state or city}
    rest = [place for place in (city if state else "", district) if place]
    smaller = [*map(tidy, texts_of(address.get("line"))), *rest]
    units["commune"] = next((place for place in smaller if _COMMUNE.match(place)), "")
    units["district"] = next((place for place in rest if _DISTRICT.match(place)), "")
    plain = [place for place in rest if place not in units.values()]
    # Unprefixed names: FHIR puts the city inside the district; since 2025 nothing lies between commune and province.
    if plain and not units["commune"]:
        units["commune"] = plain.pop(0)
    if plain and not units["district"]:
        units["district"] = plain.pop(0)
    return {name: value for name, value in units.items() if value}


def coded_units(address: Mapping[str, Any], context: Context) -> dict[str, str]:
    """commune_code, commune, … from extensions on the address or on its parts."""
    systems = context.table("fhir_systems")
    units: dict[str, str] = {}
    for extension in extensions_of(address):
        unit = systems.get(text_of(extension.get("url"))) or ""
        if unit not in ("commune", "district", "province"):
            continue
        for coding in codings_of(extension):
            if code := text_of(coding.get("code")):
                units.setdefault(f"{unit}_code", code)
                if display := tidy(text_of(coding.get("display"))):
                    units.setdefault(unit, display)
    return units
