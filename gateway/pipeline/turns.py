"""Messages of feeds that number them (HL7 v2 MSH-13) are taken in turn: the number taken last is kept with the feed, in
the transaction that stores the message. What a number means is the reader's business (ports.hospital.SequenceReader).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Feed, Header, MessageReader, SequenceReader
from gateway.store.session import execute

_DUPLICATE_KEY = "205"  # HL7 table 0357
_REPEAT = "repeat"


class Numbered(Protocol):
    """A message of a feed that numbers its messages, not stored before. `clash` becomes what is wrong with its number;
    `twin` is the same message earlier in the group."""

    @property
    def header(self) -> Header | None: ...

    @property
    def reader(self) -> MessageReader: ...

    @property
    def feed(self) -> Feed: ...

    @property
    def refusal(self) -> UnreadableMessage | None: ...

    clash: UnreadableMessage | None
    twin: Any


def take_turns(conn: Connection, messages: Sequence[Numbered], readers: Mapping[str, SequenceReader]) -> None:
    """Take the numbers of `messages`, in order, or say why not. Formats without numbers take no turns. A message sent
    twice in a group may be out of turn the first time and in turn the second: then the second is the message."""
    numbered = [message for message in messages if message.refusal is None and message.reader.format in readers]
    # Always in the same order: two receivers that wait for each other's feeds would wait for ever.
    last = {name: _lock(conn, name) for name in sorted({message.feed.name for message in numbered})}
    before = dict(last)
    taken: dict[int, Numbered] = {}  # by the identity of the first of its kind in the group
    for message in numbered:
        first = message.twin if message.twin is not None else message
        if (earlier := taken.get(id(first))) is not None:
            message.twin = earlier
            continue
        message.twin = None
        name = message.feed.name
        last[name], message.clash = _decide(readers[message.reader.format], message.header, last[name])
        if message.clash is None:
            taken[id(first)] = message
    for name, number in last.items():
        if number != before[name]:
            execute(conn, "UPDATE feed_sequence SET last = ? WHERE feed = ?", (number, name))


def _decide(
    reader: SequenceReader, header: Header | None, last: int | None
) -> tuple[int | None, UnreadableMessage | None]:
    """The number taken last from now on, and what is wrong with this one."""
    assert header is not None
    try:
        decision, expected = reader.decide_sequence(header, last)
    except UnreadableMessage as out_of_turn:
        return last, out_of_turn
    if decision == _REPEAT:
        # The same message again would have been known by its control id.
        words = "this sequence number was used before for another message"
        return last, UnreadableMessage("receive.sequence_repeated", "MSH-13", words, _DUPLICATE_KEY)
    return (expected - 1 if expected >= 0 else None), None


def _lock(conn: Connection, feed: str) -> int | None:
    """The number taken last; the row is held until the transaction ends."""
    execute(conn, "INSERT INTO feed_sequence (feed) VALUES (?) ON CONFLICT (feed) DO NOTHING", (feed,))
    hold = "" if conn.dialect.name == "sqlite" else " FOR UPDATE"
    last = execute(conn, f"SELECT last FROM feed_sequence WHERE feed = ?{hold}", (feed,)).fetchone()[0]
    return None if last is None else int(last)
