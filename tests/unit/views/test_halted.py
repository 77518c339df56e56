"""Cases that stopped on their way, as both databases list them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import Misunderstood
from gateway.ports.commune import Outcome
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.views.halted import count_halted, list_halted
from gateway.views.reach import EVERYTHING, Reach
from gateway.web.accounts import create_user
from gateway.web.sessions import open_session
from tests.delivery_world import DeliveryWorld, WireSystem, wired
from tests.stay_messages import Newborn
from tests.web_world import PASSWORD, TestClient

WORDS = "nksQuocTich: không có trong danh mục"
ELSEWHERE = Reach(None, frozenset({"00004"}), None)


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("overlay")


@pytest.fixture
def world(store: Store, vault: Vault, clock: Any, overlay: Path) -> DeliveryWorld:
    """One case sent back, one that was given up, one that is on its way."""
    world = DeliveryWorld(store, vault, clock)
    world.wire(wired(overlay))
    world.reopen()
    system = world.services.communes["wire"]
    assert isinstance(system, WireSystem)
    world.take(Newborn(3, "A01", "BN3"))
    system.answer = Outcome("rejected", "", WORDS)
    world.take(Newborn(1, "A01", "BN1"))
    system.failures = [Misunderstood("partner.html", "not JSON", b"<html>")]
    world.take(Newborn(2, "A01", "BN2"))
    return world


def test_what_was_sent_back_or_given_up_is_listed_with_the_far_sides_words(world: DeliveryWorld) -> None:
    with world.store.read() as conn:
        found = list_halted(conn, world.vault, EVERYTHING)
        assert [(case.status, case.words) for case in found] == [("rejected", WORDS), ("undelivered", "")]
        assert all(case.kind == "birth" and case.fields["nksNgaySinh"] and case.register_by for case in found)
        assert count_halted(conn, EVERYTHING) == 2


def test_nobody_learns_of_another_communes(world: DeliveryWorld) -> None:
    with world.store.read() as conn:
        assert list_halted(conn, world.vault, ELSEWHERE) == []
        assert count_halted(conn, ELSEWHERE) == 0


def test_a_correction_that_arrives_takes_a_case_off_the_list(world: DeliveryWorld) -> None:
    world.services.communes["wire"].answer = Outcome("pending", "R1")  # type: ignore[attr-defined]
    world.take(Newborn(4, "A08", "BN1", "Hân"))
    with world.store.read() as conn:
        assert [case.status for case in list_halted(conn, world.vault, EVERYTHING)] == ["undelivered"]


def test_the_page_of_what_waits_names_them_and_leads_to_their_way(world: DeliveryWorld) -> None:
    with world.store.write() as conn:
        create_user(conn, "dieu-phoi", "officer", "Cán bộ Điều Phối", PASSWORD, communes=["*"])
        create_user(conn, "noi-khac", "officer", "Cán bộ nơi khác", PASSWORD, communes=["00004"])
        coordinator, other = (open_session(conn, name, world.now, 8) for name in ("dieu-phoi", "noi-khac"))
    page = TestClient(world.app, cookies={"hotich": coordinator}).get("/cho-xu-ly").text
    assert WORDS in page
    assert '<b class="count">2<' in page
    assert page.count('href="/truong-hop/') == 2
    strange = TestClient(world.app, cookies={"hotich": other}).get("/cho-xu-ly").text
    assert "truong-hop" not in strange
    assert "Không có hồ sơ nào đang chờ bạn" in strange
