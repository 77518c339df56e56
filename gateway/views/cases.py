"""Cases for the API and the hospital's page: lists without personal data, one case with its newest dossier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, select, tuple_

from gateway.store.tables import CaseMessage, CaseRow, DossierRow
from gateway.store.vault import Vault
from gateway.views.cursor import Page, decode, encode
from gateway.views.reach import Reach, within

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_DOSSIER = DossierRow.__table__  # type: ignore[attr-defined]
_SPOKEN = CaseMessage.__table__  # type: ignore[attr-defined]
_OPEN_COLUMNS = ("id", "kind", "facility", "feed", "status", "commune_code", "version", "opened_at", "changed_at")


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list: ids, codes and instants (microseconds since 1970 UTC) only."""

    id: str
    kind: str
    facility: str
    feed: str
    status: str
    commune_code: str
    version: int
    opened_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """One case with its newest dossier as JSON (personal data), the signed XML if it was sealed, and its messages'
    ids."""

    line: CaseLine
    dossier: dict[str, Any] | None
    dossier_code: str
    dossier_status: str
    xml: str | None
    messages: list[str]


def list_cases(conn: Connection, reach: Reach, after: str | None = None, limit: int = 50) -> Page[CaseLine]:
    """Cases within reach, the last changed first."""
    place = decode(after, int, str)
    query = (
        select(*(_CASE.c[name] for name in _OPEN_COLUMNS))
        .where(_in_reach(reach))
        .order_by(_CASE.c.changed_at.desc(), _CASE.c.id.desc())
        .limit(limit + 1)
    )
    if place is not None:
        query = query.where(tuple_(_CASE.c.changed_at, _CASE.c.id) < tuple_(*place))
    rows = [CaseLine(**row) for row in conn.execute(query).mappings()]
    page = rows[:limit]
    return Page(page, encode(page[-1].changed_at, page[-1].id) if len(rows) > limit else None)


def find_case_detail(conn: Connection, vault: Vault, reach: Reach, case_id: str) -> CaseDetail | None:
    """The case; None when there is none within reach."""
    query = select(*(_CASE.c[name] for name in _OPEN_COLUMNS)).where(_CASE.c.id == case_id, _in_reach(reach))
    row = conn.execute(query).mappings().first()
    if row is None:
        return None
    newest = conn.execute(
        select(_DOSSIER).where(_DOSSIER.c.case_id == case_id).order_by(_DOSSIER.c.version.desc()).limit(1)
    ).first()
    spoken = conn.execute(
        select(_SPOKEN.c.message_id).where(_SPOKEN.c.case_id == case_id).order_by(_SPOKEN.c.message_id)
    ).scalars()
    kept = orjson.loads(vault.unseal(newest.sealed)) if newest else {}
    return CaseDetail(
        line=CaseLine(**row),
        dossier=kept.get("dossier"),
        dossier_code=newest.code if newest else "",
        dossier_status=newest.status if newest else "",
        xml=kept.get("xml"),
        messages=list(spoken),
    )


def _in_reach(reach: Reach) -> ColumnElement[bool]:
    return and_(within(_CASE.c.facility, reach.facilities), within(_CASE.c.commune_code, reach.communes))
