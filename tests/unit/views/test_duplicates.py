"""Possible duplicates as both databases list them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.domain.dates import PartialDate
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.views.duplicates import count_duplicates, find_duplicate, list_duplicates, list_duplicates_of
from gateway.views.reach import EVERYTHING, Reach
from tests.duplicates_world import say
from tests.web_world import HERE, OTHER_HOSPITAL, THERE, World, birth

OURS = Reach(None, frozenset({HERE.code}), frozenset())
BOTH = Reach(None, frozenset({HERE.code, THERE.code}), frozenset())


@pytest.fixture
def world(store: Store, vault: Vault, clock: Any) -> World:
    """Three mothers, each with a case here and one there; and a fourth with two there."""
    made = World(store, vault, clock)
    for number, communes in enumerate([(HERE, THERE)] * 3 + [(THERE, THERE)]):
        for place, commune in enumerate(communes):
            clock.pass_seconds(1)
            case_id = f"hs-{number}-{place}"
            made.add_dossier(case_id, birth(commune), feed=OTHER_HOSPITAL)
            mother = {"mother__passport": f"C999{number}", "child__born": PartialDate.parse("20261123")}
            say(made, case_id, "birth", **mother)
    return made


def cases_of(world: World, reach: Reach) -> list[tuple[str, str]]:
    with world.store.read() as conn:
        return [(line.sides[0].id, line.sides[1].id) for line in list_duplicates(conn, reach).rows]


def test_the_longest_waiting_comes_first_and_out_of_reach_there_is_none(world: World) -> None:
    every = [(f"hs-{number}-0", f"hs-{number}-1") for number in range(4)]
    assert cases_of(world, EVERYTHING) == every
    assert cases_of(world, BOTH) == every
    assert cases_of(world, OURS) == every[:3]
    assert cases_of(world, Reach()) == []


def test_only_who_sees_both_sees_the_whole_and_counts_it(world: World) -> None:
    with world.store.read() as conn:
        assert [line.whole for line in list_duplicates(conn, OURS).rows] == [False] * 3
        assert all(line.whole for line in list_duplicates(conn, BOTH).rows)
        assert [count_duplicates(conn, reach) for reach in (EVERYTHING, BOTH, OURS, Reach())] == [4, 4, 0, 0]


def test_a_case_leads_to_its_pair_from_either_side(world: World) -> None:
    with world.store.read() as conn:
        (first,), (second,) = (list_duplicates_of(conn, OURS, case_id) for case_id in ("hs-1-0", "hs-1-1"))
        assert first == second
        assert (first.other("hs-1-0").id, first.other("hs-1-1").id) == ("hs-1-1", "hs-1-0")
        assert find_duplicate(conn, OURS, first.id) == first
        assert find_duplicate(conn, Reach(), first.id) is None
        assert list_duplicates_of(conn, EVERYTHING, "hs-khong-co") == []


@pytest.mark.parametrize("status", ["merged", "cancelled"])
def test_a_pair_with_a_case_that_is_over_is_not_shown(world: World, status: str) -> None:
    with world.store.write() as conn:
        conn.exec_driver_sql(f"UPDATE \"case\" SET status = '{status}' WHERE id = 'hs-0-1'")
    assert ("hs-0-0", "hs-0-1") not in cases_of(world, EVERYTHING)


@pytest.mark.parametrize("reach", [EVERYTHING, OURS])
def test_pages_follow_one_another_without_gap(world: World, reach: Reach) -> None:
    seen: list[str] = []
    after: str | None = ""
    with world.store.read() as conn:
        while after is not None:
            page = list_duplicates(conn, reach, after, 1)
            assert len(page.rows) == 1
            seen += [line.id for line in page.rows]
            after = page.next
        assert seen == [line.id for line in list_duplicates(conn, reach).rows]
