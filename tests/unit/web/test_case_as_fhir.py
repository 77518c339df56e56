"""GET /api/cases/{id}/fhir: who gets the document, that the read is evidence, and that it is the case's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.domain.case import Rank, Reading
from gateway.domain.dates import PartialDate
from gateway.domain.notification import build
from gateway.domain.person import PersonName
from gateway.domain.provenance import Provenance
from gateway.pipeline.cases import load_case, save_case
from gateway.web.accounts import create_token
from gateway.web.app import create_app
from tests.fhir_documents import facts_of
from tests.samples.folders import catalogue
from tests.web_world import FORMS, TestClient, World

PATH = "/api/cases/hs-sinh/fhir"
TOLD = {
    "child.born": PartialDate(2026, 11, 20, 8, 15),
    "mother.name": PersonName("Nguyễn", "Thị Thu", "Hòa"),
    "mother.personal_id": "999197000123",
}
TOKENS: dict[str, dict[str, Any]] = {
    "hospital": {"feed": "benh-vien-thu", "facilities": ["99001"]},
    "officer": {"communes": ["21583"]},
    "auditor": {},
    "admin": {},
}


@pytest.fixture
def ward(world: World) -> World:
    """The invented world with the shipped mappings, and one reading in its birth case."""
    source = {path: Provenance("test.7", "PID-7", "r") for path in TOLD}
    told = build("birth", TOLD)
    reading = Reading("test.7", "birth", "birth", Rank.MESSAGE, "2026-11-20T02:00:00+00:00", ("NB-1",), told, source)
    with world.store.write() as conn:
        case = load_case(conn, world.vault, "hs-sinh")
        save_case(conn, world.vault, replace(case, readings=(reading,), identity={}), now=world.now, changed=False)
    world.services = replace(world.services, catalogue=catalogue())
    world.app = create_app(world.services, world.intake, FORMS, world.options)
    return world


def ask(world: World, role: str, path: str = PATH) -> Any:
    with world.store.write() as conn:
        token = create_token(conn, f"may-{role}", role, world.now, **TOKENS[role])
    return TestClient(world.app, headers={"Authorization": f"Bearer {token}"}).get(path)


@pytest.mark.parametrize("role", ["hospital", "officer", "auditor"])
def test_who_may_see_the_case_gets_it_as_a_document_and_the_read_is_logged(ward: World, role: str) -> None:
    answer = ask(ward, role)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+json")
    assert facts_of("birth", answer.content) == TOLD
    reads = [(entry["subject"], entry["who"], entry["why"]) for entry in ward.entries("read")]
    assert reads == [("hs-sinh", f"token:may-{role}", "download")]


def test_the_document_is_as_of_the_newest_fact_and_named_by_the_cases_version(ward: World) -> None:
    bundle = orjson.loads(ask(ward, "officer").content)
    assert bundle["timestamp"] == bundle["entry"][0]["resource"]["date"] == "2026-11-20T09:00:00+07:00"
    assert bundle["identifier"]["value"] == "hs-sinh.1.1"


def test_asked_again_later_it_has_the_same_bytes(ward: World) -> None:
    first = ask(ward, "officer").content
    ward.clock.at = ward.clock.at.replace(hour=9)
    assert ask(ward, "auditor").content == first


def test_an_administrator_gets_no_document(ward: World) -> None:
    assert ask(ward, "admin").status_code == 403


@pytest.mark.parametrize("role", ["hospital", "officer"])
def test_a_document_out_of_reach_does_not_exist(ward: World, role: str) -> None:
    answer = ask(ward, role, "/api/cases/hs-xa-khac/fhir")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "case.unknown")
    assert ward.entries("read") == []


def test_without_a_writer_of_fhir_the_answer_says_so(ward: World) -> None:
    ward.app = create_app(replace(ward.services, readers={}), ward.intake, FORMS, ward.options)
    answer = ask(ward, "officer")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "case.not_writable")
    assert ward.entries("read") == []
