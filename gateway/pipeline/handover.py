"""What people write down about handing over a case's papers: how and when they are to reach the family, and that they
did. Each is a log entry with who wrote it; the row holds the newest."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from gateway.domain.handover import check_done, check_plan
from gateway.domain.office import OFFICE_ZONE
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.services import Services
from gateway.store.session import execute, now_us
from gateway.views.handovers import is_case_registered

_CASE = 'SELECT status, commune_code FROM "case" WHERE id = ?'
_FIND = "SELECT done_at FROM handover WHERE case_id = ?"
_PLAN = """INSERT INTO handover (case_id, commune_code, choice, day, who, at, done_by) VALUES (?, ?, ?, ?, ?, ?, '')
ON CONFLICT (case_id) DO UPDATE SET commune_code = excluded.commune_code, choice = excluded.choice,
day = excluded.day, who = excluded.who, at = excluded.at"""
_DONE = "UPDATE handover SET done_by = ?, done_at = ? WHERE case_id = ?"


def plan_handover(services: Services, case_id: str, choice: str, day: str, who: str) -> dict[str, str]:
    """Record how (domain.handover.CHOICES) and when (ISO date) papers are to be handed over, in place of what was
    planned. Returns what is wrong, field → sentence. The caller has checked that `who` may see the case."""
    today = services.clock.now().astimezone(OFFICE_ZONE).date()
    with services.store.write() as conn:
        case = execute(conn, _CASE, (case_id,)).fetchone()
        if case is None:
            return {"choice": "Không có hồ sơ này."}
        planned = execute(conn, _FIND, (case_id,)).fetchone()
        wrong = check_plan(case[0], planned is not None and planned[0] is not None, choice, day, today)
        if wrong:
            return wrong
        execute(conn, _PLAN, (case_id, case[1], choice, day, who, now_us(services.clock)))
        _note(conn, services, case_id, {"action": "planned", "choice": choice, "day": day, "who": who})
    return {}


def mark_handover(services: Services, case_id: str, who: str, *, done: bool) -> str:
    """Record that the papers were handed over, or that this was a slip. Returns what is wrong, "" when recorded; to
    say the same twice changes nothing."""
    with services.store.write() as conn:
        planned = execute(conn, _FIND, (case_id,)).fetchone()
        wrong = check_done(planned is not None, is_case_registered(conn, case_id))
        if done and wrong:
            return wrong
        if planned is None or (planned[0] is not None) == done:
            return ""
        execute(conn, _DONE, (who if done else "", now_us(services.clock) if done else None, case_id))
        _note(conn, services, case_id, {"action": "done" if done else "undone", "who": who})
    return ""


def _note(conn: Connection, services: Services, case_id: str, meta: dict[str, Any]) -> None:
    append(conn, services.vault, services.chain, now_us(services.clock), [NewEntry("handover", case_id, meta)])
