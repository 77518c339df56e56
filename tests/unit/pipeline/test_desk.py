"""Decisions on the built-in desk, taken about exactly what the officer saw."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.pipeline.desk import choose_commune, decide, release
from gateway.store.session import Store
from gateway.store.vault import Vault
from tests.waiting_world import QUY_NHON_NAM, VAN_CANH, WaitingWorld
from tests.web_world import World, birth

NUMBERS = {"so": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "soDinhDanh": "999226000777"}


@pytest.fixture
def desk(store: Store, vault: Vault, clock: Any) -> World:
    made = World(store, vault, clock)
    made.add_dossier("hs", birth())
    return made


@pytest.fixture
def waiting(store: Store, vault: Vault, clock: Any) -> WaitingWorld:
    made = WaitingWorld(store, vault, clock)
    made.open_cases("cho-chia-tach", "cho-mau-thuan")
    return made


def state(world: World) -> str:
    with world.store.read() as conn:
        return str(conn.exec_driver_sql("SELECT state FROM desk_item WHERE code = 'hs'").scalar_one())


def test_a_decision_about_the_version_seen_is_recorded(desk: World) -> None:
    assert decide(desk.services, "hs", "accept", "can-bo", "", {}, 1) == {}
    assert state(desk) == "accepted"


def test_a_dossier_corrected_meanwhile_is_to_be_looked_at_first(desk: World) -> None:
    with desk.store.write() as conn:
        conn.exec_driver_sql("UPDATE desk_item SET version = 2")
    wrong = decide(desk.services, "hs", "accept", "can-bo", "", {}, 1)
    assert "vừa được sửa" in wrong["action"]
    assert state(desk) == "received"
    assert desk.entries("decided") == []


def test_the_day_of_registration_is_measured_by_the_offices_clock(desk: World, clock: Any) -> None:
    typed = {**NUMBERS, "ngayDangKy": "24.11.2026"}
    clock.pass_seconds(14 * 3600 - 1)  # 23:59:59 in Việt Nam
    assert "ngayDangKy" in decide(desk.services, "hs", "register", "can-bo", "", typed)
    clock.pass_seconds(1)
    assert decide(desk.services, "hs", "register", "can-bo", "", typed) == {}


def test_a_commune_is_chosen_once_and_the_dossier_goes_there(waiting: WaitingWorld) -> None:
    assert choose_commune(waiting.services, "cho-chia-tach", VAN_CANH, "dieu-phoi", "theo giấy tờ", 1) == {}
    waiting.work()
    assert waiting.desk() == {"cho-chia-tach": VAN_CANH}
    assert "case" in choose_commune(waiting.services, "cho-chia-tach", "22006", "dieu-phoi", "muộn")


def test_a_decision_about_a_case_that_changed_meanwhile_is_refused(waiting: WaitingWorld) -> None:
    assert "case" in choose_commune(waiting.services, "cho-chia-tach", VAN_CANH, "dieu-phoi", "theo giấy tờ", 0)
    waiting.work()
    assert waiting.desk() == {}


def test_a_released_case_goes_on(waiting: WaitingWorld) -> None:
    assert "why" in release(waiting.services, "cho-mau-thuan", "death.contradiction", "dieu-phoi", " ")
    assert "code" in release(waiting.services, "cho-mau-thuan", "name.placeholder", "dieu-phoi", "x")
    assert "case" in release(waiting.services, "khong-co", "death.contradiction", "dieu-phoi", "x")
    assert release(waiting.services, "cho-mau-thuan", "death.contradiction", "dieu-phoi", "đã hỏi") == {}
    waiting.work()
    assert waiting.desk() == {"cho-mau-thuan": QUY_NHON_NAM}


@pytest.mark.parametrize("code", ["", "99999", "xã"])
def test_a_commune_that_is_not_on_todays_list_is_refused(waiting: WaitingWorld, code: str) -> None:
    assert "commune" in choose_commune(waiting.services, "cho-chia-tach", code, "dieu-phoi", "x")
