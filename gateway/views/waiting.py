"""Cases that lie on no desk because a person has to settle something first: whose newest dossier is `waiting`.

Whoever may act in every commune sees them all. An officer of single communes sees a case only when it may concern the
own commune: its commune is theirs, or is undecided with theirs among the candidates. Candidates lie in the encrypted
part, so for such an officer the undecided ones are opened one after the other; people settle them, so they stay few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, func, or_, select, tuple_

from gateway.store.tables import CaseRow, DossierRow
from gateway.store.vault import Vault
from gateway.views.cursor import Page, decode, encode
from gateway.views.reach import Reach

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_DOSSIER = DossierRow.__table__  # type: ignore[attr-defined]
_COUNTED = 300
_CHUNK = 50


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """One case that waits. `version` is the case's; `again` when a decision or message came since the dossier was made,
    so that it is about to be made anew. `since` is in microseconds since 1970 UTC; `dossier` as domain.dossier.as_json;
    `candidates` are commune codes, `commune_code` "" while the commune is undecided."""

    case_id: str
    kind: str
    version: int
    again: bool
    commune_code: str
    candidates: tuple[str, ...]
    since: int
    register_by: str
    dossier: Mapping[str, Any]

    @property
    def fields(self) -> Mapping[str, Any]:
        """The dossier's fields by national name."""
        fields: Mapping[str, Any] = self.dossier["dossier"]["fields"]
        return fields


@dataclass(frozen=True, slots=True)
class WaitingCount:
    """How many cases wait; `more` when only the oldest were looked at and there may be others."""

    number: int
    more: bool = False


def list_waiting(
    conn: Connection, vault: Vault, reach: Reach, after: str | None = None, limit: int = 25
) -> Page[WaitingCase]:
    """The cases that wait within reach, the longest waiting first. `after` is the cursor of the page before."""
    found: list[WaitingCase] = []
    for case in _within(conn, vault, reach, _after(_query(reach), after)):
        if len(found) == limit:
            return Page(found, encode(found[-1].since, found[-1].case_id))
        found.append(case)
    return Page(found)


def find_waiting(conn: Connection, vault: Vault, reach: Reach, case_id: str) -> WaitingCase | None:
    """The case; None when it does not wait or is out of reach, so that nobody learns of another's."""
    return next(_within(conn, vault, reach, _query(reach).where(_DOSSIER.c.case_id == case_id)), None)


def count_waiting(conn: Connection, vault: Vault, reach: Reach) -> WaitingCount:
    """How many wait within reach; for an officer of single communes among the oldest 300."""
    if reach.communes is None:
        every = select(func.count()).select_from(_DOSSIER).where(_DOSSIER.c.status == "waiting")
        return WaitingCount(conn.execute(every).scalar_one())
    if not reach.communes:
        return WaitingCount(0)
    rows = conn.execute(_query(reach).limit(_COUNTED)).all()
    return WaitingCount(sum(_may_see(reach, _opened(vault, row)) for row in rows), len(rows) == _COUNTED)


def _query(reach: Reach) -> Select[Any]:
    """Waiting dossiers, oldest first. Facilities do not narrow here: no hospital settles cases."""
    query = (
        select(
            _DOSSIER.c.case_id,
            _DOSSIER.c.commune_code,
            _DOSSIER.c.changed_at,
            _DOSSIER.c.register_by,
            _DOSSIER.c.sealed,
            _CASE.c.kind,
            _CASE.c.version,
            _CASE.c.prepared,
        )
        .join(_CASE, _CASE.c.id == _DOSSIER.c.case_id)
        .where(_DOSSIER.c.status == "waiting")
        .order_by(_DOSSIER.c.changed_at, _DOSSIER.c.case_id)
    )
    if reach.communes is None:
        return query
    return query.where(or_(_DOSSIER.c.commune_code == "", _DOSSIER.c.commune_code.in_(sorted(reach.communes))))


def _after(query: Select[Any], cursor: str | None) -> Select[Any]:
    place = decode(cursor, int, str)
    return query if place is None else query.where(tuple_(_DOSSIER.c.changed_at, _DOSSIER.c.case_id) > tuple_(*place))


def _within(conn: Connection, vault: Vault, reach: Reach, query: Select[Any]) -> Iterator[WaitingCase]:
    with conn.execute(query.execution_options(yield_per=_CHUNK)) as rows:
        for row in rows:
            case = _opened(vault, row)
            if _may_see(reach, case):
                yield case


def _may_see(reach: Reach, case: WaitingCase) -> bool:
    if reach.communes is None:
        return True
    concerned = {case.commune_code} if case.commune_code else set(case.candidates)
    return bool(reach.communes & concerned)


def _opened(vault: Vault, row: Row[Any]) -> WaitingCase:
    dossier = orjson.loads(vault.unseal(bytes(row.sealed)))["dossier"]
    return WaitingCase(
        case_id=row.case_id,
        kind=row.kind,
        version=row.version,
        again=row.prepared < row.version,
        commune_code=row.commune_code,
        candidates=tuple(place["code"] for place in dossier["commune"]["candidates"]),
        since=row.changed_at,
        register_by=row.register_by,
        dossier=dossier,
    )
