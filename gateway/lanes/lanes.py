"""Lanes: durable work in the application's own database, in order within a key, one worker at a time per key.

A lane is idle (`run_at` NULL), due (`run_at` passed), waiting (`run_at` ahead) or given up (`dead`). A lease is a
`run_at` in the future with a token, so an expired lease is simply due again, and a worker that was presumed dead finds
its token gone and its transaction refused (DESIGN section 6). What a handler writes, the next work and `finish` are one
transaction.

`put` and `finish` both lock the lane's row before they look at its work. On PostgreSQL a statement sees what was
committed before it began; a `finish` that looked first could miss work committed while it waited for the row, and
nobody would wake that lane again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.errors import Conflict
from gateway.store.session import Store, execute, execute_many, ring_after_commit

_WAKE = """INSERT INTO lane (key, run_at, token, tries, error, dead, partner) VALUES (?, ?, '', 0, '', FALSE, ?)
ON CONFLICT (key) DO UPDATE
SET partner = CASE WHEN excluded.partner = '' THEN lane.partner ELSE excluded.partner END,
run_at = CASE WHEN lane.dead THEN NULL ELSE COALESCE(lane.run_at, excluded.run_at) END"""
_PUT = "INSERT INTO work (key, kind, args, put_at, due_at) VALUES (?, ?, ?, ?, ?)"
_LEASE_THESE = (
    "UPDATE lane SET run_at = ?, token = ?, tries = tries + 1 WHERE key {these} RETURNING key, tries, partner"
)
_LEASE = {
    True: _LEASE_THESE.format(these="IN (SELECT key FROM lane WHERE run_at <= ? ORDER BY run_at LIMIT ?)"),
    # As an array it is computed once; joined, PostgreSQL might run it again and lease more than the limit.
    False: _LEASE_THESE.format(
        these="= ANY(ARRAY(SELECT key FROM lane WHERE run_at <= ? ORDER BY run_at LIMIT ? FOR UPDATE SKIP LOCKED))"
    ),
}
"""By whether the store is SQLite."""
_HEAD = "SELECT id, kind, args, put_at FROM work WHERE key = ? AND done_at IS NULL ORDER BY id LIMIT 1"
_NOW = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
_NEXT = """UPDATE lane SET token = '', run_at = (SELECT CASE WHEN due_at > ? THEN due_at ELSE ? END FROM work
WHERE work.key = lane.key AND done_at IS NULL ORDER BY id LIMIT 1) WHERE key = ? RETURNING run_at"""
_HELD = "WHERE partner = ? AND partner <> '' AND run_at <= ? AND token = ''"
_LATER = {True: "? + ABS(RANDOM()) % ?", False: "? + FLOOR(RANDOM() * ?)::BIGINT"}
"""By whether the store is SQLite."""
_HOLD = {
    True: f"UPDATE lane SET run_at = {{at}} {_HELD}",
    # Whoever holds one of these rows is at work on it, and may wait for another: it is left to them.
    False: "UPDATE lane SET run_at = {at} WHERE key = "
    f"ANY(ARRAY(SELECT key FROM lane {_HELD} FOR UPDATE SKIP LOCKED))",
}
"""By whether the store is SQLite."""
HELD_PER_SECOND = 500.0
HELD_SECONDS = 900.0
"""A backlog that was held back comes again at this pace, but within this time."""
_OURS = "WHERE key = ? AND token = ?"


class NotYet(Exception):
    """Raised by a handler's `act`: run this work again at `at` (microseconds since 1970 UTC); it counts as no try.
    `all_of_partner`: whatever else waits for the same partner need not look earlier either."""

    def __init__(self, at: int, *, all_of_partner: bool = False) -> None:
        super().__init__("the work has to wait")
        self.at = at
        self.all_of_partner = all_of_partner


@dataclass(frozen=True, slots=True)
class Claim:
    """One leased lane and the work at its head. `tries` counts this one; `partner` is who outside it goes to, or ""."""

    key: str
    token: str
    tries: int
    work: int
    kind: str
    args: Mapping[str, Any]
    put_at: int
    partner: str = ""


@dataclass(frozen=True, slots=True)
class DeadLane:
    """A lane that was given up or parked: its head waits for a person."""

    key: str
    kind: str
    args: Mapping[str, Any]
    error: str
    tries: int
    put_at: int


@dataclass(frozen=True, slots=True)
class Depth:
    """How much work there is. `due` and `waiting` count lanes (leased ones wait); `oldest_due_at` is None when no lane
    is due."""

    due: int
    waiting: int
    dead: int
    undone: int
    oldest_due_at: int | None


def put(
    conn: Connection, key: str, kind: str, args: Mapping[str, Any], now: int, after: float = 0, partner: str = ""
) -> None:
    """Add work to a lane, to run not before `after` seconds from `now`. An idle lane becomes due; a busy one keeps its
    order. `args` hold ids and numbers, no personal data; `partner` names who outside the lane's work goes to, so that
    one who does not answer holds up nobody else (`hold_back`)."""
    put_many(conn, [(key, kind, args)], now, after, partner)


def put_many(
    conn: Connection,
    items: Sequence[tuple[str, str, Mapping[str, Any]]],
    now: int,
    after: float = 0,
    partner: str = "",
) -> None:
    """`put` for many (key, kind, args) at once. Lanes are locked in the order of their keys, so that two putters of
    the same lanes cannot lock each other out."""
    due = now + round(after * 1_000_000)
    # The lane first: its row lock makes the order of ids within a lane the order of commits.
    for key in sorted({key for key, _, _ in items}):
        execute(conn, _WAKE, (key, due, partner))
    execute_many(conn, _PUT, [(key, kind, orjson.dumps(args).decode(), now, due) for key, kind, args in items])
    ring_after_commit(conn)


def claim(store: Store, limit: int, lease_seconds: float, now: int | None = None) -> list[Claim]:
    """Lease up to `limit` due lanes. `now` None: by the database's clock, so that machines agree about leases."""
    token = secrets.token_hex(8)
    with store.write() as conn:
        moment = _moment(conn) if now is None else now
        lease = moment + round(lease_seconds * 1_000_000)
        leased_now = execute(conn, _LEASE[store.is_sqlite], (lease, token, moment, limit)).fetchall()
        claims = []
        for key, tries, partner in leased_now:
            head = _head(conn, key)
            if head is None:
                _settle(conn, key, moment)
            else:
                claims.append(Claim(key, token, tries, *head, partner))
    return claims


def any_due(store: Store, now: int | None = None) -> bool:
    """Whether a claim would find something: a look that writes nothing."""
    with store.read() as conn:
        moment = _moment(conn) if now is None else now
        return execute(conn, "SELECT 1 FROM lane WHERE run_at <= ? LIMIT 1", (moment,)).fetchone() is not None


def busy(conn: Connection, now: int | None = None) -> int:
    """How many lanes are due or being worked on: one look, so that a lease running out meanwhile is not overlooked."""
    moment = _moment(conn) if now is None else now
    sql = "SELECT COUNT(*) FROM lane WHERE run_at IS NOT NULL AND (run_at <= ? OR token <> '')"
    (count,) = _row(conn, sql, moment)
    return int(count)


def lock(conn: Connection, claim: Claim) -> None:
    """Take the lane's row for this transaction; the first statement of every transaction that finishes work.

    Raises Conflict when the lease was lost: the lane expired and another worker has it, or a person parked it.
    """
    lock_row = "" if conn.dialect.name == "sqlite" else "FOR UPDATE"
    if execute(conn, f"SELECT 1 FROM lane {_OURS} {lock_row}", (claim.key, claim.token)).fetchone() is None:
        raise _lost(claim)


def finish(conn: Connection, claim: Claim, now: int) -> None:
    """The work is done: the lane goes on to its next work or becomes idle. Raises Conflict when the lease was lost."""
    _change(conn, claim, "tries = 0, error = ''")
    execute(conn, "UPDATE work SET done_at = ? WHERE id = ?", (now, claim.work))
    _settle(conn, claim.key, now)


def postpone(conn: Connection, claim: Claim, run_at: int, error: str, count_try: bool = True) -> None:
    """Run the same work again at `run_at`. Raises Conflict when the lease was lost."""
    tries = claim.tries if count_try else claim.tries - 1
    _change(conn, claim, "run_at = ?, token = '', tries = ?, error = ?", (run_at, tries, error))


def hold_back(conn: Connection, partner: str, until: int) -> int:
    """Let every lane of a partner that is due before `until` wait until then, and come HELD_PER_SECOND a second
    afterwards, so that a backlog for one that does not answer costs the others nothing. Returns how many there were."""
    is_sqlite = conn.dialect.name == "sqlite"
    many = _row(conn, f"SELECT COUNT(*) FROM lane {_HELD}", partner, until)[0]
    if many:
        spread = round(min(many / HELD_PER_SECOND, HELD_SECONDS) * 1_000_000) + 1
        execute(conn, _HOLD[is_sqlite].format(at=_LATER[is_sqlite]), (until, spread, partner, until))
    return int(many)


def bury(conn: Connection, claim: Claim, error: str) -> None:
    """Give up: the lane stops, with its work, until a person drives it on. Raises Conflict when the lease was lost."""
    _change(conn, claim, "run_at = NULL, token = '', dead = TRUE, error = ?", (error,))


def renew(conn: Connection, claims: Iterable[Claim], lease_seconds: float, now: int | None = None) -> int:
    """Prolong leases still held; returns how many were."""
    lease = (_moment(conn) if now is None else now) + round(lease_seconds * 1_000_000)
    held = sorted((claim.key, claim.token) for claim in claims)
    return execute_many(conn, f"UPDATE lane SET run_at = ? {_OURS}", [(lease, *item) for item in held])


def redrive(conn: Connection, keys: Iterable[str], now: int, per_second: float = 0.0) -> int:
    """Drive given-up or parked lanes on, counting tries from zero, at most so many a second (0: all at once); returns
    how many there were."""
    sql = "UPDATE lane SET dead = FALSE, tries = 0, run_at = ? WHERE key = ? AND dead"
    return _paced(conn, sql, keys, now, per_second)


def wake(conn: Connection, keys: Iterable[str], now: int, per_second: float = 0.0) -> int:
    """Let waiting lanes wait no longer; returns how many did. Those being worked on are left alone."""
    sql = "UPDATE lane SET run_at = ? WHERE key = ? AND run_at IS NOT NULL AND token = ''"
    return _paced(conn, sql, keys, now, per_second)


def _paced(conn: Connection, sql: str, keys: Iterable[str], now: int, per_second: float) -> int:
    step = 1_000_000 / per_second if per_second else 0.0
    ring_after_commit(conn)
    return execute_many(conn, sql, [(now + round(n * step), key) for n, key in enumerate(sorted(keys))])


def park(conn: Connection, keys: Iterable[str], why: str) -> int:
    """Stop lanes by a person's word, also those being worked on; returns how many were running or waiting."""
    sql = "UPDATE lane SET dead = TRUE, run_at = NULL, token = '', error = ? WHERE key = ? AND NOT dead"
    return execute_many(conn, sql, [(f"lanes.parked {why}", key) for key in sorted(keys)])


def dead_lanes(conn: Connection, limit: int = 100, after: str = "") -> list[DeadLane]:
    """Given-up and parked lanes in the order of their keys, from the one following `after`."""
    sql = "SELECT key, error, tries FROM lane WHERE dead AND key > ? ORDER BY key LIMIT ?"
    found = []
    for key, error, tries in execute(conn, sql, (after, limit)).fetchall():
        _, kind, args, put_at = _head(conn, key) or (0, "", {}, 0)
        found.append(DeadLane(key, kind, args, error, tries, put_at))
    return found


def depth(conn: Connection, now: int | None = None) -> Depth:
    """Numbers for the metrics page. Cost grows with waiting work, not with work done."""
    moment = _moment(conn) if now is None else now
    due, oldest = _row(conn, "SELECT COUNT(*), MIN(run_at) FROM lane WHERE run_at <= ?", moment)
    (waiting,) = _row(conn, "SELECT COUNT(*) FROM lane WHERE run_at > ?", moment)
    (dead,) = _row(conn, "SELECT COUNT(*) FROM lane WHERE dead")
    (undone,) = _row(conn, "SELECT COUNT(*) FROM work WHERE done_at IS NULL")
    return Depth(due, waiting, dead, undone, oldest)


def _head(conn: Connection, key: str) -> tuple[int, str, Mapping[str, Any], int] | None:
    """The work a lane would do next: id, kind, args, put_at."""
    row = execute(conn, _HEAD, (key,)).fetchone()
    return None if row is None else (row[0], row[1], orjson.loads(row[2]), row[3])


def _row(conn: Connection, sql: str, *values: Any) -> Any:
    return execute(conn, sql, values).fetchone()


def _change(conn: Connection, claim: Claim, what: str, values: tuple[Any, ...] = ()) -> None:
    if execute(conn, f"UPDATE lane SET {what} {_OURS}", (*values, claim.key, claim.token)).rowcount != 1:
        raise _lost(claim)


def _settle(conn: Connection, key: str, now: int) -> None:
    """Let a lane whose row this transaction holds go on to its next work, or become idle."""
    if execute(conn, _NEXT, (now, now, key)).fetchone()[0] is not None:
        ring_after_commit(conn)


def _lost(claim: Claim) -> Conflict:
    return Conflict("lanes.lease_lost", f"the lease on lane {claim.key} was lost")


def _moment(conn: Connection) -> int:
    return time.time_ns() // 1000 if conn.dialect.name == "sqlite" else int(execute(conn, _NOW).fetchone()[0])
