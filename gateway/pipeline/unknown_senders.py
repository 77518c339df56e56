"""Who was refused as a stranger, counted for the technician who has to name them in the settings.

What a message calls its sender may hold anything, so only the shape of a system's name is kept: its first characters,
printable, with long numbers (which may be a person's) blotted out. The table cannot be made to grow: the longest silent
make room.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from gateway.store.session import execute

KEPT = 1000
_CHARS = 80
_LONG_NUMBER = re.compile(r"\d{8,}")
_ADD = """
INSERT INTO unknown_sender (address, sender, format, code, place, first_at, last_at, count)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (address, sender, format) DO UPDATE SET
code = excluded.code, place = excluded.place, last_at = excluded.last_at, count = unknown_sender.count + excluded.count
"""
_FORGET = """
DELETE FROM unknown_sender WHERE last_at <= (SELECT last_at FROM unknown_sender ORDER BY last_at DESC LIMIT 1 OFFSET ?)
"""


class Unknown(NamedTuple):
    """One refusal: from which address, as whom, in which format, why, and which mark was missing."""

    address: str
    sender: str
    format: str
    code: str
    place: str


def note_unknown(conn: Connection, now: int, strangers: Sequence[Unknown]) -> None:
    """Count refusals, at `now` (microseconds since 1970 UTC), in the caller's transaction."""
    counts = Counter(one._replace(sender=shape_of(one.sender)) for one in strangers)
    # Always in the same order: two receivers that wait for each other's rows would wait for ever.
    for one, count in sorted(counts.items()):
        execute(conn, _ADD, (*one, now, now, count))
    if counts:
        execute(conn, _FORGET, (KEPT,))


def shape_of(sender: str) -> str:
    """A sender's name as it may be kept and shown."""
    text = "".join(char if char.isprintable() else "·" for char in sender[:_CHARS])
    return _LONG_NUMBER.sub("…", text)
