"""What a feed sends that nobody reads: the same counts on both databases, no values, and a bounded cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from gateway.messagelog.chain import NewEntry, append, erase
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.views import feed_report
from gateway.views.feed_report import FeedReport, FoundAt, UnreadPath, report_feed
from tests.web_world import HOSPITAL, OTHER_HOSPITAL, World

FILE = "inbound/hl7v2/adt_birth.toml"


def reading(unread: Sequence[str] = (), findings: Sequence[Sequence[str]] = (), file: str = FILE) -> dict[str, Any]:
    """The parts of a stored reading that matter here, with a person's name among the facts."""
    read = {"mother.name": ["test.1", "NK1[NK1-3.1 = MTH]-2", f"{file}#mother.name"]}
    facts = {"mother.name": {"family": "Lò", "given": "Hoa"}}
    return {"facts": facts, "provenance": read, "unread": list(unread), "findings": [list(one) for one in findings]}


@pytest.fixture
def world(store: Store, vault: Vault, clock: Any) -> World:
    return World(store, vault, clock)


def add(world: World, number: int, *readings: dict[str, Any], **more: Any) -> str:
    """A message with its readings in the log; the log entry's reference."""
    world.add_message(number, **more)
    entry = NewEntry("interpreted", f"test.{number}", {}, orjson.dumps(list(readings)))
    with world.store.write() as conn:
        (ref,) = append(conn, world.vault, "test", world.now + number, [entry])
    return ref


def report(world: World, **period: int) -> FeedReport:
    with world.store.read() as conn:
        return report_feed(conn, world.vault, HOSPITAL.name, **period)


def test_paths_and_findings_are_counted_by_mapping_file_the_greatest_first(world: World) -> None:
    crosswalk = ("value.no_crosswalk", "NK1[NK1-3.1 = MTH]-28", "ethnicity")
    add(world, 1, reading(["ZPD-3", "NK1[2]-5"], [crosswalk]))
    add(world, 2, reading(["NK1[3]-5", "NK1[4]-5"], [crosswalk, crosswalk]), reading(["ZPD-3"], file="other.toml"))
    told = report(world)
    assert (told.messages, told.readings, told.left_out) == (2, 3, 0)
    assert told.unread == (
        UnreadPath("NK1[*]-5", FILE, 2),
        UnreadPath("ZPD-3", FILE, 1),
        UnreadPath("ZPD-3", "other.toml", 1),
    )
    assert told.findings == (FoundAt(*crosswalk, FILE, 2),)


def test_other_feeds_times_and_messages_are_left_out(world: World) -> None:
    for number, more in enumerate([{}, {"feed": OTHER_HOSPITAL}, {"relevance": "other"}, {}], 1):
        add(world, number, reading([f"Z0{number}-1"]), **more)
    assert [one.path for one in report(world).unread] == ["Z01-1", "Z04-1"]
    assert [one.path for one in report(world, since=world.now + 2).unread] == ["Z04-1"]
    assert [one.path for one in report(world, until=world.now + 4).unread] == ["Z01-1"]
    assert [one.path for one in report(world, newest=2).unread] == ["Z04-1"]


def test_an_erased_reading_is_counted_as_erased(world: World) -> None:
    ref = add(world, 1, reading(["ZPD-3"]))
    with world.store.write() as conn:
        erase(conn, ref)
    assert (report(world).messages, report(world).erased, report(world).unread) == (1, 1, ())


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("Bundle.entry[12].resource.telecom[0].value", "Bundle.entry[*].resource.telecom[*].value"),
        ("Bundle.entry[0].resource.Lò Thị Hoa.value", "Bundle.entry[*].resource.….value"),
        ("Bundle.entry[0].resource.999000000001", "Bundle.entry[*].resource.…"),
        ("GIAYCHUNGSINH/HO_TEN_CHA", "GIAYCHUNGSINH/HO_TEN_CHA"),
        ("PID-11", "PID-11"),
    ],
)
def test_a_step_that_a_sender_made_up_is_not_shown(world: World, path: str, shown: str) -> None:
    add(world, 1, reading([path]))
    assert [one.path for one in report(world).unread] == [shown]


def test_no_more_than_so_many_places_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_report, "_MOST", 3)
    add(world, 1, reading([f"ZPD-{number}" for number in range(1, 6)]))
    add(world, 2, reading(["ZPD-1", "ZPD-5"]))
    assert len(report(world).unread) == 3
    assert report(world).left_out + sum(one.count for one in report(world).unread) == 7


def test_no_table_is_scanned(sqlite_store: Store, vault: Vault) -> None:
    asked: list[tuple[str, Any]] = []
    with sqlite_store.read() as conn:
        conn.connection.driver_connection.set_trace_callback(lambda sql: asked.append((sql, ())))  # type: ignore[union-attr]
        report_feed(conn, vault, HOSPITAL.name, newest=200)
        conn.connection.driver_connection.set_trace_callback(None)  # type: ignore[union-attr]
        plans = [row[3] for sql, _ in asked for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
    assert any("USING INDEX message_received" in step or "message_received" in step for step in plans), plans
    assert [step for step in plans if step.startswith("SCAN") and step != "SCAN newest" or "TEMP B-TREE" in step] == []
