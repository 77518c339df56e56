"""Answers to FHIR senders (FHIR R4 RESTful API and messaging): what was taken, or what is wrong and where.

The status is 200 for a Bundle and 201 for a single resource, else that of `refusals`; errors are an OperationOutcome.
A transaction or batch is answered by its response Bundle, a message by a response message, anything else by an
OperationOutcome. Nothing in an answer depends on when it is made: a resend gets the same bytes.
"""

from __future__ import annotations

from typing import Any

import orjson

from adapters.hospital.fhir_bundle import Json, objects, text
from adapters.hospital.refusals import SENTENCES, status_of
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Answer, Header

MEDIA_TYPE = "application/fhir+json"
_ISSUES = {
    400: "structure",
    403: "security",
    409: "duplicate",
    413: "too-long",
    422: "processing",
    500: "exception",
    503: "transient",
}


def envelope_of(root: Json) -> dict[str, Any]:
    """What an answer needs of the message, for `Header.extra`: no personal data."""
    entries = [entry for entry in root.get("entry", ()) if isinstance(entry, dict)] if root.get("type") else []
    first = entries[0].get("resource", {}) if entries else {}
    message = first if first.get("resourceType") == "MessageHeader" else {}
    event = {name: message[name] for name in ("eventCoding", "eventUri") if name in message}
    return {
        "bundle": text(root.get("type")),
        "entries": len(entries),
        "message": text(message.get("id")),
        "event": event,
    }


def make_answer(header: Header | None, code: str, error: UnreadableMessage | None, message_id: str) -> Answer:
    """The reply. `message_id` is the tracking id the sender may quote; "" when nothing was stored."""
    if error is not None or code[-1] != "A":
        status = status_of(code, error)
        return Answer(code, orjson.dumps(_refusal(status, error, message_id)), MEDIA_TYPE, status)
    envelope = (header.extra if header else None) or {}
    kind = envelope.get("bundle", "")
    outcome = _receipt(message_id)
    if kind in ("transaction", "batch"):
        body: dict[str, Any] = _entries_response(kind, envelope["entries"], outcome)
    elif kind == "message":
        body = _message_response(envelope, outcome)
    else:
        body = outcome
    return Answer(code, orjson.dumps(body), MEDIA_TYPE, 200 if kind else 201)


def _refusal(status: int, error: UnreadableMessage | None, message_id: str) -> dict[str, Any]:
    issue: dict[str, Any] = {
        "severity": "error",
        "code": _ISSUES[status],
        "details": {
            "coding": [{"system": "urn:vn:hotich:error", "code": error.code if error else "message.unreadable"}],
            "text": SENTENCES[status],
        },
        "diagnostics": (error.message if error else "stored, but the content cannot be used")
        + (f" (message {message_id})" if message_id else ""),
    }
    if error is not None and error.where:
        issue["expression"] = [error.where]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _receipt(message_id: str) -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "information",
                "code": "informational",
                "details": {"text": f"Đã nhận và lưu; mã theo dõi {message_id}"},
                "diagnostics": f"received and stored; tracking id {message_id}",
            }
        ],
    }


def _entries_response(kind: str, count: int, outcome: dict[str, Any]) -> dict[str, Any]:
    # 202: the gateway reads resources for facts, it does not become their server, so there is no location to give.
    entries = [{"response": {"status": "202 Accepted"}} for _ in range(count)]
    if entries:
        entries[0]["response"]["outcome"] = outcome  # type: ignore[assignment]
    return {"resourceType": "Bundle", "type": f"{kind}-response", "entry": entries}


def _message_response(envelope: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    reply = {
        "resourceType": "MessageHeader",
        **(envelope["event"] or {"eventUri": "urn:vn:hotich:received"}),
        "source": {"endpoint": "urn:vn:hotich:gateway"},
        "response": {"identifier": envelope["message"] or "unknown", "code": "ok"},
    }
    return {"resourceType": "Bundle", "type": "message", "entry": [{"resource": reply}, {"resource": outcome}]}


def sender_of(root: Json) -> str:
    """Who sends: MessageHeader.source name or endpoint, else meta.source of the Bundle or resource, else ""."""
    for entry in objects(root.get("entry"))[:1]:
        for source in objects(entry.get("resource", {}).get("source")):
            if name := text(source.get("name")) or text(source.get("endpoint")):
                return name
    return next((text(meta.get("source")) for meta in objects(root.get("meta"))), "")
