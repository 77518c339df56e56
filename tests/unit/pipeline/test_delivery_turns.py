"""Delivery when things happen in an unlucky order: words that overtake one another, rest, corrections on their way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gateway.errors import Misconfigured, Unreachable
from gateway.lanes import lanes
from gateway.lanes.lanes import NotYet
from gateway.pipeline import partners
from gateway.pipeline.callback import take_callback
from gateway.pipeline.follow import Follow
from gateway.pipeline.outcomes import Told, write_outcome
from gateway.pipeline.partners import PROBE_MINUTES
from gateway.ports.commune import Delivery, Outcome
from gateway.store.session import Store, execute
from gateway.store.vault import Vault
from gateway.views.lane_list import LaneFilter, find_lanes
from tests.delivery_world import DeliveryWorld, born, system_of, wired
from tests.stay_messages import NewbornNews

DOWN = Unreachable("partner.unreachable", "no answer")
WRONG_KEY = Misconfigured("partner.unauthorised", "status 401")
CODE = "H99.001-261123-0001"
OURS = {"signature": "ours"}
PROBE = PROBE_MINUTES * 60


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("overlay")


@pytest.fixture
def world(store: Store, vault: Vault, clock: Any, overlay: Path) -> DeliveryWorld:
    world = DeliveryWorld(store, vault, clock)
    world.wire(wired(overlay))
    return world


def taken_by(world: DeliveryWorld, case_id: str) -> list[tuple[Any, ...]]:
    return world.rows("SELECT version, system FROM dossier WHERE case_id = ? ORDER BY version", case_id)


def test_a_system_that_rests_is_well_again_as_soon_as_a_poll_is_answered(world: DeliveryWorld) -> None:
    system = system_of(world)
    for minute in (1, 2, 3):
        born(world, f"BN{minute}", minute)
    system.calls.clear()
    system.failures = [WRONG_KEY] * 2
    world.later(61)
    assert system.calls == ["status"]
    world.later(PROBE)
    world.later(1)
    assert len(system.calls) == 2  # one asks for all, though all are due
    world.later(PROBE + 1)
    assert world.rows("SELECT COUNT(*) FROM partner") == [(0,)]
    world.later(PROBE + 1)
    assert len(system.calls) >= 2 + 3


def test_one_poll_at_a_time_tries_a_system_that_rests(world: DeliveryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = born(world), born(world, "BN2", 2)
    partners.rest(world.services, "wire", WRONG_KEY, "ks-1")
    world.clock.pass_seconds(PROBE)
    polls = Follow(world.services)

    def slow(_delivery: Delivery) -> Outcome:
        with pytest.raises(NotYet):
            polls.act({"case": second, "version": 1, "looks": 0})
        return Outcome("pending")

    monkeypatch.setattr(system_of(world), "status", slow)
    assert polls.act({"case": first, "version": 1, "looks": 0}).told is not None


def test_a_poll_of_a_system_that_left_the_settings_ends_without_a_dead_letter(world: DeliveryWorld) -> None:
    born(world)
    world.services = replace(world.services, communes={"desk": world.services.communes["desk"]})
    world.later(61)
    key = "follow:ks-000000000001"
    assert world.rows("SELECT run_at, dead, error FROM lane WHERE key = ?", key) == [(None, False, "")]


def test_a_poll_that_a_call_overtook_says_nothing(world: DeliveryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id, system = born(world), system_of(world)

    def slow(_delivery: Delivery) -> Outcome:
        take_callback(world.services, "wire", OURS, f"{CODE} needs_more".encode())
        return Outcome("accepted", "R1")

    with monkeypatch.context() as patch:
        patch.setattr(system, "status", slow)
        world.later(61)
    assert world.cases()[case_id] == "birth needs_more"
    system.states[CODE] = Outcome("registered", "R1", "", {"so": "7/2026"})
    world.later(1_000)
    assert world.cases()[case_id] == "birth registered"


def test_what_was_registered_by_a_call_is_not_sent_again_when_the_system_forgets_it(world: DeliveryWorld) -> None:
    born(world)
    take_callback(world.services, "wire", OURS, f"{CODE} registered".encode())
    system_of(world).book.clear()
    for _ in range(6):
        world.later(1_000)
    assert system_of(world).calls.count("submit") == 1


def test_a_call_about_the_first_version_does_not_take_a_correction_that_waits(world: DeliveryWorld) -> None:
    case_id = born(world)
    with world.store.write() as conn:
        lanes.park(conn, [f"dossier:{case_id}"], "for a moment")
    world.take(NewbornNews(2, "A08", "BN1", "Bình"))
    take_callback(world.services, "wire", OURS, f"{CODE} accepted".encode())
    assert taken_by(world, case_id) == [(1, "wire"), (2, "")]
    with world.store.write() as conn:
        lanes.redrive(conn, [f"dossier:{case_id}"], world.now)
    world.work()
    assert taken_by(world, case_id) == [(1, "wire"), (2, "desk")]
    assert world.item(case_id)["version"] == 2


def test_a_call_before_the_answer_is_about_the_version_that_was_sent(world: DeliveryWorld) -> None:
    system = system_of(world)
    system.failures, system.arrives = [DOWN], True
    case_id = born(world)
    world.take(NewbornNews(2, "A08", "BN1", "Bình"))
    take_callback(world.services, "wire", OURS, f"{CODE} accepted".encode())
    assert taken_by(world, case_id) == [(1, "wire"), (2, "")]
    world.later(10)
    assert taken_by(world, case_id) == [(1, "wire"), (2, "desk")]


def test_a_call_after_a_rejection_is_about_the_version_that_followed(world: DeliveryWorld) -> None:
    system = system_of(world)
    system.answer = Outcome("rejected", "", "sai")
    case_id = born(world)
    system.answer, system.failures, system.arrives = Outcome("pending", "R1"), [DOWN, DOWN], True
    world.take(NewbornNews(2, "A08", "BN1", "Bình"))
    world.later(3)
    take_callback(world.services, "wire", OURS, f"{CODE} accepted".encode())
    assert taken_by(world, case_id) == [(1, ""), (2, "wire")]


def test_a_correction_on_the_desk_is_not_hidden_by_the_other_systems_polls(world: DeliveryWorld) -> None:
    case_id, system = born(world), system_of(world)
    world.take(NewbornNews(2, "A08", "BN1", "Bình"))
    assert world.cases()[case_id] == "birth corrected"
    system.states[CODE] = Outcome("accepted", "R1")
    for _ in range(6):
        world.later(3_601)
    assert world.cases()[case_id] == "birth corrected"
    assert world.rows("SELECT COUNT(*) FROM entry WHERE kind = 'followed'") == [(1,)]
    told = world.outcome(case_id)
    assert told is not None
    assert told.version == 2
    system.states[CODE] = Outcome("registered", "R1", "", {"so": "7/2026"})
    world.later(3_601)
    assert world.cases()[case_id] == "birth registered"


def test_a_dossier_that_is_withdrawn_while_it_is_rejected_asks_the_commune_nothing(world: DeliveryWorld) -> None:
    system = system_of(world)
    system.failures = [DOWN]
    case_id = born(world)
    world.take(NewbornNews(2, "A11", "BN1"))
    assert world.cases()[case_id] == "birth withdrawing"
    system.answer = Outcome("rejected", "", "sai")
    world.later(10)
    assert world.cases()[case_id] == "birth cancelled"
    assert system.calls == ["submit", "status", "submit"]
    assert world.rows("SELECT COUNT(*) FROM lane WHERE dead") == [(0,)]


def test_a_day_without_numbers_left_waits_for_the_next(world: DeliveryWorld) -> None:
    with world.store.write() as conn:
        execute(conn, "INSERT INTO number_series (agency, day, last) VALUES ('H99.001', '2026-11-23', 9999)")
    case_id = born(world)  # at ten in the morning
    for _ in range(6):
        world.later(3_600)
    assert world.cases()[case_id] == "birth ready"
    assert system_of(world).calls == []
    world.later(8 * 3_600 + 600)
    assert list(system_of(world).book) == ["H99.001-261124-0001"]
    assert world.rows("SELECT last FROM number_series ORDER BY day") == [(9999,), (1,)]


def test_two_words_at_once_are_folded_one_after_the_other(world: DeliveryWorld) -> None:
    case_id = born(world)

    def say(state: str) -> None:
        with world.store.write() as conn:
            write_outcome(conn, world.services, "followed", Told(case_id, 1, "wire", Outcome(state, "R1")))

    # Threads of workers write chains of their own: nothing but the case makes them take turns.
    second = Thread(target=say, args=("accepted",), name="worker-records")
    with world.store.write() as conn:
        write_outcome(conn, world.services, "called", Told(case_id, 1, "wire", Outcome("registered", "R1")))
        second.start()
        second.join(0.2)
    second.join()
    assert world.cases()[case_id] == "birth registered"


def test_lanes_of_a_system_are_found_before_they_have_a_number(world: DeliveryWorld) -> None:
    system_of(world).failures = [WRONG_KEY]
    born(world)
    waits = born(world, "BN2", 2)
    with world.store.read() as conn:
        found = {line.key for line in find_lanes(conn, LaneFilter("waiting", system="wire"), world.now)}
        assert list(find_lanes(conn, LaneFilter("waiting", system="desk"), world.now)) == []
    assert f"dossier:{waits}" in found
