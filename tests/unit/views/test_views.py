"""The same questions, the same answers, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.views.cases import find_case_detail, list_cases
from gateway.views.cursor import BadCursor, decode, encode
from gateway.views.deliveries import list_deliveries
from gateway.views.desk import OPEN, count_desk, find_on_desk, list_desk, with_news
from gateway.views.entries import list_entries, list_entries_about, list_writers
from gateway.views.messages import list_messages
from gateway.views.reach import EVERYTHING, Reach
from tests.web_world import HERE, HOSPITAL, OTHER_HOSPITAL, THERE, World, birth, death

OURS = Reach(None, frozenset({HERE.code}), frozenset())
NOTHING = Reach()


@pytest.fixture
def world(store: Store, vault: Vault, clock: Any) -> World:
    made = World(store, vault, clock)
    made.add_dossier("a", birth(register_by="2027-01-02"))
    made.add_dossier("b", death(register_by="2026-11-30"), "needs_more")
    made.add_dossier("c", birth(THERE))
    made.add_dossier("d", birth(), sealed=False)
    made.add_message(1)
    return made


def test_lists_and_details_answer_alike(world: World) -> None:
    with world.store.read() as conn:
        page = list_desk(conn, world.vault, OURS, OPEN, limit=1)
        rest = list_desk(conn, world.vault, OURS, OPEN, page.next, limit=1)
        assert [line.code for line in (*page.rows, *rest.rows)] == ["b", "a"]
        assert rest.next is None
        assert count_desk(conn, OURS)["needs_more"] == 1
        assert {line.id for line in list_cases(conn, OURS).rows} == {"a", "b", "d"}
        assert {line.case_id for line in list_deliveries(conn, EVERYTHING).rows} == {"a", "b", "c", "d"}
        assert [line.id for line in list_messages(conn, EVERYTHING).rows] == ["test.1"]
        found = find_on_desk(conn, world.vault, OURS, "a")
        assert found is not None
        assert found.line.fields["meHoTen"] == "Nguyễn Thị Thu Hòa"
        detail = find_case_detail(conn, world.vault, OURS, "d")
        assert detail is not None
        assert detail.xml is None


def test_unanswered_news_is_counted_beside_the_state_and_listed_apart(world: World) -> None:
    with world.store.write() as conn:
        conn.exec_driver_sql("UPDATE desk_item SET state = 'accepted+withdrawing' WHERE code = 'a'")
        conn.exec_driver_sql("UPDATE desk_item SET state = 'accepted+corrected' WHERE code = 'b'")
    with world.store.read() as conn:
        counts = count_desk(conn, OURS)
        assert [counts[name] for name in ("accepted", "corrected", "withdrawing", "received")] == [2, 1, 1, 0]
        assert list_desk(conn, world.vault, OURS, OPEN).rows == []
        found = list_desk(conn, world.vault, OURS, with_news()).rows
    assert [(line.code, line.state, line.news) for line in found] == [
        ("b", "accepted", "corrected"),
        ("a", "accepted", "withdrawing"),
    ]


def test_messages_of_several_feeds_are_merged_by_time(world: World) -> None:
    for number in range(2, 9):
        world.add_message(number, OTHER_HOSPITAL if number % 3 else HOSPITAL)
    seen: list[str] = []
    after: str | None = ""
    with world.store.read() as conn:
        while after is not None:
            page = list_messages(conn, EVERYTHING, after, 3)
            seen += [line.id for line in page.rows]
            after = page.next
    assert seen == [f"test.{number}" for number in range(8, 0, -1)]


def test_reach_without_codes_reaches_nothing(world: World) -> None:
    with world.store.read() as conn:
        assert list_desk(conn, world.vault, NOTHING, OPEN).rows == []
        assert list_cases(conn, NOTHING).rows == []
        assert list_deliveries(conn, NOTHING).rows == []
        assert list_messages(conn, NOTHING).rows == []
        assert find_on_desk(conn, world.vault, NOTHING, "a") is None
        assert find_case_detail(conn, world.vault, NOTHING, "a") is None


def test_the_log_is_listed_from_its_end(world: World) -> None:
    from gateway.messagelog.chain import NewEntry, append

    with world.store.write() as conn:
        entries = [NewEntry("read", f"case-{number}", {"who": "x"}) for number in range(5)]
        append(conn, world.vault, "w/desk", world.now, entries)
    with world.store.read() as conn:
        assert list_writers(conn) == [("w/desk", 5)]
        page = list_entries(conn, "w/desk", limit=3)
        assert [line.seq for line in page.rows] == [5, 4, 3]
        assert [line.seq for line in list_entries(conn, "w/desk", page.next, 3).rows] == [2, 1]
        assert [line.id for line in list_entries_about(conn, "case-2")] == ["w/desk.3"]


def test_a_dossier_erased_by_retention_leaves_its_line(world: World) -> None:
    with world.store.write() as conn:
        conn.exec_driver_sql("DELETE FROM dossier WHERE case_id = 'a'")
    with world.store.read() as conn:
        found = find_on_desk(conn, world.vault, OURS, "a")
    assert found is not None
    assert found.dossier == {}


@pytest.mark.parametrize(
    "cursor", ["!", "a", encode("x"), encode(1, 2), encode(1, "a", 3), "bnVsbA", encode(True, "a"), "đ"]
)
def test_a_cursor_we_did_not_make_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        decode(cursor, int, str)
    assert decode(encode(1, "đ"), int, str) == (1, "đ")
