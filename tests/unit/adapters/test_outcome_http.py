"""Outcomes by webhook, FHIR and file: what exactly goes out, and what each answer means."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.task import Task

from adapters.hospital.outcome_fhir import FhirOutcomeSender
from adapters.hospital.outcome_file import FileSender
from adapters.hospital.outcome_json import write_json
from adapters.hospital.outcome_task import STATUS, task_of
from adapters.hospital.outcome_webhook import WebhookSender
from gateway.domain.journey import STATES
from gateway.errors import Misconfigured, Misunderstood, PortError, Refused, Unreachable
from gateway.ports.hospital import Feed
from gateway.testing.hostile_http import HTML, HostileServer, Response
from gateway.testing.outcome_senders import WORDS, notice
from tests.conftest import StillClock
from tests.samples.folders import catalogue
from tests.web_world import ON

TABLE = partial(catalogue().table, on=ON)
TAKEN = {"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": {"status": "200 OK"}}]}


def fhir(told: Any) -> Response:
    return Response(200, orjson.dumps(told), "application/fhir+json")


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer(lambda _request: Response(204)) as made:
        yield made


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("khóa-thử\n", encoding="utf-8")
    return file


def by_webhook(server: HostileServer, secret: Path) -> None:
    feed = Feed("his", answer="webhook", answer_to=f"{server.url}/hook/?a=1", answer_secret=str(secret))
    WebhookSender(StillClock()).send(notice(), feed)


def by_fhir(server: HostileServer, secret: Path | None = None) -> None:
    feed = Feed("his", answer="fhir", answer_to=f"{server.url}/fhir", answer_secret=str(secret or ""))
    FhirOutcomeSender(TABLE).send(notice(), feed)


def test_a_webhook_is_signed_over_time_and_body(server: HostileServer, secret: Path) -> None:
    by_webhook(server, secret)
    (request,) = server.requests
    at = int(StillClock().now().timestamp())
    digest = hmac.new("khóa-thử".encode(), f"{at}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-hotich-signature"] == f"t={at},v1={digest}"
    assert (request.method, request.path) == ("POST", "/hook/?a=1")
    assert (request.headers["idempotency-key"], request.headers["content-type"]) == (notice().key, "application/json")


def test_the_json_has_every_key_in_every_state(server: HostileServer) -> None:
    registered, asked = orjson.loads(write_json(notice())), orjson.loads(write_json(notice("needs_more")))
    assert list(registered) == list(asked)
    assert (registered["at"], registered["personal_id"], registered["result"]["so"]) == (
        "2026-11-23T03:00:00Z", "999226000012", "12/2026",
    )  # fmt: skip
    assert (asked["words"], asked["result"], asked["personal_id"]) == (WORDS, {}, "")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("status_500", Unreachable),
        ("status_429", Unreachable),
        ("status_401", Misconfigured),
        ("status_403", Misconfigured),
        ("reset_unanswered", Unreachable),
    ],
)
def test_what_a_webhook_meets_means_one_thing(
    server: HostileServer, secret: Path, fault: str, error: type[PortError]
) -> None:
    server.always = fault
    with pytest.raises(error) as raised:
        by_webhook(server, secret)
    assert type(raised.value) is error


@pytest.mark.parametrize("status", [400, 404, 409, 410, 422])
def test_a_no_is_a_refusal_and_not_a_misconfiguration(server: HostileServer, secret: Path, status: int) -> None:
    server.answer = lambda _request: Response(status, b"gone")
    with pytest.raises(Refused) as raised:
        by_webhook(server, secret)
    assert (type(raised.value), raised.value.evidence) == (Refused, b"gone")


@pytest.mark.parametrize("text", [None, " \n"])
def test_a_secret_that_cannot_be_read_is_about_the_settings(
    server: HostileServer, secret: Path, text: str | None
) -> None:
    secret.unlink()
    if text is not None:
        secret.write_text(text)
    for send in (by_webhook, by_fhir):
        with pytest.raises(Misconfigured, match="secret"):
            send(server, secret)
    assert server.requests == []


def test_the_fhir_bundle_updates_the_cases_task(server: HostileServer, secret: Path) -> None:
    server.answer = lambda _request: fhir(TAKEN)
    secret.write_text("token-thu\n")
    by_fhir(server, secret)
    (request,) = server.requests
    bundle = orjson.loads(request.body)
    Bundle.model_validate(bundle)
    assert (request.method, request.path, request.headers["authorization"]) == ("POST", "/fhir", "Bearer token-thu")
    (entry,) = bundle["entry"]
    assert entry["request"] == {"method": "PUT", "url": "Task/ks-000000000001"}
    assert entry["fullUrl"] == f"{server.url}/fhir/Task/ks-000000000001"
    assert (bundle["type"], bundle["identifier"]["value"]) == ("transaction", notice().key)


def test_the_task_tells_state_numbers_and_whose_it_is() -> None:
    task = task_of(notice(), TABLE)
    Task.model_validate(task)
    assert (task["status"], task["businessStatus"]["coding"][0]["code"]) == ("completed", "registered")
    assert task["for"]["identifier"]["value"] == "BN-0001"
    told = {each["type"]["coding"][0]["code"]: each for each in task["output"]}
    assert told["so"]["valueString"] == "12/2026"
    assert told["personal_id"]["valueIdentifier"] == {
        "system": "http://fhir.hl7.org.vn/core/sid/cccd",
        "value": "999226000012",
    }
    assert {each["system"].rpartition(":")[2] for each in task["identifier"]} == {"case", "dossier", "paper", "message"}


@pytest.mark.parametrize("state", sorted(STATES))
@pytest.mark.parametrize("kind", ["birth", "death"])
def test_every_state_of_the_journey_is_a_valid_task(state: str, kind: str) -> None:
    bare = replace(notice(state), kind=kind, patients=(), messages=(), paper_number="", facility_code="", commune="")
    task = task_of(bare, TABLE)
    Task.model_validate(task)
    assert task["status"] == STATUS[state]
    assert task["businessStatus"]["text"] != state
    assert "" not in orjson.loads(orjson.dumps(task)).values()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(200, HTML, "text/html"), Misunderstood),
        (Response(200, b'{"resourceType": "Bundle", "en', "application/fhir+json"), Misunderstood),
        (fhir({"resourceType": "Patient"}), Misunderstood),
        (fhir([1]), Misunderstood),
        (fhir({**TAKEN, "entry": [{"response": {"status": "422 No"}}]}), Refused),
        (fhir({**TAKEN, "entry": [{}]}), Refused),
        (fhir({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}), Refused),
        (Response(302, headers={"Location": "/sign-in"}), Misunderstood),
    ],
)
def test_a_status_of_200_alone_is_no_success(server: HostileServer, answer: Response, error: type[PortError]) -> None:
    server.answer = lambda _request: answer
    with pytest.raises(error) as raised:
        by_fhir(server)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    "answer",
    [Response(200), fhir(TAKEN), fhir({"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]})],
)
def test_what_a_server_may_answer_to_what_it_took(server: HostileServer, answer: Response) -> None:
    server.answer = lambda _request: answer
    by_fhir(server)
    assert len(server.requests) == 1


def test_a_file_is_whole_private_and_named_after_the_notice(tmp_path: Path) -> None:
    feed = Feed("his", answer="file", answer_to=str(tmp_path))
    for _ in range(2):
        FileSender().send(notice(), feed)
    (file,) = tmp_path.iterdir()
    assert (file.name, file.read_bytes()) == (f"{notice().key}.json", write_json(notice()))
    assert file.stat().st_mode & 0o007 == 0


def test_a_link_laid_where_the_file_is_written_is_not_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "answers", tmp_path / "elsewhere"
    folder.mkdir()
    (folder / f".{notice().key}.json.part").symlink_to(elsewhere)
    with pytest.raises(Unreachable):
        FileSender().send(notice(), Feed("his", answer="file", answer_to=str(folder)))
    assert not elsewhere.exists()
