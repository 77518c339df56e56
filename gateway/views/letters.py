"""Letters: which registered cases have theirs, which are late, which have none. "On time and for every case" is this
query: it starts from the register's side, so a case whose work was lost, or that is older than letters, is found too.

When a case was registered is what the evidence log says: the first entry by which a commune said so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from gateway.store.partner_tables import Letter as LetterRow
from gateway.store.partner_tables import OutcomeRow
from gateway.store.tables import CaseKey, CaseRow, DeskItem, Entry
from gateway.views.reach import Reach, within

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_DESK = DeskItem.__table__  # type: ignore[attr-defined]
_ENTRY = Entry.__table__  # type: ignore[attr-defined]
_KEY = CaseKey.__table__  # type: ignore[attr-defined]
_LETTER = LetterRow.__table__  # type: ignore[attr-defined]
_OUTCOME = OutcomeRow.__table__  # type: ignore[attr-defined]
_ON_DESK = ("registered", "registered+corrected", "registered+withdrawing")
HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class LetterLine:
    """One registered case; `letter` is its letter's kind (birth, death, withheld), "" while it has none. Instants are
    microseconds since 1970 UTC."""

    case_id: str
    kind: str
    commune_code: str
    registered_at: int
    letter: str
    made_at: int | None

    def hours(self, now: int) -> float:
        """From the registration to the letter, or to now."""
        return ((self.made_at or now) - self.registered_at) / HOUR


def list_letters(conn: Connection, reach: Reach, since: int = 0, until: int | None = None) -> list[LetterLine]:
    """Every case within reach that was registered from `since` to before `until`, the earliest first."""
    said = _first_said(_CASE.c.id).scalar_subquery()
    query = (
        select(
            _CASE.c.id, _CASE.c.kind, _CASE.c.commune_code, _CASE.c.changed_at, said, _LETTER.c.kind, _LETTER.c.made_at
        )
        .outerjoin(_LETTER, _LETTER.c.case_id == _CASE.c.id)
        # Whatever changed last changed after the registration: the index leaves older cases out.
        .where(is_registered(), _CASE.c.changed_at >= since, _in_reach(reach))
        .order_by(_CASE.c.changed_at, _CASE.c.id)
    )
    rows = (
        LetterLine(case, kind, commune, at or changed, letter or "", made)
        for case, kind, commune, changed, at, letter, made in conn.execute(query)
    )
    chosen = (line for line in rows if line.registered_at >= since and (until is None or line.registered_at < until))
    return sorted(chosen, key=lambda line: (line.registered_at, line.case_id))


def registered_at(conn: Connection, case_id: str) -> int | None:
    """When a commune first said that a case is registered; None when none did."""
    at: int | None = conn.execute(_first_said(case_id)).scalar()
    return at


def is_registered() -> ColumnElement[bool]:
    """The condition on a case that it is in the register: by its own state, or, while news about it is open, by the
    newest word of its commune or the desk."""
    word = (
        select(_OUTCOME.c.case_id)
        .where(_OUTCOME.c.case_id == _CASE.c.id, _OUTCOME.c.state == "registered")
        .correlate(_CASE)
    )
    desk = select(_DESK.c.case_id).where(_DESK.c.case_id == _CASE.c.id, _DESK.c.state.in_(_ON_DESK)).correlate(_CASE)
    return or_(_CASE.c.status == "registered", word.exists(), desk.exists())


def child_died() -> ColumnElement[bool]:
    """The condition on a birth that there is a death of the same child."""
    mine, other, death = _KEY.alias(), _KEY.alias(), _CASE.alias()
    same = select(death.c.id).join(other, other.c.case_id == death.c.id).join(mine, mine.c.key == other.c.key)
    dead = and_(death.c.kind == "death", death.c.status.not_in(("cancelled", "merged")))
    return and_(_CASE.c.kind == "birth", same.where(mine.c.case_id == _CASE.c.id, dead).correlate(_CASE).exists())


def has_death(conn: Connection, case_id: str) -> bool:
    """Whether a case is a birth and there is a death of the same child."""
    return conn.execute(select(_CASE.c.id).where(_CASE.c.id == case_id, child_died())).first() is not None


def _first_said(case_id: Any) -> Any:
    kinds = _ENTRY.c.kind.in_(("forwarded", "followed"))
    registered = _ENTRY.c.meta.contains('"state":"registered"', autoescape=True)
    return select(func.min(_ENTRY.c.at)).where(_ENTRY.c.subject == case_id, kinds, registered)


def _in_reach(reach: Reach) -> ColumnElement[bool]:
    return and_(within(_CASE.c.facility, reach.facilities), within(_CASE.c.commune_code, reach.communes))
