"""Dossier codes `<agency>-<yyMMdd>-<nnnn>`: per agency and office day, counted without gaps or repeats however many
processes give them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import structlog
from sqlalchemy import Connection

from gateway.domain.office import OFFICE_ZONE
from gateway.errors import GatewayError
from gateway.lanes.lanes import NotYet
from gateway.pipeline.services import Services
from gateway.store.session import execute, now_us

log = structlog.get_logger(__name__)

LAST = 9_999
"""Four digits: what the exchange's code has room for."""

_FIND = "SELECT code FROM dossier_number WHERE case_id = ? AND system = ?"
_COUNT = """INSERT INTO number_series (agency, day, last) VALUES (?, ?, 1)
ON CONFLICT (agency, day) DO UPDATE SET last = number_series.last + 1 RETURNING last"""
_GIVE = """INSERT INTO dossier_number (case_id, system, code, given_at) VALUES (?, ?, ?, ?)
ON CONFLICT (case_id) DO UPDATE SET system = excluded.system, code = excluded.code, given_at = excluded.given_at
WHERE dossier_number.system <> excluded.system"""
_GIVE_BACK = "UPDATE number_series SET last = last - 1 WHERE agency = ? AND day = ?"


@dataclass(frozen=True, slots=True)
class Number:
    """A dossier's code. `is_new`: given just now, so nobody can have sent anything under it."""

    code: str
    is_new: bool


def give_number(services: Services, case_id: str, system: str, agency: str, day: date) -> Number:
    """The code of a case's dossier at a system; the first call gives it, durably, before anything is sent.

    Raises NotYet when the agency's day has no number left: it goes on at the next office day's beginning.
    """
    with services.store.read() as conn:
        found = find_number(conn, case_id, system)
    if found is not None:
        return found
    with services.store.write() as conn:
        # The series' row is locked from here to the commit: who comes second counts on, or finds what was given.
        last = execute(conn, _COUNT, (agency, day.isoformat())).fetchone()[0]
        if last > LAST:
            log.warning("dossier.numbers_used_up", agency=agency, day=day.isoformat())
            tomorrow = datetime.combine(day + timedelta(days=1), time(), OFFICE_ZONE)
            raise NotYet(int(tomorrow.timestamp() * 1_000_000))
        code = f"{agency}-{day:%y%m%d}-{last:04d}"
        if execute(conn, _GIVE, (case_id, system, code, now_us(services.clock))).rowcount:
            return Number(code, is_new=True)
        execute(conn, _GIVE_BACK, (agency, day.isoformat()))
        given = find_number(conn, case_id, system)
    if given is None:
        raise GatewayError("dossier.number_lost", f"case {case_id} has no number at {system} though one was given")
    return given


def find_number(conn: Connection, case_id: str, system: str) -> Number | None:
    """The code that a case's dossier was given before, or None."""
    row = execute(conn, _FIND, (case_id, system)).fetchone()
    return None if row is None else Number(row[0], is_new=False)
