"""Answers to FHIR senders (FHIR R4 RESTful API and messaging): what was taken, or what is wrong and where.

The status is 200 for a Bundle and 201 for a single resource, else that of `refusals`; errors are an OperationOutcome.
A transaction or batch is answered by its response Bundle, a message by a response message, anything else by an
OperationOutcome. Nothing in an answer depends on when it is made: a resend gets the same bytes.

The tracking id (the message's number in the log) is the id of what was accepted: `Patient/gateway.17`, and in a Bundle
`Patient/gateway.17-0` for its first entry. Ids of the hospital are not used there: they may be numbers of a patient.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from adapters.hospital.fhir_bundle import METHODS, Json, listed, method_of, objects, text
from adapters.hospital.refusals import SENTENCES, status_of
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Answer, Header

MEDIA_TYPE = "application/fhir+json"
ETAG = 'W/"1"'
"""Of everything accepted: nothing here has a second version, a further message is one of its own."""

_ISSUES = {
    400: "structure",
    401: "login",
    403: "security",
    409: "duplicate",
    413: "too-long",
    422: "processing",
    429: "throttled",
    500: "exception",
    503: "transient",
}
_NOT_SUPPORTED = ("fhir.type_unsupported", "fhir.method_unsupported", "fhir.bundle_type")
_FHIRPATH = re.compile(r"[A-Za-z]\w*(\[\d+\])?(\.[A-Za-z_]\w*(\[\d+\])?)*")
_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")


def envelope_of(root: Json) -> dict[str, Any]:
    """What an answer needs of the message, for `Header.extra`: no personal data."""
    entries = listed(root.get("entry")) if root.get("resourceType") == "Bundle" else []
    first = next((resource for entry in entries[:1] for resource in objects(entry.get("resource"))), {})
    message = first if first.get("resourceType") == "MessageHeader" else {}
    event = {name: message[name] for name in ("eventCoding", "eventUri") if name in message}
    return {
        "type": text(root.get("resourceType")),
        "bundle": text(root.get("type")) if root.get("resourceType") == "Bundle" else "",
        "entries": [(_type_in(entry), method_of(entry)) for entry in entries],
        "message": text(message.get("id")),
        "identified": bool(objects(root.get("identifier"))),
        "event": event,
    }


def _type_in(entry: Json) -> str:
    return next((text(resource.get("resourceType")) for resource in objects(entry.get("resource"))), "")


def make_answer(header: Header | None, code: str, error: UnreadableMessage | None, message_id: str) -> Answer:
    """The reply. `message_id` is the tracking id the sender may quote; "" when nothing was stored."""
    envelope = (header.extra if header else None) or {}
    if error is not None or code[-1] != "A":
        status = status_of(code, error)
        return Answer(code, orjson.dumps(_refusal(status, error, message_id, envelope)), MEDIA_TYPE, status)
    kind = envelope.get("bundle", "")
    outcome = _receipt(message_id)
    if kind in ("transaction", "batch"):
        body: dict[str, Any] = _entries_response(kind, envelope["entries"], outcome, message_id)
    elif kind == "message":
        body = _message_response(envelope, outcome)
    else:
        body = outcome
    return Answer(code, orjson.dumps(body), MEDIA_TYPE, 200 if kind else 201)


def _refusal(status: int, error: UnreadableMessage | None, message_id: str, envelope: Json) -> dict[str, Any]:
    reason = error.message if error else "stored, but the content cannot be used"
    place, where = (error.where, _expression(error.where, envelope)) if error else ("", "")
    if place and not where:
        reason += f" (at {place})"
    kind = "not-supported" if error and error.code in _NOT_SUPPORTED else _ISSUES.get(status, "exception")
    issue = _issue("error", kind, error.code if error else "message.unreadable", SENTENCES.get(status, ""), reason)
    if message_id:
        issue["diagnostics"] += f" (message {message_id})"
    if where:
        issue["expression"] = [where]
    return _outcome(issue, message_id)


def _issue(severity: str, kind: str, code: str, words: str, diagnostics: str) -> dict[str, Any]:
    details: dict[str, Any] = {"coding": [{"system": "urn:vn:hotich:error", "code": code}]}
    return {
        "severity": severity,
        "code": kind,
        "details": {**details, "text": words} if words else details,
        "diagnostics": diagnostics,
    }


def _outcome(issue: dict[str, Any], message_id: str = "") -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", **_known_as(message_id), "issue": [issue]}


def _known_as(message_id: str) -> dict[str, str]:
    return {"id": message_id} if _ID.fullmatch(message_id) else {}


def _expression(where: str, envelope: Json) -> str:
    """A place as FHIRPath; "" when it is none (an offset in the bytes, line and column)."""
    is_message = envelope.get("bundle") == "message"
    if where == "MSH-10":  # how the receive step calls the control id of any format
        return "Bundle.entry[0].resource.id" if is_message and not envelope.get("identified") else "Bundle.identifier"
    if where == "sender":
        return "Bundle.entry[0].resource.source" if is_message else f"{envelope.get('type') or 'Resource'}.meta.source"
    return where if _FHIRPATH.fullmatch(where) and where != "DOCTYPE" else ""


def _receipt(message_id: str) -> dict[str, Any]:
    words = f"Đã nhận và lưu; mã theo dõi {message_id}"
    diagnostics = f"received and stored; tracking id {message_id}"
    issue = _issue("information", "informational", "", words, diagnostics)
    return _outcome(issue | {"details": {"text": words}}, message_id)


def _entries_response(
    kind: str, entries: Sequence[tuple[str, str]], outcome: dict[str, Any], message_id: str
) -> dict[str, Any]:
    responses = [_entry_response(index, *entry, message_id) for index, entry in enumerate(entries)]
    if responses:
        responses[0]["response"].setdefault("outcome", outcome)
    return {"resourceType": "Bundle", **_known_as(message_id), "type": f"{kind}-response", "entry": responses}


def _entry_response(index: int, kind: str, method: str, message_id: str) -> dict[str, Any]:
    place = f"Bundle.entry[{index}]"
    if method not in METHODS:
        told = _issue("error", "not-supported", "fhir.method_unsupported", "", "resources are handed in, nothing else")
        issue = told | {"expression": [f"{place}.request.method"]}
        return {"response": {"status": "405 Method Not Allowed", "outcome": _outcome(issue)}}
    if not kind:
        issue = _issue("error", "structure", "fhir.shape", "", "not a resource") | {"expression": [f"{place}.resource"]}
        return {"response": {"status": "422 Unprocessable Entity", "outcome": _outcome(issue)}}
    status = "200 OK" if method == "PUT" else "201 Created"
    return {"response": {"status": status, "location": f"{kind}/{message_id}-{index}/_history/1", "etag": ETAG}}


def _message_response(envelope: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    reply = {
        "resourceType": "MessageHeader",
        **(envelope["event"] or {"eventUri": "urn:vn:hotich:received"}),
        "source": {"endpoint": "urn:vn:hotich:gateway"},
        "response": {"identifier": envelope["message"] or "unknown", "code": "ok"},
    }
    entries = [{"resource": reply}, {"resource": outcome}]
    return {"resourceType": "Bundle", **_known_as(outcome.get("id", "")), "type": "message", "entry": entries}


def sender_of(root: Json) -> str:
    """Who sends: MessageHeader.source name or endpoint, else meta.source of the Bundle or resource, else ""."""
    for entry in objects(root.get("entry"))[:1]:
        for source in objects(entry.get("resource", {}).get("source")):
            if name := text(source.get("name")) or text(source.get("endpoint")):
                return name
    return next((text(meta.get("source")) for meta in objects(root.get("meta"))), "")
