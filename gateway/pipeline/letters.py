"""letter: the thư chúc mừng or thư chia buồn of a registered case, as PDF in the store.

A letter is a function of the dossier, the registration's result and the mapping set: made again of the same it has the
same bytes and nothing is written. Made again after a correction it takes the first one's place and keeps its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.domain.commune import Commune
from gateway.domain.dossier import from_json
from gateway.domain.form_values import address_of, date_of
from gateway.domain.letter import WITHHELD, compose, facts_of
from gateway.domain.office import OFFICE_ZONE
from gateway.errors import Conflict, GatewayError
from gateway.mapping.catalogue import Catalogue
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.dossiers import StoredDossier, newest_dossier
from gateway.pipeline.letter_wording import wording_for
from gateway.pipeline.services import Services
from gateway.pipeline.typesetting import set_pdf
from gateway.store.session import execute, now_us
from gateway.store.vault import Vault
from gateway.views.letters import has_death, registered_at

_ADDRESSES = {"birth": ("meNoiCuTru", "chaNoiCuTru"), "death": ("nktNoiCuTru",)}
_FIND = "SELECT kind, sealed FROM letter WHERE case_id = ?"
_OUTCOME = "SELECT sealed FROM outcome WHERE case_id = ? AND state = 'registered'"
_KEEP = """INSERT INTO letter (case_id, kind, commune_code, made_at, sealed) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (case_id) DO UPDATE SET kind = excluded.kind, commune_code = excluded.commune_code,
sealed = excluded.sealed"""


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """`kind` is birth, death or withheld; `pdf` is b"" when it is withheld."""

    kind: str
    pdf: bytes


@dataclass(frozen=True, slots=True)
class Made:
    """A letter to be kept; `is_new` when it is another than the one in the store."""

    letter: StoredLetter
    commune_code: str
    version: int
    is_new: bool


class MakeLetter:
    """Handler of `letter` work: args {"case"}. GatewayError `letter.no_wording` and `letter.template` when the mapping
    set has no usable letter: the work is given up until somebody mends it and drives it on."""

    kind = "letter"

    def __init__(self, services: Services) -> None:
        self.services = services

    def act(self, args: Mapping[str, Any]) -> Made:
        services, case_id = self.services, args["case"]
        with services.store.read() as conn:
            dossier = newest_dossier(conn, services.vault, case_id)
            if dossier is None:
                raise Conflict("dossier.gone", "the dossier is not there any more")
            told = from_json(dossier.content["dossier"])
            died = told.kind == "birth" and _child_died(conn, dossier)
            result, on = _registration(conn, services, case_id)
            before = find_letter(conn, services.vault, case_id)
        commune = told.commune.commune
        if commune is None:
            raise Conflict("dossier.gone", "the dossier has no commune any more")
        letter = StoredLetter(WITHHELD, b"")
        if not died:
            pdf = _pdf(services.catalogue.within("", commune.province_code), dossier, commune, result, on)
            letter = StoredLetter(told.kind, pdf)
        return Made(letter, commune.code, dossier.version, letter != before)

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Made) -> None:
        if not outcome.is_new:
            return
        services, now = self.services, now_us(self.services.clock)
        letter = outcome.letter
        row = (args["case"], letter.kind, outcome.commune_code, now, services.vault.seal(letter.pdf))
        execute(conn, _KEEP, row)
        # The keyed digest tells which PDF it was, without a second copy of it in the log.
        meta = {"version": outcome.version, "letter": letter.kind, "key": services.vault.key(letter.pdf).hex()}
        append(conn, services.vault, services.chain, now, [NewEntry("letter", args["case"], meta)])


def find_letter(conn: Connection, vault: Vault, case_id: str) -> StoredLetter | None:
    """The letter of a case, or None."""
    row = execute(conn, _FIND, (case_id,)).fetchone()
    return None if row is None else StoredLetter(row[0], vault.unseal(bytes(row[1])))


def letter_work(case_id: str) -> tuple[str, str, dict[str, str]]:
    """The work that makes a case's letter: lane, kind, args (lanes.put_many)."""
    return f"letter:{case_id}", MakeLetter.kind, {"case": case_id}


def _pdf(catalogue: Catalogue, dossier: StoredDossier, commune: Commune, result: Mapping[str, str], on: date) -> bytes:
    told = dossier.content["dossier"]
    kind, fields = told["kind"], told["dossier"]["fields"]
    addresses = (address_of(fields.get(name), catalogue.units.today) for name in _ADDRESSES[kind])
    facts = facts_of(kind, fields, result, next(filter(None, addresses), ""), on)
    wording = wording_for(catalogue, kind, commune, on)
    try:
        template = catalogue.template(wording.template)
    except KeyError:
        raise GatewayError("letter.template", f"there is no template letters/{wording.template}.typ") from None
    return set_pdf(wording.template, template, compose(facts, wording, commune).as_json())


def _child_died(conn: Connection, dossier: StoredDossier) -> bool:
    """Whether the child of a birth is known to have died since: said by a message, or by a death of the same child."""
    said = any(finding["code"] == "birth.died" for finding in dossier.content["dossier"]["findings"])
    return said or has_death(conn, dossier.case_id)


def _registration(conn: Connection, services: Services, case_id: str) -> tuple[Mapping[str, str], date]:
    """The registration's result, {} when it is not known, and its day: as the commune says, else as we were told."""
    row = execute(conn, _OUTCOME, (case_id,)).fetchone()
    result: Mapping[str, str] = orjson.loads(services.vault.unseal(bytes(row[0])))["result"] if row else {}
    at = registered_at(conn, case_id)
    told_on = datetime.fromtimestamp(at / 1_000_000, UTC) if at else services.clock.now()
    return result, date_of(result.get("ngayDangKy")) or told_on.astimezone(OFFICE_ZONE).date()
