"""The officer's desk: dossiers of the reader's communes, the most pressing legal deadline first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Row, and_, func, select, tuple_

from gateway.domain.corrections import corrections_between
from gateway.domain.dossier import Correction, from_json
from gateway.domain.registration import CORRECTED, WITHDRAWING, kept_as, state_and_news
from gateway.store.tables import DeskItem, DossierRow
from gateway.store.vault import Vault
from gateway.views.cursor import Page, decode, encode
from gateway.views.reach import Reach, within

_ITEM = DeskItem.__table__  # type: ignore[attr-defined]
_DOSSIER = DossierRow.__table__  # type: ignore[attr-defined]

STATES = ("received", "accepted", "needs_more", "registered", "refused", "cancelled")
OPEN = ("received", "accepted", "needs_more")


@dataclass(frozen=True, slots=True)
class DeskLine:
    """One row of the desk. `fields` are the dossier's; instants are microseconds since 1970 UTC; `news` is what the
    officer has not answered: "", "corrected" or "withdrawing" (gateway.domain.registration)."""

    code: str
    case_id: str
    kind: str
    commune_code: str
    version: int
    state: str
    received_at: int
    changed_at: int
    register_by: str
    fields: Mapping[str, Any]
    news: str = ""


@dataclass(frozen=True, slots=True)
class DeskDossier:
    """One dossier opened: the line, the dossier as JSON (domain.dossier.as_json), the signed XML and the officer's
    words. `corrections` are what changed since the officer last acted on it; `versions` the signed XML of those that
    came before, by number."""

    line: DeskLine
    dossier: Mapping[str, Any]
    xml: str
    words: str
    result: Mapping[str, str]
    history: list[Mapping[str, Any]] = field(default_factory=list)
    corrections: tuple[Correction, ...] = ()
    versions: Mapping[int, str] = field(default_factory=dict)


def with_news(states: Iterable[str] = STATES) -> tuple[str, ...]:
    """What `list_desk` finds dossiers of these states by that have unanswered news."""
    return tuple(kept_as(state, news) for state in states for news in (WITHDRAWING, CORRECTED))


def count_desk(conn: Connection, reach: Reach) -> dict[str, int]:
    """How many dossiers the desk holds in each state, and how many have unanswered news: "corrected",
    "withdrawing"."""
    own = within(_ITEM.c.commune_code, reach.communes)
    rows = conn.execute(select(_ITEM.c.state, func.count()).where(own).group_by(_ITEM.c.state)).all()
    counts = dict.fromkeys((*STATES, CORRECTED, WITHDRAWING), 0)
    for kept, number in rows:
        state, news = state_and_news(kept)
        for name in filter(None, (state, news)):
            counts[name] += number
    return counts


def list_desk(
    conn: Connection, vault: Vault, reach: Reach, states: Collection[str], after: str | None = None, limit: int = 25
) -> Page[DeskLine]:
    """Dossiers in `states`, by legal deadline and code; without unanswered news unless `states` are `with_news`.
    `after` is the cursor of the page before."""
    place = decode(after, str, str)
    query = (
        select(_ITEM, _DOSSIER.c.sealed.label("dossier"))
        .outerjoin(_DOSSIER, and_(_DOSSIER.c.case_id == _ITEM.c.case_id, _DOSSIER.c.version == _ITEM.c.version))
        .where(within(_ITEM.c.commune_code, reach.communes), _ITEM.c.state.in_(list(states)))
        .order_by(_ITEM.c.register_by, _ITEM.c.code)
        .limit(limit + 1)
    )
    if place is not None:
        query = query.where(tuple_(_ITEM.c.register_by, _ITEM.c.code) > tuple_(*place))
    rows = conn.execute(query).all()
    lines = [_line(row, _opened(vault, row.dossier)) for row in rows[:limit]]
    return Page(lines, encode(lines[-1].register_by, lines[-1].code) if len(rows) > limit else None)


def find_on_desk(conn: Connection, vault: Vault, reach: Reach, code: str) -> DeskDossier | None:
    """The dossier with this code; None when there is none within reach, so that nobody learns of another's."""
    row = conn.execute(
        select(_ITEM, _DOSSIER.c.sealed.label("dossier"))
        .outerjoin(_DOSSIER, and_(_DOSSIER.c.case_id == _ITEM.c.case_id, _DOSSIER.c.version == _ITEM.c.version))
        .where(_ITEM.c.code == code, within(_ITEM.c.commune_code, reach.communes))
    ).first()
    if row is None:
        return None
    dossier = _opened(vault, row.dossier)
    kept = orjson.loads(vault.unseal(row.sealed))
    return DeskDossier(
        line=_line(row, dossier),
        dossier=dossier,
        xml=kept["xml"],
        words=kept.get("words") or "",
        result=kept.get("result") or {},
        history=kept.get("history") or [],
        corrections=_since(conn, vault, row, kept.get("looked", row.version), dossier),
        versions={int(version): xml for version, xml in kept.get("versions", {}).items()},
    )


def _since(
    conn: Connection, vault: Vault, row: Row[Any], looked: int, dossier: Mapping[str, Any]
) -> tuple[Correction, ...]:
    """What the newest version says otherwise than the one the officer acted on; than the one before, if that is
    erased."""
    if not dossier or looked >= row.version:
        return ()
    seen = select(_DOSSIER.c.sealed).where(_DOSSIER.c.case_id == row.case_id, _DOSSIER.c.version == looked)
    before = _opened(vault, conn.execute(seen).scalar())
    newest = from_json(dossier)
    return corrections_between(before, newest) if before else newest.corrections


def _opened(vault: Vault, sealed: bytes | None) -> Mapping[str, Any]:
    """The dossier as JSON; {} when the row was erased while the desk still holds the code."""
    opened: Mapping[str, Any] = orjson.loads(vault.unseal(sealed))["dossier"] if sealed else {}
    return opened


def _line(row: Row[Any], dossier: Mapping[str, Any]) -> DeskLine:
    state, news = state_and_news(row.state)
    return DeskLine(
        code=row.code,
        case_id=row.case_id,
        kind=row.kind,
        commune_code=row.commune_code,
        version=row.version,
        state=state,
        received_at=row.received_at,
        changed_at=row.changed_at,
        register_by=row.register_by,
        fields=dossier.get("dossier", {}).get("fields", {}),
        news=news,
    )
