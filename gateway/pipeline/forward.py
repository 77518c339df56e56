"""forward: hand the sealed dossier to its commune's system.

Delivery is at-least-once and the far side knows a dossier by its code, so sending again makes no second one. What
failures mean: an unreachable system is tried again for days (lanes.retry); a rejected dossier goes to people with the
system's own words; a system that refuses us altogether rests until somebody mends the settings (partners); anything
else is a dead letter with what the system answered as evidence. Where an attempt may have arrived although we were told
nothing, the system is asked before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from gateway.domain.office import OFFICE_ZONE
from gateway.errors import Conflict, Misconfigured, PortError, Unreachable
from gateway.lanes.lanes import NotYet
from gateway.mapping.wire import wire_text
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline import partners
from gateway.pipeline.dossiers import StoredDossier, find_dossier, mark_dossier
from gateway.pipeline.numbers import find_number, give_number
from gateway.pipeline.outcomes import NOTHING_TO_WITHDRAW, Told, move, write_outcome
from gateway.pipeline.papers import papers_of
from gateway.pipeline.services import Services
from gateway.pipeline.systems import system_for, taken_by
from gateway.ports.commune import CommuneSystem, Delivery, NumberedSystem, Outcome
from gateway.store.session import execute, now_us

LATEST_BEFORE = timedelta(days=2)
"""So long before the last day of a death's registration its dossier no longer waits for the birth's."""

LOOK_AGAIN = (1_000_000, 300_000_000)
"""Microseconds between looks whether the birth has left: as long as the dossier has waited, within these bounds."""

_BIRTH_BEFORE = """SELECT c.id FROM case_key mine JOIN case_key other ON other.key = mine.key
JOIN "case" c ON c.id = other.case_id
WHERE mine.case_id = ? AND c.kind = 'birth' AND c.status IN ('collecting', 'waiting', 'ready') LIMIT 1"""


class Forward:
    """Handler of `forward` work: args {"case", "version"}."""

    kind = "forward"

    def __init__(self, services: Services) -> None:
        self.services = services

    def act(self, args: Mapping[str, Any]) -> Told:
        services, now = self.services, self.services.clock.now()
        with services.store.read() as conn:
            dossier = load_dossier(conn, services, args)
            place = dossier.content["dossier"]["commune"]
            today = now.astimezone(OFFICE_ZONE).date()
            where = (dossier.commune_code, place["province_code"] or "", today)
            system = system_for(conn, services, dossier.case_id, dossier.version, *where)
            taken = taken_by(conn, dossier.case_id, dossier.version)
            rested = partners.wait_for(conn, system.name, now_us(services.clock))
        if dossier.content["dossier"].get("withdrawn", False) and not taken:
            # Earlier versions leave before this one, and all were rejected: the commune has nothing to take back.
            return Told(dossier.case_id, dossier.version, system.name, NOTHING_TO_WITHDRAW)
        self._let_the_birth_go_first(dossier)
        if rested:
            partners.take_turn(services, system.name)
        try:
            outcome = self._submit(system, dossier, today)
        except Misconfigured as error:
            raise NotYet(partners.rest(services, system.name, error, dossier.case_id), all_of_partner=True) from error
        if rested:
            partners.mended(services, system.name)
        return Told(dossier.case_id, dossier.version, system.name, outcome)

    def _submit(self, system: CommuneSystem, dossier: StoredDossier, today: date) -> Outcome:
        """Hand it over, unless an earlier attempt turns out to have arrived."""
        services = self.services
        with services.store.read() as conn:
            delivery = delivery_of(conn, services, dossier, system.name)
        if not isinstance(system, NumberedSystem):
            return system.submit(delivery)
        agency = _agency_of(system, delivery, today)
        number = give_number(services, dossier.case_id, system.name, agency, today)
        delivery = replace(delivery, code=number.code)
        known = None if number.is_new else system.status(delivery)
        return known or system.submit(delivery)

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

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Told) -> None:
        write_outcome(conn, self.services, "forwarded", outcome)

    def deadline(self, args: Mapping[str, Any]) -> int | None:
        """The end of the legal last day, microseconds: retries hurry before it and do not stop earlier."""
        with self.services.store.read() as conn:
            last_day = load_dossier(conn, self.services, args).register_by
        if not last_day:
            return None
        end = datetime.combine(date.fromisoformat(last_day), time(23, 59, 59), OFFICE_ZONE)
        return int(end.timestamp() * 1_000_000)

    def gave_up(self, conn: Connection, args: Mapping[str, Any], code: str, error: Exception) -> None:
        """The delivery is a dead letter now, with what the system answered; an operator can re-drive it."""
        now = now_us(self.services.clock)
        meta = {"version": args["version"], "code": code}
        evidence = error.evidence if isinstance(error, PortError) else b""
        entry = NewEntry("gave_up", args["case"], meta, evidence or None)
        append(conn, self.services.vault, self.services.chain, now, [entry])
        mark_dossier(conn, args["case"], args["version"], move(conn, args["case"], "undeliverable", now)[1], now)


def _agency_of(system: NumberedSystem, delivery: Delivery, today: date) -> str:
    """The agency whose number the dossier gets. That one commune has none must not stop the others: this dossier alone
    waits, and is looked at again, until the table or the settings name one."""
    try:
        return system.agency_of(delivery.commune_code, delivery.province_code, today)
    except Misconfigured as error:
        raise Unreachable(error.code, error.message) from error


def load_dossier(conn: Connection, services: Services, args: Mapping[str, Any]) -> StoredDossier:
    """The version that a piece of work is about. Conflict when it is gone."""
    dossier = find_dossier(conn, services.vault, args["case"], args["version"])
    if dossier is None:
        raise Conflict("dossier.gone", "the dossier is not there any more")
    return dossier


def delivery_of(conn: Connection, services: Services, dossier: StoredDossier, system: str) -> Delivery:
    """A dossier as a commune's system gets it: under its number there, else under its case's id."""
    told = dossier.content["dossier"]
    form = told["dossier"]
    number = find_number(conn, dossier.case_id, system)
    return Delivery(
        code=number.code if number else dossier.code,
        case_id=dossier.case_id,
        kind=told["kind"],
        commune_code=dossier.commune_code,
        version=dossier.version,
        register_by=dossier.register_by,
        sealed=dossier.content["xml"].encode(),
        attachments=papers_of(conn, services, dossier.case_id),
        withdrawn=told.get("withdrawn", False),
        province_code=told["commune"]["province_code"] or "",
        procedure=form["procedure"],
        form=form["form"],
        module=form.get("module", ""),
        text=wire_text(form.get("wire", "json"), form["fields"]),
        received_at=datetime.fromtimestamp(dossier.made_at / 1_000_000, UTC),
    )
