"""FHIR as resources that can be found: shape checks at the border, references, times.

A Bundle of any type becomes a flat list of resources, each with its place as a FHIRPath expression; a Bundle inside a
message Bundle (the shape of document submission) is opened too. Hospital JSON is often slightly wrong, so everything
here takes what has the right shape and never assumes that the rest has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from adapters.hospital.fhir_json import read_json
from adapters.hospital.fhir_release import as_r4
from adapters.hospital.fhir_xml import read_xml
from gateway.domain.dates import PartialDate
from gateway.errors import UnreadableMessage

BUNDLE_TYPES = ("transaction", "batch", "message", "document", "collection")
READ_ALONE = ("Patient", "RelatedPerson", "Encounter", "Observation", "Composition")
KEPT_ALONE = ("Condition", "Location", "Organization", "Practitioner", "PractitionerRole")
"""Some systems send them ahead of what refers to them: accepted and kept, they say nothing of a birth or death."""

SINGLE_TYPES = (*READ_ALONE, *KEPT_ALONE)
METHODS = ("POST", "PUT")
"""Of Bundle.entry.request: both hand a resource in."""

_NESTING = 3  # Bundles within Bundles: a message holding a document is two

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One resource of a message. `place` is its FHIRPath expression, `url` its Bundle.entry.fullUrl or ""."""

    resource: Json
    place: str
    url: str = ""

    @property
    def type(self) -> str:
        return text(self.resource.get("resourceType"))

    @property
    def id(self) -> str:
        return text(self.resource.get("id"))

    @property
    def is_withdrawn(self) -> bool:
        return self.resource.get("status") == "entered-in-error"

    @property
    def handles(self) -> tuple[str, ...]:
        """The ways a reference may name this resource (FHIR R4 section 2.3.0.1, literal references)."""
        relative = f"{self.type}/{self.id}" if self.id else ""
        return tuple(handle for handle in (relative, _unversioned(self.url)) if handle)


def _unversioned(url: str) -> str:
    return url.partition("/_history/")[0]


def handle_of(reference: Any) -> str:
    """A Reference's target as a handle: "Patient/1" also from an absolute URL, a urn as it is; "" without one."""
    target = _unversioned(text(objects(reference)[0].get("reference"))) if objects(reference) else ""
    parts = target.split("/")
    return "/".join(parts[-2:]) if len(parts) > 2 and parts[-2].isalpha() else target


def text(value: Any) -> str:
    """A string as it is, anything else as ""."""
    return value.strip() if isinstance(value, str) else ""


def objects(value: Any) -> list[Json]:
    """The JSON objects of an element that may be missing, single, a list, or of a wrong type."""
    if isinstance(value, Mapping):
        return [value]
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def listed(value: Any) -> list[Any]:
    """A JSON list as it is, anything else as []."""
    return value if isinstance(value, list) else []


def codings(concept: Any) -> Iterator[tuple[str, str]]:
    """(system, code) of every coding of one or more CodeableConcepts, or of a bare Coding."""
    for item in objects(concept):
        for coding in objects(item.get("coding")) or [item]:
            if code := text(coding.get("code")):
                yield text(coding.get("system")), code


def codes(concept: Any) -> set[str]:
    """The codes of `codings`, without their systems."""
    return {code for _, code in codings(concept)}


def read_root(raw: bytes, release: str = "R4") -> Json:
    """The resource in `raw` (JSON or XML) in the elements of R4: a Bundle of a known type, or one of the single
    resources taken on their own. `release` is the sender's: R4, R4B or R5.

    Raises UnreadableMessage: those of fhir_json and fhir_xml, `fhir.not_a_resource`, `fhir.type_unsupported`,
    `fhir.bundle_type`, `fhir.no_message_header`, `fhir.method_unsupported` or `fhir.shape`; `where` is a FHIRPath
    expression, an offset, or line and column.
    """
    is_xml = raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"
    root = read_xml(raw, release) if is_xml else read_json(raw)
    if not isinstance(root, dict) or not text(root.get("resourceType")):
        raise UnreadableMessage("fhir.not_a_resource", "resourceType", "not a FHIR resource: no resourceType", "101")
    _check_shape(root, text(root["resourceType"]))
    return as_r4(root) if release == "R5" else root


def _check_shape(root: Json, kind: str) -> None:
    if kind in SINGLE_TYPES:
        return
    if kind != "Bundle":
        wanted = ", ".join(("Bundle", *SINGLE_TYPES))
        raise UnreadableMessage("fhir.type_unsupported", "resourceType", f"one of {wanted} is taken here", "200")
    if root.get("type") not in BUNDLE_TYPES:
        raise UnreadableMessage("fhir.bundle_type", "Bundle.type", f"one of {', '.join(BUNDLE_TYPES)} is taken", "103")
    entries = root.get("entry", [])
    if not isinstance(entries, list):
        raise UnreadableMessage("fhir.shape", "Bundle.entry", "not a list", "102")
    for index, entry in enumerate(entries):
        resource = entry.get("resource", {}) if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            raise UnreadableMessage("fhir.shape", f"Bundle.entry[{index}].resource", "not a resource", "102")
        if root["type"] == "transaction":
            _check_request(entry, index)
    first = entries[0].get("resource", {}) if entries else {}
    if root["type"] == "message" and first.get("resourceType") != "MessageHeader":
        # FHIR R4 section 2.4: the first resource of a message is its MessageHeader.
        problem = "a message starts with MessageHeader"
        raise UnreadableMessage("fhir.no_message_header", "Bundle.entry[0].resource", problem, "101")


def _check_request(entry: Json, index: int) -> None:
    """A transaction is done as a whole or not at all (FHIR R4 section 3.1.0.11.2), and nothing is read or deleted."""
    if method_of(entry) not in METHODS:
        where = f"Bundle.entry[{index}].request.method"
        raise UnreadableMessage("fhir.method_unsupported", where, f"one of {', '.join(METHODS)} is taken here", "200")


def method_of(entry: Json) -> str:
    """What Bundle.entry.request asks for; POST where it does not say."""
    return next((text(request.get("method")) for request in objects(entry.get("request"))), "") or "POST"


class Resources:
    """All resources of one message, found by type and by reference; every look-up is indexed, so that a Bundle of
    thousands of entries costs no more than its length. `withdrawn` are those with status entered-in-error: no statement
    (FHIR R4 section 2.3.0), so they are not found by type."""

    def __init__(self, root: Json) -> None:
        self.root = root
        self.entries = tuple(_flatten(root, text(root.get("resourceType")), _NESTING))
        self._by_type: dict[str, list[Entry]] = {}
        self._by_handle: dict[str, Entry] = {}
        self._about: dict[tuple[str, str], dict[Entry, list[Entry]]] = {}
        self._links: dict[Entry, list[Entry]] | None = None
        self.withdrawn = [entry for entry in self.entries if entry.is_withdrawn]
        for entry in self.entries:
            if not entry.is_withdrawn:
                self._by_type.setdefault(entry.type, []).append(entry)
            for handle in entry.handles:
                self._by_handle.setdefault(handle, entry)

    def of_type(self, kind: str) -> Sequence[Entry]:
        return self._by_type.get(kind, ())

    def resolve(self, reference: Any) -> Entry | None:
        """The resource a Reference names, when it travels in this message."""
        target = _unversioned(text(objects(reference)[0].get("reference"))) if objects(reference) else ""
        return self._by_handle.get(target) or self._by_handle.get(handle_of(reference))

    def about(self, entry: Entry, kind: str, element: str) -> list[Entry]:
        """Resources of `kind` whose `element` (subject, patient) names `entry`."""
        index = self._about.get((kind, element))
        if index is None:
            index = self._about[kind, element] = {}
            for other in self.of_type(kind):
                if target := self.resolve(other.resource.get(element)):
                    index.setdefault(target, []).append(other)
        return index.get(entry, [])

    def linked(self, person: Entry) -> list[Entry]:
        """Patients that Patient.link says are this RelatedPerson."""
        if self._links is None:
            self._links = {}
            for patient in self.of_type("Patient"):
                for link in objects(patient.resource.get("link")):
                    if target := self.resolve(link.get("other")):
                        self._links.setdefault(target, []).append(patient)
        return self._links.get(person, [])


def _flatten(resource: Json, place: str, nesting: int) -> Iterator[Entry]:
    if resource.get("resourceType") != "Bundle":
        yield Entry(resource, place)
        return
    # Indexes must be those of the sender's list, so entries of a wrong type keep their number.
    for index, entry in enumerate(listed(resource.get("entry"))):
        inner = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(inner, dict) or not inner:
            continue
        here = f"{place}.entry[{index}].resource"
        if inner.get("resourceType") == "Bundle" and nesting:
            yield from _flatten(inner, here, nesting - 1)
        else:
            yield Entry(inner, here, text(entry.get("fullUrl")))


def partial_date(value: Any) -> PartialDate | None:
    """A FHIR date, dateTime or instant; None when absent or not in the calendar."""
    try:
        return PartialDate.parse(value) if isinstance(value, str) and value.strip() else None
    except ValueError:
        return None


def instant_of(value: Any, offset: int) -> datetime | None:
    """A FHIR time as an instant in UTC; a day without a time is its midnight on the feed's wall clock."""
    parsed = partial_date(value)
    if parsed is None or parsed.date is None:
        return None
    day = datetime(parsed.date.year, parsed.date.month, parsed.date.day, tzinfo=timezone(timedelta(minutes=offset)))
    return parsed.instant(offset) or day.astimezone(UTC)


def moment_of(resources: Resources, offset: int) -> datetime | None:
    """When the message speaks: Bundle.timestamp, else the latest time its resources carry; None when nothing says.

    Many senders leave out the timestamp of transactions. The clock of this machine is no substitute: a replay would
    then decide differently from the first run.
    """
    if stamp := instant_of(resources.root.get("timestamp"), offset):
        return stamp
    times = (instant_of(value, offset) for entry in resources.entries for value in _times(entry))
    return max((time for time in times if time), default=None)


def _times(entry: Entry) -> Iterator[Any]:
    resource = entry.resource
    for meta in objects(resource.get("meta")):
        yield meta.get("lastUpdated")
    if entry.type == "Composition":
        yield resource.get("date")
    if entry.type == "Encounter":
        for period in objects(resource.get("period")):
            yield from (period.get("start"), period.get("end"))
    if entry.type == "Observation":
        yield from (resource.get("effectiveDateTime"), resource.get("issued"))
