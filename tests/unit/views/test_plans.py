"""Every list a page shows finds its rows by an index, and what it costs does not grow with history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.views.cases import list_cases
from gateway.views.cursor import encode
from gateway.views.deliveries import list_deliveries
from gateway.views.desk import count_desk, find_on_desk, list_desk, with_news
from gateway.views.duplicates import count_duplicates, find_duplicate, list_duplicates, list_duplicates_of
from gateway.views.entries import list_entries, list_entries_about
from gateway.views.halted import count_halted, list_halted
from gateway.views.messages import list_messages
from gateway.views.reach import EVERYTHING, Reach

ONE_COMMUNE = Reach(None, frozenset({"21583"}), frozenset())
ONE_FACILITY = Reach(frozenset({"99001"}), None, frozenset({"benh-vien-thu"}))
AFTER = encode(5, "x")
LISTS: dict[str, Callable[[Connection, Vault], Any]] = {
    "desk of a state": lambda conn, vault: list_desk(conn, vault, ONE_COMMUNE, ("registered",)),
    "desk, next page": lambda conn, vault: list_desk(conn, vault, ONE_COMMUNE, ("registered",), encode("2026", "x")),
    "desk, unanswered news": lambda conn, vault: list_desk(conn, vault, ONE_COMMUNE, with_news(("registered",))[:1]),
    "desk counts": lambda conn, _: count_desk(conn, ONE_COMMUNE),
    "one dossier": lambda conn, vault: find_on_desk(conn, vault, ONE_COMMUNE, "hs"),
    "cases of a facility": lambda conn, _: list_cases(conn, ONE_FACILITY),
    "cases of a commune": lambda conn, _: list_cases(conn, ONE_COMMUNE),
    "all cases, next page": lambda conn, _: list_cases(conn, EVERYTHING, AFTER),
    "deliveries of a facility": lambda conn, _: list_deliveries(conn, ONE_FACILITY),
    "deliveries of a commune": lambda conn, _: list_deliveries(conn, ONE_COMMUNE),
    "all deliveries": lambda conn, _: list_deliveries(conn, EVERYTHING, AFTER),
    "all messages": lambda conn, _: list_messages(conn, EVERYTHING, AFTER),
    "messages of a feed": lambda conn, _: list_messages(conn, ONE_FACILITY, AFTER),
    "possible duplicates": lambda conn, _: list_duplicates(conn, ONE_COMMUNE, AFTER),
    "possible duplicates of a case": lambda conn, _: list_duplicates_of(conn, EVERYTHING, "hs"),
    "possible duplicates counted": lambda conn, _: count_duplicates(conn, ONE_COMMUNE),
    "one possible duplicate": lambda conn, _: find_duplicate(conn, ONE_COMMUNE, "x"),
    "a chain": lambda conn, _: list_entries(conn, "w", encode(5)),
    "stopped cases": lambda conn, vault: list_halted(conn, vault, ONE_COMMUNE),
    "stopped cases counted": lambda conn, _: count_halted(conn, ONE_COMMUNE),
    "about a case": lambda conn, _: list_entries_about(conn, "hs"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_neither_scans_nor_sorts_a_table(sqlite_store: Store, vault: Vault, name: str) -> None:
    asked: list[tuple[str, Any]] = []
    with sqlite_store.read() as conn:
        note = lambda _c, _cu, sql, values, _ctx, _m: asked.append((sql, values))  # noqa: E731
        event.listen(conn, "before_cursor_execute", note)
        LISTS[name](conn, vault)
        event.remove(conn, "before_cursor_execute", note)
        plans = [row[3] for sql, values in asked for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert plans
    for step in plans:
        assert not step.startswith("SCAN") or "USING" in step, plans
        # Sorting what happened in the same microsecond is cheap.
        assert "TEMP B-TREE" not in step or "RIGHT PART" in step, plans
