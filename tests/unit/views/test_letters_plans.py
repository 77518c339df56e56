"""What letters and handovers cost does not grow with history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.views.handovers import find_handover, list_day, list_left, list_unplanned
from gateway.views.letters import list_letters, registered_at
from gateway.views.reach import EVERYTHING, Reach

ONE = Reach(None, frozenset({"21583"}), frozenset())
LISTS: dict[str, Callable[[Connection, Vault], Any]] = {
    "letters of a commune": lambda conn, _: list_letters(conn, ONE, 5, 9),
    "letters of everybody": lambda conn, _: list_letters(conn, EVERYTHING, 5),
    "handovers of a day": lambda conn, vault: list_day(conn, vault, ONE, "2026-11-23"),
    "handovers left": lambda conn, vault: list_left(conn, vault, ONE, "2026-11-23"),
    "handovers nobody planned": lambda conn, vault: list_unplanned(conn, vault, ONE, 5),
    "one handover": lambda conn, vault: find_handover(conn, vault, ONE, "hs"),
    "one registration": lambda conn, _: registered_at(conn, "hs"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_finds_its_rows_by_an_index(sqlite_store: Store, vault: Vault, name: str) -> None:
    asked: list[tuple[str, Any]] = []
    with sqlite_store.read() as conn:
        event.listen(conn, "before_cursor_execute", lambda _c, _cu, sql, values, _ctx, _m: asked.append((sql, values)))
        LISTS[name](conn, vault)
        plans = [
            row[3] for sql, values in asked[:] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        ]
    assert plans
    assert not [step for step in plans if step.startswith("SCAN") and "CONSTANT ROW" not in step], plans
    assert not [step for step in plans if "TEMP B-TREE" in step and "RIGHT PART" not in step], plans
