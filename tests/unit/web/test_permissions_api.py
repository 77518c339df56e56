"""Who gets what from the API, by token and by session."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.web.accounts import create_token, revoke_token
from gateway.web.app import create_app
from gateway.web.site import WebOptions
from tests.unit.web.conftest import SignIn
from tests.web_world import FORMS, OTHER_HOSPITAL, TestClient, World

TOKENS: dict[str, dict[str, Any]] = {
    "hospital": {"feed": "benh-vien-thu", "facilities": ["99001"]},
    "officer": {"communes": ["21583"]},
    "auditor": {},
    "admin": {},
}
HERE = ["hs-sinh", "hs-tu", "hs-tu-choi"]
ALL = sorted([*HERE, "hs-xa-khac"])


def client_of(world: World, role: str) -> TestClient:
    with world.store.write() as conn:
        token = create_token(conn, f"may-{role}", role, world.now, **TOKENS[role])
    return TestClient(world.app, headers={"Authorization": f"Bearer {token}"})


def ids(answer: Any, key: str = "id") -> list[str]:
    return sorted(item[key] for item in answer.json()["items"])


@pytest.mark.parametrize(("role", "seen"), [("hospital", HERE), ("officer", HERE), ("auditor", ALL)])
def test_each_role_lists_the_cases_within_its_reach(world: World, role: str, seen: list[str]) -> None:
    assert ids(client_of(world, role).get("/api/cases")) == sorted(seen)


@pytest.mark.parametrize("path", ["/api/cases", "/api/cases/hs-sinh", "/api/cases/hs-sinh/dossier.xml"])
def test_an_administrator_sees_no_case(world: World, path: str) -> None:
    assert client_of(world, "admin").get(path).status_code == 403


@pytest.mark.parametrize("role", ["hospital", "officer"])
@pytest.mark.parametrize("tail", ["", "/dossier.xml"])
def test_a_case_out_of_reach_does_not_exist(world: World, role: str, tail: str) -> None:
    client = client_of(world, role)
    out_of_reach = client.get(f"/api/cases/hs-xa-khac{tail}")
    unknown = client.get(f"/api/cases/none{tail}")
    assert out_of_reach.status_code == unknown.status_code == 404
    assert out_of_reach.json() == unknown.json()
    assert world.entries("read") == []


def test_reading_a_case_is_logged_with_the_token(world: World) -> None:
    client = client_of(world, "hospital")
    assert client.get("/api/cases/hs-sinh").json()["dossier"]["dossier"]["fields"]["meHoTen"] == "Nguyễn Thị Thu Hòa"
    assert client.get("/api/cases/hs-sinh/dossier.xml").content.startswith(b"<dossier")
    reads = [(entry["subject"], entry["who"], entry["why"]) for entry in world.entries("read")]
    assert reads == [("hs-sinh", "token:may-hospital", "api"), ("hs-sinh", "token:may-hospital", "download")]


def test_messages_are_the_own_feeds(world: World) -> None:
    world.add_message(1)
    world.add_message(2, OTHER_HOSPITAL)
    assert ids(client_of(world, "hospital").get("/api/messages")) == ["test.1"]
    assert ids(client_of(world, "auditor").get("/api/messages")) == ["test.1", "test.2"]
    assert ids(client_of(world, "admin").get("/api/messages")) == ["test.1", "test.2"]
    assert client_of(world, "officer").get("/api/messages").status_code == 403


@pytest.mark.parametrize(("role", "seen"), [("hospital", HERE), ("officer", HERE), ("auditor", ALL), ("admin", ALL)])
def test_deliveries_are_those_of_the_cases_within_reach(world: World, role: str, seen: list[str]) -> None:
    assert ids(client_of(world, role).get("/api/deliveries"), "case_id") == sorted(seen)


def test_a_session_reads_the_api_as_its_person(sign_in: SignIn) -> None:
    assert ids(sign_in("can-bo-khac").get("/api/cases")) == ["hs-xa-khac"]


@pytest.mark.parametrize("path", ["/api/cases", "/api/messages", "/api/deliveries", "/api/cases/hs-sinh"])
def test_nobody_reads_without_a_token_or_a_session(anyone: TestClient, path: str) -> None:
    answer = anyone.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "auth.missing")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_wrong_token_is_not_covered_by_a_session(sign_in: SignIn) -> None:
    answer = sign_in("can-bo").get("/api/cases", headers={"Authorization": "Bearer nonsense"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "auth.token")


def test_a_revoked_token_is_refused_at_once(world: World) -> None:
    client = client_of(world, "auditor")
    with world.store.write() as conn:
        revoke_token(conn, "may-auditor", world.now)
    assert client.get("/api/cases").status_code == 401


@pytest.mark.parametrize("path", ["/hl7v2", "/fhir", "/fhir/Patient", "/moh"])
@pytest.mark.parametrize("role", ["officer", "auditor", "admin"])
def test_only_hospitals_hand_in(world: World, role: str, path: str) -> None:
    assert client_of(world, role).post(path, content=b"x").status_code == 403
    assert world.intake.heard == []


@pytest.mark.parametrize("path", ["/hl7v2", "/fhir", "/fhir/Patient", "/moh"])
def test_a_session_hands_in_nothing(sign_in: SignIn, path: str) -> None:
    assert sign_in("benh-vien").post(path, content=b"x").status_code == 401


def test_open_intake_takes_messages_from_anybody_and_reads_nothing(world: World) -> None:
    app = create_app(world.services, world.intake, FORMS, WebOptions("development", False, open_intake=True))
    client = TestClient(app)
    assert client.post("/hl7v2", content=b"MSH|").status_code == 200
    assert world.intake.heard == [(b"MSH|", "hl7v2", None)]
    assert client.get("/api/cases").status_code == 401
