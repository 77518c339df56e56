"""logged: the newest messages of the evidence log, to rehearse them again. Read-only; who reads must log it first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection

from gateway.errors import GatewayError
from gateway.messagelog.chain import entries_of, payload_of
from gateway.pipeline.rehearse import Sent
from gateway.ports.hospital import Feed
from gateway.store.vault import Vault
from gateway.views.messages import MessageLine, list_messages
from gateway.views.reach import EVERYTHING

RELEVANT = ("birth", "death", "related")
_PAGE = 500


def find_last_relevant(conn: Connection, count: int) -> list[MessageLine]:
    """The newest `count` births, deaths and related messages, in the order of their arrival."""
    found: list[MessageLine] = []
    for line in _newest_first(conn):
        if len(found) == count:
            break
        if line.relevance in RELEVANT:
            found.append(line)
    return found[::-1]


def read_logged(conn: Connection, vault: Vault, feeds: Mapping[str, Feed], lines: Sequence[MessageLine]) -> list[Sent]:
    """The messages as they came, each with its feed as it was set when it was read; else as `feeds` has it now. A
    message whose content was erased is left out."""
    sent = []
    for line in lines:
        try:
            raw = payload_of(conn, vault, line.id)
        except GatewayError as error:
            if error.code != "log.no_payload":
                raise
            continue
        sent.append(Sent(line.id, raw, _feed_of(conn, feeds, line)))
    return sent


def _newest_first(conn: Connection) -> Iterator[MessageLine]:
    after: str | None = None
    while True:
        page = list_messages(conn, EVERYTHING, after, _PAGE)
        yield from page.rows
        if page.next is None:
            return
        after = page.next


def _feed_of(conn: Connection, feeds: Mapping[str, Feed], line: MessageLine) -> Feed:
    told = next((entry.meta["feed"] for entry in entries_of(conn, line.id) if entry.kind == "interpreted"), None)
    if told is None:
        return feeds.get(line.feed) or Feed(name=line.feed)
    return feed_from_json(told)


def feed_from_json(told: Mapping[str, Any]) -> Feed:
    """A feed's settings as an `interpreted` entry kept them; keys that feeds no longer have are left out."""
    known = {leaf.name for leaf in fields(Feed)}
    kept: dict[str, Any] = {name: value for name, value in told.items() if name in known}
    listed = {name: tuple(value) for name, value in kept.items() if isinstance(value, list)}
    return Feed(**{**kept, **listed})
