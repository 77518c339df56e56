"""A hospital's FHIR client against a running gateway: JSON and XML, messages, corrections, hostile bodies."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from adapters.hospital.fhir_xml import read_xml, write_xml
from tests.hospital_messages import bundle, mother_of, newborn
from tests.journeys.outsider import Outsider, sample
from tests.serving_child import wait_until

JSON, XML = "application/fhir+json", "application/fhir+xml"
STATES = ("collecting", "ready", "waiting", "sealed", "sent", "accepted", "withdrawn", "cancelled")
TRANSACTION = "birth/fhir-transaction-of-the-draft-guide/01-transaction.json"
pytestmark = pytest.mark.timeout(90)


def post(gateway: Outsider, path: str, raw: bytes, **headers: str) -> httpx.Response:
    with gateway.client(gateway.token) as client:
        return client.post(
            path, content=raw, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


def tracking_of(answer: httpx.Response) -> str:
    """The id in Location: /fhir/{Type}/{tracking}[/_history/1]."""
    return answer.headers["location"].split("/")[3]


def case_of(gateway: Outsider, answer: httpx.Response) -> dict[str, Any]:
    """The case; without an address it waits for a person."""
    tracking = tracking_of(answer)
    found: dict[str, Any] = wait_until(lambda: gateway.find_case(tracking, "waiting", "sent"), f"case of {tracking}")
    return found


def born(number: str, **elements: Any) -> dict[str, Any]:
    identifier = [{"type": {"coding": [{"code": "MR"}]}, "value": number}]
    return newborn(number, identifier=identifier, **elements)


def message(number: str, control_id: str, **elements: Any) -> bytes:
    header = {
        "resourceType": "MessageHeader",
        "id": control_id,
        "eventUri": "urn:birth",
        "source": {"endpoint": "urn:his"},
    }
    child = f"Patient/{number.lower()}"
    return bundle(header, born(number, **elements), mother_of(child), type="message")


def test_the_address_of_what_was_accepted_leads_to_the_message_and_its_case(gateway: Outsider) -> None:
    answer = gateway.post("/fhir", sample(TRANSACTION))
    tracking = tracking_of(answer)
    locations = [entry["response"]["location"] for entry in answer.json()["entry"]]
    assert all(f"/{tracking}-{index}/" in place for index, place in enumerate(locations))
    assert gateway.get_case(tracking)["kind"] == "birth"
    (line,) = [line for line in gateway.all_of("/api/messages") if line["id"] == tracking]
    assert (line["format"], line["relevance"]) == ("fhir", "birth")


def test_a_message_in_xml_becomes_a_case_and_is_answered_in_xml(gateway: Outsider) -> None:
    raw = write_xml(json.loads(message("XML-1", "m-xml-1")))
    answer = post(gateway, "/fhir/$process-message", raw, Content_Type=XML)
    assert (answer.status_code, answer.headers["content-type"]) == (200, XML)
    told = read_xml(answer.content)
    assert told["entry"][0]["resource"]["response"] == {"identifier": "m-xml-1", "code": "ok"}
    assert case_of(gateway, answer)["kind"] == "birth"


def test_a_message_is_known_by_its_headers_id(gateway: Outsider) -> None:
    raw = message("ONCE-1", "m-once")
    first = post(gateway, "/fhir/$process-message", raw)
    count = len(gateway.all_of("/api/messages"))
    again = post(gateway, "/fhir/$process-message", raw)
    assert (first.status_code, again.content, again.headers["location"]) == (
        200,
        first.content,
        first.headers["location"],
    )
    other = post(gateway, "/fhir/$process-message", message("ONCE-1", "m-once", gender="male"), Accept=XML)
    (issue,) = read_xml(other.content)["issue"]
    assert (other.status_code, issue["code"]) == (409, "duplicate")
    assert issue["expression"] == ["Bundle.entry[0].resource.id"]
    assert len(gateway.all_of("/api/messages")) == count


def test_a_condition_keeps_a_resource_from_being_handed_in_twice(gateway: Outsider) -> None:
    sent = json.dumps(born("COND-1")).encode()
    condition = {"If_None_Exist": "identifier=urn:his|COND-1"}
    first, again = (post(gateway, "/fhir/Patient", sent, **condition) for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    other = post(gateway, "/fhir/Patient", json.dumps(born("COND-1", gender="male")).encode(), **condition)
    assert (other.status_code, other.json()["issue"][0]["code"]) == (409, "duplicate")


def test_a_birth_entered_in_error_is_taken_back(gateway: Outsider) -> None:
    stay = {
        "resourceType": "Encounter",
        "id": "stay-e",
        "status": "in-progress",
        "class": {"code": "IMP"},
        "subject": {"reference": "Patient/err-1"},
        "hospitalization": {"admitSource": {"coding": [{"code": "born"}]}},
    }
    told = gateway.post("/fhir", bundle(born("ERR-1"), stay))
    tracking = tracking_of(told)
    case_of(gateway, told)
    wrong = stay | {"status": "entered-in-error", "meta": {"lastUpdated": "2026-11-22T08:00:00+07:00"}}
    answer = gateway.post("/fhir/Encounter", json.dumps(wrong).encode())
    assert answer.status_code == 201

    def taken_back() -> bool:
        case = gateway.find_case(tracking, *STATES)
        return case is not None and tracking_of(answer) in case["messages"]

    wait_until(taken_back, "the correction in the case of the birth")


def test_the_statement_says_what_is_served_in_either_format(gateway: Outsider) -> None:
    with gateway.client() as client:
        as_json = client.get("/fhir/metadata").json()
        as_xml = read_xml(client.get("/fhir/metadata?_format=xml").content)
    assert as_json == as_xml
    assert as_json["format"] == [JSON, XML]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"resourceType": "Patient", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "fhir.not_json"),
        (b'{"resourceType": "Patient", "x": ' + b"[" * 100 + b"]" * 100 + b"}", "fhir.too_deep"),
        (b'{"resourceType": "Patient", "gender": "male", "gender": "female"}', "fhir.duplicate_name"),
        (b'{"resourceType": "Patient", "x": NaN}', "fhir.not_json"),
        (b'{"resourceType": "Patient", "x": 1e9999}', "fhir.not_json"),
        (b'{"resourceType": "Patient", "x": "\xc3("}', "fhir.not_json"),
        ('{"resourceType": "Patient"}'.encode("utf-16"), "fhir.not_json"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><Patient xmlns="http://hl7.org/fhir"/>', "xml.has_dtd"),
        (b'<Patient xmlns="http://hl7.org/fhir">' + b"<a>" * 100 + b"</a>" * 100 + b"</Patient>", "xml.too_deep"),
    ],
    ids=["very-deep", "deep", "twice", "nan", "huge", "not-utf-8", "utf-16", "dtd", "deep-xml"],
)
def test_a_hostile_body_is_refused_and_the_gateway_goes_on(gateway: Outsider, raw: bytes, code: str) -> None:
    answer = gateway.post("/fhir/Patient", raw)
    (issue,) = answer.json()["issue"]
    assert (answer.status_code, issue["details"]["coding"][0]["code"]) == (400, code)
    assert issue["diagnostics"]
    assert gateway.post("/fhir/Organization", b'{"resourceType": "Organization"}').status_code == 201


def test_a_number_too_large_to_write_out_stops_nothing(gateway: Outsider) -> None:
    huge = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"code": "8339-4"}]},
        "subject": {"reference": "Patient/huge-1"},
        "valueQuantity": {"value": "1e999999999", "code": "g"},
    }
    weight = gateway.post("/fhir", bundle(born("HUGE-1"), mother_of("Patient/huge-1"), huge))
    assert case_of(gateway, weight)["kind"] == "birth"
