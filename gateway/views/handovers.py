"""Handovers of papers: one commune's or facility's list of a day, what is left from earlier days, what nobody has
planned yet, and one case with everything that goes to the family."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, select

from gateway.domain.letter import WITHHELD
from gateway.store.partner_tables import Handover, OutcomeRow
from gateway.store.partner_tables import Letter as LetterRow
from gateway.store.tables import CaseRow, DeskItem, DossierRow
from gateway.store.vault import Vault
from gateway.views.letters import child_died, is_registered
from gateway.views.reach import Reach, within

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_DESK = DeskItem.__table__  # type: ignore[attr-defined]
_DOSSIER = DossierRow.__table__  # type: ignore[attr-defined]
_HANDOVER = Handover.__table__  # type: ignore[attr-defined]
_LETTER = LetterRow.__table__  # type: ignore[attr-defined]
_OUTCOME = OutcomeRow.__table__  # type: ignore[attr-defined]
MOST = 200
"""So many rows of a list: more is no day's work."""


@dataclass(frozen=True, slots=True)
class HandoverLine:
    """One case on a list. `choice` "" when nothing is planned; `letter` is the letter's kind, "" without one; `fields`
    are the newest dossier's. Instants are microseconds since 1970 UTC."""

    case_id: str
    kind: str
    commune_code: str
    registered: bool
    choice: str
    day: str
    who: str
    done_by: str
    done_at: int | None
    letter: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HandoverCase:
    """One case opened. `desk_code` is its code on the built-in desk, "" when another system has it. `result` and
    `findings` (domain.finding as JSON) are of the commune's newest word, `paper` the registration's PDF it sent, b""
    without one; `pdf` the letter."""

    line: HandoverLine
    status: str
    desk_code: str
    result: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Mapping[str, str], ...] = ()
    paper: bytes = b""
    pdf: bytes = b""


def list_day(conn: Connection, vault: Vault, reach: Reach, day: str) -> list[HandoverLine]:
    """What is planned for a day (ISO date), handed over or not."""
    return _lines(conn, vault, _planned(reach).where(_HANDOVER.c.day == day))


def list_left(conn: Connection, vault: Vault, reach: Reach, before: str) -> list[HandoverLine]:
    """What was planned for days before and is not handed over, the oldest first."""
    return _lines(conn, vault, _planned(reach).where(_HANDOVER.c.day < before, _HANDOVER.c.done_at.is_(None)))


def list_unplanned(conn: Connection, vault: Vault, reach: Reach, since: int) -> list[HandoverLine]:
    """Registered cases that changed since an instant and for which nobody chose a way, the oldest first."""
    query = _query().where(_in_reach(reach), _CASE.c.changed_at >= since, is_registered())
    return _lines(conn, vault, query.where(_HANDOVER.c.case_id.is_(None)).order_by(_CASE.c.changed_at, _CASE.c.id))


def find_handover(conn: Connection, vault: Vault, reach: Reach, case_id: str) -> HandoverCase | None:
    """The case; None when there is none within reach, so that nobody learns of another's."""
    query = _query().add_columns(_CASE.c.status, _LETTER.c.sealed.label("pdf"), _OUTCOME.c.sealed.label("word"))
    desk = select(func.max(_DESK.c.code)).where(_DESK.c.case_id == _CASE.c.id).correlate(_CASE).scalar_subquery()
    query = query.add_columns(desk.label("desk_code")).outerjoin(_OUTCOME, _OUTCOME.c.case_id == _CASE.c.id)
    row = conn.execute(query.where(_CASE.c.id == case_id, _in_reach(reach))).first()
    if row is None:
        return None
    word = orjson.loads(vault.unseal(row.word)) if row.word else {}
    return HandoverCase(
        line=_line(row, vault),
        status=row.status,
        desk_code=row.desk_code or "",
        result=word.get("result") or {},
        findings=tuple(word.get("findings") or ()),
        paper=b64decode(word.get("paper") or ""),
        pdf=vault.unseal(row.pdf) if row.pdf and row.letter != WITHHELD else b"",
    )


def is_case_registered(conn: Connection, case_id: str) -> bool:
    """Whether a case is in the register."""
    return conn.execute(select(_CASE.c.id).where(_CASE.c.id == case_id, is_registered())).first() is not None


def _query() -> Select[Any]:
    all_of = _DOSSIER.alias()
    newest = select(func.max(all_of.c.version)).where(all_of.c.case_id == _CASE.c.id).correlate(_CASE).scalar_subquery()
    return (
        select(
            _CASE.c.id,
            _CASE.c.kind,
            _CASE.c.commune_code,
            is_registered().label("registered"),
            *(_HANDOVER.c[name] for name in ("choice", "day", "who", "done_by", "done_at")),
            case((child_died(), WITHHELD), else_=_LETTER.c.kind).label("letter"),
            _DOSSIER.c.sealed.label("dossier"),
        )
        .select_from(_CASE)
        .outerjoin(_HANDOVER, _HANDOVER.c.case_id == _CASE.c.id)
        .outerjoin(_LETTER, _LETTER.c.case_id == _CASE.c.id)
        .outerjoin(_DOSSIER, and_(_DOSSIER.c.case_id == _CASE.c.id, _DOSSIER.c.version == newest))
    )


def _planned(reach: Reach) -> Select[Any]:
    """The list's own commune first: its index then finds a day's rows alone."""
    own = within(_HANDOVER.c.commune_code, reach.communes)
    return _query().where(own, _in_reach(reach)).order_by(_HANDOVER.c.day, _CASE.c.id)


def _lines(conn: Connection, vault: Vault, query: Select[Any]) -> list[HandoverLine]:
    return [_line(row, vault) for row in conn.execute(query.limit(MOST)).all()]


def _line(row: Row[Any], vault: Vault) -> HandoverLine:
    told = orjson.loads(vault.unseal(row.dossier))["dossier"] if row.dossier else {}
    return HandoverLine(
        case_id=row.id,
        kind=row.kind,
        commune_code=row.commune_code,
        registered=bool(row.registered),
        choice=row.choice or "",
        day=row.day or "",
        who=row.who or "",
        done_by=row.done_by or "",
        done_at=row.done_at,
        letter=row.letter or "",
        fields=told.get("dossier", {}).get("fields", {}),
    )


def _in_reach(reach: Reach) -> ColumnElement[bool]:
    return and_(within(_CASE.c.facility, reach.facilities), within(_CASE.c.commune_code, reach.communes))
