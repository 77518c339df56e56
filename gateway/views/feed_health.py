"""How a feed has been doing: when it last sent, what was refused, how its clock runs, which facts arrive. Counts only.

Content is looked into for its newest messages alone, one at a time; no value comes out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import orjson
from sqlalchemy import Connection

from gateway.domain.dates import PartialDate
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import ContentReader, Feed, MessageReader
from gateway.store.session import execute, stream
from gateway.store.vault import Vault

_DAY = 86_400_000_000
_LAST = "SELECT MAX(received_at) FROM message WHERE feed = ?"
_NEWEST = """
SELECT newest.format, newest.received_at, payload.sealed
FROM (
    SELECT id, format, received_at FROM message WHERE feed = ? ORDER BY received_at DESC, id DESC LIMIT ?
) AS newest
JOIN entry ON entry.subject = newest.id AND entry.kind = 'received'
JOIN payload ON payload.writer = entry.writer AND payload.seq = entry.seq
"""
_READINGS = """
SELECT payload.sealed
FROM (SELECT id FROM message WHERE feed = ? ORDER BY received_at DESC, id DESC LIMIT ?) AS newest
JOIN entry ON entry.subject = newest.id AND entry.kind = 'interpreted'
JOIN payload ON payload.writer = entry.writer AND payload.seq = entry.seq
"""
_CHAINS = "SELECT writer, seq FROM chain"
_AT = "SELECT at FROM entry WHERE writer = ? AND seq = ?"
_REFUSED = "SELECT meta FROM entry WHERE writer = ? AND seq >= ? AND kind = 'refused'"
_UNKNOWN = "receive.unknown_sender"


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """`last_at` (µs since 1970) is when the last message came; `refusals` counts the last day's by reason, `strangers`
    those of senders whom no feed knows, one of which may be this one misspelt.

    Of the `sampled` newest messages: `behind` is the median of seconds between their own time and reception, `ahead`
    the most that one was ahead of our clock; `unusable` counts (code, place) of content that no person's data could be
    read from. `events` counts readings by kind, `facts` by (kind, field of the notification)."""

    last_at: int | None
    refusals: Mapping[str, int]
    strangers: int
    sampled: int
    behind: float | None
    ahead: float
    unusable: Mapping[tuple[str, str], int]
    events: Mapping[str, int]
    facts: Mapping[tuple[str, str], int]


def look_at_feed(
    conn: Connection, vault: Vault, readers: Mapping[str, MessageReader], feed: Feed, now: int, newest: int = 200
) -> FeedHealth:
    """The feed's health at the instant `now` (µs), its `newest` messages looked into."""
    refusals = Counter(_refusals(conn, now - _DAY))
    unusable, delays, sampled = Counter[tuple[str, str]](), list[float](), 0
    for family, received_at, sealed in stream(conn, _NEWEST, (feed.name, newest)):
        raw, reader = vault.unseal(bytes(sealed)), readers.get(family)
        sampled += 1
        if reader is not None:
            unusable.update(_unusable(reader, raw, feed))
            delays += _delay(reader, raw, received_at, feed)
    events, facts = _arriving(conn, vault, feed.name, newest)
    return FeedHealth(
        last_at=execute(conn, _LAST, (feed.name,)).fetchone()[0],
        refusals={code: count for (name, code), count in refusals.most_common() if name == feed.name},
        strangers=sum(count for (name, code), count in refusals.items() if not name and code == _UNKNOWN),
        sampled=sampled,
        behind=median(delays) if delays else None,
        ahead=max((-delay for delay in delays), default=0.0),
        unusable=dict(unusable.most_common()),
        events=events,
        facts=facts,
    )


def _refusals(conn: Connection, since: int) -> Iterator[tuple[str, str]]:
    """(feed, code) of every refusal logged since. Entries have no index over time; within a chain they are in its
    order, so the first one is found by halving."""
    for writer, head in execute(conn, _CHAINS).fetchall():
        first, beyond = 1, head + 1
        while first < beyond:
            middle = (first + beyond) // 2
            found = execute(conn, _AT, (writer, middle)).fetchone()
            first, beyond = (first, middle) if found and found[0] >= since else (middle + 1, beyond)
        for (meta,) in stream(conn, _REFUSED, (writer, first)):
            facts = orjson.loads(meta)
            yield str(facts.get("feed", "")), str(facts.get("code", ""))


def _unusable(reader: MessageReader, raw: bytes, feed: Feed) -> list[tuple[str, str]]:
    if not isinstance(reader, ContentReader):
        return []
    error = reader.unusable(raw, feed)
    return [(error.code, error.where)] if error else []


def _delay(reader: MessageReader, raw: bytes, received_at: int, feed: Feed) -> list[float]:
    """Seconds from the message's own time (MSH-7 and its like) to its reception."""
    try:
        sent = PartialDate.parse(reader.header(raw).sent_at)
    except (UnreadableMessage, ValueError):
        return []
    instant = sent.instant(feed.offset) if sent.hour is not None else None
    return [] if instant is None else [(datetime.fromtimestamp(received_at / 1e6, UTC) - instant).total_seconds()]


def _arriving(
    conn: Connection, vault: Vault, feed: str, newest: int
) -> tuple[Mapping[str, int], Mapping[tuple[str, str], int]]:
    events, facts = Counter[str](), Counter[tuple[str, str]]()
    for (sealed,) in stream(conn, _READINGS, (feed, newest)):
        for reading in orjson.loads(vault.unseal(bytes(sealed))):
            kind = reading["kind"]
            if reading["relevance"] in (kind, "related"):
                events[kind] += 1
                facts.update((kind, path) for path in reading["facts"])
    return dict(events), dict(facts)
