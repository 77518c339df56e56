"""How a feed is doing: refusals, clock, unusable content and arriving facts, the same on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import insert

from adapters.hospital.hl7v2 import Hl7v2Reader
from gateway.messagelog.chain import NewEntry, append
from gateway.ports.hospital import Feed
from gateway.store.session import Store
from gateway.store.tables import Message
from gateway.store.vault import Vault
from gateway.views.feed_health import FeedHealth, look_at_feed
from tests.conftest import StillClock
from tests.web_world import HOSPITAL, OTHER_HOSPITAL, World

DAY = 86_400_000_000
READING = {
    "kind": "birth",
    "relevance": "birth",
    "facts": {"mother.name": {"family": "Lò", "given": "Hoa"}, "child.sex": "female"},
}


@pytest.fixture
def world(store: Store, vault: Vault, clock: StillClock) -> World:
    return World(store, vault, clock)


def _send(world: World, sent: datetime | str, body: bytes = b"PID|1\r", feed: Feed = HOSPITAL, **read: Any) -> None:
    """A stored message that says of itself when it was sent, and what was read in it."""
    when = sent if isinstance(sent, str) else sent.strftime("%Y%m%d%H%M%S") + "+0000"
    raw = f"MSH|^~\\&|HIS|BV|GW|GW|{when}||ADT^A01|K1|P|2.5\r".encode() + body
    with world.store.write() as conn:
        facts = {"feed": feed.name, "format": "hl7v2", "type": "ADT^A01"}
        (ref,) = append(conn, world.vault, "gw", world.now, [NewEntry("received", "", facts, raw)])
        if read:
            append(conn, world.vault, "gw", world.now, [NewEntry("interpreted", ref, {}, orjson.dumps([read]))])
        row = {"id": ref, "received_at": world.now, "feed": feed.name, "format": "hl7v2", "type": "ADT^A01"}
        rest = {"control_key": ref, "content_key": b"c", "ack": "AA", "relevance": "birth"}
        conn.execute(insert(Message.__table__).values(**row, **rest))  # type: ignore[attr-defined]


def _refuse(world: World, at: int, feed: str, code: str) -> None:
    with world.store.write() as conn:
        append(conn, world.vault, "gw", at, [NewEntry("refused", "", {"feed": feed, "code": code}, b"x")])


def _health(world: World, feed: Feed = HOSPITAL) -> FeedHealth:
    with world.store.read() as conn:
        return look_at_feed(conn, world.vault, {"hl7v2": Hl7v2Reader()}, feed, world.now)


def test_a_feed_that_never_sent_has_nothing_to_tell(world: World) -> None:
    told = _health(world)
    assert (told.last_at, told.sampled, told.behind, told.ahead) == (None, 0, None, 0.0)
    assert (told.refusals, told.unusable, told.facts, told.strangers) == ({}, {}, {}, 0)


def test_refusals_of_the_last_day_are_counted_by_reason_for_this_feed_alone(world: World) -> None:
    name = HOSPITAL.name
    for hours_ago, feed, code in [
        (30, name, "receive.too_large"),
        (25, "", "receive.unknown_sender"),
        (23, name, "receive.control_id_reused"),
        (3, OTHER_HOSPITAL.name, "receive.control_id_reused"),
        (2, "", "receive.unknown_sender"),
        (1, name, "receive.control_id_reused"),
        (0, name, "hl7v2.no_msh"),
    ]:
        _refuse(world, world.now - hours_ago * DAY // 24, feed, code)
    told = _health(world)
    assert told.refusals == {"receive.control_id_reused": 2, "hl7v2.no_msh": 1}
    assert told.strangers == 1


def test_a_clock_that_is_ahead_or_late_is_measured_against_reception(world: World, clock: StillClock) -> None:
    for minutes in (-1, 2, 90):
        _send(world, clock.now() - timedelta(minutes=minutes))
    told = _health(world)
    assert (told.behind, told.ahead) == (120.0, 60.0)
    assert told.last_at == world.now
    assert told.sampled == 3


def test_a_time_without_a_zone_is_of_the_feeds_own_and_a_bare_day_tells_nothing(
    world: World, clock: StillClock
) -> None:
    _send(world, (clock.now() + timedelta(hours=9)).strftime("%Y%m%d%H%M%S"))
    _send(world, "20261101")
    _send(world, "rubbish")
    assert _health(world, replace(HOSPITAL, offset=540)).behind == 0.0
    assert _health(world).ahead == 7200.0


def test_content_nobody_can_decode_is_counted_by_place(world: World, clock: StillClock) -> None:
    _send(world, clock.now(), b"PID|1||1||L\xf2^Hoa\r")
    _send(world, clock.now(), "PID|1||1||Lò^Hoa\r".encode())
    ((_, place),) = _health(world).unusable
    assert "PID" in place


def test_facts_that_arrive_are_counted_by_kind_and_field_and_never_told(world: World, clock: StillClock) -> None:
    _send(world, clock.now(), **READING)
    _send(world, clock.now(), **{**READING, "facts": {"child.sex": "male"}})
    _send(world, clock.now(), **{**READING, "relevance": "other"})
    _send(world, clock.now(), feed=OTHER_HOSPITAL, **READING)
    told = _health(world)
    assert told.events == {"birth": 2}
    assert told.facts == {("birth", "mother.name"): 1, ("birth", "child.sex"): 2}
    assert "Hoa" not in str(told)
