"""An answer as an HTTP request asked for it: `Prefer`, the format, and the headers that say what became of the resource
(FHIR R4 section 3.1.0.1.7, 3.1.0.8).

- `return=minimal`: no body, and in a response Bundle no outcomes of what was accepted;
- `return=representation`: the resource as accepted, under its new id;
- `return=OperationOutcome`, or nothing asked: an OperationOutcome.
Errors and the answers to messages are the same whatever was preferred.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from adapters.hospital.fhir_answer import ETAG, MEDIA_TYPE
from adapters.hospital.fhir_bundle import Json, listed, objects, text
from adapters.hospital.fhir_json import read_json
from adapters.hospital.fhir_xml import read_xml, write_xml
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Answer, Header

XML = "application/fhir+xml"
_RETURN = re.compile(r"(?:^|[;,\s])return\s*=\s*\"?(minimal|representation|OperationOutcome)\b", re.IGNORECASE)


def respond(
    answer: Answer, header: Header | None, raw: bytes, prefer: str, media_type: str
) -> tuple[Answer, dict[str, str]]:
    """The answer in `media_type` and as the header `Prefer` asks, with HTTP headers: Location (and ETag) of what was
    accepted. `raw` is what was sent, `header` its envelope (None when not even that was read)."""
    if answer.media_type != MEDIA_TYPE:
        return answer, {}  # not worded by this reader
    body = receipt = orjson.loads(answer.body)
    headers: dict[str, str] = {}
    tracking = text(body.get("id"))
    if answer.code.endswith("A") and header is not None and tracking:
        kind, _, bundle = header.type.partition("/")
        headers["Location"] = f"/fhir/{kind}/{tracking}"
        if not bundle:
            headers |= {"Location": f"/fhir/{kind}/{tracking}/_history/1", "ETag": ETAG}
        wish = _wish(prefer)
        if wish == "minimal":
            body = _least(body)
        elif wish == "representation" and bundle != "message":
            body = _represented(body, raw, tracking)
    rendered, media_type = _as_far_as_possible(body, receipt, media_type)
    return replace(answer, body=rendered, media_type=media_type), headers


def _as_far_as_possible(body: Json, receipt: Json, media_type: str) -> tuple[bytes, str]:
    """What was sent in JSON may hold names or characters that XML cannot: then the receipt alone, and if that repeats
    such an identifier, in JSON. It was stored, so there is an answer in any case."""
    for told, form in ((body, media_type), (receipt, media_type)):
        try:
            return (render(told, form) if told else b""), form
        except (ValueError, UnreadableMessage):
            continue
    return render(receipt, MEDIA_TYPE), MEDIA_TYPE


def render(resource: Json, media_type: str) -> bytes:
    """A resource as JSON, or as XML for `application/fhir+xml`."""
    return write_xml(resource) if media_type == XML else orjson.dumps(resource)


def _wish(prefer: str) -> str:
    found = _RETURN.search(prefer)
    return found[1].lower() if found else ""


def _least(body: Json) -> dict[str, Any]:
    """A response Bundle without the receipt; a message keeps its answer; of anything else nothing is left."""
    if body.get("type") == "message":
        return dict(body)
    if body.get("resourceType") != "Bundle":
        return {}
    return {**body, "entry": [{"response": _without_receipt(entry["response"])} for entry in body["entry"]]}


def _without_receipt(response: Json) -> dict[str, Any]:
    accepted = "etag" in response
    return {name: value for name, value in response.items() if not (accepted and name == "outcome")}


def _represented(body: Json, raw: bytes, tracking: str) -> dict[str, Any]:
    """What was sent, under the ids of the answer."""
    sent = read_xml(raw) if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else read_json(raw)
    if body.get("resourceType") != "Bundle":
        return _accepted(sent, tracking)
    pairs = zip(listed(sent.get("entry")), body["entry"], strict=True)
    entries = [_with_resource(entry, answered, f"{tracking}-{index}") for index, (entry, answered) in enumerate(pairs)]
    return {**body, "entry": entries}


def _with_resource(entry: Json, answered: Json, identity: str) -> Json:
    if "etag" not in answered["response"]:
        return answered
    return {"resource": _accepted(entry["resource"], identity), **answered}


def _accepted(resource: Mapping[str, Any], identity: str) -> dict[str, Any]:
    meta = next(iter(objects(resource.get("meta"))), {})
    return {**resource, "id": identity, "meta": {**meta, "versionId": "1"}}
