"""FHIR over HTTP: what is served, in which format, and what is told of everything else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome
from httpx import Response

from adapters.hospital.fhir import FhirReader
from adapters.hospital.fhir_bundle import READ_ALONE, SINGLE_TYPES
from adapters.hospital.fhir_xml import read_xml, write_xml
from gateway.ports.hospital import Feed, Reply
from gateway.web.accounts import create_token
from gateway.web.api.fhir import READ, SingleResource
from tests.web_world import TestClient, World

JSON, XML = "application/fhir+json", "application/fhir+xml"
PATIENT = {"resourceType": "Patient", "name": [{"text": "Nguyễn Thị Bí Mật"}]}
MESSAGE = {
    "resourceType": "Bundle",
    "type": "message",
    "entry": [{"resource": {"resourceType": "MessageHeader", "eventUri": "urn:x", "source": {"endpoint": "urn:y"}}}],
}


class Taken:
    """An intake that accepts what the reader can read, as message gw.17."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def submit(self, raw: bytes, format: str | None, feed: str | None, reply: Reply, *more: object) -> None:
        self.heard.append(raw)
        reader = FhirReader()
        reply(reader.answer(reader.header(raw), "AA", None, Feed(), "gw.17"))


@pytest.fixture
def intake(world: World, monkeypatch: pytest.MonkeyPatch) -> Taken:
    taken = Taken()
    monkeypatch.setattr(world.intake, "submit", taken.submit)
    return taken


@pytest.fixture
def hospital(world: World, intake: Taken) -> Iterator[TestClient]:
    with world.store.write() as conn:
        token = create_token(conn, "his", "hospital", world.now, feed="benh-vien-thu")
    with TestClient(world.app, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def outcome(answer: Response) -> Any:
    told = read_xml(answer.content) if answer.headers["content-type"] == XML else answer.json()
    OperationOutcome.model_validate(told)
    return told["issue"][0]


def test_the_capability_statement_is_true_to_what_is_served(anyone: TestClient) -> None:
    (rest,) = CapabilityStatement.model_validate(anyone.get("/fhir/metadata").json()).rest
    asked = {resource.type: {each.code for each in resource.interaction} for resource in rest.resource}
    assert asked.pop("Task") == {"read", "search-type"}
    told = {f"POST /fhir/{kind}" for kind in asked}
    told |= {"GET /fhir/Task", "POST /fhir/Task/_search", "GET /fhir/Task/{case_id}"}
    told |= {f"POST /fhir/${operation.name}" for operation in rest.operation}
    told |= {"POST /fhir"} if {each.code for each in rest.interaction} == {"transaction", "batch"} else set()
    assert set().union(*asked.values()) == {"create"}
    assert served(anyone) == told | {"GET /fhir/metadata"}


def served(client: TestClient) -> set[str]:
    """Every method and path under /fhir that the description for tools lists, types written out."""
    paths = client.get("/openapi.json").json()["paths"]
    found = {f"{method.upper()} {path}" for path in paths if path.startswith("/fhir") for method in paths[path]}
    generic = "POST /fhir/{resource_type}"
    assert generic in found
    return (found - {generic}) | {generic.replace("{resource_type}", kind) for kind in SingleResource}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["", "/metadata", "/$process-message", "/Patient", "/Patient/1", "/Medication"])
def test_nothing_else_is_served(hospital: TestClient, method: str, path: str) -> None:
    told = served(hospital)
    content = orjson.dumps(MESSAGE if path in ("", "/$process-message") else PATIENT)
    answer = hospital.request(method, f"/fhir{path}", content=content)
    assert answer.is_success is (f"{method} /fhir{path}" in told)


def test_the_types_of_the_addresses_are_those_the_reader_takes() -> None:
    assert set(SingleResource) == set(SINGLE_TYPES)
    assert set(READ) == set(READ_ALONE)


@pytest.mark.parametrize("kind", SINGLE_TYPES)
def test_every_type_told_of_is_taken_and_gets_an_address(hospital: TestClient, kind: str) -> None:
    answer = hospital.post(f"/fhir/{kind}", content=orjson.dumps({"resourceType": kind}))
    assert (answer.status_code, answer.headers["location"]) == (201, f"/fhir/{kind}/gw.17/_history/1")
    assert answer.headers["etag"] == 'W/"1"'
    assert outcome(answer)["severity"] == "information"


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/fhir", 405, "POST"),
        ("PUT", "/fhir/Patient", 405, "POST"),
        ("GET", "/fhir/Patient", 405, "POST"),
        ("DELETE", "/fhir/$process-message", 405, "POST"),
        ("POST", "/fhir/metadata", 405, "GET"),
        ("GET", "/fhir/Patient/gw.17", 405, ""),
        ("GET", "/fhir/Patient/gw.17/_history/1", 405, ""),
        ("POST", "/fhir/Patient/1", 405, ""),
        ("GET", "/fhir/Medication", 404, None),
        ("GET", "/fhir/metadata/1", 404, None),
        ("POST", "/fhir/$everything", 404, None),
    ],
)
@pytest.mark.parametrize("form", [JSON, XML])
def test_what_is_not_served_is_told_as_an_outcome(
    hospital: TestClient, intake: Taken, method: str, path: str, status: int, allow: str | None, form: str
) -> None:
    answer = hospital.request(method, path, headers={"Accept": form})
    assert (answer.status_code, answer.headers.get("allow"), answer.headers["content-type"]) == (status, allow, form)
    assert outcome(answer)["diagnostics"]
    assert intake.heard == []


def test_an_unknown_type_is_not_supported(hospital: TestClient) -> None:
    answer = hospital.post("/fhir/Medication", content=b'{"resourceType": "Medication"}')
    assert (answer.status_code, outcome(answer)["code"]) == (404, "not-supported")
    assert outcome(answer)["expression"] == ["resourceType"]


def test_errors_of_access_and_of_the_body_are_outcomes_too(anyone: TestClient, hospital: TestClient) -> None:
    assert outcome(anyone.post("/fhir", content=b"{}"))["code"] == "login"
    assert anyone.post("/fhir", content=b"{}").headers["www-authenticate"] == "Bearer"
    assert outcome(hospital.post("/fhir", content=b""))["details"]["coding"][0]["code"] == "request.empty"


@pytest.mark.parametrize(
    ("query", "headers", "form"),
    [
        ("", {}, JSON),
        ("?_format=xml", {"Accept": JSON}, XML),
        ("?_format=application/fhir%2Bxml", {}, XML),
        ("?_format=application/fhir+xml", {}, XML),
        ("?_format=json", {"Accept": XML}, JSON),
        ("", {"Accept": "text/html, application/xml;q=0.9, */*"}, XML),
        ("", {"Accept": "*/*", "Content-Type": "application/fhir+xml; charset=utf-8"}, XML),
        ("", {"Accept": "image/png"}, JSON),
    ],
)
def test_the_answer_has_the_format_asked_for(
    hospital: TestClient, query: str, headers: dict[str, str], form: str
) -> None:
    posted = hospital.post(f"/fhir/Patient{query}", content=orjson.dumps(PATIENT), headers=headers)
    read = hospital.get(f"/fhir/metadata{query}", headers=headers)
    assert [answer.headers["content-type"] for answer in (posted, read)] == [form, form]
    told = read_xml(read.content) if form == XML else read.json()
    assert told["resourceType"] == "CapabilityStatement"


def test_another_format_is_refused_before_anything_is_taken(hospital: TestClient, intake: Taken) -> None:
    answer = hospital.post("/fhir/Patient?_format=turtle", content=orjson.dumps(PATIENT))
    assert (answer.status_code, outcome(answer)["code"], intake.heard) == (406, "not-supported", [])


def test_xml_is_taken_byte_for_byte(hospital: TestClient, intake: Taken) -> None:
    raw = write_xml(PATIENT)
    answer = hospital.post("/fhir/Patient", content=raw, headers={"Content-Type": XML})
    assert (answer.status_code, intake.heard) == (201, [raw])


def test_a_byte_order_mark_is_no_fault(hospital: TestClient, intake: Taken) -> None:
    raw = b"\xef\xbb\xbf" + orjson.dumps(PATIENT)
    assert hospital.post("/fhir/Patient", content=raw).status_code == 201
    assert intake.heard == [raw]


def test_process_message_takes_messages_only(world: World, hospital: TestClient, intake: Taken) -> None:
    answer = hospital.post("/fhir/$process-message", content=orjson.dumps(MESSAGE))
    assert (answer.status_code, answer.json()["entry"][0]["resource"]["response"]["code"]) == (200, "ok")
    refused = hospital.post("/fhir/$process-message", content=orjson.dumps(MESSAGE | {"type": "batch"}))
    assert (refused.status_code, outcome(refused)["expression"]) == (400, ["Bundle.type"])
    assert hospital.post("/fhir/$process-message", content=orjson.dumps(PATIENT)).status_code == 400
    assert len(intake.heard) == 1
    assert [entry["code"] for entry in world.entries("refused")] == ["fhir.resource_type"] * 2


def test_minimal_is_answered_without_a_body(hospital: TestClient) -> None:
    answer = hospital.post("/fhir/Patient", content=orjson.dumps(PATIENT), headers={"Prefer": "return=minimal"})
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["location"]


ONCE = {"If-None-Exist": "identifier=urn:his|NB-1"}


def test_the_same_content_under_a_condition_gets_the_same_answer(hospital: TestClient) -> None:
    first, second = (
        hospital.post("/fhir/Patient", content=orjson.dumps(PATIENT), headers=ONCE | {"If-None-Exist": criterion})
        for criterion in (ONCE["If-None-Exist"], " ?" + ONCE["If-None-Exist"])
    )
    assert (first.status_code, first.content) == (second.status_code, second.content)


def test_other_content_under_a_condition_is_refused_and_logged(
    world: World, hospital: TestClient, intake: Taken
) -> None:
    hospital.post("/fhir/Patient", content=orjson.dumps(PATIENT), headers=ONCE)
    answer = hospital.post("/fhir/Patient", content=orjson.dumps(PATIENT | {"gender": "male"}), headers=ONCE)
    assert (answer.status_code, outcome(answer)["code"]) == (409, "duplicate")
    assert outcome(answer)["expression"] == ["http.if-none-exist"]
    assert "Bí Mật" not in answer.text
    assert "NB-1" not in answer.text
    assert len(intake.heard) == 1
    assert [entry["code"] for entry in world.entries("refused")] == ["fhir.condition_met"]


def test_another_condition_is_another_resource_and_the_log_holds_no_number(
    world: World, hospital: TestClient, intake: Taken
) -> None:
    for number in ("NB-1", "NB-2"):
        headers = {"If-None-Exist": f"identifier=urn:his|{number}"}
        content = orjson.dumps(PATIENT | {"id": number})
        assert hospital.post("/fhir/Patient", content=content, headers=headers).status_code == 201
    assert len(intake.heard) == 2
    noted = world.entries("conditional")
    assert {entry["message"] for entry in noted} == {"/fhir/Patient/gw.17/_history/1"}
    assert "NB-" not in str(noted)
