"""What a commune says of a dossier, wherever it comes from (an answer, a poll, a call, a decision at the desk): logged,
kept as the newest word, folded into the state of dossier and case, and passed on to whoever has to know."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.domain.journey import TRANSITIONS
from gateway.lanes import lanes
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.cases import set_status
from gateway.pipeline.dossiers import mark_dossier
from gateway.pipeline.results import result_findings
from gateway.pipeline.services import Services
from gateway.ports.commune import Outcome
from gateway.store.session import execute, now_us
from gateway.views.outcomes import find_outcome

ENDS = ("registered", "refused", "cancelled")
"""After these words of a commune nothing more is awaited."""

NOTHING_TO_WITHDRAW = Outcome("cancelled")
"""What becomes of a withdrawal when no earlier version was taken: nobody has to be asked."""

_STATE = 'SELECT status FROM "case" WHERE id = ?'
_EARLIER = "SELECT 1 FROM dossier WHERE case_id = ? AND version < ? AND taken_at IS NOT NULL"
_NEWER = "SELECT 1 FROM dossier WHERE case_id = ? AND version > ? AND taken_at IS NOT NULL"
_EVENT: Mapping[str, str] = {
    "pending": "delivered",
    "accepted": "accepted",
    "needs_more": "asked",
    "registered": "registered",
    "refused": "refused",
    "rejected": "rejected",
    "cancelled": "agreed",
}
"""What a commune's word means for the journey (domain.journey)."""

_KEEP = """INSERT INTO outcome (case_id, version, system, state, reference, told_at, sealed)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (case_id) DO UPDATE SET version = excluded.version, system = excluded.system,
state = excluded.state, reference = excluded.reference, told_at = excluded.told_at, sealed = excluded.sealed"""
_TAKEN = "UPDATE dossier SET system = ?, taken_at = ? WHERE case_id = ? AND version = ? AND taken_at IS NULL"
_FEEDS = """SELECT DISTINCT m.feed FROM case_message cm JOIN message m ON m.id = cm.message_id WHERE cm.case_id = ?
ORDER BY m.feed"""
_NOTICE = """INSERT INTO notice (case_id, feed, state, put_at) VALUES (?, ?, ?, ?)
ON CONFLICT (case_id, feed) DO UPDATE SET state = excluded.state, put_at = excluded.put_at, sent_at = NULL"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a commune's system said of one version."""

    case: str
    version: int
    system: str
    outcome: Outcome


def write_outcome(conn: Connection, services: Services, kind: str, told: Told) -> None:
    """Log what the commune said (entry `kind`), fold it into the dossier's and the case's state, and put the work that
    follows: answers to the hospital, the letter, and the next look at a system that has to be asked."""
    now, outcome = now_us(services.clock), told.outcome
    meta: dict[str, Any] = {
        "version": told.version,
        "system": told.system,
        "state": outcome.state,
        "reference": outcome.reference,
    }
    said: dict[str, Any] = {
        "words": outcome.words,
        "result": outcome.result,
        "paper": b64encode(outcome.paper).decode(),
    }
    payload = orjson.dumps(said) if any(said.values()) else None
    findings = result_findings(conn, services, told.case, told.version, outcome)
    if findings:
        meta["findings"] = [finding.code for finding in findings]
    said["findings"] = [finding.as_json() for finding in findings]
    append(conn, services.vault, services.chain, now, [NewEntry(kind, told.case, meta, payload)])
    if outcome.state != "rejected" and outcome != NOTHING_TO_WITHDRAW:
        execute(conn, _TAKEN, (told.system, now, told.case, told.version))
    event, is_overtaken = _event_of(conn, kind, told)
    before, state = move(conn, told.case, event, now)
    mark_dossier(conn, told.case, told.version, state, now)
    if event in TRANSITIONS[before] and not is_overtaken:
        _keep(conn, services, told, said, now)
    if state != before:
        _pass_on(conn, services, told.case, state, now)
    system = services.communes.get(told.system)
    if kind == "forwarded" and system and system.poll_seconds and outcome.state not in ("rejected", *ENDS):
        follow = {"case": told.case, "version": told.version, "looks": 0}
        lanes.put(conn, f"follow:{told.case}", "follow", follow, now, system.poll_seconds, told.system)


def _event_of(conn: Connection, kind: str, told: Told) -> tuple[str, bool]:
    """What the word means for the journey, and whether a newer version elsewhere overtook it: that somebody works on
    the older one must not hide the correction, or the withdrawal, that an officer has yet to answer."""
    state = told.outcome.state
    if told.outcome == NOTHING_TO_WITHDRAW:
        return "withdrawn", False
    if kind == "forwarded":
        # A correction that arrives meets a decision already made; that the officer answers it comes with `follow`.
        # After versions that were all rejected it is none to the commune: what is said of it counts at once.
        again = state != "rejected" and execute(conn, _EARLIER, (told.case, told.version)).fetchone() is not None
        return "delivered" if again else _EVENT[state], False
    newer = state in ("pending", "accepted") and execute(conn, _NEWER, (told.case, told.version)).fetchone() is not None
    return "delivered" if newer else _EVENT[state], newer


def _keep(conn: Connection, services: Services, told: Told, said: Mapping[str, Any], now: int) -> None:
    """Keep the newest word. A bare receipt is none when more was said of that version already, and what a registration
    said stays when a correction comes after it."""
    last = find_outcome(conn, services.vault, told.case)
    if last is not None:
        if told.outcome.state == "pending" and last.version == told.version:
            return
        kept = {"result": last.result, "paper": last.paper, "findings": list(last.findings)}
        said = {**said, **{name: said[name] or before for name, before in kept.items()}}
    row = (told.case, told.version, told.system, told.outcome.state, told.outcome.reference, now)
    execute(conn, _KEEP, (*row, services.vault.seal(orjson.dumps(said))))


def move(conn: Connection, case_id: str, event: str, now: int) -> tuple[str, str]:
    """Move the case along its journey: its state before and after. An answer about what moved on meanwhile changes
    nothing: it must not wedge the lane in which the newer version waits."""
    # The row is held from here on: two words at once are folded one after the other.
    hold = "" if conn.dialect.name == "sqlite" else " FOR UPDATE"
    before: str = execute(conn, _STATE + hold, (case_id,)).fetchone()[0]
    state = TRANSITIONS[before].get(event, before)
    set_status(conn, case_id, state, now)
    return before, state


def _pass_on(conn: Connection, services: Services, case_id: str, state: str, now: int) -> None:
    """Put the work that a new state asks for: a notice to each feed that wants one, and the letter."""
    for (name,) in execute(conn, _FEEDS, (case_id,)).fetchall():
        feed = services.feed(name)
        if feed.answer and state in feed.answer_states:
            execute(conn, _NOTICE, (case_id, name, state, now))
            args = {"case": case_id, "feed": name, "state": state}
            lane = f"answer:{name}:{case_id}"
            lanes.put(conn, lane, "answer", args, now, partner=f"hospital {name}")
            # A notice that the hospital refused is overtaken now: it is dropped, and does not hold this one up.
            lanes.redrive(conn, [lane], now)
    if state == "registered":
        lanes.put(conn, f"letter:{case_id}", "letter", {"case": case_id}, now)
