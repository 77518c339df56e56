"""Lanes of one partner: who does not answer is asked by one thread, and holds up nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Connection

from gateway.errors import Refused, Unreachable
from gateway.lanes import lanes
from gateway.lanes.gate import DOUBT_AFTER, LATER, SOON, Gate
from gateway.lanes.lanes import HELD_PER_SECOND, HELD_SECONDS, NotYet
from gateway.lanes.worker import Worker
from gateway.store.session import Store, execute, now_us
from tests.conftest import StillClock

SECOND = 1_000_000


def put(store: Store, clock: StillClock, partner: str, count: int) -> None:
    items = [(f"{partner}:{number}", "send", {"to": partner}) for number in range(count)]
    with store.write() as conn:
        lanes.put_many(conn, items, now_us(clock), partner=partner)


def runs(store: Store, partner: str) -> list[int]:
    with store.read() as conn:
        rows = execute(conn, "SELECT run_at FROM lane WHERE partner = ? ORDER BY run_at", (partner,)).fetchall()
    return [run_at for (run_at,) in rows]


class Sends:
    """A handler that fails for "dead" as told and remembers whom it asked."""

    kind = "send"

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked: list[str] = []

    def act(self, args: Mapping[str, Any]) -> None:
        self.asked.append(args["to"])
        if args["to"] == "dead":
            raise self.error

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: None) -> None:
        """Nothing to write."""


def test_held_back_lanes_come_after_the_moment_at_a_pace(store: Store, clock: StillClock) -> None:
    put(store, clock, "dead", 300)
    put(store, clock, "alive", 3)
    until = now_us(clock) + 30 * SECOND
    with store.write() as conn:
        assert lanes.hold_back(conn, "dead", until) == 300
    held = runs(store, "dead")
    assert min(held) >= until
    assert max(held) <= until + 300 / HELD_PER_SECOND * SECOND + 1
    assert len(set(held)) > 100
    assert set(runs(store, "alive")) == {now_us(clock)}


def test_a_great_backlog_is_spread_over_a_bounded_time_and_leases_are_left_alone(
    store: Store, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "HELD_PER_SECOND", 0.01)
    put(store, clock, "dead", 40)
    (claim, *_) = lanes.claim(store, 1, 60, now_us(clock))
    with store.write() as conn:
        assert lanes.hold_back(conn, "dead", now_us(clock)) == 39
        assert lanes.hold_back(conn, "", now_us(clock) + SECOND) == 0
        lanes.lock(conn, claim)
    assert max(runs(store, "dead")) <= now_us(clock) + max(HELD_SECONDS, 60) * SECOND + 1


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("partner.circuit_open", "left alone", retry_after=30.0),
        NotYet(1_795_402_800_000_000 + 3_600 * SECOND, all_of_partner=True),
    ],
)
def test_one_answer_that_it_is_down_serves_all_that_wait_for_it(
    store: Store, clock: StillClock, error: Exception
) -> None:
    put(store, clock, "dead", 100)
    put(store, clock, "alive", 5)
    handler = Sends(error)
    Worker(store, {"send": handler}, clock=clock, threads=4).run_until_idle()
    assert handler.asked.count("alive") == 5
    assert handler.asked.count("dead") <= 2 * 4  # what was leased together, until the failures are doubt


def test_a_no_is_an_answer(store: Store, clock: StillClock) -> None:
    put(store, clock, "dead", 10)
    handler = Sends(Refused("partner.no", "not this one"))
    Worker(store, {"send": handler}, clock=clock).run_until_idle()
    assert handler.asked.count("dead") == 10


def test_while_a_partner_is_in_doubt_one_thread_asks_it() -> None:
    gate = Gate(8)
    gate.enter("moj")
    for _ in range(DOUBT_AFTER):
        assert not gate.enter("moj")
        gate.leave("moj", answered=False)
    assert gate.enter("moj") == LATER
    gate.leave("moj", answered=False)
    assert not gate.enter("moj")
    assert gate.enter("moj") == LATER
    assert not gate.enter("elsewhere")
    gate.leave("moj", answered=True)
    assert [gate.enter("moj") for _ in range(8)] == [0.0] * 8


def test_a_partner_that_has_not_answered_gets_half_of_the_threads() -> None:
    gate = Gate(4)
    assert [gate.enter("moj") for _ in range(4)] == [0.0, 0.0, SOON, SOON]
    gate.leave("moj", answered=True)
    assert [gate.enter("moj") for _ in range(3)] == [0.0] * 3
    gate.leave("moj", answered=False)
    assert gate.enter("moj") == SOON
    assert not gate.doubts("moj")


def test_work_without_a_partner_is_never_held_up() -> None:
    gate = Gate(1)
    for _ in range(DOUBT_AFTER):
        assert not gate.enter("")
        gate.leave("", answered=False)
    assert not gate.enter("")
    assert not gate.enter("")


def test_holding_back_reads_its_own_index(store: Store) -> None:
    explain = "EXPLAIN QUERY PLAN" if store.is_sqlite else "EXPLAIN"
    with store.write() as conn:
        if not store.is_sqlite:
            execute(conn, "SET LOCAL enable_seqscan = off", ())
        plan = execute(conn, f"{explain} SELECT COUNT(*) FROM lane {lanes._HELD}", ("x", 1)).fetchall()
    assert "lane_partner" in str(plan)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_holding_back_waits_for_no_other_transaction(store: Store, clock: StillClock) -> None:
    """Two workers that held back, or one that put work into two lanes meanwhile, would lock each other out."""
    put(store, clock, "dead", 3)
    with store.write() as busy, store.write() as conn:
        lanes.put(busy, "dead:1", "send", {"to": "dead"}, now_us(clock), partner="dead")
        execute(conn, "SET LOCAL lock_timeout = '2s'")
        lanes.hold_back(conn, "dead", now_us(clock) + SECOND)
    assert runs(store, "dead")[0] == now_us(clock)
    assert all(run_at > now_us(clock) for run_at in runs(store, "dead")[1:])


def test_work_that_has_to_wait_says_nothing_of_its_partner() -> None:
    gate = Gate(1)
    for number in range(DOUBT_AFTER):
        gate.enter("moj")
        gate.leave("moj", answered=None)
        assert not gate.doubts("moj")
        gate.enter("moj")
        gate.leave("moj", answered=False)
        assert gate.doubts("moj") is (number == DOUBT_AFTER - 1)
    gate.enter("moj")
    gate.leave("moj", answered=None)
    assert gate.doubts("moj")


def test_a_handler_that_asks_nobody_leaves_the_doubt_as_it_was(store: Store, clock: StillClock) -> None:
    put(store, clock, "dead", DOUBT_AFTER)
    handler = Sends(Unreachable("partner.unreachable", "no answer"))
    worker = Worker(store, {"send": handler}, clock=clock, threads=1)
    worker.run_until_idle()
    assert worker._gate.doubts("dead")
    clock.pass_seconds(3)
    handler.error = NotYet(now_us(clock) + SECOND)
    worker.run_until_idle()
    assert worker._gate.doubts("dead")
