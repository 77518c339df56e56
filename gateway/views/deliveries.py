"""Deliveries to communes: one lane per case, and how far it got."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, literal, select, tuple_

from gateway.store.tables import CaseRow, Lane
from gateway.views.cursor import Page, decode, encode
from gateway.views.reach import Reach, within

_LANE = Lane.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
PREFIX = "dossier:"
"""A delivery lane's key is this and the case's id."""


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """`state`: idle (nothing to do) | due (waiting or retrying at `run_at`) | dead (given up; a person re-drives
    it)."""

    case_id: str
    commune_code: str
    case_status: str
    state: str
    tries: int
    error: str
    run_at: int | None


def list_deliveries(conn: Connection, reach: Reach, after: str | None = None, limit: int = 50) -> Page[DeliveryLine]:
    """Deliveries of the cases within reach, the case last changed first."""
    place = decode(after, int, str)
    query = (
        select(_CASE.c.id, _CASE.c.commune_code, _CASE.c.status, _CASE.c.changed_at, _LANE)
        .join(_LANE, _LANE.c.key == literal(PREFIX).concat(_CASE.c.id))
        .where(within(_CASE.c.facility, reach.facilities), within(_CASE.c.commune_code, reach.communes))
        .order_by(_CASE.c.changed_at.desc(), _CASE.c.id.desc())
        .limit(limit + 1)
    )
    if place is not None:
        query = query.where(tuple_(_CASE.c.changed_at, _CASE.c.id) < tuple_(*place))
    rows = conn.execute(query).all()
    lines = [
        DeliveryLine(
            row.id, row.commune_code, row.status, _state(row.run_at, row.dead), row.tries, row.error, row.run_at
        )
        for row in rows[:limit]
    ]
    return Page(lines, encode(rows[limit - 1].changed_at, rows[limit - 1].id) if len(rows) > limit else None)


def _state(run_at: int | None, dead: bool) -> str:
    if dead:
        return "dead"
    return "idle" if run_at is None else "due"
