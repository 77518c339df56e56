"""Answers as a request asked for them: Prefer, format, Location and ETag."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from fhir.resources.R4B.bundle import Bundle

from adapters.hospital.fhir import FhirReader
from adapters.hospital.fhir_xml import read_xml, write_xml
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Answer
from tests.hospital_messages import FEED, bundle, mother_of, newborn

READER = FhirReader()
JSON, XML = "application/fhir+json", "application/fhir+xml"
PATIENT = orjson.dumps(newborn(meta={"source": "urn:his"}))
HEADER = {"resourceType": "MessageHeader", "id": "m1", "eventUri": "urn:x", "source": {"endpoint": "urn:his"}}


def reply(raw: bytes, prefer: str = "", media_type: str = JSON) -> tuple[Answer, dict[str, str]]:
    header = READER.header(raw)
    return READER.respond(READER.answer(header, "AA", None, FEED, "gw.17"), header, raw, prefer, media_type)


def body(raw: bytes, prefer: str = "") -> Any:
    answer, _ = reply(raw, prefer)
    return orjson.loads(answer.body)


def test_a_single_resource_gets_an_address_and_a_version() -> None:
    _, headers = reply(PATIENT)
    assert headers == {"Location": "/fhir/Patient/gw.17/_history/1", "ETag": 'W/"1"'}


def test_a_bundle_gets_an_address_by_which_it_is_tracked() -> None:
    for raw in (bundle(newborn()), bundle(HEADER, newborn(), type="message"), bundle(newborn(), type="document")):
        assert reply(raw)[1] == {"Location": "/fhir/Bundle/gw.17"}


def test_minimal_leaves_a_single_resource_without_a_body_and_a_bundle_without_receipts() -> None:
    answer, headers = reply(PATIENT, "return=minimal")
    assert (answer.status, answer.body, headers["ETag"]) == (201, b"", 'W/"1"')
    entries = body(bundle(newborn(), mother_of()), "return=minimal")["entry"]
    assert [sorted(entry["response"]) for entry in entries] == [["etag", "location", "status"]] * 2


def test_minimal_still_tells_what_was_not_taken() -> None:
    entries = [{"resource": newborn()}, {"request": {"method": "DELETE", "url": "Patient/1"}}]
    raw = orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries})
    responses = [entry["response"] for entry in body(raw, "return=minimal")["entry"]]
    assert ["outcome" in response for response in responses] == [False, True]


def test_representation_gives_the_resource_back_under_its_new_id() -> None:
    assert body(PATIENT, "return=representation") == newborn(id="gw.17", meta={"source": "urn:his", "versionId": "1"})
    answered = body(bundle(newborn(), mother_of()), "return=representation")
    Bundle.model_validate(answered)
    assert [entry["resource"]["id"] for entry in answered["entry"]] == ["gw.17-0", "gw.17-1"]
    assert body(bundle(newborn(), type="document"), "return=representation")["id"] == "gw.17"


def test_representation_of_a_batch_holds_what_was_taken() -> None:
    entries = [{"request": {"method": "GET", "url": "Patient/1"}}, {"resource": newborn()}]
    raw = orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert ["resource" in entry for entry in body(raw, "return=representation")["entry"]] == [False, True]


def test_a_message_is_answered_by_a_message_whatever_was_preferred() -> None:
    raw = bundle(HEADER, newborn(), type="message")
    assert body(raw) == body(raw, "return=minimal") == body(raw, "return=representation")


@pytest.mark.parametrize(
    "prefer",
    ["", "return=OperationOutcome", "return=nonsense", "handling=strict", "return=minimalist"],
)
def test_without_a_known_preference_the_outcome_is_told(prefer: str) -> None:
    assert body(PATIENT, prefer)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("prefer", ["return=minimal", "respond-async; return=minimal", 'wait=5, return="minimal"'])
def test_a_preference_is_found_among_others(prefer: str) -> None:
    assert reply(PATIENT, prefer)[0].body == b""


def test_every_answer_can_be_xml() -> None:
    for raw in (PATIENT, bundle(newborn()), write_xml(orjson.loads(bundle(HEADER, newborn(), type="message")))):
        for prefer in ("", "return=representation"):
            answer, _ = reply(raw, prefer, XML)
            assert answer.media_type == XML
            assert read_xml(answer.body) == body(raw, prefer)


@pytest.mark.parametrize("odd", [{"a b": 1}, {"x": "\u0001"}, {"text": {"div": "<p>"}}])
def test_what_xml_cannot_hold_gets_its_receipt_instead(odd: dict[str, Any]) -> None:
    answer, _ = reply(orjson.dumps(newborn(**odd)), "return=representation", XML)
    assert read_xml(answer.body)["resourceType"] == "OperationOutcome"


def test_a_refusal_has_no_address_and_is_never_minimal() -> None:
    error = UnreadableMessage("fhir.not_json", "offset 3", "not valid JSON")
    refused = READER.answer(None, "AR", error, FEED, "gw.18")
    answer, headers = READER.respond(refused, None, b"{", "return=minimal", JSON)
    assert (headers, answer.body) == ({}, refused.body)
