"""How far a reader's eyes reach: whose communes, whose facilities. Every query that touches cases takes one.

`None` on an axis means all; an empty set means none. Roles turn into reaches in gateway.web.principal.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, true
from sqlalchemy.sql.elements import SQLCoreOperations


@dataclass(frozen=True, slots=True)
class Reach:
    """`facilities` and `communes` limit cases, `feeds` limits messages (a message has no commune yet)."""

    facilities: frozenset[str] | None = frozenset()
    communes: frozenset[str] | None = frozenset()
    feeds: frozenset[str] | None = frozenset()


EVERYTHING = Reach(None, None, None)


def within(column: SQLCoreOperations[str], codes: frozenset[str] | None) -> ColumnElement[bool]:
    """The condition "this column is one of the codes"; true for None."""
    return true() if codes is None else column.in_(sorted(codes))
