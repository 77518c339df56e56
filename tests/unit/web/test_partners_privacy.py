"""What outsiders and partners put into addresses and words: nothing of it is run, and none is an error of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.ports.commune import Outcome
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.web.accounts import create_user
from gateway.web.sessions import open_session
from tests.delivery_world import DeliveryWorld, WireSystem, wired
from tests.stay_messages import Newborn
from tests.web_world import PASSWORD, TestClient

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("overlay")


@pytest.fixture
def world(store: Store, vault: Vault, clock: Any, overlay: Path) -> DeliveryWorld:
    """A birth that the commune's system rejects in words of its own."""
    world = DeliveryWorld(store, vault, clock)
    wire: WireSystem = world.wire(wired(overlay))
    wire.answer = Outcome("rejected", "", EVIL, {EVIL: EVIL})
    world.reopen()
    with store.write() as conn:
        create_user(conn, "ky-thuat", "hospital", "Kỹ thuật viên", PASSWORD, facilities=["99001"])
    world.take(Newborn(1, "A01", "BN1"))
    return world


@pytest.fixture
def hospital(world: DeliveryWorld) -> TestClient:
    with world.store.write() as conn:
        cookie = open_session(conn, "ky-thuat", world.now, world.options.session_hours)
    return TestClient(world.app, cookies={"hotich": cookie}, raise_server_exceptions=False)


def test_a_communes_words_are_shown_as_text(world: DeliveryWorld, hospital: TestClient) -> None:
    (case_id,) = world.cases()
    page = hospital.get(f"/truong-hop/{case_id}")
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script" not in page.text
    assert "<img src=x" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    told = hospital.get(f"/api/cases/{case_id}")
    assert told.json()["outcome"]["words"] == EVIL
    assert (told.headers["x-content-type-options"], told.headers["cache-control"]) == ("nosniff", "no-store")


def test_a_null_character_names_nothing(hospital: TestClient) -> None:
    pages = ("/truong-hop/%00", "/trao-giay/%00", "/trao-giay/%00/thu.pdf")
    documents = ("/api/cases/%00", "/api/cases/%00/letter.pdf", "/api/messages/%00")
    for address in (*pages, *documents, "/fhir/Task/%00", "/fhir/Task?identifier=%00"):
        assert hospital.get(address).status_code == 404, address
