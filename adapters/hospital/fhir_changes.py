"""What a FHIR message takes back or joins: status entered-in-error, and Patient.link (docs/decisions/0004).

- A resource with status `entered-in-error` withdraws what it said before: it cancels its own handle ("Encounter/e1"),
  which is the `trigger` of the events it was the evidence of.
- Patient.link of type `replaced-by` or `replaces` says that two records are of one patient: their handles are merged.
Neither says anything else about the patient. Updates are ordered by meta.lastUpdated, else by when the message speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from adapters.hospital.fhir_bundle import Entry, Resources, handle_of, instant_of, objects, text
from adapters.hospital.fhir_paths import FhirScope
from adapters.hospital.fhir_roles import handles_of
from gateway.domain.case import Rank
from gateway.ports.hospital import Event

_STATEMENTS = ("Composition", "Encounter", "Observation")
_SAME_PATIENT = ("replaced-by", "replaces")


def trigger_of(entry: Entry) -> str:
    """The handle by which a statement can be withdrawn: "Observation/123", else its fullUrl, else its type."""
    return next(iter(entry.handles), entry.type)


def occurred_at(entries: Iterable[Entry], moment: datetime | None, offset: int) -> str:
    """UTC ISO text of the latest meta.lastUpdated of `entries`, else of `moment`; "" when nothing says."""
    stamps = (meta.get("lastUpdated") for entry in entries for meta in objects(entry.resource.get("meta")))
    latest = max((stamp for stamp in (instant_of(each, offset) for each in stamps) if stamp), default=moment)
    return latest.astimezone(UTC).isoformat() if latest else ""


def is_withdrawn_document(resources: Resources) -> bool:
    """Whether the whole message is a document entered in error: nothing in it is a statement any more."""
    root = resources.root
    first = next(iter(resources.entries), None)
    return root.get("type") == "document" and first is not None and first.type == "Composition" and first.is_withdrawn


def find_changes(resources: Resources, moment: datetime | None, offset: int) -> list[Event]:
    """Cancellations and merges, one event for each patient and kind of case, because the message does not know which
    cases there are."""
    cancelled: dict[tuple[str, ...], list[Entry]] = {}
    for entry in resources.withdrawn:
        if entry.type in _STATEMENTS and (patients := _named(resources, entry.resource.get("subject"))):
            cancelled.setdefault(patients, []).append(entry)
    events = [
        _change(resources, patients, occurred_at(entries, moment, offset), tuple(map(trigger_of, entries)), ())
        for patients, entries in cancelled.items()
    ]
    for patient in resources.of_type("Patient"):
        for gone, kept in _merged(resources, patient):
            events.append(_change(resources, kept, occurred_at([patient], moment, offset), (), gone))
    return [event for pair in events for event in pair]


def _change(
    resources: Resources, patients: tuple[str, ...], occurred: str, cancels: tuple[str, ...], merges: tuple[str, ...]
) -> list[Event]:
    return [
        Event(
            kind,
            "related",
            f"related_{kind}",
            Rank.MESSAGE,
            patients,
            occurred,
            FhirScope(resources, {}),
            trigger=next(iter(cancels), ""),
            cancels=cancels,
            merges=merges,
        )
        for kind in ("birth", "death")
    ]


def _named(resources: Resources, reference: object) -> tuple[str, ...]:
    """The handles of the Patient a Reference names: all of them when it travels in this message."""
    patient = resources.resolve(reference)
    if patient is not None:
        return handles_of(patient)
    handle = handle_of(reference)
    numbers = [
        text(identifier.get("value"))
        for target in objects(reference)
        for identifier in objects(target.get("identifier"))
    ]
    return tuple(name for name in (*numbers, handle) if name and not name.startswith("urn:uuid:"))


def _merged(resources: Resources, patient: Entry) -> Sequence[tuple[tuple[str, ...], tuple[str, ...]]]:
    """(handles of the record that is gone, handles of the one that stays) for every such link of a Patient."""
    pairs = []
    for link in objects(patient.resource.get("link")):
        other, own = _named(resources, link.get("other")), handles_of(patient)
        if text(link.get("type")) in _SAME_PATIENT and other and own:
            pairs.append((own, other) if text(link.get("type")) == "replaced-by" else (other, own))
    return pairs
