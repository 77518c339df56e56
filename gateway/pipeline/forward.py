"""forward: hand the sealed dossier to the commune's system, exactly one dossier there however often it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.domain.journey import TRANSITIONS
from gateway.domain.office import OFFICE_ZONE
from gateway.errors import Conflict
from gateway.lanes.lanes import NotYet
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.cases import set_status
from gateway.pipeline.dossiers import StoredDossier, find_dossier, mark_dossier
from gateway.pipeline.services import Services
from gateway.ports.commune import CommuneSystem, Delivery, Outcome
from gateway.store.session import execute, now_us

LATEST_BEFORE = timedelta(days=2)
"""So long before the last day of a death's registration its dossier no longer waits for the birth's."""

LOOK_AGAIN = (1_000_000, 300_000_000)
"""Microseconds between looks whether the birth has left: as long as the dossier has waited, within these bounds."""

_BIRTH_BEFORE = """SELECT c.id FROM case_key mine JOIN case_key other ON other.key = mine.key
JOIN "case" c ON c.id = other.case_id
WHERE mine.case_id = ? AND c.kind = 'birth' AND c.status IN ('collecting', 'waiting', 'ready') LIMIT 1"""
_STATE = 'SELECT status FROM "case" WHERE id = ?'
_EVENT = {
    "pending": "delivered",
    "accepted": "accepted",
    "needs_more": "asked",
    "registered": "registered",
    "refused": "refused",
    "cancelled": "agreed",
}
"""What a commune's word means for the journey (domain.journey)."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What the commune's system said to one delivery."""

    case: str
    version: int
    system: str
    outcome: Outcome


class Forward:
    """Handler of `forward` work: args {"case", "version"}."""

    kind = "forward"

    def __init__(self, services: Services) -> None:
        self.services = services

    def act(self, args: Mapping[str, Any]) -> Forwarded:
        dossier, system = _load(self.services, args), _system(self.services)
        self._let_the_birth_go_first(dossier)
        delivery = Delivery(
            code=dossier.code,
            case_id=dossier.case_id,
            kind=dossier.content["dossier"]["kind"],
            commune_code=dossier.commune_code,
            version=dossier.version,
            register_by=dossier.register_by,
            sealed=dossier.content["xml"].encode(),
            withdrawn=dossier.content["dossier"].get("withdrawn", False),
        )
        return Forwarded(dossier.case_id, dossier.version, system.name, system.submit(delivery))

    def _let_the_birth_go_first(self, dossier: StoredDossier) -> None:
        """A child born alive who died is registered as born first (Bộ luật Dân sự 2015 Đ30): NotYet while its birth
        dossier has not left, unless the death's own clock is about to run out."""
        services = self.services
        if dossier.content["dossier"]["kind"] != "death":
            return
        now = services.clock.now().astimezone(OFFICE_ZONE)
        if dossier.register_by and now.date() >= date.fromisoformat(dossier.register_by) - LATEST_BEFORE:
            return
        with services.store.read() as conn:
            birth = execute(conn, _BIRTH_BEFORE, (dossier.case_id,)).fetchone()
        if birth is not None:
            at = now_us(services.clock)
            raise NotYet(at + min(max(at - dossier.made_at, LOOK_AGAIN[0]), LOOK_AGAIN[1]))

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Forwarded) -> None:
        write_outcome(conn, self.services, "forwarded", outcome)

    def gave_up(self, conn: Connection, args: Mapping[str, Any], code: str) -> None:
        """The delivery is a dead letter now; the dossier says so and an operator can re-drive it."""
        now = now_us(self.services.clock)
        meta = {"version": args["version"], "code": code}
        append(conn, self.services.vault, self.services.chain, now, [NewEntry("gave_up", args["case"], meta, None)])
        mark_dossier(conn, args["case"], args["version"], _move(conn, args["case"], "undeliverable", now), now)


class Follow:
    """Handler of `follow` work: args {"case", "version"}: what became of the dossier?"""

    kind = "follow"

    def __init__(self, services: Services) -> None:
        self.services = services

    def act(self, args: Mapping[str, Any]) -> Forwarded:
        dossier, system = _load(self.services, args), _system(self.services)
        outcome = system.status(dossier.code) or Outcome("pending")
        return Forwarded(dossier.case_id, dossier.version, system.name, outcome)

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Forwarded) -> None:
        write_outcome(conn, self.services, "followed", outcome)


def _load(services: Services, args: Mapping[str, Any]) -> StoredDossier:
    with services.store.read() as conn:
        dossier = find_dossier(conn, services.vault, args["case"], args["version"])
    if dossier is None:
        raise Conflict("dossier.gone", "the dossier is not there any more")
    return dossier


def _system(services: Services) -> CommuneSystem:
    return services.communes[services.commune_system]


def write_outcome(conn: Connection, services: Services, kind: str, told: Forwarded) -> None:
    """Log what the commune said and fold it into the dossier's and the case's state."""
    now, outcome = now_us(services.clock), told.outcome
    meta = {"version": told.version, "system": told.system, "state": outcome.state, "reference": outcome.reference}
    words = {"words": outcome.words, "result": outcome.result}
    payload = orjson.dumps(words) if outcome.words or outcome.result else None
    append(conn, services.vault, services.chain, now, [NewEntry(kind, told.case, meta, payload)])
    # A correction that arrives meets a decision already made; that the officer answers it comes with `follow`.
    again = kind == "forwarded" and told.version > 1
    state = _move(conn, told.case, "delivered" if again else _EVENT[outcome.state], now)
    mark_dossier(conn, told.case, told.version, state, now)


def _move(conn: Connection, case_id: str, event: str, now: int) -> str:
    """Move the case along its journey; the state it comes to. An answer about what moved on meanwhile changes nothing:
    it must not wedge the lane in which the newer version waits."""
    before: str = execute(conn, _STATE, (case_id,)).fetchone()[0]
    state = TRANSITIONS[before].get(event, before)
    set_status(conn, case_id, state, now)
    return state
