"""Outcomes by FHIR R4: a transaction Bundle with one entry, `PUT Task/<case>`, POSTed to the receiver's base address.

An update under an id of ours (http.html#upsert) is what makes it safe to repeat: the first notice of a case creates its
Task, later ones replace it, the same one changes nothing. Bundle.identifier is the notice's key. The bearer token is
that of the file `answer_secret`, if there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from adapters.hospital.fhir_elements import OWN
from adapters.hospital.fhir_json import read_json
from adapters.hospital.outcome_http import Receivers
from adapters.hospital.outcome_task import task_of
from adapters.http_partner import EVIDENCE_BYTES
from gateway.domain.notice import OutcomeNotice
from gateway.errors import Misunderstood, Refused, UnreadableMessage
from gateway.ports.hospital import CodeTable, Feed

MEDIA_TYPE = "application/fhir+json"


class FhirOutcomeSender:
    """ports.hospital.OutcomeSender; `task` also serves searches (gateway.web.api.fhir_task)."""

    way = "fhir"

    def __init__(self, table: Callable[[str], CodeTable]) -> None:
        self._table = table
        self._receivers = Receivers()

    def task(self, notice: OutcomeNotice) -> Mapping[str, Any]:
        """What became of the dossier as a Task."""
        return task_of(notice, self._table)

    def send(self, notice: OutcomeNotice, feed: Feed) -> None:
        """POST the Bundle and read its answer; implements OutcomeSender."""
        content = write_bundle(notice, self.task(notice), feed.answer_to)
        reply = self._receivers.post(feed, content, MEDIA_TYPE, {"accept": MEDIA_TYPE}, token=feed.answer_secret)
        check_answer(reply.body)


def write_bundle(notice: OutcomeNotice, task: Mapping[str, Any], base: str) -> bytes:
    """The transaction (FHIR R4 section 3.1.0.11). Equal notices give equal bytes."""
    address = f"Task/{notice.case_id}"
    entry = {
        "fullUrl": f"{base.partition('?')[0].rstrip('/')}/{address}",
        "resource": task,
        "request": {"method": "PUT", "url": address},
    }
    identifier = {"system": OWN + "notice", "value": notice.key}
    bundle = {"resourceType": "Bundle", "identifier": identifier, "type": "transaction", "entry": [entry]}
    return orjson.dumps(bundle, option=orjson.OPT_APPEND_NEWLINE)


def check_answer(body: bytes) -> None:
    """Read what came with a 2xx: nothing, an OperationOutcome without errors, or a Bundle whose one entry went well.
    A page of a proxy or a sign-in form is no answer."""
    if not body.strip():
        return
    evidence = body[:EVIDENCE_BYTES]
    try:
        told = read_json(body)
    except UnreadableMessage as error:
        raise Misunderstood("answer.not_fhir", "the hospital's server answered no FHIR JSON", evidence) from error
    kind = told.get("resourceType") if isinstance(told, dict) else None
    if kind not in ("Bundle", "OperationOutcome", "Task"):
        raise Misunderstood("answer.not_fhir", "the hospital's server answered no Bundle", evidence)
    if (kind == "Bundle" and not _went_well(told)) or (kind == "OperationOutcome" and _tells_errors(told)):
        raise Refused("answer.refused", "the hospital's server does not take this Task", evidence)


def _went_well(bundle: Mapping[str, Any]) -> bool:
    """Whether every entry says so; one without a status does not."""
    responses = [entry.get("response") for entry in _objects(bundle.get("entry"))]
    return all(isinstance(told, dict) and str(told.get("status", "")).startswith("2") for told in responses)


def _tells_errors(outcome: Mapping[str, Any]) -> bool:
    return any(issue.get("severity") in ("error", "fatal") for issue in _objects(outcome.get("issue")))


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
