"""The persons of a FHIR document, and the draft that every part of a document is written from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from adapters.hospital.fhir_elements import BIRTH_TIME, Built, Elements, date_of, is_exact
from gateway.domain.dates import PartialDate
from gateway.domain.notification import BirthNotification, Notification, flatten
from gateway.ports.hospital import CodeTable, DocumentFrame

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:vn:hotich:fhir")
_ROLE_CODES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
PARENTS = {"mother": "MTH", "father": "FTH"}
_NUMBERS = {
    "facility_id": "facility",
    "personal_id": "personal",
    "cmnd": "cmnd",
    "passport": "passport",
    "insurance": "insurance",
}


class Draft:
    """The Bundle in the making. `facts` are those nobody has written yet."""

    def __init__(self, notification: Notification, frame: DocumentFrame, table: Callable[[str], CodeTable]) -> None:
        self.kind = "birth" if isinstance(notification, BirthNotification) else "death"
        self.subject = "child" if self.kind == "birth" else "deceased"
        self.facts = flatten(notification)
        self.frame = frame
        self.make = Elements(table, frame.offset)
        self.resources: dict[str, Built] = {}  # role → resource, the Composition apart

    def take(self, path: str) -> Any:
        """A fact nobody else will write; None when unknown."""
        return self.facts.pop(path, None)

    def tells(self, section: str) -> bool:
        """Whether a fact of this section is still to be written."""
        return any(path.startswith(f"{section}.") for path in self.facts)

    def rest(self, section: str, prefix: str = "") -> list[Built]:
        """Extensions for every fact of a section that no element of FHIR took."""
        paths = [path for path in self.facts if path.startswith(f"{section}.")]
        named = ((f"{prefix or section}.{path.partition('.')[2]}", self.take(path)) for path in paths)
        return [self.make.extension(name, value) for name, value in named]

    def reference(self, role: str) -> Built:
        """A Reference to the resource of a role."""
        return {"reference": self.url(role)}

    def url(self, role: str) -> str:
        """Entry.fullUrl of a role: the same for the same case, another for another."""
        return uuid5(_NAMESPACE, f"{self.frame.case_id}/{role}").urn


def write_person(draft: Draft, section: str) -> Built:
    """A Patient of one section of the notification. Extensions name the facts of every person alike: `person.…`."""
    make = draft.make

    def take(leaf: str) -> Any:
        return draft.take(f"{section}.{leaf}")

    told: Built = {"resourceType": "Patient", "extension": [], "identifier": _identifiers(draft, section)}
    if ethnicity := take("ethnicity"):
        told["extension"].append(make.ethnicity(ethnicity))
    if nationality := take("nationality"):
        told["extension"].append(make.nationality(nationality))
    if name := take("name"):
        told["name"] = [make.name(name)]
    if phone := take("phone"):
        told["telecom"] = [{"system": "phone", "value": phone}]
    if sex := take("sex"):
        told["gender"] = make.gender(sex)
    if born := take("born"):
        told |= _birth_date(make, born)
        told["extension"] += if_inexact(make, "person.born", make.date_time(born), born)
    if address := take("address"):
        told["address"] = [make.address(address, "temp" if address.residence == "temporary" else "home")]
    told["extension"] += draft.rest(section, "person")
    return told


def _identifiers(draft: Draft, section: str) -> list[Built]:
    written = {}
    for leaf, kind in _NUMBERS.items():
        path = f"{section}.{leaf}"
        if path in draft.facts and (identifier := draft.make.identifier(kind, draft.facts[path])):
            written[path] = identifier
    for path in written:
        draft.take(path)
    return list(written.values())


def _birth_date(make: Elements, born: PartialDate) -> Built:
    told: Built = {"birthDate": date_of(born)}
    if born.minute is not None:
        told["_birthDate"] = {"extension": [{"url": BIRTH_TIME, "valueDateTime": make.date_time(born)}]}
    return told


def if_inexact(make: Elements, name: str, text: str, value: PartialDate) -> list[Built]:
    """The extension that keeps a date where `text`, its FHIR form, says more or less than is known."""
    return [] if is_exact(text, value) else [make.extension(name, value)]


def add_parent(draft: Draft, role: str) -> None:
    """A parent is a Patient, which has identifiers and nationality, and the RelatedPerson that ties it to the child."""
    relation = f"{role}-relation"
    person = write_person(draft, role)
    person["link"] = [{"other": draft.reference(relation), "type": "seealso"}]
    draft.resources[role] = person
    draft.resources[relation] = {
        "resourceType": "RelatedPerson",
        "patient": draft.reference(draft.subject),
        "relationship": [{"coding": [{"system": _ROLE_CODES, "code": PARENTS[role]}]}],
    }
