"""The three legs of a case, as the page and the API show them, and calls of commune systems over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import Misconfigured
from gateway.ports.commune import Outcome
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.web.accounts import create_token, create_user
from gateway.web.sessions import open_session
from tests.delivery_world import DeliveryWorld, WireSystem, wired
from tests.stay_messages import Newborn
from tests.web_world import PASSWORD, TestClient

CODE = "H99.001-261123-0001"


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("overlay")


@pytest.fixture
def world(store: Store, vault: Vault, clock: Any, overlay: Path) -> DeliveryWorld:
    world = DeliveryWorld(store, vault, clock)
    world.wire(wired(overlay))
    world.reopen()
    with store.write() as conn:
        create_user(conn, "ky-thuat", "hospital", "Kỹ thuật viên", PASSWORD, facilities=["99001"])
        create_user(conn, "noi-khac", "hospital", "Kỹ thuật viên khác", PASSWORD, facilities=["99002"])
    return world


def wire(world: DeliveryWorld) -> WireSystem:
    system = world.services.communes["wire"]
    assert isinstance(system, WireSystem)
    return system


def signed_in(world: DeliveryWorld, name: str) -> TestClient:
    with world.store.write() as conn:
        cookie = open_session(conn, name, world.now, world.options.session_hours)
    return TestClient(world.app, cookies={"hotich": cookie})


def test_the_page_shows_answer_identity_and_delivery(world: DeliveryWorld) -> None:
    world.take(Newborn(1, "A01", "BN1"))
    (case_id,) = world.cases()
    page = signed_in(world, "ky-thuat").get(f"/truong-hop/{case_id}").text
    assert CODE in page
    assert '<span class="ack AA">AA</span>' in page
    assert "Không tìm thấy trong CSDL quốc gia về dân cư" in page
    assert "Đã gửi xã" in page
    assert "Nguyễn" not in page
    assert world.rows("SELECT meta FROM entry WHERE kind = 'read'")[0][0].count("legs") == 1


def test_the_page_says_that_the_far_side_refuses_us(world: DeliveryWorld) -> None:
    wire(world).failures = [Misconfigured("partner.unauthorised", "status 401")]
    world.take(Newborn(1, "A01", "BN1"))
    (case_id,) = world.cases()
    client = signed_in(world, "ky-thuat")
    assert "chưa gửi" in client.get(f"/truong-hop/{case_id}").text
    assert "hotich_systems_resting 1.0" in client.get("/metrics").text


def test_the_far_sides_words_are_shown_to_the_hospital_they_concern(world: DeliveryWorld) -> None:
    wire(world).answer = Outcome("rejected", "", "nksQuocTich: không có trong danh mục")
    world.take(Newborn(1, "A01", "BN1"))
    (case_id,) = world.cases()
    page = signed_in(world, "ky-thuat").get(f"/truong-hop/{case_id}").text
    assert "nksQuocTich: không có trong danh mục" in page
    assert "Hệ thống của xã báo dữ liệu sai" in page
    assert signed_in(world, "noi-khac").get(f"/truong-hop/{case_id}").status_code == 404


def test_the_api_tells_the_legs(world: DeliveryWorld) -> None:
    world.take(Newborn(1, "A01", "BN1"))
    (case_id,) = world.cases()
    with world.store.write() as conn:
        token = create_token(conn, "may", "hospital", world.now, facilities=["99001"])
    client = TestClient(world.app, headers={"Authorization": f"Bearer {token}"})
    told = client.get(f"/api/cases/{case_id}").json()
    assert told["legs"]["code"] == CODE
    assert [version["system"] for version in told["legs"]["versions"]] == ["wire"]
    assert told["outcome"]["state"] == "pending"


def test_a_call_over_http_is_taken_once_and_a_forged_one_never(world: DeliveryWorld) -> None:
    world.take(Newborn(1, "A01", "BN1"))
    client = TestClient(world.app)
    body, ours = f"{CODE} registered", {"Signature": "ours"}
    forged = client.post("/api/callbacks/wire", content=body, headers={"Signature": "theirs"})
    assert (forged.status_code, forged.json()["error"]["code"]) == (401, "callback.signature")
    assert client.post("/api/callbacks/wire", content=body, headers=ours).json() == {"result": "taken"}
    assert client.post("/api/callbacks/wire", content=body, headers=ours).json() == {"result": "repeated"}
    assert client.post("/api/callbacks/nobody", content=body, headers=ours).status_code == 404
    assert client.post("/api/callbacks/wire", content="H1 registered", headers=ours).status_code == 404
    assert world.states() == ["birth registered"]
