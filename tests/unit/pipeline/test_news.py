"""After sending: corrections and withdrawals from the case to the officer's answer and back, by the real steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.domain.case import Reading
from gateway.domain.notification import BirthNotification
from gateway.domain.person import PersonName
from gateway.lanes import lanes
from gateway.pipeline.cases import load_case, save_case
from gateway.pipeline.desk import decide
from gateway.pipeline.dossiers import find_dossier, newest_dossier
from gateway.sealing.dossier_xml import parse_dossier
from gateway.store.session import Store
from gateway.store.vault import Vault
from tests.waiting_world import SAMPLES, WaitingWorld

CASE = "ks-thu"
NUMBERS = {"so": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "soDinhDanh": "999226000777"}


@pytest.fixture
def world(store: Store, vault: Vault, clock: Any, monkeypatch: pytest.MonkeyPatch) -> WaitingWorld:
    """One birth that lies on the desk as it was first told."""
    monkeypatch.setitem(SAMPLES, CASE, "birth/newborn-admitted-with-pv1-4-n")
    made = WaitingWorld(store, vault, clock)
    made.open_cases(CASE)
    assert states(made)[1:] == ("received", 1)
    return made


def states(world: WaitingWorld) -> tuple[str, str, int]:
    """State of the case, state and news of the desk's item, its version."""
    with world.store.read() as conn:
        case = conn.exec_driver_sql('SELECT status FROM "case"').scalar_one()
        kept, version = conn.exec_driver_sql("SELECT state, version FROM desk_item").one()
    return case, kept, version


def tell(world: WaitingWorld, **changed: Any) -> None:
    """A further message about the same birth an hour later; `changed` are parts of its reading."""
    world.clock.pass_seconds(3600)
    with world.store.write() as conn:
        case = load_case(conn, world.vault, CASE)
        newest = case.readings[-1]
        later = (datetime.fromisoformat(newest.occurred) + timedelta(hours=1)).isoformat()
        told = replace(newest, message=f"test.{len(case.readings) + 1}", occurred=later, **changed)
        sources = {path: replace(source, message=told.message) for path, source in told.provenance.items()}
        more = replace(case, readings=(*case.readings, replace(told, provenance=sources)))
        save_case(conn, world.vault, more, now=world.now, changed=True)
        lanes.put(conn, f"case:{CASE}", "advance", {"case": CASE}, world.now)
    world.work()


def first(world: WaitingWorld) -> Reading:
    with world.store.read() as conn:
        return load_case(conn, world.vault, CASE).readings[0]


def rename_the_mother(world: WaitingWorld) -> None:
    told = first(world).notification
    assert isinstance(told, BirthNotification)
    named = replace(told, mother=replace(told.mother, name=PersonName("Trần", "Thị", "Đổi Tên")))
    tell(world, notification=named, trigger="A08")


def take_back(world: WaitingWorld) -> None:
    """Cancel whatever was said, as A11 does."""
    with world.store.read() as conn:
        said = {reading.trigger for reading in load_case(conn, world.vault, CASE).readings}
    tell(
        world, relevance="related", notification=BirthNotification(), provenance={}, cancels=tuple(said), trigger="A11"
    )


def answer(world: WaitingWorld, action: str, words: str = "", **numbers: str) -> dict[str, str]:
    wrong = decide(world.services, CASE, action, "can-bo", words, numbers, states(world)[2])
    world.work()
    return wrong


def test_a_correction_is_sealed_with_its_old_and_new_value_and_waits_on_the_desk(world: WaitingWorld) -> None:
    answer(world, "accept")
    rename_the_mother(world)
    assert states(world) == ("corrected", "accepted+corrected", 2)
    with world.store.read() as conn:
        newest = newest_dossier(conn, world.vault, CASE)
        before = find_dossier(conn, world.vault, CASE, 1)
    assert newest is not None
    assert before is not None
    told = parse_dossier(newest.content["xml"].encode()).dossier.corrections
    (mother,) = [item for item in told if item.field == "meHoTen"]
    assert mother.old == before.content["dossier"]["dossier"]["fields"]["meHoTen"]
    assert mother.new.casefold() == "trần thị đổi tên"
    assert mother.message == "test.2"
    assert answer(world, "seen") == {}
    assert states(world) == ("accepted", "accepted", 2)


def test_a_withdrawal_that_is_agreed_to_cancels_the_case(world: WaitingWorld) -> None:
    take_back(world)
    assert states(world) == ("withdrawing", "received+withdrawing", 2)
    assert answer(world, "agree") == {}
    assert states(world) == ("cancelled", "cancelled", 2)


def test_a_withdrawal_that_is_not_agreed_to_leaves_the_case_with_the_commune(world: WaitingWorld) -> None:
    take_back(world)
    assert answer(world, "keep", "Trẻ đang ở cùng mẹ") == {}
    assert states(world) == ("accepted", "received", 2)


def test_a_registered_case_stays_registered_through_correction_and_withdrawal(world: WaitingWorld) -> None:
    assert answer(world, "register", **NUMBERS, ngayDangKy="23.11.2026") == {}
    rename_the_mother(world)
    assert states(world) == ("corrected", "registered+corrected", 2)
    assert answer(world, "seen") == {}
    assert states(world) == ("registered", "registered", 2)
    take_back(world)
    assert states(world) == ("withdrawing", "registered+withdrawing", 3)
    assert answer(world, "agree", "Lập hồ sơ thu hồi") == {}
    assert states(world) == ("registered", "registered", 3)


def test_what_was_taken_back_and_is_told_again_comes_back(world: WaitingWorld) -> None:
    take_back(world)
    answer(world, "agree")
    again = first(world)
    tell(
        world,
        relevance="birth",
        notification=again.notification,
        provenance=again.provenance,
        cancels=(),
        trigger="A01",
    )
    case, kept, version = states(world)
    assert (kept, version) == ("received+corrected", 3)
    assert case in ("sent", "corrected")
