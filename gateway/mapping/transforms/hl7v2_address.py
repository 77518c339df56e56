"""One address of type XAD (HL7 v2, chapter 2A): which component holds which administrative unit."""

from __future__ import annotations

import re

from gateway.domain.person import Address
from gateway.mapping.transforms.hl7v2_values import Composite
from gateway.mapping.transforms.text import tidy
from gateway.mapping.unit_names import read_name


def read_address(item: Composite) -> Address | None:
    """One XAD with its codes and the names of its units; None when it says nothing. The transform `xad_address`, which
    chooses among the repetitions, says which component is read as what.
    """
    street, other, city, state, geographic, county = (tidy(item[n]) for n in (1, 2, 3, 4, 8, 9))
    codes = {}
    if re.fullmatch(r"\d{1,5}", county):
        codes["commune_code"], county = county.zfill(5), ""
    if re.fullmatch(r"\d{1,2}", state):
        codes["province_code"], state = state.zfill(2), ""
    if re.fullmatch(r"\d{3}", geographic):
        codes["district_code"], geographic = geographic, ""
    if not state and not codes.get("province_code") and read_name("province", city).type:
        city, state = "", city  # "Tỉnh …" or "Thành phố …" with no state beside it
    commune = _find_commune(other, city, geographic, county)
    district = city if city != commune else geographic if read_name("district", geographic).type else ""
    line = ", ".join(part for part in (street, other, geographic) if part and part not in (commune, district))
    if not (line or commune or codes or state):
        return None
    return Address(
        line=line, commune=commune, district=district, province=state, country=tidy(item[6]), **codes
    )  # fmt: skip


def _find_commune(other: str, city: str, geographic: str, county: str) -> str:
    for place in (county, other, geographic, city):
        if place and read_name("commune", place).type:
            return place
    if not read_name("district", city).type:
        return city
    return county or geographic or other
