"""GET /api/cases/{id}/dossier.asice: who gets the container, that the read is evidence, and that it is the case's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import insert

from gateway.sealing.asice_verify import verify_container
from gateway.sealing.asice_zip import MIMETYPE, read_zip
from gateway.store.tables import CaseMessage
from gateway.web.accounts import create_token
from gateway.web.app import create_app
from tests.news_world import NewsWorld
from tests.web_world import FORMS, THERE, TestClient, World, birth

PATH = "/api/cases/hs-goi/dossier.asice"
TOKENS: dict[str, dict[str, Any]] = {
    "hospital": {"feed": "benh-vien-thu", "facilities": ["99001"]},
    "officer": {"communes": ["21583"]},
    "auditor": {},
    "admin": {},
}


@pytest.fixture
def ward(world: World) -> NewsWorld:
    """The invented world with one dossier sealed in two versions, and one of another commune."""
    ward = NewsWorld(world.store, world.vault, world.clock)
    ward.deliver("hs-goi", birth())
    ward.deliver("hs-goi", birth(meHoTen="Nguyễn Thị Thu Hoà"))
    ward.deliver("hs-goi-khac", birth(THERE))
    ward.add_message(1)
    with ward.store.write() as conn:
        conn.execute(insert(CaseMessage).values(case_id="hs-goi", message_id="test.1"))
    ward.services = replace(ward.services, signing=ward.key)
    ward.app = create_app(ward.services, ward.intake, FORMS, ward.options)
    return ward


def ask(world: World, role: str, path: str = PATH) -> Any:
    with world.store.write() as conn:
        token = create_token(conn, f"may-{role}", role, world.now, **TOKENS[role])
    return TestClient(world.app, headers={"Authorization": f"Bearer {token}"}).get(path)


@pytest.mark.parametrize("role", ["hospital", "officer", "auditor"])
def test_who_may_see_the_case_gets_its_container_and_the_read_is_logged(ward: NewsWorld, role: str) -> None:
    answer = ask(ward, role)
    assert (answer.status_code, answer.headers["content-type"]) == (200, MIMETYPE)
    report = verify_container(answer.content, ward.key.certificates)
    assert report.ok, report.words("en")
    reads = [(entry["subject"], entry["who"], entry["why"]) for entry in ward.entries("read")]
    assert reads == [("hs-goi", f"token:may-{role}", "download")]


def test_it_holds_the_newest_sealed_version_and_what_was_received(ward: NewsWorld) -> None:
    files = read_zip(ask(ward, "officer").content)
    receipt = orjson.loads(files["receipt.json"])
    assert (receipt["code"], receipt["version"], receipt["received"][0]["message"]) == ("hs-goi", 2, "test.1")
    assert "Nguyễn Thị Thu Hoà".encode() in files["dossier.xml"]


def test_an_administrator_gets_none(ward: NewsWorld) -> None:
    assert ask(ward, "admin").status_code == 403
    assert ward.entries("read") == []


def test_a_case_out_of_reach_does_not_exist(ward: NewsWorld) -> None:
    answer = ask(ward, "officer", "/api/cases/hs-goi-khac/dossier.asice")
    assert (answer.status_code, answer.json()) == (404, ask(ward, "hospital", "/api/cases/none/dossier.asice").json())


def test_a_dossier_that_is_not_sealed_has_no_container(ward: NewsWorld) -> None:
    ward.add_dossier("hs-chua-ky", birth(), sealed=False)
    answer = ask(ward, "officer", "/api/cases/hs-chua-ky/dossier.asice")
    assert answer.status_code == 404
    assert "case.not_sealed" in answer.text
    assert ward.entries("read") == []
