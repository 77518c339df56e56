"""Waiting cases as both databases list them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.views.cursor import encode
from gateway.views.reach import EVERYTHING, Reach
from gateway.views.waiting import WaitingCount, count_waiting, find_waiting, list_waiting
from tests.waiting_world import CANH_VINH, QUY_NHON_NAM, SAMPLES, WaitingWorld

OURS = Reach(None, frozenset({CANH_VINH, QUY_NHON_NAM}), frozenset())


@pytest.fixture
def world(store: Store, vault: Vault, clock: Any) -> WaitingWorld:
    made = WaitingWorld(store, vault, clock)
    made.open_cases(*SAMPLES)
    return made


def test_lists_counts_and_details_answer_alike(world: WaitingWorld) -> None:
    with world.store.read() as conn:
        assert [case.case_id for case in list_waiting(conn, world.vault, EVERYTHING).rows] == list(SAMPLES)
        assert [case.case_id for case in list_waiting(conn, world.vault, OURS).rows] == [
            "cho-chia-tach",
            "cho-mau-thuan",
        ]
        assert count_waiting(conn, world.vault, EVERYTHING) == WaitingCount(5)
        assert count_waiting(conn, world.vault, OURS) == WaitingCount(2)
        found = find_waiting(conn, world.vault, OURS, "cho-chia-tach")
        assert found is not None
        assert CANH_VINH in found.candidates
        assert find_waiting(conn, world.vault, OURS, "cho-khong-ro") is None
        assert find_waiting(conn, world.vault, EVERYTHING, "there-is-none") is None


@pytest.mark.parametrize("reach", [EVERYTHING, OURS])
def test_pages_follow_one_another_without_gap(world: WaitingWorld, reach: Reach) -> None:
    seen: list[str] = []
    after: str | None = ""
    with world.store.read() as conn:
        while after is not None:
            page = list_waiting(conn, world.vault, reach, after, 1)
            assert len(page.rows) == 1
            seen += [case.case_id for case in page.rows]
            after = page.next
        assert seen == [case.case_id for case in list_waiting(conn, world.vault, reach).rows]


def test_reach_without_codes_reaches_nothing(world: WaitingWorld) -> None:
    with world.store.read() as conn:
        assert list_waiting(conn, world.vault, Reach()).rows == []
        assert count_waiting(conn, world.vault, Reach()) == WaitingCount(0)
        assert find_waiting(conn, world.vault, Reach(), "cho-chia-tach") is None


@pytest.mark.parametrize("reach", [EVERYTHING, OURS])
def test_neither_list_nor_count_scans_or_sorts_a_table(sqlite_store: Store, vault: Vault, reach: Reach) -> None:
    asked: list[tuple[str, Any]] = []
    with sqlite_store.read() as conn:
        note = lambda _c, _cu, sql, values, _ctx, _m: asked.append((sql, values))  # noqa: E731
        event.listen(conn, "before_cursor_execute", note)
        list_waiting(conn, vault, reach)
        list_waiting(conn, vault, reach, encode(5, "x"))
        count_waiting(conn, vault, reach)
        find_waiting(conn, vault, reach, "x")
        event.remove(conn, "before_cursor_execute", note)
        plans = [row[3] for sql, values in asked for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
    for step in plans:
        assert not step.startswith("SCAN") or "USING" in step, plans
        assert "TEMP B-TREE" not in step or "RIGHT PART" in step or "LAST TERM" in step, plans


def test_a_count_that_looked_at_the_oldest_only_says_so(world: WaitingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.views.waiting._COUNTED", 1)
    with world.store.read() as conn:
        assert count_waiting(conn, world.vault, OURS) == WaitingCount(1, more=True)
        assert count_waiting(conn, world.vault, EVERYTHING) == WaitingCount(5)
