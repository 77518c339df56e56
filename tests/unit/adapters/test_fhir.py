"""The FHIR reader's envelope: recognition, header, refusals, answers."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.operationoutcome import OperationOutcome

from adapters.hospital.fhir import FhirReader
from gateway.errors import UnreadableMessage
from tests.hospital_messages import FEED, bundle, encounter, mother_of, newborn

READER = FhirReader()
HEADER = {
    "resourceType": "MessageHeader",
    "id": "mh-1",
    "eventUri": "urn:birth",
    "source": {"name": "HIS-9", "endpoint": "https://his.example"},
}


def transaction(**request: str) -> bytes:
    entries = [{"resource": newborn(), "request": {"url": "Patient", **request}}]
    return orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def test_json_objects_and_fhir_xml_are_recognised_and_nothing_else() -> None:
    assert READER.recognises(b'\xef\xbb\xbf \n{"resourceType"')
    assert READER.recognises(b'<Bundle xmlns="http://hl7.org/fhir">')
    assert not READER.recognises(b"<HSDLGCS>")
    assert not READER.recognises(b"MSH|^~\\&|")
    assert READER.split(b"{}") == [b"{}"]


def test_the_header_names_type_control_id_sender_and_time() -> None:
    raw = bundle(HEADER, newborn(), type="message", identifier={"system": "urn:his", "value": "B-77"})
    header = READER.header(raw)
    assert (header.format, header.type, header.control_id) == ("fhir", "Bundle/message", "B-77")
    assert (header.sender, header.sent_at, header.processing) == ("HIS-9", "2026-11-21T01:00:00+00:00", "P")


def test_a_message_without_identifier_is_known_by_its_header_and_others_by_their_content() -> None:
    assert READER.header(bundle(HEADER, type="message")).control_id == "mh-1"
    assert READER.header(bundle(newborn())).control_id == ""
    assert READER.header(orjson.dumps(newborn(identifier=[{"value": "X"}]))).control_id == ""


def test_a_single_resource_tells_its_source_in_meta() -> None:
    header = READER.header(orjson.dumps(newborn(meta={"source": "https://his.example", "lastUpdated": "2026-11-20"})))
    assert (header.type, header.sender, header.sent_at) == (
        "Patient",
        "https://his.example",
        "2026-11-19T17:00:00+00:00",
    )


def test_test_data_is_not_production() -> None:
    assert READER.header(bundle(newborn(), meta={"tag": [{"code": "HTEST"}]})).processing == "T"


@pytest.mark.parametrize(
    ("raw", "code", "where"),
    [
        (b"", "fhir.not_json", "offset 0"),
        (b'{"resourceType": "Patient", }', "fhir.not_json", "offset 26"),
        (b'{"name": "\xff"}', "fhir.not_json", "offset 10"),
        (b"[]", "fhir.not_a_resource", "resourceType"),
        (b"{}", "fhir.not_a_resource", "resourceType"),
        (b'{"resourceType": 7}', "fhir.not_a_resource", "resourceType"),
        (b'{"resourceType": "Medication"}', "fhir.type_unsupported", "resourceType"),
        (b'{"resourceType": "Bundle", "type": "history"}', "fhir.bundle_type", "Bundle.type"),
        (b'{"resourceType": "Bundle", "type": "batch", "entry": {}}', "fhir.shape", "Bundle.entry"),
        (b'{"resourceType": "Bundle", "type": "batch", "entry": [{}, 1]}', "fhir.shape", "Bundle.entry[1].resource"),
        (b'{"resourceType": "Bundle", "type": "message"}', "fhir.no_message_header", "Bundle.entry[0].resource"),
        (b'{"resourceType": "Patient", "x": ' + b"[" * 70 + b"]" * 70 + b"}", "fhir.too_deep", "depth 64"),
        (b'<Bundle xmlns="http://hl7.org/fhir"/>', "fhir.bundle_type", "Bundle.type"),
        (b'<Bundle xmlns="urn:other"/>', "fhir.not_a_resource", "resourceType"),
        (b'<Bundle xmlns="http://hl7.org/fhir">', "xml.malformed", "line 1, column 37"),
        (b'{"resourceType": "Patient", "x": NaN}', "fhir.not_json", "offset 33"),
        (b'{"resourceType": "Patient", "x": 1e999}', "fhir.not_json", "offset 33"),
        (b'{"resourceType": "Patient", "x": "\\ud800"}', "fhir.not_json", "offset 34"),
        (b'{"resourceType": "Patient", "birthDate": "2026", "birthDate": "2025"}', "fhir.duplicate_name", "birthDate"),
        (b'{"resourceType": "Patient", "a:\\"": 1, "x": {"999": 1, "999": 2}}', "fhir.duplicate_name", ""),
        (transaction(method="DELETE"), "fhir.method_unsupported", "Bundle.entry[0].request.method"),
        (transaction(method="GET"), "fhir.method_unsupported", "Bundle.entry[0].request.method"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(raw: bytes, code: str, where: str) -> None:
    for read in (READER.header, lambda raw: READER.events(raw, FEED), lambda raw: READER.patient_of(raw, FEED)):
        with pytest.raises(UnreadableMessage) as caught:
            read(raw)
        assert (caught.value.code, caught.value.where) == (code, where)


def test_an_irrelevant_message_is_kept_under_its_patients_handle() -> None:
    assert READER.patient_of(bundle(newborn()), FEED) == "NB-1"
    assert READER.patient_of(orjson.dumps(newborn(identifier=None)), FEED) == "Patient/nb-1"
    assert READER.patient_of(orjson.dumps(encounter("https://his.example/fhir/Patient/7")), FEED) == "Patient/7"
    assert READER.patient_of(orjson.dumps(mother_of("Patient/3")), FEED) == "Patient/3"
    assert READER.patient_of(bundle(), FEED) is None


def answered(raw: bytes, code: str = "AA", error: UnreadableMessage | None = None) -> tuple[int, dict[str, Any]]:
    answer = READER.answer(READER.header(raw), code, error, FEED, "gw.17")
    assert answer.media_type == "application/fhir+json"
    return answer.status, orjson.loads(answer.body)


def test_a_transaction_gets_a_response_for_every_entry() -> None:
    status, body = answered(bundle(newborn(), mother_of()))
    Bundle.model_validate(body)
    assert (status, body["type"], len(body["entry"])) == (200, "transaction-response", 2)
    assert body["id"] == "gw.17"
    first, second = (entry["response"] for entry in body["entry"])
    assert (first["status"], first["location"]) == ("201 Created", "Patient/gw.17-0/_history/1")
    assert (second["status"], second["location"]) == ("201 Created", "RelatedPerson/gw.17-1/_history/1")
    assert "gw.17" in first["outcome"]["issue"][0]["diagnostics"]


def test_each_entry_of_a_batch_has_its_own_status() -> None:
    entries = [
        {"resource": newborn(), "request": {"method": "PUT", "url": "Patient/nb-1"}},
        {"request": {"method": "DELETE", "url": "Observation/1"}},
        {"resource": {"resourceType": "Medication"}, "request": {"method": "POST", "url": "Medication"}},
        {"resource": {"name": "không rõ"}},
    ]
    body = answered(orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}))[1]
    Bundle.model_validate(body)
    responses = [entry["response"] for entry in body["entry"]]
    statuses = ["200 OK", "405 Method Not Allowed", "201 Created", "422 Unprocessable Entity"]
    assert [response["status"] for response in responses] == statuses
    (issue,) = responses[1]["outcome"]["issue"]
    assert (issue["code"], issue["expression"]) == ("not-supported", ["Bundle.entry[1].request.method"])
    assert responses[3]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[3].resource"]


def test_a_batch_without_entries_gets_an_empty_response() -> None:
    body = answered(bundle(type="batch"))[1]
    assert body == {"resourceType": "Bundle", "id": "gw.17", "type": "batch-response", "entry": []}


def test_a_message_gets_a_response_message_that_names_it() -> None:
    status, body = answered(bundle(HEADER, newborn(), type="message"))
    Bundle.model_validate(body)
    header = body["entry"][0]["resource"]
    assert (status, header["response"]) == (200, {"identifier": "mh-1", "code": "ok"})
    assert header["eventUri"] == "urn:birth"


def test_a_single_resource_and_a_document_get_an_outcome() -> None:
    status, body = answered(orjson.dumps(newborn()))
    OperationOutcome.model_validate(body)
    assert (status, body["issue"][0]["severity"]) == (201, "information")
    assert answered(bundle(newborn(), type="document"))[0] == 200


def test_a_resend_gets_the_same_bytes() -> None:
    raw = bundle(newborn())
    first, second = (READER.answer(READER.header(raw), "AA", None, FEED, "w.1") for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("code", "error", "status", "issue", "place"),
    [
        ("AR", UnreadableMessage("fhir.not_json", "offset 3", "not valid JSON"), 400, "structure", None),
        (
            "AR",
            UnreadableMessage("receive.duplicate", "MSH-10", "id used", "205"),
            409,
            "duplicate",
            "Bundle.identifier",
        ),
        ("AR", UnreadableMessage("receive.store_failed", "", "cannot store now"), 503, "transient", None),
        ("AR", UnreadableMessage("receive.too_large", "offset 9", "too large"), 413, "too-long", None),
        ("AE", UnreadableMessage("fhir.shape", "Bundle.entry", "not a list"), 422, "processing", "Bundle.entry"),
        ("AR", UnreadableMessage("receive.unknown_sender", "sender", "?"), 403, "security", "Resource.meta.source"),
        ("AR", UnreadableMessage("receive.too_fast", "", "later"), 400, "structure", None),
        ("AR", UnreadableMessage("fhir.type_unsupported", "resourceType", "?"), 400, "not-supported", "resourceType"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(
    code: str, error: UnreadableMessage, status: int, issue: str, place: str | None
) -> None:
    answer = READER.answer(None, code, error, FEED, "")
    body = orjson.loads(answer.body)
    OperationOutcome.model_validate(body)
    (told,) = body["issue"]
    assert (answer.code, answer.status, told["code"]) == (code, status, issue)
    assert told.get("expression") == ([place] if place else None)
    assert (f"(at {error.where})" in told["diagnostics"]) is (place is None and bool(error.where))
    assert told["details"]["coding"][0]["code"] == error.code


def test_the_lines_of_ndjson_are_messages_and_a_pretty_printed_resource_is_one() -> None:
    one, two = b'{"resourceType":"Patient","id":"a"}', b'{"resourceType":"Patient","id":"b"}'
    assert READER.split(one + b"\n\n" + two + b"\r\n") == [one, two]
    pretty = b'{\n  "resourceType": "Patient"\n}\n'
    assert READER.split(pretty) == [pretty]


@pytest.mark.parametrize(
    ("elements", "place"),
    [({"identifier": {"value": "B-1"}}, "Bundle.identifier"), ({}, "Bundle.entry[0].resource.id")],
)
def test_a_used_id_is_told_where_it_stands_in_a_message(elements: dict[str, Any], place: str) -> None:
    header = READER.header(bundle(HEADER, type="message", **elements))
    answer = READER.answer(header, "AR", UnreadableMessage("receive.reused", "MSH-10", "used", "205"), FEED, "gw.18")
    assert orjson.loads(answer.body)["issue"][0]["expression"] == [place]
