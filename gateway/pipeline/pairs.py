"""The table of possible duplicates: one row a pair of cases, whichever was proposed first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import orjson
from sqlalchemy import Connection

from gateway.domain.duplicates import Evidence
from gateway.store.session import Store, execute

_COLUMNS = "id, kind, first, second, evidence, state, proposed_at, decided_by, decided_at"
_FIND = f"SELECT {_COLUMNS} FROM possible_duplicate WHERE first = ? AND second = ?"
_GET = f"SELECT {_COLUMNS} FROM possible_duplicate WHERE id = ?"
_OF_CASE = f"SELECT {_COLUMNS} FROM possible_duplicate WHERE first = ? OR second = ?"
_ADD = f"""INSERT INTO possible_duplicate ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, 'open', ?, '', NULL)
ON CONFLICT (first, second) DO NOTHING"""
_REFRESH = "UPDATE possible_duplicate SET evidence = ? WHERE id = ? AND decided_at IS NULL"
_DROP = "DELETE FROM possible_duplicate WHERE id = ? AND decided_at IS NULL"
_DECIDE = """UPDATE possible_duplicate SET state = ?, decided_by = ?, decided_at = ?
WHERE id = ? AND decided_at IS NULL"""
_RENAME = "UPDATE possible_duplicate SET first = ?, second = ? WHERE id = ?"


@dataclass(frozen=True, slots=True)
class Pair:
    """A row; `evidence` as its JSON text, `decided_at` None while it is open."""

    id: str
    kind: str
    first: str
    second: str
    evidence: str
    state: str
    proposed_at: int
    decided_by: str
    decided_at: int | None

    def other(self, case_id: str) -> str:
        """The case that is paired with this one."""
        return self.second if case_id == self.first else self.first


def find_pair(conn: Connection, one: str, other: str) -> Pair | None:
    """What is known about two cases as a pair, or None."""
    row = execute(conn, _FIND, tuple(sorted((one, other)))).fetchone()
    return None if row is None else Pair(*row)


def find_pair_by_id(conn: Connection, pair_id: str) -> Pair | None:
    """The pair with this id, or None."""
    row = execute(conn, _GET, (pair_id,)).fetchone()
    return None if row is None else Pair(*row)


def add_pair(conn: Connection, pair_id: str, kind: str, cases: tuple[str, str], evidence: Evidence, now: int) -> None:
    """Propose a pair; nothing happens when the two cases are a pair already, whatever was decided."""
    first, second = sorted(cases)
    execute(conn, _ADD, (pair_id, kind, first, second, _written(evidence), now))


def refresh_pair(conn: Connection, pair: Pair, evidence: Evidence) -> None:
    """Facts changed while the pair is open."""
    if pair.evidence != _written(evidence):
        execute(conn, _REFRESH, (_written(evidence), pair.id))


def drop_pair(conn: Connection, pair: Pair) -> None:
    """Take back a proposal that nobody decided: the facts now tell the two apart."""
    execute(conn, _DROP, (pair.id,))


def close_pair(conn: Connection, pair_id: str, state: str, who: str, now: int) -> bool:
    """Write a decision; False when the pair is not open. The first writer wins."""
    return bool(execute(conn, _DECIDE, (state, who, now, pair_id)).rowcount)


def hand_over(conn: Connection, kept: str, gone: str, now: int) -> None:
    """`gone` was merged into `kept`: what was proposed or decided about it counts for `kept`."""
    for row in execute(conn, _OF_CASE, (gone, gone)).fetchall():
        pair = Pair(*row)
        other = pair.other(gone)
        if other == kept:
            close_pair(conn, pair.id, "same", "merge", now)
        elif pair.state != "same":
            _hand_over(conn, pair, kept, other)


def _hand_over(conn: Connection, pair: Pair, kept: str, other: str) -> None:
    known = find_pair(conn, kept, other)
    if known is None:
        execute(conn, _RENAME, (*sorted((kept, other)), pair.id))
    elif pair.decided_at is None:
        drop_pair(conn, pair)
    else:
        close_pair(conn, known.id, pair.state, pair.decided_by, pair.decided_at)


def hold_together(conn: Connection, store: Store, digests: Sequence[bytes]) -> None:
    """Keep two machines from opening two cases for one person, or the two cases of a pair, without seeing each other's:
    one key, one writer, until the commit. SQLite has one writer anyway."""
    if store.is_sqlite or not digests:
        return
    numbers = sorted(int.from_bytes(digest[:8], "big", signed=True) for digest in digests)
    rows = ", ".join(["(CAST(? AS bigint))"] * len(numbers))
    execute(conn, f"SELECT pg_advisory_xact_lock(number) FROM (VALUES {rows}) AS held (number)", numbers)


def _written(evidence: Evidence) -> str:
    return orjson.dumps(asdict(evidence)).decode()
