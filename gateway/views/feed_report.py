"""What a feed sends that nobody reads, and what of it could not be read: counts of paths and finding codes, no values.

Made from the readings in the evidence log, one at a time: memory does not grow with the period. Paths are shown without
the numbers of repetitions; a step that is no name of a standard (a person's name as a JSON key) is shown as `…`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.store.session import stream
from gateway.store.vault import Vault

_MOST = 2000
"""Different places kept of each kind; more would be names made up by a sender, not a format's."""
_READINGS = """
SELECT payload.sealed
FROM (
    SELECT id, relevance FROM message WHERE feed = ? AND received_at >= ? AND received_at < ?
    ORDER BY received_at DESC, id DESC LIMIT ?
) AS newest
JOIN entry ON entry.subject = newest.id AND entry.kind = 'interpreted'
LEFT JOIN payload ON payload.writer = entry.writer AND payload.seq = entry.seq
WHERE newest.relevance IN ('birth', 'death', 'related')
"""
_NUMBER = re.compile(r"\[\d+\]")
_STEP = re.compile(r"[^./\[\]*-]+")
_NAME = re.compile(r"[A-Za-z_@][A-Za-z0-9_:]{0,63}|\d{1,3}")
_ALL = 2**62


@dataclass(frozen=True, slots=True)
class UnreadPath:
    """A path that carried a value and that no rule of `file` read, in `count` readings."""

    path: str
    file: str
    count: int


@dataclass(frozen=True, slots=True)
class FoundAt:
    """A finding at a place, in `count` readings by the rules of `file`; `detail` names a table or says why."""

    code: str
    where: str
    detail: str
    file: str
    count: int


@dataclass(frozen=True, slots=True)
class FeedReport:
    """Counts, the greatest first. `messages` were interpreted as births, deaths or related; of `erased` ones nothing is
    known any more. `left_out` counts what came after the first 2,000 different places."""

    feed: str
    messages: int
    readings: int
    erased: int
    unread: tuple[UnreadPath, ...]
    findings: tuple[FoundAt, ...]
    left_out: int


@dataclass(slots=True)
class _Tally:
    """Counts of at most `_MOST` different things."""

    counts: Counter[Any] = field(default_factory=Counter)
    left_out: int = 0

    def add(self, what: tuple[str, ...]) -> None:
        if what in self.counts or len(self.counts) < _MOST:
            self.counts[what] += 1
        else:
            self.left_out += 1

    def greatest_first(self) -> Iterator[tuple[Any, ...]]:
        """Each thing with its count behind it."""
        for what, count in sorted(self.counts.items(), key=lambda item: (-item[1], item[0])):
            yield *what, count


def report_feed(
    conn: Connection, vault: Vault, feed: str, since: int = 0, until: int = _ALL, newest: int = _ALL
) -> FeedReport:
    """The feed's messages received from `since` up to, not including, `until` (microseconds since 1970 UTC), of these
    the `newest` ones, whatever they are about."""
    messages = readings = erased = 0
    unread, findings = _Tally(), _Tally()
    for (sealed,) in stream(conn, _READINGS, (feed, since, until, newest)):
        messages += 1
        if sealed is None:
            erased += 1
            continue
        for reading in orjson.loads(vault.unseal(bytes(sealed))):
            readings += 1
            file = _file_of(reading)
            for path in dict.fromkeys(map(named_place, reading["unread"])):
                unread.add((path, file))
            for code, where, detail in dict.fromkeys(map(tuple, reading["findings"])):
                findings.add((code, place_of(where), detail, file))
    return FeedReport(
        feed,
        messages,
        readings,
        erased,
        tuple(UnreadPath(*counted) for counted in unread.greatest_first()),
        tuple(FoundAt(*counted) for counted in findings.greatest_first()),
        unread.left_out + findings.left_out,
    )


def _file_of(reading: Mapping[str, Any]) -> str:
    """The mapping file of the reading's first rule; "" when no rule yielded anything."""
    rule = next((str(rule) for _message, _path, rule in reading["provenance"].values()), "")
    return rule.partition("#")[0]


def place_of(path: str) -> str:
    """A path with `[*]` for the number of a repetition."""
    return _NUMBER.sub("[*]", path)


def named_place(path: str) -> str:
    """A place in a message, with `…` for a step that is no name: the sender wrote it."""
    return _STEP.sub(lambda step: step[0] if _NAME.fullmatch(step[0]) else "…", place_of(path))
