"""Cases that stopped on their way to the commune: its system sent the dossier back, or every attempt failed.

Nobody finds them on a desk, so the page of what waits for a person names them, with the far side's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, and_, func, select

from gateway.store.tables import CaseRow, DossierRow
from gateway.store.vault import Vault
from gateway.views.outcomes import find_outcome
from gateway.views.reach import Reach, within

HALTED = ("rejected", "undelivered")
"""States of a case (domain.journey) that last until somebody does something."""
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_DOSSIER = DossierRow.__table__  # type: ignore[attr-defined]
_COLUMNS = (*(_CASE.c[name] for name in ("id", "kind", "status", "commune_code", "changed_at")),
            *(_DOSSIER.c[name] for name in ("register_by", "sealed")))  # fmt: skip


@dataclass(frozen=True, slots=True)
class HaltedCase:
    """One case that stopped. `since` is in microseconds since 1970 UTC; `fields` are the newest dossier's by national
    name; `words` are the far side's, "" when it never answered."""

    case_id: str
    kind: str
    status: str
    commune_code: str
    since: int
    register_by: str
    fields: Mapping[str, Any]
    words: str


def list_halted(conn: Connection, vault: Vault, reach: Reach, limit: int = 50) -> list[HaltedCase]:
    """At most `limit` of each state within reach, the longest stopped first."""
    rows = [row for state in HALTED for row in conn.execute(_query(reach, state).limit(limit))]
    return [_opened(conn, vault, row) for row in rows]


def count_halted(conn: Connection, reach: Reach) -> int:
    """How many stopped within reach."""
    every = select(func.count()).select_from(_CASE).where(_CASE.c.status.in_(HALTED))
    counted: int = conn.execute(every.where(within(_CASE.c.commune_code, reach.communes))).scalar_one()
    return counted


def _query(reach: Reach, state: str) -> Select[Any]:
    """One state by itself: its index gives the order, nothing is sorted."""
    later = _DOSSIER.alias()
    newest = select(func.max(later.c.version)).where(later.c.case_id == _CASE.c.id).correlate(_CASE).scalar_subquery()
    return (
        select(*_COLUMNS)
        .select_from(_CASE)
        .join(_DOSSIER, and_(_DOSSIER.c.case_id == _CASE.c.id, _DOSSIER.c.version == newest))
        .where(_CASE.c.status == state, within(_CASE.c.commune_code, reach.communes))
        .order_by(_CASE.c.changed_at, _CASE.c.id)
    )


def _opened(conn: Connection, vault: Vault, row: Row[Any]) -> HaltedCase:
    dossier = orjson.loads(vault.unseal(bytes(row.sealed)))["dossier"]
    outcome = find_outcome(conn, vault, row.id) if row.status == "rejected" else None
    return HaltedCase(
        case_id=row.id,
        kind=row.kind,
        status=row.status,
        commune_code=row.commune_code,
        since=row.changed_at,
        register_by=row.register_by,
        fields=dossier["dossier"]["fields"],
        words=outcome.words if outcome else "",
    )
