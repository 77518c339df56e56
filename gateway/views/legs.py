"""One case in three legs: what the hospital was answered, what the population database said, where the dossier is.

Ids, codes, states and instants (microseconds since 1970 UTC) alone: whoever may see the case may see these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection

from gateway.store.session import execute

_MESSAGES = """SELECT m.id, m.feed, m.format, m.type, m.ack, m.received_at FROM case_message cm
JOIN message m ON m.id = cm.message_id WHERE cm.case_id = ? ORDER BY m.received_at, m.id"""
_IDENTITY = """SELECT kind, at, meta FROM entry WHERE subject = ? AND kind IN ('identified', 'verified')
ORDER BY at, writer, seq"""
_VERSIONS = """SELECT version, status, system, made_at, taken_at FROM dossier WHERE case_id = ? ORDER BY version"""
_NUMBER = "SELECT code FROM dossier_number WHERE case_id = ?"
_LANE = "SELECT run_at, tries, error, dead FROM lane WHERE key = ?"
_NOTICES = "SELECT feed, state, put_at, sent_at FROM notice WHERE case_id = ? ORDER BY feed"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One message of the case and its answer: AA | AE | AR."""

    id: str
    feed: str
    format: str
    type: str
    ack: str
    received_at: int


@dataclass(frozen=True, slots=True)
class Verified:
    """The newest verdict on one role. `late`: it came after the dossier had left."""

    role: str
    verdict: str
    differing: tuple[str, ...]
    at: int
    late: bool


@dataclass(frozen=True, slots=True)
class SentVersion:
    """One version of the dossier; `system` and `taken_at` say who took it and when ("" and None: nobody yet)."""

    version: int
    status: str
    system: str
    made_at: int
    taken_at: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """What one feed was told of the outcome; `sent_at` None while it is on its way."""

    feed: str
    state: str
    put_at: int
    sent_at: int | None


@dataclass(frozen=True, slots=True)
class Legs:
    """`code` is the dossier's number at the commune's system, "" without; `again_at` when delivery is tried again,
    after `tries` and with `error` as the last failure's code; `given_up`: a person has to drive it on."""

    messages: Sequence[Acknowledged]
    identity: Sequence[Verified]
    versions: Sequence[SentVersion]
    code: str
    again_at: int | None
    tries: int
    error: str
    given_up: bool
    notices: Sequence[Told]


def legs_of(conn: Connection, case_id: str, feeds: frozenset[str] | None = None) -> Legs:
    """The legs of a case; whoever asks has checked that the case is within reach. `feeds`: what other feeds sent about
    it, and were told, stays out; None: every feed's is shown."""
    number = execute(conn, _NUMBER, (case_id,)).fetchone()
    run_at, tries, error, dead = execute(conn, _LANE, (f"dossier:{case_id}",)).fetchone() or (None, 0, "", False)
    messages = [Acknowledged(*row) for row in execute(conn, _MESSAGES, (case_id,)).fetchall()]
    notices = [Told(*row) for row in execute(conn, _NOTICES, (case_id,)).fetchall()]
    return Legs(
        messages=[told for told in messages if feeds is None or told.feed in feeds],
        identity=_identity(conn, case_id),
        versions=[SentVersion(*row) for row in execute(conn, _VERSIONS, (case_id,)).fetchall()],
        code=number[0] if number else "",
        again_at=run_at,
        tries=tries,
        error=error.partition(" ")[0],
        given_up=bool(dead),
        notices=[told for told in notices if feeds is None or told.feed in feeds],
    )


def _identity(conn: Connection, case_id: str) -> list[Verified]:
    newest: dict[str, Verified] = {}
    for kind, at, meta in execute(conn, _IDENTITY, (case_id,)).fetchall():
        told = orjson.loads(meta)
        if "role" in told:
            verdict = Verified(told["role"], told["verdict"], tuple(told.get("differing", ())), at, kind == "verified")
            newest[verdict.role] = verdict
    return [newest[role] for role in sorted(newest)]
