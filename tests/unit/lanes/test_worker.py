"""The worker: acts outside, records inside, and survives whatever a handler or a machine does."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from gateway.errors import Conflict, Refused, Unreachable
from gateway.lanes import lanes
from gateway.lanes.lanes import NotYet
from gateway.lanes.worker import Worker
from gateway.ports.clock import Clock, SystemClock
from gateway.store.session import Store, execute, now_us
from tests.conftest import StillClock

SECRET = "Trần Thị Lụa 999000000003"


class Scripted:
    """A handler that does what the test says and remembers what was recorded."""

    kind = "count"

    def __init__(self, act: Callable[[Mapping[str, Any]], Any] = lambda args: args["n"]) -> None:
        self.act = act
        self.recorded: list[Any] = []
        self.given_up: list[str] = []

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Any) -> None:
        execute(conn, "INSERT INTO case_message (case_id, message_id) VALUES (?, ?)", (str(args["n"]), "recorded"))
        self.recorded.append(outcome)

    def gave_up(self, conn: Connection, args: Mapping[str, Any], code: str, error: Exception) -> None:
        execute(conn, "INSERT INTO case_message (case_id, message_id) VALUES (?, ?)", (str(args["n"]), code))
        self.given_up.append(code)


def _put(store: Store, clock: Clock, *numbers: int, key: str = "a", kind: str = "count") -> None:
    with store.write() as conn:
        for number in numbers:
            lanes.put(conn, key, kind, {"n": number}, now_us(clock))


def _raising(*errors: Exception) -> Callable[[Mapping[str, Any]], Any]:
    left = list(errors)

    def act(args: Mapping[str, Any]) -> Any:
        if left:
            raise left.pop(0)
        return args["n"]

    return act


def _lane(store: Store) -> tuple[Any, ...]:
    with store.read() as conn:
        return tuple(execute(conn, "SELECT run_at, tries, error, dead FROM lane").fetchone())


def test_work_is_done_in_order_until_none_is_left(store: Store, clock: StillClock) -> None:
    handler = Scripted()
    _put(store, clock, 1, 2, 3)
    Worker(store, {"count": handler}, clock=clock).run_until_idle()
    assert handler.recorded == [1, 2, 3]


def test_what_record_writes_and_the_end_of_the_work_are_one(store: Store, clock: StillClock) -> None:
    class Half(Scripted):
        def record(self, conn: Connection, args: Mapping[str, Any], outcome: Any) -> None:
            super().record(conn, args, outcome)
            if len(self.recorded) == 1:
                raise LookupError

    handler = Half()
    worker = Worker(store, {"count": handler}, clock=clock)
    _put(store, clock, 1)
    worker.run_until_idle()
    with store.read() as conn:
        assert execute(conn, "SELECT COUNT(*) FROM case_message").fetchone()[0] == 0
    clock.pass_seconds(60)
    worker.run_until_idle()  # would fail on a row left over
    assert handler.recorded == [1, 1]


def test_a_partner_that_is_down_is_asked_again_later(store: Store, clock: StillClock) -> None:
    handler = Scripted(_raising(Unreachable("desk.down", "no answer"), Unreachable("desk.down", "no answer")))
    worker = Worker(store, {"count": handler}, clock=clock)
    _put(store, clock, 1)
    worker.run_until_idle()
    run_at, tries, error, dead = _lane(store)
    assert (tries, error, dead) == (1, "desk.down no answer", False)
    assert run_at > now_us(clock)
    for _ in range(2):
        clock.pass_seconds(5)
        worker.run_until_idle()
    assert handler.recorded == [1]


def test_a_clear_no_stops_the_lane_and_tells_the_handler(store: Store, clock: StillClock) -> None:
    handler = Scripted(_raising(Refused("desk.refused", "no such commune")))
    worker = Worker(store, {"count": handler}, clock=clock)
    _put(store, clock, 1, 2)
    _put(store, clock, 7, key="other")
    worker.run_until_idle()
    assert (handler.given_up, handler.recorded) == (["desk.refused"], [7])
    with store.write() as conn:
        (dead,) = lanes.dead_lanes(conn)
        assert (dead.key, dead.error) == ("a", "desk.refused no such commune")
        lanes.redrive(conn, ["a"], now_us(clock))
    worker.run_until_idle()
    assert handler.recorded == [7, 1, 2]


def test_work_without_a_legal_clock_any_more_is_put_off_like_any_other(store: Store, clock: StillClock) -> None:
    class Gone(Scripted):
        def deadline(self, args: Mapping[str, Any]) -> int | None:
            raise Conflict("dossier.gone", "the dossier is not there any more")

    _put(store, clock, 1)
    Worker(store, {"count": Gone(_raising(Unreachable("x.down", "no answer")))}, clock=clock).run_until_idle()
    run_at, tries, error, dead = _lane(store)
    assert (tries, error, dead) == (1, "x.down no answer", False)
    assert now_us(clock) < run_at <= now_us(clock) + 2_000_000


def test_a_lane_is_given_up_even_when_its_handler_fails_at_that(store: Store, clock: StillClock) -> None:
    class Half(Scripted):
        def gave_up(self, conn: Connection, args: Mapping[str, Any], code: str, error: Exception) -> None:
            super().gave_up(conn, args, code, error)
            raise LookupError(SECRET)

    _put(store, clock, 1)
    with capture_logs() as logs:
        Worker(store, {"count": Half(_raising(Refused("x.no", "not this")))}, clock=clock).run_until_idle()
    assert _lane(store) == (None, 1, "x.no not this", True)
    with store.read() as conn:
        assert execute(conn, "SELECT COUNT(*) FROM case_message").fetchone()[0] == 0
    assert [log["event"] for log in logs] == ["work.end_not_told", "work.gave_up"]
    assert SECRET not in str(logs)


def test_a_defect_is_tried_a_few_times_and_its_text_is_told_to_nobody(store: Store, clock: StillClock) -> None:
    handler = Scripted(_raising(*[ValueError(SECRET)] * 20))
    worker = Worker(store, {"count": handler}, clock=clock)
    _put(store, clock, 1)
    with capture_logs() as logs:
        for _ in range(6):
            worker.run_until_idle()
            clock.pass_seconds(60)
    assert handler.given_up == ["worker.unexpected ValueError"]
    assert _lane(store)[2:] == ("worker.unexpected ValueError", True)
    assert len(logs) == 5
    assert SECRET not in str(logs)
    assert all(entry["place"].startswith("test_worker.py:") for entry in logs)


def test_work_that_has_to_wait_waits_and_counts_no_try(store: Store, clock: StillClock) -> None:
    handler = Scripted(_raising(NotYet(now_us(clock) + 30_000_000)))
    worker = Worker(store, {"count": handler}, clock=clock)
    _put(store, clock, 1)
    worker.run_until_idle()
    assert _lane(store) == (now_us(clock) + 30_000_000, 0, "", False)
    clock.pass_seconds(30)
    worker.run_until_idle()
    assert handler.recorded == [1]


def test_work_of_an_unknown_kind_is_shown_and_not_lost(store: Store, clock: StillClock) -> None:
    worker = Worker(store, {}, clock=clock)
    _put(store, clock, 1)
    for _ in range(6):
        worker.run_until_idle()
        clock.pass_seconds(60)
    assert _lane(store)[3]
    with store.read() as conn:
        assert lanes.depth(conn).undone == 1


def test_the_outcome_of_a_worker_that_lost_its_lease_is_not_recorded(store: Store, clock: StillClock) -> None:
    heir = Scripted()

    def slow(args: Mapping[str, Any]) -> Any:
        clock.pass_seconds(120)  # the lease runs out meanwhile, and somebody else does the work
        Worker(store, {"count": heir}, clock=clock, lease_seconds=600).run_until_idle()
        return args["n"]

    zombie = Scripted(slow)
    _put(store, clock, 1)
    Worker(store, {"count": zombie}, clock=clock, lease_seconds=60).run_until_idle()
    assert (heir.recorded, zombie.recorded) == ([1], [])


def _until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_threads_do_the_work_of_many_lanes_each_in_order(store: Store) -> None:
    handler = Scripted(lambda args: (args["n"] // 100, args["n"] % 100))
    worker = Worker(store, {"count": handler}, threads=4)
    for lane in range(8):
        _put(store, SystemClock(), *(lane * 100 + number for number in range(10)), key=f"lane{lane}")
    worker.start()
    _until(lambda: len(handler.recorded) >= 80)
    worker.stop()
    for lane in range(8):
        assert [number for found, number in handler.recorded if found == lane] == list(range(10))


def test_one_that_cannot_be_recorded_does_not_take_its_neighbours_along(store: Store) -> None:
    class Picky(Scripted):
        def record(self, conn: Connection, args: Mapping[str, Any], outcome: Any) -> None:
            if args["n"] == 3:
                raise Refused("desk.refused", "not this one")
            super().record(conn, args, outcome)

    handler = Picky()
    worker = Worker(store, {"count": handler}, threads=4)
    for number in range(20):
        _put(store, SystemClock(), number, key=f"lane{number:02d}")
    worker.start()
    _until(lambda: bool(handler.given_up) and len(set(handler.recorded)) == 19)
    worker.stop()
    with store.read() as conn:
        assert execute(conn, "SELECT COUNT(*) FROM case_message WHERE message_id = 'recorded'").fetchone()[0] == 19
        assert [dead.key for dead in lanes.dead_lanes(conn)] == ["lane03"]


def test_a_running_worker_is_woken_by_a_put(store: Store) -> None:
    handler = Scripted()
    worker = Worker(store, {"count": handler}, poll_seconds=600)
    worker.start()
    time.sleep(0.05)  # it sleeps now
    _put(store, SystemClock(), 1)
    _until(lambda: handler.recorded == [1])
    worker.stop()


def test_a_worker_elsewhere_is_woken_by_a_put(store: Store, database: str) -> None:
    elsewhere = Store.open(database)
    handler = Scripted()
    # Within one machine on SQLite only the poll tells other processes.
    worker = Worker(elsewhere, {"count": handler}, poll_seconds=0.1 if store.is_sqlite else 600)
    worker.start()
    time.sleep(0.2)
    _put(store, SystemClock(), 1)
    _until(lambda: handler.recorded == [1])
    worker.stop()
    elsewhere.close()


def test_stopping_finishes_what_is_being_done_and_leaves_the_rest(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(args: Mapping[str, Any]) -> Any:
        begun.set()
        go_on.wait()
        return args["n"]

    handler = Scripted(slow)
    worker = Worker(store, {"count": handler}, threads=1)
    _put(store, SystemClock(), 1, 2)
    worker.start()
    begun.wait()
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    go_on.set()
    stopping.join()
    assert handler.recorded == [1]
    with store.read() as conn:
        assert lanes.depth(conn).undone == 1


def test_the_lease_of_long_work_is_renewed(store: Store) -> None:
    runs = []

    def long(args: Mapping[str, Any]) -> Any:
        runs.append(1)
        time.sleep(1.5)
        return args["n"]

    handler = Scripted(long)
    workers = [Worker(store, {"count": handler}, threads=1, lease_seconds=1.0, poll_seconds=0.02) for _ in range(2)]
    _put(store, SystemClock(), 1)
    for worker in workers:
        worker.start()
    _until(lambda: bool(handler.recorded))
    for worker in workers:
        worker.stop()
    assert (handler.recorded, len(runs)) == ([1], 1)


KILLED = """
import os, sys
from gateway.lanes.worker import Worker
from gateway.ports.clock import Clock, SystemClock
from gateway.store.session import Store

class Dies:
    kind = "count"
    def act(self, args):
        print("acted", flush=True)
        os._exit(9)
    def record(self, conn, args, outcome):
        print("recorded", flush=True)

Worker(Store.open(sys.argv[1]), {"count": Dies()}, lease_seconds=0.5).run_until_idle()
"""


def test_work_of_a_killed_worker_runs_again_after_its_lease(store: Store, database: str) -> None:
    _put(store, SystemClock(), 1, 2)
    program = [sys.executable, "-c", textwrap.dedent(KILLED), database]
    killed = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (killed.returncode, killed.stdout) == (9, "acted\n"), killed.stderr
    handler = Scripted()
    Worker(store, {"count": handler}).run_until_idle()  # waits for the lease of the dead to run out
    assert handler.recorded == [1, 2]


@pytest.mark.parametrize("table", ["lane", "work"])
def test_a_worker_survives_a_store_that_is_away_for_a_while(store: Store, table: str) -> None:
    handler = Scripted()
    worker = Worker(store, {"count": handler}, poll_seconds=0.02)
    with store.write() as conn:
        execute(conn, f"ALTER TABLE {table} RENAME TO away")
    worker.start()
    time.sleep(0.1)
    with store.write() as conn:
        execute(conn, f"ALTER TABLE away RENAME TO {table}")
    _put(store, SystemClock(), 1)
    _until(lambda: handler.recorded == [1])
    worker.stop()
