"""advance: identify → prepare → seal for one case, recorded in one transaction.

Each of the three is its own module and log entry. They share one transaction because each alone cost a synced commit, a
lease and a decryption of the case (docs/decisions/0002-one-transaction-per-dossier.md); what a crash interrupts runs
again from the start, and the population database is simply asked again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.domain.corrections import corrections_between
from gateway.domain.dossier import Dossier, as_json, from_json
from gateway.domain.journey import next_state
from gateway.domain.office import OFFICE_ZONE
from gateway.errors import Misconfigured
from gateway.lanes import lanes
from gateway.lanes.lanes import NotYet
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline import partners
from gateway.pipeline.cases import StoredCase, load_case, save_case
from gateway.pipeline.dossiers import StoredDossier, find_dossier, newest_dossier, write_dossier_row
from gateway.pipeline.identify import Asked, identify, record_answers
from gateway.pipeline.merging import MERGED_INTO
from gateway.pipeline.prepare import prepare_dossier
from gateway.pipeline.seal import seal
from gateway.pipeline.services import Services
from gateway.pipeline.systems import system_for
from gateway.store.session import now_us
from gateway.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Advanced:
    """What `act` made of the case as it was: answers, dossier (as_json in `told`), and the signed XML when it is ready
    and differs from the newest version `last`."""

    case: StoredCase
    answers: Sequence[Asked]
    dossier: Dossier
    told: Mapping[str, Any]
    content_key: bytes
    last: StoredDossier | None
    xml: bytes | None

    @property
    def version(self) -> int:
        return next_version(self.last)

    @property
    def is_new(self) -> bool:
        return self.last is None or self.last.content_key != self.content_key

    @property
    def is_idle(self) -> bool:
        """Whether a withdrawal comes to where nothing is left to take back: refused or cancelled there already."""
        return self.dossier.withdrawn and self.xml is None and self.version > 1

    @property
    def event(self) -> str:
        """What this means for the case's journey (domain.journey)."""
        if self.dossier.withdrawn:
            unsent = "merged" if MERGED_INTO in self.case.edits else "withdrawn"
            return "withdrawn" if self.xml else unsent
        if self.xml is None:
            return "lacking"
        return "changed" if self.last is not None and self.version > 1 else "complete"


class Advance:
    """Handler of `advance` work: args {"case"}."""

    kind = "advance"

    def __init__(self, services: Services) -> None:
        self.services = services

    def act(self, args: Mapping[str, Any]) -> Advanced:
        services = self.services
        with services.store.read() as conn:
            case = load_case(conn, services.vault, args["case"])
            last = newest_dossier(conn, services.vault, case.id)
            sent = last_sent(conn, services.vault, last)
        if case.settle_at > now_us(services.clock):
            raise NotYet(case.settle_at)
        case, answers = identify(services, case)
        return self._prepared(case, answers, last, sent, services.clock.now())

    def _prepared(
        self,
        case: StoredCase,
        answers: Sequence[Asked],
        last: StoredDossier | None,
        sent: StoredDossier | None,
        now: datetime,
    ) -> Advanced:
        services, folded = self.services, case.fold()
        dossier = prepare_dossier(folded, services.feed(case.feed), services.catalogue, now)
        if folded.withdrawn or MERGED_INTO in case.edits:
            dossier = _taken_back(dossier, sent)
        elif sent is not None:
            dossier = replace(dossier, corrections=corrections_between(sent.content["dossier"], dossier))
        told = as_json(dossier)
        substance = orjson.dumps(_substance(told, case), option=orjson.OPT_SORT_KEYS)
        key = services.vault.key("dossier", substance)
        made = Advanced(case, answers, dossier, told, key, last, None)
        if made.is_new and (dossier.status == "ready" or _has_to_be_withdrawn(dossier, sent)):
            return replace(made, xml=self._sealed(case, dossier, made.version, now))
        return made

    def _sealed(self, case: StoredCase, dossier: Dossier, version: int, now: datetime) -> bytes:
        """The signed dossier. While the key may not be used (its certificate ended, the device refuses us) cases wait
        for people to mend that, as they do for a commune system that refuses us."""
        services = self.services
        try:
            xml = seal(services, case, dossier, version, now)
        except Misconfigured as error:
            raise NotYet(partners.rest(services, partners.SIGNING, error, case.id)) from error
        with services.store.read() as conn:
            rested = partners.rests(conn, partners.SIGNING)
        if rested:
            partners.mended(services, partners.SIGNING)
        return xml

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Advanced) -> None:
        services, now = self.services, now_us(self.services.clock)
        case = record_answers(conn, services, outcome.case, outcome.answers, now)
        case = replace(case, prepared=case.version, commune_code=_commune(outcome.dossier))
        if outcome.is_idle and case.status == "rejected":
            case = replace(case, status=next_state(case.status, outcome.event))
        if outcome.is_new and not outcome.is_idle:
            if outcome.xml or outcome.version == 1:  # else an earlier version stands there, and its state is the case's
                case = replace(case, status=next_state(case.status, outcome.event))
            self._write(conn, outcome, _status(outcome, case), now)
        save_case(conn, services.vault, case, now=now, changed=False)
        if outcome.xml:
            forward = {"case": case.id, "version": outcome.version}
            place = outcome.dossier.commune.commune
            where = (place.code, place.province_code) if place else ("", "")
            today = services.clock.now().astimezone(OFFICE_ZONE).date()
            system = system_for(conn, services, case.id, outcome.version, *where, today)
            lanes.put(conn, f"dossier:{case.id}", "forward", forward, now, partner=system.name)

    def _write(self, conn: Connection, outcome: Advanced, status: str, now: int) -> None:
        """The new version and its log entries."""
        services, case, dossier = self.services, outcome.case, outcome.dossier
        xml = outcome.xml.decode() if outcome.xml else None
        row = StoredDossier(
            case_id=case.id,
            version=outcome.version,
            code=case.id,
            procedure=dossier.procedure,
            form=dossier.form,
            commune_code=_commune(dossier),
            mapping_hash=dossier.mapping_hash,
            content_key=outcome.content_key,
            status=status,
            register_by=dossier.deadlines.get("register_by", ""),
            made_at=now,
            changed_at=now,
            content={"dossier": outcome.told, "xml": xml},
        )
        write_dossier_row(conn, services.vault, row)
        meta = {"version": outcome.version, "status": dossier.status, "mapping": dossier.mapping_hash}
        body = orjson.dumps(outcome.told, option=orjson.OPT_SORT_KEYS)
        entries = [NewEntry("prepared", case.id, meta, body)]
        if outcome.xml:
            digest = {"version": outcome.version, "sha256": hashlib.sha256(outcome.xml).hexdigest()}
            entries.append(NewEntry("sealed", case.id, digest, outcome.xml))
        append(conn, services.vault, services.chain, now, entries)


def next_version(last: StoredDossier | None) -> int:
    """A dossier that left stays as it was sent; what changes afterwards is a new version, a correction."""
    return 1 if last is None else last.version + last.left


def last_sent(conn: Connection, vault: Vault, last: StoredDossier | None) -> StoredDossier | None:
    """The version that the commune has or is about to get: a newer one may still wait for something."""
    if last is None or last.left or last.version == 1:
        return last if last is not None and last.left else None
    return find_dossier(conn, vault, last.case_id, last.version - 1)


def _taken_back(dossier: Dossier, sent: StoredDossier | None) -> Dossier:
    """The same dossier as a withdrawal, to the commune that has it."""
    place = dossier.commune if sent is None else from_json(sent.content["dossier"]).commune
    return replace(dossier, withdrawn=True, commune=place)


def _has_to_be_withdrawn(dossier: Dossier, sent: StoredDossier | None) -> bool:
    return dossier.withdrawn and sent is not None and sent.status not in ("refused", "rejected", "cancelled")


def _status(outcome: Advanced, case: StoredCase) -> str:
    """The state of this version: the case's, or waiting when an earlier one stands on the desk meanwhile."""
    return case.status if outcome.xml or outcome.version == 1 else outcome.dossier.status


def _commune(dossier: Dossier) -> str:
    return dossier.commune.commune.code if dossier.commune.commune else ""


def _substance(told: Mapping[str, Any], case: StoredCase) -> dict[str, Any]:
    """What makes a dossier another one for the commune: not the clock, not where a value was read."""
    names = ("status", "dossier", "owed", "missing", "holds", "commune", "withdrawn")
    verdicts = {role: [result.verdict.value, *result.differing] for role, result in sorted(case.identity.items())}
    return {name: told[name] for name in names} | {"identity": verdicts}
