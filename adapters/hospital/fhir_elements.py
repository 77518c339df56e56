"""Facts as FHIR R4 datatypes, for documents: names, addresses, identifiers, times, extensions (FHIR R4 section 2.24).

Which identifier system, extension or code a Vietnamese guide wants is in the code tables `fhir_systems` and
`fhir_identifier_types` (column `written`), that intake reads the other way, and in `fhir_document`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from typing import Any

from gateway.domain.dates import PartialDate
from gateway.domain.person import Address, PersonName
from gateway.ports.hospital import CodeTable

OWN = "urn:vn:hotich:fhir:"
"""What base FHIR and the guides have no element for goes into extensions named so; docs/fhir-out.md lists them."""

NATIONALITY = "http://hl7.org/fhir/StructureDefinition/patient-nationality"
BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
COUNTRIES = "urn:iso:std:iso:3166"
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"

Built = dict[str, Any]


class Elements:
    """Makes elements. `table` gives a code table in force; `offset` (minutes east of UTC) is the zone of times that
    came without one."""

    def __init__(self, table: Callable[[str], CodeTable], offset: int) -> None:
        self._table = table
        self._offset = offset

    def term(self, what: str, column: str = "value") -> str:
        """A line of the table fhir_document; "" when an overlay took it out."""
        return self._table("fhir_document").column(what, column) or ""

    def facts(self, kind: str) -> list[str]:
        """The paths that the table fhir_document writes as Observations: `birth.weight_g`."""
        return [path for path in self._table("fhir_document").codes() if path.startswith(f"{kind}.")]

    def concept(self, what: str, system: str) -> Built:
        """A CodeableConcept of a line of fhir_document, under `system`; a display would have to be the system's own."""
        return {"coding": [{"system": system, "code": self.term(what)}], "text": self.term(what, "name")}

    def extension(self, name: str, value: Any) -> Built:
        """An extension of our own: `birth.note`, `person.id_issued_on`."""
        return {"url": OWN + name, **self._choice(value)}

    def _choice(self, value: Any) -> Built:
        if isinstance(value, PartialDate):
            text = self.date_time(value)
            return {"valueDateTime": text} if is_exact(text, value) else {"valueString": str(value)}
        if isinstance(value, bool):
            return {"valueBoolean": value}
        if isinstance(value, int):
            return {"valueInteger": value}
        if isinstance(value, Address):
            return {"valueAddress": self.address(value)}
        if isinstance(value, PersonName):
            return {"valueHumanName": self.name(value)}
        return {"valueString": value.value if isinstance(value, Enum) else value}

    def date_time(self, value: PartialDate) -> str:
        """FHIR dateTime at the precision known. An hour without minutes cannot be said, so the day is; a time needs
        seconds and a zone (FHIR R4 section 2.24.0.1): seconds are zero-filled, the zone is the feed's."""
        if value.hour is None or value.minute is None:
            return date_of(value)
        offset = self._offset if value.offset is None else value.offset
        hours, minutes = divmod(abs(offset), 60)
        zone = f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"
        return f"{date_of(value)}T{value.hour:02d}:{value.minute:02d}:{value.second or 0:02d}{zone}"

    def name(self, name: PersonName) -> Built:
        """HumanName; which words are chữ đệm and which tên FHIR does not say, so an extension does."""
        given = [part for part in (name.middle, name.given) if part]
        named: Built = {"use": "official", "text": name.full, "family": name.family, "given": given}
        return _valued({"extension": self._parts("name", name), **named})

    def address(self, address: Address, use: str = "") -> Built:
        """Address with the guide's codes of today's units; what is said in parts of the old list, with a district, has
        no code there. An extension states all parts."""
        told: Built = {
            "extension": [*self._units(address), *self._parts("address", address)],
            "use": use,
            # A place can be visited. Without it an address of codes alone would be nothing but extensions, and
            # FHIRPath takes such an element for a primitive without a value.
            "type": "" if use else "physical",
            "text": address.text,
            "line": [address.line] if address.line else [],
            # A city alone would be read as the province.
            "city": address.commune if address.province else "",
            "district": address.district,
            "state": address.province,
            "country": address.country,
        }
        return _valued(told)

    def _units(self, address: Address) -> list[Built]:
        if address.district or address.district_code:
            return []
        units = {
            "commune": (address.commune_code, address.commune),
            "province": (address.province_code, address.province),
        }
        return [
            {"url": url, "valueCoding": _valued({"code": code, "display": display})}
            for unit, (code, display) in units.items()
            if code and (url := self._written("fhir_systems", unit))
        ]

    def _parts(self, kind: str, whole: Any) -> list[Built]:
        url = self._written("fhir_systems", kind)
        parts = ((leaf.name, getattr(whole, leaf.name)) for leaf in fields(whole))
        stated = [{"url": name, "valueString": part} for name, part in parts if part]
        return [{"url": url, "extension": stated}] if url and stated else []

    def identifier(self, kind: str, number: str) -> Built | None:
        """An Identifier of a kind intake knows (personal, cmnd, passport, insurance, facility, facility_code); None
        when no table says how to write it."""
        system, code = self._written("fhir_systems", kind), self._written("fhir_identifier_types", kind)
        if not system and not code:
            return None
        coding = {"system": self._table("fhir_identifier_types").column(code, "written"), "code": code}
        return _valued({"type": {"coding": [coding]} if code else None, "system": system, "value": number})

    def gender(self, sex: Enum) -> str:
        """The code of AdministrativeGender that means this sex."""
        table = self._table("fhir_sex")
        return next(code for code in table.codes() if table.column(code, "value") == sex.value)

    def ethnicity(self, code: str) -> Built:
        """Dân tộc, by the code of the national list."""
        coding = _valued({"code": code, "display": self._table("ethnicity").column(code, "name")})
        return {"url": self.term("ethnicity"), "valueCodeableConcept": {"coding": [coding]}}

    def nationality(self, code: str) -> Built:
        """Quốc tịch, ISO 3166-1 alpha-2 (FHIR R4 extension patient-nationality)."""
        concept = {"coding": [{"system": COUNTRIES, "code": code}]}
        return {"url": NATIONALITY, "extension": [{"url": "code", "valueCodeableConcept": concept}]}

    def _written(self, table: str, kind: str) -> str:
        """The code that is marked to be written for a kind: the table read the other way."""
        codes = self._table(table)
        meant = (code for code in codes.codes() if codes.column(code, "value") == kind)
        return next((code for code in meant if codes.column(code, "written")), "")


def date_of(value: PartialDate) -> str:
    """The day, month or year of a date or instant: FHIR date."""
    return str(PartialDate(value.year, value.month, value.day))


def is_exact(text: str, value: PartialDate) -> bool:
    """Whether FHIR's form says neither more nor less than is known."""
    return PartialDate.parse(text) == value


def _valued(element: Built) -> Built:
    """Without what is empty: FHIR JSON has no empty values (FHIR R4 section 2.6.2)."""
    return {name: value for name, value in element.items() if value}
