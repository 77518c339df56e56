"""Who is who in a FHIR message: child or deceased, mother, father; their encounter, facility and place.

Three ways of saying it are read: RelatedPerson and Patient.contact with HL7 v3-RoleCode relationships, the newborn's
Encounter.partOf its mother's, and documents, whose Composition sections or resource profiles give the roles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.hospital.fhir_bundle import Entry, Resources, codes, listed, objects, text

Role = str | frozenset[str]
"""child, fetus, deceased, or a parent's set of relationship codes."""

MOTHER = frozenset({"MTH", "NMTH"})
FATHER = frozenset({"FTH", "NFTH"})

_DOCUMENTS = {
    # Composition.type → role of its subject (LOINC): live birth, fetal death and death reports and certificates.
    "92011-6": "child",
    "68998-4": "child",
    "71230-7": "child",
    "92010-8": "fetus",
    "69045-3": "fetus",
    "64297-5": "deceased",
    "69409-1": "deceased",
}
_SECTIONS: Mapping[str, Role] = {
    # Composition.section codes of civil registration documents.
    "child-details": "child",
    "deceased-details": "deceased",
    "mother-details": MOTHER,
    "father-details": FATHER,
}
_PROFILES: Mapping[str, Role] = {
    "Patient-child-vr": "child",
    "Patient-decedent-fetus": "fetus",
    "Patient-mother-vr": MOTHER,
    "vrdr-decedent": "deceased",
}


def documented(resources: Resources) -> dict[Entry, Role]:
    """The roles that a document gives its Patients; {} when the message is no document. The first statement counts."""
    documents = resources.of_type("Composition")
    roles: dict[Entry, Role] = {}
    for document in documents:
        for section in objects(document.resource.get("section")):
            given = [_SECTIONS[code] for code in codes(section.get("code")) if code in _SECTIONS]
            for target in map(resources.resolve, objects(section.get("entry"))):
                if given and target and target.type == "Patient":
                    roles.setdefault(target, given[0])
        kinds = [_DOCUMENTS[code] for code in codes(document.resource.get("type")) if code in _DOCUMENTS]
        subject = resources.resolve(document.resource.get("subject"))
        if kinds and subject:
            roles.setdefault(subject, kinds[0])
    for patient in resources.of_type("Patient") if documents else ():
        profiles = (text(p) for meta in objects(patient.resource.get("meta")) for p in listed(meta.get("profile")))
        for role in (role for profile in profiles for end, role in _PROFILES.items() if profile.endswith(end)):
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
    }
