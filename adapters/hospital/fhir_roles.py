"""Who is who in a FHIR message: child or deceased, mother, father; their encounter, facility and place.

Three ways of saying it are read: RelatedPerson and Patient.contact with HL7 v3-RoleCode relationships, the newborn's
Encounter.partOf its mother's, and documents, whose Composition sections or resource profiles give the roles.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

from adapters.hospital.fhir_bundle import Entry, Resources, codes, listed, objects, text

Role = str | frozenset[str]
"""child, fetus, deceased, or a parent's set of relationship codes; `OTHER`: somebody in a document about neither."""

OTHER: Role = "other"

MOTHER = frozenset({"MTH", "NMTH"})
FATHER = frozenset({"FTH", "NFTH"})

_KIN: Mapping[str, Role] = {"mother": MOTHER, "father": FATHER}


@lru_cache(maxsize=3)
def roles_by(kind: str) -> Mapping[str, Role]:
    """From the code table fhir_roles that ships with the mappings, for a kind of code: `document` (Composition.type →
    role of its subject), `section` (Composition.section.code) or `profile` (the end of meta.profile)."""
    table = (files("mappings") / "codes" / "fhir_roles.csv").read_text("utf-8")
    rows = [row for row in csv.DictReader(io.StringIO(table)) if row["kind"] == kind]
    return {row["code"]: _KIN.get(row["value"], row["value"]) for row in rows}


def documented(resources: Resources) -> dict[Entry, Role]:
    """The roles that a document gives its Patients; {} when the message is no document. The first statement counts."""
    documents = resources.of_type("Composition")
    types, sections, profiled = roles_by("document"), roles_by("section"), roles_by("profile")
    roles: dict[Entry, Role] = {}
    for document in documents:
        for section in objects(document.resource.get("section")):
            given = [sections[code] for code in codes(section.get("code")) if code in sections]
            for target in map(resources.resolve, objects(section.get("entry"))):
                if given and target and target.type == "Patient":
                    roles.setdefault(target, given[0])
        kinds = [types[code] for code in codes(document.resource.get("type")) if code in types]
        subject = resources.resolve(document.resource.get("subject"))
        if kinds and subject:
            roles.setdefault(subject, kinds[0])
    for patient in resources.of_type("Patient") if documents else ():
        profiles = (text(p) for meta in objects(patient.resource.get("meta")) for p in listed(meta.get("profile")))
        for role in (role for profile in profiles for end, role in profiled.items() if profile.endswith(end)):
            roles.setdefault(patient, role)
    return roles


def kin_of(resources: Resources, patient: Entry, wanted: frozenset[str], document: Mapping[Entry, Role]) -> list[Entry]:
    """A parent as this message describes them: Patient resources first (they hold identifiers), then RelatedPerson,
    then Patient.contact."""
    people = list(resources.about(patient, "RelatedPerson", "patient"))
    if document.get(patient) in ("child", "fetus"):
        # Birth documents leave out RelatedPerson.patient: there is only one child to be related to.
        people += [person for person in resources.of_type("RelatedPerson") if not person.resource.get("patient")]
    related = [person for person in people if wanted & codes(person.resource.get("relationship"))]
    contacts = [
        Entry({"resourceType": "Patient.contact", **contact}, f"{patient.place}.contact[{index}]")
        for index, contact in enumerate(listed(patient.resource.get("contact")))
        if isinstance(contact, dict) and wanted & codes(contact.get("relationship"))
    ]
    patients = [other for other, role in document.items() if role == wanted]
    patients += [other for person in related for other in resources.linked(person)]
    if wanted == MOTHER:
        patients += _delivered(resources, patient)
    return [*dict.fromkeys(other for other in patients if other is not patient), *related, *contacts]


def _delivered(resources: Resources, child: Entry) -> list[Entry]:
    """The Patient whose Encounter the newborn's Encounter is part of."""
    stays = resources.about(child, "Encounter", "subject")
    parents = [resources.resolve(stay.resource.get("partOf")) for stay in stays]
    mothers = [resources.resolve(parent.resource.get("subject")) for parent in parents if parent]
    return [mother for mother in mothers if mother and mother.type == "Patient"]


def roles_of(
    resources: Resources,
    patient: Entry | None,
    encounters: Sequence[Entry],
    observations: Sequence[Entry],
    document: Mapping[Entry, Role],
) -> dict[str, Sequence[Entry]]:
    """Entries for every variable of a mapping path except %bundle."""
    organizations = [
        found for entry in encounters if (found := resources.resolve(entry.resource.get("serviceProvider"))) is not None
    ]
    locations = [
        found
        for entry in encounters
        for stay in objects(entry.resource.get("location"))
        if (found := resources.resolve(stay.get("location"))) is not None
    ]
    return {
        "patient": [patient] if patient else [],
        "mother": kin_of(resources, patient, MOTHER, document) if patient else [],
        "father": kin_of(resources, patient, FATHER, document) if patient else [],
        "encounter": encounters,
        "observations": observations,
        "facility": organizations,
        "location": locations,
        "composition": resources.about(patient, "Composition", "subject") if patient else [],
    }


def handles_of(patient: Entry) -> tuple[str, ...]:
    """The facility's patient numbers (identifier type MR, then PI or the draft guide's system), then references."""
    numbers: dict[str, list[str]] = {"MR": [], "PI": []}
    for identifier in objects(patient.resource.get("identifier")):
        kinds = codes(identifier.get("type"))
        if text(identifier.get("system")).endswith("/patient-internal-id"):
            kinds.add("PI")
        for kind, found in numbers.items():
            if kind in kinds and text(identifier.get("value")):
                found.append(text(identifier.get("value")))
    return tuple(dict.fromkeys([*numbers["MR"], *numbers["PI"], *patient.handles]))
