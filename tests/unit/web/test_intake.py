from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from gateway.ports.hospital import Answer
from gateway.web.accounts import create_token
from gateway.web.app import create_app
from gateway.web.site import WebOptions
from tests.web_world import FORMS, TestClient, World

PATIENT = orjson.dumps({"resourceType": "Patient", "name": [{"text": "Nguyễn Thị Bí Mật"}]})


@pytest.fixture
def hospital(world: World) -> Iterator[TestClient]:
    with world.store.write() as conn:
        token = create_token(conn, "his", "hospital", world.now, feed="benh-vien-thu")
    with TestClient(world.app, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body", "form"),
    [
        ("/hl7v2", b"MSH|^~\\&|A", "hl7v2"),
        ("/moh", b"<HSDLGCS/>", "moh"),
        ("/fhir", b'{"resourceType": "Bundle"}', "fhir"),
        ("/fhir/Patient", PATIENT, "fhir"),
        ("/fhir/Patient", b"{broken", "fhir"),
    ],
)
def test_raw_bytes_go_to_the_intake_with_the_tokens_feed(
    world: World, hospital: TestClient, path: str, body: bytes, form: str
) -> None:
    hospital.post(path, content=body)
    assert world.intake.heard == [(body, form, "benh-vien-thu")]


def test_the_intakes_answer_is_the_answer(world: World, hospital: TestClient) -> None:
    world.intake.answer = Answer("AR", "MSA|AR|1|từ chối".encode(), "application/hl7-v2; charset=utf-8", 409)
    answer = hospital.post("/hl7v2", content=b"MSH|")
    assert (answer.status_code, answer.content) == (409, world.intake.answer.body)
    assert answer.headers["content-type"] == "application/hl7-v2; charset=utf-8"


@pytest.mark.parametrize("path", ["/fhir/Patient", "/fhir"])
def test_another_resource_than_the_address_says_is_refused_and_logged(
    world: World, hospital: TestClient, path: str
) -> None:
    body = orjson.dumps({"resourceType": "Observation", "note": "Bí Mật"})
    answer = hospital.post(path, content=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/fhir+json"
    outcome = OperationOutcome.model_validate(answer.json())
    assert outcome.issue[0].expression == ["resourceType"]
    assert "Bí Mật" not in answer.text
    assert world.intake.heard == []
    assert [entry["code"] for entry in world.entries("refused")] == ["fhir.resource_type"]


@pytest.mark.parametrize("path", ["/fhir/Procedure", "/fhir/patient", "/fhir/Patient/1"])
def test_other_resources_are_not_served(hospital: TestClient, path: str) -> None:
    assert hospital.post(path, content=PATIENT).json()["resourceType"] == "OperationOutcome"


def test_an_empty_body_is_refused(hospital: TestClient) -> None:
    assert hospital.post("/hl7v2", content=b"").json()["error"]["code"] == "request.empty"


@pytest.mark.parametrize("declared", [True, False])
def test_too_large_a_body_is_refused_before_it_is_taken(world: World, declared: bool) -> None:
    options = WebOptions("development", False, open_intake=True, max_body=1000)
    client = TestClient(create_app(world.services, world.intake, FORMS, options))
    body = b"x" * 1001
    answer = client.post("/moh", content=body if declared else iter([body[:500], body[500:]]))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request.too_large")
    assert world.intake.heard == []
