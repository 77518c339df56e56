"""Received messages by their envelope: who sent what when, and what was answered. Content stays sealed.

Pages are merged from one short stretch of an index per feed: an index over all feeds by time would cost every message
received some 10 % (measured), and feeds are few.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, fields
from itertools import islice

from sqlalchemy import Connection, func, select, tuple_

from gateway.store.tables import Message
from gateway.views.cursor import Page, decode, encode
from gateway.views.reach import Reach

_MESSAGE = Message.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One message; `ack` is AA | AE | AR, `relevance` None until interpreted."""

    id: str
    received_at: int
    feed: str
    format: str
    type: str
    ack: str
    relevance: str | None


def list_messages(conn: Connection, reach: Reach, after: str | None = None, limit: int = 50) -> Page[MessageLine]:
    """Messages of the reach's feeds, the newest first."""
    place = decode(after, int, str)
    feeds = _all_feeds(conn) if reach.feeds is None else sorted(reach.feeds)
    stretches = [_of_feed(conn, feed, place, limit + 1) for feed in feeds]
    lines = list(islice(heapq.merge(*stretches, key=_place, reverse=True), limit + 1))
    return Page(lines[:limit], encode(*_place(lines[limit - 1])) if len(lines) > limit else None)


def _of_feed(conn: Connection, feed: str, place: tuple[str | int, ...] | None, limit: int) -> list[MessageLine]:
    query = (
        select(*(_MESSAGE.c[leaf.name] for leaf in fields(MessageLine)))
        .where(_MESSAGE.c.feed == feed)
        .order_by(_MESSAGE.c.received_at.desc(), _MESSAGE.c.id.desc())
        .limit(limit)
    )
    if place is not None:
        query = query.where(tuple_(_MESSAGE.c.received_at, _MESSAGE.c.id) < tuple_(*place))
    return [MessageLine(**row) for row in conn.execute(query).mappings()]


def _all_feeds(conn: Connection) -> list[str]:
    """Every feed a message ever came by, also those since removed from the settings: one index step a feed."""
    feeds: list[str] = []
    step = select(func.min(_MESSAGE.c.feed))
    while (found := conn.execute(step.where(_MESSAGE.c.feed > feeds[-1]) if feeds else step).scalar()) is not None:
        feeds.append(found)
    return feeds


def _place(line: MessageLine) -> tuple[int, str]:
    return line.received_at, line.id
