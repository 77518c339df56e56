"""What became of a dossier as a FHIR R4 Task (section 12.1): the registration asked of the commune, and how far it is.

One Task a case, under the case's id, so that a later state replaces the earlier one. `status` is FHIR's, in
`businessStatus` is the journey's own state; register numbers are `output`. The patient is a logical reference by the
facility's number: the gateway serves no Patient. Systems of our own begin with `urn:vn:hotich:fhir:`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any

from adapters.hospital.fhir_elements import OWN, Elements
from gateway.domain.notice import OutcomeNotice
from gateway.ports.hospital import CodeTable

TABLE = "outcome_notice"
OFFSET = 420
"""Minutes east of UTC of the times told: Việt Nam's."""
STATUS = {
    "collecting": "draft",
    "waiting": "draft",
    "ready": "ready",
    "undelivered": "ready",
    "rejected": "on-hold",
    "sent": "requested",
    "accepted": "accepted",
    "needs_more": "on-hold",
    "registered": "completed",
    "refused": "rejected",
    "corrected": "in-progress",
    "withdrawing": "in-progress",
    "cancelled": "cancelled",
    "merged": "cancelled",
}
"""State of the journey → Task.status (value set task-status)."""


def task_of(notice: OutcomeNotice, table: Callable[[str], CodeTable]) -> dict[str, Any]:
    """The Task as JSON has it. Equal notices give equal Tasks."""
    words, make = table(TABLE), Elements(table, OFFSET)
    at = notice.at.astimezone(timezone(timedelta(minutes=OFFSET))).isoformat(timespec="seconds")
    task = {
        "resourceType": "Task",
        "id": notice.case_id,
        "language": "vi",
        "identifier": _identifiers(notice),
        "status": STATUS[notice.state],
        "statusReason": {"text": notice.words} if notice.words else None,
        "businessStatus": _concept("state", notice.state, words.column(f"state.{notice.state}", "name")),
        "intent": "order",
        "code": _concept("registration", notice.kind, words.column(notice.kind, "name")),
        "for": _patient(notice, make),
        "lastModified": at,
        "requester": _organization(make.identifier("facility_code", notice.facility_code), notice.facility_code),
        "owner": _organization({"system": OWN + "commune", "value": notice.commune}, notice.commune),
        "output": _output(notice, make, words),
    }
    return {name: value for name, value in task.items() if value}


def _identifiers(notice: OutcomeNotice) -> list[dict[str, str]]:
    told = [("case", notice.case_id), ("dossier", notice.code), ("paper", notice.paper_number)]
    told += [("message", message) for message in notice.messages]
    return [{"system": OWN + what, "value": value} for what, value in told if value]


def _patient(notice: OutcomeNotice, make: Elements) -> dict[str, Any] | None:
    if not notice.patients:
        return None
    first = notice.patients[0]
    if "/" in first:  # how the hospital's own FHIR server names the patient
        return {"reference": first, "type": "Patient"}
    return {"type": "Patient", "identifier": make.identifier("facility", first) or {"value": first}}


def _organization(identifier: dict[str, Any] | None, code: str) -> dict[str, Any] | None:
    return {"type": "Organization", "identifier": identifier or {"value": code}} if code else None


def _output(notice: OutcomeNotice, make: Elements, words: CodeTable) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [
        {"type": _concept("result", name, words.column(name, "name")), "valueString": value}
        for name, value in notice.result.items()
        if value
    ]
    if notice.personal_id:
        number = make.identifier("personal", notice.personal_id) or {"value": notice.personal_id}
        what = _concept("result", "personal_id", words.column("personal_id", "name"))
        told.append({"type": what, "valueIdentifier": number})
    return told


def _concept(what: str, code: str, display: str | None) -> dict[str, Any]:
    return {"coding": [{"system": OWN + what, "code": code}], "text": display or code}
