"""forward: hand the sealed dossier to the commune's system, exactly one dossier there however often it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.errors import Conflict
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.cases import set_status
from gateway.pipeline.dossiers import StoredDossier, find_dossier, mark_dossier
from gateway.pipeline.services import Services
from gateway.ports.commune import CommuneSystem, Delivery, Outcome
from gateway.store.session import now_us


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
        delivery = Delivery(
            code=dossier.code,
            case_id=dossier.case_id,
            kind=dossier.content["dossier"]["kind"],
            commune_code=dossier.commune_code,
            version=dossier.version,
            register_by=dossier.register_by,
            sealed=dossier.content["xml"].encode(),
        )
        return Forwarded(dossier.case_id, dossier.version, system.name, system.submit(delivery))

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Forwarded) -> None:
        write_outcome(conn, self.services, "forwarded", outcome)

    def gave_up(self, conn: Connection, args: Mapping[str, Any], code: str) -> None:
        """The delivery is a dead letter now; the dossier says so and an operator can re-drive it."""
        now = now_us(self.services.clock)
        meta = {"version": args["version"], "code": code}
        append(conn, self.services.vault, self.services.chain, now, [NewEntry("gave_up", args["case"], meta, None)])
        _mark(conn, args["case"], args["version"], "undelivered", now)


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
    _mark(conn, told.case, told.version, "sent" if outcome.state == "pending" else outcome.state, now)


def _mark(conn: Connection, case_id: str, version: int, status: str, now: int) -> None:
    mark_dossier(conn, case_id, version, status, now)
    set_status(conn, case_id, status, now)
