"""Possible duplicates that nobody has decided yet, the longest waiting first.

Whoever may see both cases decides. Who may see one of them learns that there is another and whose commune it is,
nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, Select, or_, select, tuple_

from gateway.store.tables import CaseRow, PossibleDuplicate
from gateway.views.cursor import Page, decode, encode
from gateway.views.reach import Reach, within

_PAIR = PossibleDuplicate.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_ONE, _TWO = _CASE.alias("one"), _CASE.alias("two")
_SHOWN = ("id", "facility", "feed", "status", "commune_code", "version", "opened_at", "changed_at")
_OVER = ("cancelled", "merged")
_COUNTED = 100


@dataclass(frozen=True, slots=True)
class DuplicateSide:
    """One case of a pair; `reachable` when the reader may see it. Instants are microseconds since 1970 UTC."""

    id: str
    facility: str
    feed: str
    status: str
    commune_code: str
    version: int
    opened_at: int
    changed_at: int
    reachable: bool


@dataclass(frozen=True, slots=True)
class DuplicateLine:
    """An open pair. `agree` and `differ` are codes of domain.duplicates."""

    id: str
    kind: str
    agree: tuple[str, ...]
    differ: tuple[str, ...]
    proposed_at: int
    sides: tuple[DuplicateSide, DuplicateSide]

    @property
    def whole(self) -> bool:
        """Whether the reader may see both cases, and so decide."""
        return all(side.reachable for side in self.sides)

    def other(self, case_id: str) -> DuplicateSide:
        """The case that is paired with this one."""
        return self.sides[self.sides[0].id == case_id]


def list_duplicates(conn: Connection, reach: Reach, after: str | None = None, limit: int = 10) -> Page[DuplicateLine]:
    """Open pairs with a case within reach. `after` is the cursor of the page before."""
    place = decode(after, int, str)
    query = _query(reach).limit(limit + 1)
    if place is not None:
        query = query.where(tuple_(_PAIR.c.proposed_at, _PAIR.c.id) > tuple_(*place))
    lines = [_line(row, reach) for row in conn.execute(query).mappings()]
    page = lines[:limit]
    return Page(page, encode(page[-1].proposed_at, page[-1].id) if len(lines) > limit else None)


def find_duplicate(conn: Connection, reach: Reach, pair_id: str) -> DuplicateLine | None:
    """The open pair; None when there is none with a case within reach."""
    row = conn.execute(_query(reach).where(_PAIR.c.id == pair_id)).mappings().first()
    return None if row is None else _line(row, reach)


def list_duplicates_of(conn: Connection, reach: Reach, case_id: str) -> list[DuplicateLine]:
    """The open pairs of one case that the reader sees."""
    query = _query(reach).where(or_(_PAIR.c.first == case_id, _PAIR.c.second == case_id)).order_by(None)
    return [_line(row, reach) for row in conn.execute(query).mappings()]


def count_duplicates(conn: Connection, reach: Reach) -> int:
    """How many open pairs the reader may see in whole, among the oldest 100."""
    query = _query(reach).with_only_columns(_ONE.c.commune_code, _TWO.c.commune_code).limit(_COUNTED)
    return sum(_may_see(reach, one) and _may_see(reach, two) for one, two in conn.execute(query))


def _query(reach: Reach) -> Select[Any]:
    sides = [side.c[name].label(f"{side.name}_{name}") for side in (_ONE, _TWO) for name in _SHOWN]
    either = or_(*(within(side.c.commune_code, reach.communes) for side in (_ONE, _TWO)))
    return (
        select(_PAIR.c.id, _PAIR.c.kind, _PAIR.c.evidence, _PAIR.c.proposed_at, *sides)
        .join(_ONE, _ONE.c.id == _PAIR.c.first)
        .join(_TWO, _TWO.c.id == _PAIR.c.second)
        .where(_PAIR.c.decided_at.is_(None), *(side.c.status.not_in(_OVER) for side in (_ONE, _TWO)), either)
        .order_by(_PAIR.c.proposed_at, _PAIR.c.id)
    )


def _line(row: RowMapping, reach: Reach) -> DuplicateLine:
    evidence = orjson.loads(row["evidence"])
    return DuplicateLine(
        id=row["id"],
        kind=row["kind"],
        agree=tuple(evidence["agree"]),
        differ=tuple(evidence["differ"]),
        proposed_at=row["proposed_at"],
        sides=(_side(row, "one", reach), _side(row, "two", reach)),
    )


def _side(row: RowMapping, name: str, reach: Reach) -> DuplicateSide:
    told = {column: row[f"{name}_{column}"] for column in _SHOWN}
    return DuplicateSide(**told, reachable=_may_see(reach, told["commune_code"]))


def _may_see(reach: Reach, commune_code: str) -> bool:
    return reach.communes is None or commune_code in reach.communes
