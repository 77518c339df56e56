"""Lanes: order within a key, one lease at a time, nothing lost, nothing done twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from gateway.errors import Conflict
from gateway.lanes import lanes
from gateway.lanes.lanes import Claim
from gateway.store.housekeeping import purge_done_work
from gateway.store.session import Store, execute, insert_rows

NOW = 1_795_402_800_000_000
SECOND = 1_000_000


def _put(store: Store, key: str, *numbers: int, now: int = NOW, after: float = 0) -> None:
    with store.write() as conn:
        for number in numbers:
            lanes.put(conn, key, "count", {"n": number}, now, after)


def _claim(store: Store, limit: int = 10, lease: float = 60, now: int = NOW) -> list[Claim]:
    return lanes.claim(store, limit, lease, now)


def _finish(store: Store, claim: Claim, now: int = NOW) -> None:
    with store.write() as conn:
        lanes.finish(conn, claim, now)


def test_work_of_one_lane_runs_in_order(store: Store) -> None:
    _put(store, "a", 1, 2, 3)
    seen = []
    while claims := _claim(store):
        seen += [claim.args["n"] for claim in claims]
        _finish(store, claims[0])
    assert seen == [1, 2, 3]


def test_a_leased_lane_is_leased_by_nobody_else(store: Store) -> None:
    _put(store, "a", 1, 2)
    assert len(_claim(store)) == 1
    assert _claim(store) == []


def test_different_lanes_are_leased_together_up_to_the_limit(store: Store) -> None:
    for key in "abcde":
        _put(store, key, 1)
    assert len(_claim(store, limit=3)) == 3
    assert len(_claim(store, limit=3)) == 2


def test_work_put_for_later_waits(store: Store) -> None:
    _put(store, "a", 1, after=30)
    assert _claim(store, now=NOW + 29 * SECOND) == []
    assert len(_claim(store, now=NOW + 30 * SECOND)) == 1


def test_work_put_for_later_behind_other_work_waits_too(store: Store) -> None:
    _put(store, "a", 1)
    _put(store, "a", 2, after=30)
    _finish(store, _claim(store)[0])
    assert _claim(store, now=NOW + 29 * SECOND) == []
    assert [claim.args["n"] for claim in _claim(store, now=NOW + 30 * SECOND)] == [2]


def test_work_behind_waiting_work_keeps_its_place(store: Store) -> None:
    _put(store, "a", 1, after=30)
    _put(store, "a", 2)
    assert _claim(store) == []
    assert [claim.args["n"] for claim in _claim(store, now=NOW + 30 * SECOND)] == [1]


def test_an_expired_lease_is_due_again_and_counts_as_a_try(store: Store) -> None:
    _put(store, "a", 1)
    (first,) = _claim(store, lease=60)
    (second,) = _claim(store, now=NOW + 60 * SECOND)
    assert (first.work, first.tries) == (second.work, 1)
    assert second.tries == 2


def test_a_zombie_cannot_finish_postpone_or_bury(store: Store) -> None:
    _put(store, "a", 1)
    (zombie,) = _claim(store)
    (heir,) = _claim(store, now=NOW + 61 * SECOND)
    attempts: list[Callable[[Connection], None]] = [
        lambda conn: lanes.lock(conn, zombie),
        lambda conn: lanes.finish(conn, zombie, NOW),
        lambda conn: lanes.postpone(conn, zombie, NOW, "error"),
        lambda conn: lanes.bury(conn, zombie, "error"),
    ]
    for attempt in attempts:
        with pytest.raises(Conflict), store.write() as conn:
            attempt(conn)
    _finish(store, heir)
    with store.read() as conn:
        assert lanes.depth(conn, NOW).undone == 0


def test_what_a_zombie_wrote_in_its_transaction_is_gone(store: Store) -> None:
    _put(store, "a", 1)
    (zombie,) = _claim(store)
    _claim(store, now=NOW + 61 * SECOND)

    def go_on() -> None:
        with store.write() as conn:
            lanes.put(conn, "b", "count", {}, NOW)
            lanes.finish(conn, zombie, NOW)

    with pytest.raises(Conflict):
        go_on()
    with store.read() as conn:
        assert lanes.depth(conn, NOW).undone == 1


def test_postponed_work_waits_and_keeps_its_reason(store: Store) -> None:
    _put(store, "a", 1, 2)
    (claim,) = _claim(store)
    with store.write() as conn:
        lanes.postpone(conn, claim, NOW + 5 * SECOND, "desk.down no answer")
        assert execute(conn, "SELECT error, tries FROM lane").fetchone() == ("desk.down no answer", 1)
    assert _claim(store, now=NOW + 4 * SECOND) == []
    (again,) = _claim(store, now=NOW + 5 * SECOND)
    assert (again.work, again.tries) == (claim.work, 2)


def test_waiting_without_a_try_counts_no_try(store: Store) -> None:
    _put(store, "a", 1)
    for moment in range(3):
        (claim,) = _claim(store, now=NOW + moment)
        assert claim.tries == 1
        with store.write() as conn:
            lanes.postpone(conn, claim, NOW + moment + 1, "", count_try=False)


def test_finishing_forgets_tries_and_reason(store: Store) -> None:
    _put(store, "a", 1, 2)
    (claim,) = _claim(store)
    with store.write() as conn:
        lanes.postpone(conn, claim, NOW, "error")
    _finish(store, _claim(store)[0])
    (following,) = _claim(store)
    assert following.tries == 1


def test_a_buried_lane_stops_with_its_work_until_driven_on(store: Store) -> None:
    _put(store, "a", 1, 2)
    (claim,) = _claim(store)
    with store.write() as conn:
        lanes.bury(conn, claim, "desk.refused no such commune")
    _put(store, "a", 3)
    assert _claim(store, now=NOW + 10**12) == []
    with store.read() as conn:
        (dead,) = lanes.dead_lanes(conn)
    assert (dead.key, dead.args, dead.error) == ("a", {"n": 1}, "desk.refused no such commune")
    with store.write() as conn:
        assert lanes.redrive(conn, ["a", "nobody"], NOW) == 1
    seen = []
    while claims := _claim(store):
        seen.append(claims[0].args["n"])
        assert claims[0].tries == 1
        _finish(store, claims[0])
    assert seen == [1, 2, 3]


def test_a_parked_lane_stops_even_while_it_is_worked_on(store: Store) -> None:
    _put(store, "a", 1)
    (claim,) = _claim(store)
    with store.write() as conn:
        assert lanes.park(conn, ["a"], "by lan") == 1
    with pytest.raises(Conflict), store.write() as conn:
        lanes.finish(conn, claim, NOW)
    assert _claim(store, now=NOW + 10**12) == []
    with store.write() as conn:
        lanes.redrive(conn, ["a"], NOW)
    assert len(_claim(store)) == 1


def test_a_renewed_lease_lasts_longer(store: Store) -> None:
    _put(store, "a", 1)
    claims = _claim(store, lease=60)
    with store.write() as conn:
        assert lanes.renew(conn, claims, 60, NOW + 50 * SECOND) == 1
    assert _claim(store, now=NOW + 100 * SECOND) == []
    _finish(store, claims[0])
    with store.write() as conn:
        assert lanes.renew(conn, claims, 60, NOW) == 0


def test_the_databases_own_clock_serves_when_no_time_is_given(store: Store) -> None:
    _put(store, "a", 1, now=time.time_ns() // 1000)
    assert lanes.any_due(store)
    (claim,) = lanes.claim(store, 1, 60)
    assert not lanes.any_due(store)
    with store.write() as conn:
        assert lanes.busy(conn) == 1
        assert lanes.renew(conn, [claim], 60) == 1
        assert lanes.depth(conn).waiting == 1


def test_numbers_for_the_metrics(store: Store) -> None:
    _put(store, "a", 1, 2)
    _put(store, "b", 1, after=60)
    _put(store, "c", 1)
    (claim,) = _claim(store, limit=1)
    with store.write() as conn:
        lanes.bury(conn, claim, "error")
        found = lanes.depth(conn, NOW)
    assert (found.due, found.waiting, found.dead, found.undone, found.oldest_due_at) == (1, 1, 1, 4, NOW)


def test_old_finished_work_is_forgotten_and_undone_work_is_not(store: Store) -> None:
    _put(store, "a", *range(5))
    for moment in range(3):
        _finish(store, _claim(store, now=NOW + moment)[0], now=NOW + moment)
    assert purge_done_work(store, NOW + 2) == 2
    with store.read() as conn:
        assert execute(conn, "SELECT COUNT(*) FROM work").fetchone()[0] == 3


def test_a_put_beside_a_finish_is_never_lost(store: Store) -> None:
    for number in range(30):
        _put(store, "a", 1)
        (claim,) = _claim(store)
        threads = [
            threading.Thread(target=_put, args=(store, "a", 2)),
            threading.Thread(target=_finish, args=(store, claim)),
        ]
        for thread in threads[:: 1 if number % 2 else -1]:
            thread.start()
        for thread in threads:
            thread.join()
        woken = _claim(store)
        assert [claim.args["n"] for claim in woken] == [2], f"round {number}"
        _finish(store, woken[0])


def test_finish_sees_work_put_after_its_transaction_began(store: Store) -> None:
    """The trap: `put` holds the row when `finish` asks for it, and commits while `finish` waits. A `finish` that had
    looked for more work before it waited would make the lane idle for ever."""
    if store.is_sqlite:
        return  # there, whole transactions take turns
    _put(store, "a", 1)
    (claim,) = _claim(store)
    finished = threading.Thread(target=_finish, args=(store, claim))
    with store.write() as conn:
        lanes.put(conn, "a", "count", {"n": 2}, NOW)
        finished.start()
        for _ in range(200):
            if execute(conn, "SELECT COUNT(*) FROM pg_locks WHERE NOT granted").fetchone()[0]:
                break
            time.sleep(0.01)
    finished.join()
    assert [claim.args["n"] for claim in _claim(store)] == [2]


def test_two_claimers_never_lease_the_same_lane(store: Store) -> None:
    for number in range(60):
        _put(store, f"lane{number}", 1)
    found: list[str] = []

    def claim() -> None:
        while claims := _claim(store, limit=5):
            found.extend(claim.key for claim in claims)

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 60


def _stick(store: Store, count: int) -> None:
    """Lanes that wait for a partner that is down."""
    with store.write() as conn:
        rows = [(f"stuck{number:06d}", NOW + 900 * SECOND, "", 3, "desk.down", False) for number in range(count)]
        insert_rows(conn, "lane (key, run_at, token, tries, error, dead)", rows)
        work = [(row[0], "count", "{}", NOW, NOW) for row in rows]
        insert_rows(conn, "work (key, kind, args, put_at, due_at)", work)
    if not store.is_sqlite:
        with store.write() as conn:
            execute(conn, "ANALYZE")


def test_a_claim_uses_the_index_of_due_lanes(store: Store) -> None:
    _stick(store, 5_000)
    explain = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN "
    values = (NOW, "token", NOW, 10)
    with store.write() as conn:
        plan = str(execute(conn, explain + lanes._LEASE[store.is_sqlite], values).fetchall())
        head = str(execute(conn, explain + lanes._HEAD, ("stuck000001",)).fetchall())
    assert "lane_due" in plan
    assert "work_head" in head
    assert "Seq Scan" not in plan + head
    assert "SCAN work" not in plan + head


def _cost(store: Store) -> int:
    """What one claim reads: pages on PostgreSQL, steps of its machine on SQLite."""
    values = (NOW, "token", NOW, 10)
    with store.write() as conn:
        if not store.is_sqlite:
            plan = execute(conn, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + lanes._LEASE[False], values).fetchone()[0]
            return int(plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"])
        steps = iter(range(10**9))
        driver: Any = conn.connection.driver_connection
        driver.set_progress_handler(lambda: next(steps) < 0, 1)
        execute(conn, lanes._LEASE[True], values).fetchall()
        driver.set_progress_handler(None, 1)
        return next(steps)


def test_a_claim_costs_the_same_beside_100_000_stuck_lanes(store: Store) -> None:
    _put(store, "ready", 1)
    alone = _cost(store)
    with store.write() as conn:
        execute(conn, "UPDATE lane SET run_at = ?, token = ''", (NOW,))
    _stick(store, 100_000)
    assert _cost(store) <= 3 * alone + 20
