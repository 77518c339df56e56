"""Whoever hands messages in over HTTP without being known is turned away, written down and shown; a flood fills
nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.ports.hospital import NOWHERE, Feed, Origin
from gateway.views.unknown_senders import list_unknown_senders
from gateway.web.accounts import create_token
from gateway.web.app import create_app
from gateway.web.server import ORIGIN
from tests.web_world import FORMS, TestClient, World

CARD = "ab" * 32


def client_of(world: World, origin: Origin = NOWHERE, **headers: str) -> TestClient:
    """A client whose connection has this origin, before a gateway with a feed known by its certificate."""
    feeds = {**world.services.feeds, "card": Feed("card", client_certificates=(CARD,))}
    app = create_app(replace(world.services, feeds=feeds), world.intake, FORMS, world.options)

    async def located(scope: Any, receive: Any, send: Any) -> None:
        await app(scope | {"extensions": {ORIGIN: origin}}, receive, send)

    return TestClient(located, headers=headers)


def strangers(world: World) -> list[tuple[str, str, str, int]]:
    with world.store.read() as conn:
        return [(line.format, line.address, line.code, line.count) for line in list_unknown_senders(conn)]


@pytest.mark.parametrize(("path", "form"), [("/hl7v2", "hl7v2"), ("/fhir", "fhir"), ("/moh", "moh")])
def test_without_token_and_certificate_it_is_401_logged_and_shown(world: World, path: str, form: str) -> None:
    known = form if form in world.services.readers else ""
    answer = client_of(world).post(path, content=b"x")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert strangers(world) == [(known, "testclient", "auth.missing", 1)]
    assert [entry["code"] for entry in world.entries("refused")] == ["auth.missing"]
    assert world.intake.heard == []


def test_a_token_of_nobody_and_one_of_another_role_are_shown_too(world: World) -> None:
    with world.store.write() as conn:
        token = create_token(conn, "xa", "officer", world.now)
    assert client_of(world, Authorization="Bearer hotich_khong-co").post("/fhir", content=b"x").status_code == 401
    assert client_of(world, Authorization=f"Bearer {token}").post("/fhir", content=b"x").status_code == 403
    assert sorted(code for *_, code, _ in strangers(world)) == ["auth.role"]
    assert [entry["code"] for entry in world.entries("refused")] == ["auth.token", "auth.role"]


def test_a_flood_of_strangers_is_answered_and_written_down_only_so_often(world: World) -> None:
    client = client_of(world)
    assert {client.post("/hl7v2", content=b"x").status_code for _ in range(60)} == {401}
    assert 20 <= len(world.entries("refused")) < 40


def test_a_certificate_that_a_feed_names_is_as_good_as_a_token(world: World) -> None:
    client_of(world, Origin("10.0.0.1", CARD, "his")).post("/hl7v2", content=b"MSH|")
    assert world.intake.heard == [(b"MSH|", "hl7v2", None)]
    assert client_of(world, Origin("10.0.0.1", "cd" * 32, "his")).post("/hl7v2", content=b"MSH|").status_code == 401
    assert len(world.intake.heard) == 1
