"""A case's notification as a FHIR R4 document Bundle (FHIR R4 section 3.3): Composition, Patient, RelatedPerson,
Encounter, Observation, Location, Organization.

Every fact has a place: `Draft` starts with all of them, each builder takes those it writes, and what nobody took
becomes an extension named after its path, so that a fact added to the notification is written before anyone thinks of
it. Nothing here knows the time or makes up an id: equal cases give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from adapters.hospital.fhir_document_people import PARENTS, Draft, add_parent, if_inexact, write_person
from adapters.hospital.fhir_elements import (
    BIRTH_PLACE,
    LOINC,
    OWN,
    UCUM,
    Built,
    Elements,
)
from gateway.domain.dates import PartialDate
from gateway.domain.notification import Notification
from gateway.ports.hospital import CodeTable, DocumentFrame

_IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
_PARTICIPATIONS = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_NULL_FLAVORS = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def write_document(notification: Notification, frame: DocumentFrame, table: Callable[[str], CodeTable]) -> bytes:
    """The Bundle as JSON. Implements gateway.ports.hospital.DocumentWriter."""
    draft = Draft(notification, frame, table)
    subject = write_person(draft, draft.subject)
    _add_event(draft, subject)
    facility = _add_facility(draft)
    _add_stay(draft, facility)
    draft.resources = {draft.subject: subject, **draft.resources}
    for role in PARENTS:
        if draft.tells(role):
            add_parent(draft, role)
    for path in draft.make.facts(draft.kind):
        _add_observation(draft, path)
    subject.setdefault("extension", []).extend(draft.rest(draft.kind))
    composition = _composition(draft, facility)
    entries = {"composition": composition, **draft.resources}
    stamp = frame.at.isoformat()
    bundle = {
        "resourceType": "Bundle",
        "language": "vi",
        "identifier": {"system": OWN + "document", "value": frame.identifier},
        "type": "document",
        "timestamp": stamp,
        "entry": [{"fullUrl": draft.url(role), "resource": _compact(resource)} for role, resource in entries.items()],
    }
    return orjson.dumps(bundle, option=orjson.OPT_APPEND_NEWLINE)


def _compact(resource: Built) -> Built:
    return {name: value for name, value in resource.items() if value not in (None, "", [], {})}


def _add_event(draft: Draft, subject: Built) -> None:
    """What the subject's own resource says of the birth or death."""
    if draft.kind == "birth":
        _add_birth(draft, subject)
    else:
        _add_death(draft, subject)


def _add_birth(draft: Draft, child: Built) -> None:
    multiple, order = draft.take("birth.multiple"), draft.facts.get("birth.order")
    if multiple and order:
        child["multipleBirthInteger"] = order
    elif multiple is not None:
        child["multipleBirthBoolean"] = multiple
    if place := draft.take("birth.place"):
        child["extension"].append({"url": BIRTH_PLACE, "valueAddress": draft.make.address(place)})


def _add_death(draft: Draft, deceased: Built) -> None:
    """deceased[x] says that or when; an indicator that denies a dated death stays a contradiction."""
    at, indicated = draft.facts.get("death.at"), draft.facts.get("death.indicated")
    if at is not None:
        text = draft.make.date_time(at)
        deceased["extension"] += if_inexact(draft.make, "death.at", text, at)
    if at is not None and indicated is not False:
        deceased["deceasedDateTime"] = text
    elif indicated is not None:
        deceased["deceasedBoolean"] = draft.take("death.indicated")
    if informant := draft.take("death.informant"):
        relation = {"coding": [{"system": _PARTICIPATIONS, "code": "INF"}]}
        deceased["contact"] = [{"relationship": [relation], "name": {"text": informant}}]


def _add_facility(draft: Draft) -> Built | None:
    """The Organization; None when the notification names no facility."""
    if not draft.tells("facility"):
        return None
    make = draft.make
    told: Built = {"resourceType": "Organization"}
    identifier = make.identifier("facility_code", draft.facts.get("facility.code", ""))
    if identifier and draft.take("facility.code"):
        told["identifier"] = [identifier]
    if name := draft.take("facility.name"):
        told["name"] = name
    elif "identifier" not in told:  # FHIR R4 constraint org-1: an identifier or a name
        told["_name"] = {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]}
    if address := draft.take("facility.address"):
        told["address"] = [make.address(address)]
    told["extension"] = draft.rest("facility")
    draft.resources["facility"] = told
    return told


def _add_stay(draft: Draft, facility: Built | None) -> None:
    """The Encounter that ties the facility and the place to the person. What kind of stay it was nobody said."""
    place = _place(draft)
    if facility is None and place is None:
        return
    stay: Built = {
        "resourceType": "Encounter",
        "status": "unknown",
        "class": {"system": _NULL_FLAVORS, "code": "UNK"},
        "subject": draft.reference(draft.subject),
    }
    if facility is not None:
        stay["serviceProvider"] = draft.reference("facility")
    if place is not None:
        stay["location"] = [{"location": draft.reference("place")}]
        draft.resources = {"place": place, **draft.resources}
    draft.resources = {"encounter": stay, **draft.resources}


def _place(draft: Draft) -> Built | None:
    name = draft.take(f"{draft.kind}.place_name")
    address = draft.take("death.place")
    if not name and not address:
        return None
    told: Built = {"resourceType": "Location", "name": name}
    told["type"] = [{"coding": [{"system": OWN + "place", "code": f"place-of-{draft.kind}"}]}]
    if address:
        told["address"] = draft.make.address(address)
    return told


def _add_observation(draft: Draft, path: str) -> None:
    value = draft.take(path)
    if value is None:
        return
    draft.resources[path] = {
        "resourceType": "Observation",
        "status": "final",
        "code": draft.make.concept(path, LOINC),
        "subject": draft.reference(draft.subject),
        **_observed(draft.make, value, draft.make.term(path, "unit")),
    }


def _observed(make: Elements, value: Any, unit: str) -> Built:
    if unit:
        return {"valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}}
    if isinstance(value, PartialDate):
        return {"valueDateTime": make.date_time(value)}
    return {"valueInteger": value} if isinstance(value, int) else {"valueCodeableConcept": {"text": value}}


def _composition(draft: Draft, facility: Built | None) -> Built:
    """The head of the document: what it is, about whom, by whom, which paper it repeats, and what it contains."""
    make, frame = draft.make, draft.frame
    told: Built = {
        "resourceType": "Composition",
        "status": "entered-in-error" if frame.withdrawn else "final",
        "type": make.concept(draft.kind, LOINC),
        "subject": draft.reference(draft.subject),
        "date": frame.at.isoformat(),
        "author": [draft.reference("facility") if facility else {"display": frame.author}],
        "title": make.term(draft.kind, "name"),
    }
    if number := draft.take("paper.number"):
        told["identifier"] = {"type": make.concept(f"paper.{draft.kind}", _IDENTIFIER_TYPES), "value": number}
    if original := draft.take("paper.original_number"):
        told["relatesTo"] = [{"code": "replaces", "targetIdentifier": {"value": original}}]
    told["extension"] = [make.extension(path, draft.take(path)) for path in list(draft.facts)]  # all that is left
    told["section"] = [_section(draft, name, roles) for name, roles in _sections(draft).items() if roles]
    return told


def _sections(draft: Draft) -> dict[str, Sequence[str]]:
    """Section → roles of its resources; each resource is in one."""
    parents = {role: [name for name in draft.resources if name.partition("-")[0] == role] for role in PARENTS}
    named = {draft.subject: [draft.subject], **parents, "facility": ["facility"] * ("facility" in draft.resources)}
    placed = {role for roles in named.values() for role in roles}
    return {**named, "event": [role for role in draft.resources if role not in placed]}


def _section(draft: Draft, name: str, roles: Sequence[str]) -> Built:
    return {
        "title": draft.make.term(f"section.{name}", "name"),
        "code": draft.make.concept(f"section.{name}", OWN + "section"),
        "entry": [draft.reference(role) for role in roles],
    }
