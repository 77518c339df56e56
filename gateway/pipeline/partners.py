"""Partners that refuse us altogether: commune systems (wrong credentials, address, agency, province), the signing key
(its certificate ended, the device refuses our PIN). They rest.

One delivery told us; the others for that system need not ask. Every PROBE_MINUTES one delivery or poll tries again,
since the mistake may be mended on the far side; `hotich deliveries resume` tries at once. People are told once: one
entry in the log, one error event, and the state on pages and metrics as long as it lasts.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from gateway.errors import Misconfigured
from gateway.lanes.lanes import NotYet
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.services import Services
from gateway.store.session import execute, now_us

PROBE_MINUTES = 5
SIGNING = "signing key"
"""The key's name among the partners; no commune system can have it, as names in settings hold no blank."""

log = structlog.get_logger(__name__)

_FIND = "SELECT probe_at FROM partner WHERE name = ?"
_REST = """INSERT INTO partner (name, code, words, since, probe_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (name) DO NOTHING"""
_AGAIN = "UPDATE partner SET code = ?, words = ?, probe_at = ? WHERE name = ?"
_TURN = "UPDATE partner SET probe_at = ? WHERE name = ? AND probe_at <= ?"


def wait_for(conn: Connection, name: str, now: int) -> bool:
    """Whether the system rests and it is time to try again. NotYet while it is not."""
    row = execute(conn, _FIND, (name,)).fetchone()
    if row is None:
        return False
    if row[0] > now:
        raise NotYet(row[0], all_of_partner=True)
    return True


def rests(conn: Connection, name: str) -> bool:
    """Whether the partner rests."""
    return execute(conn, _FIND, (name,)).fetchone() is not None


def take_turn(services: Services, name: str) -> None:
    """Be the one delivery that tries a resting system again. NotYet when another one does."""
    now = now_us(services.clock)
    after = now + PROBE_MINUTES * 60_000_000
    with services.store.write() as conn:
        if execute(conn, _TURN, (after, name, now)).rowcount != 1:
            raise NotYet(after, all_of_partner=True)


def rest(services: Services, name: str, error: Misconfigured, case_id: str) -> int:
    """Let a system rest; when it is tried again, in microseconds. Tells people the first time. `case_id`: whose dossier
    was refused, so that an erasure of the case finds the evidence, too."""
    now = now_us(services.clock)
    after = now + PROBE_MINUTES * 60_000_000
    with services.store.write() as conn:
        first = execute(conn, _REST, (name, error.code, error.message, now, after)).rowcount == 1
        if first:
            entry = NewEntry("partner_rests", case_id, {"partner": name, "code": error.code}, error.evidence or None)
            append(conn, services.vault, services.chain, now, [entry])
        else:
            execute(conn, _AGAIN, (error.code, error.message, after, name))
    if first:
        log.error("partner.rests", system=name, code=error.code, words=error.message)
    return after


def mended(services: Services, name: str) -> None:
    """The system answers us again: the others may go."""
    now = now_us(services.clock)
    with services.store.write() as conn:
        if resume(conn, name, now):
            append(conn, services.vault, services.chain, now, [NewEntry("partner_works", name, {}, None)])
    log.info("partner.works", system=name)


def resume(conn: Connection, name: str, now: int) -> bool:
    """Forget that a system rests. False when it did not. Its deliveries look again when they would have anyway, at most
    PROBE_MINUTES later."""
    return bool(execute(conn, "DELETE FROM partner WHERE name = ?", (name,)).rowcount)
