"""Cases by the identifiers a hospital knows: its patient number, the tracking id of a message, the paper's number, the
dossier code or the case's own id. Only ids come out; what may be told of a case is gateway.pipeline.answer's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

from gateway.domain.linking import patient_key
from gateway.store.partner_tables import DossierNumber
from gateway.store.tables import CaseKey, CaseMessage, CaseRow, DossierRow, Message
from gateway.store.vault import Vault
from gateway.views.messages import MessageLine
from gateway.views.reach import Reach, within

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_KEY = CaseKey.__table__  # type: ignore[attr-defined]
_SPOKEN = CaseMessage.__table__  # type: ignore[attr-defined]
_NUMBER = DossierNumber.__table__  # type: ignore[attr-defined]
_DOSSIER = DossierRow.__table__  # type: ignore[attr-defined]
_MESSAGE = Message.__table__  # type: ignore[attr-defined]
ANY = ("case", "dossier", "message", "paper", "patient")
"""Every kind of identifier, as `find_named_cases` takes them."""
MOST = 50


@dataclass(frozen=True, slots=True)
class SpokenCase:
    """A case in which a message speaks: ids and states only."""

    id: str
    kind: str
    status: str
    commune_code: str
    changed_at: int


@dataclass(frozen=True, slots=True)
class MessageDetail:
    """One message and what became of it."""

    line: MessageLine
    cases: tuple[SpokenCase, ...]

    def as_json(self) -> dict[str, object]:
        """The envelope with `cases`."""
        return {**asdict(self.line), "cases": [asdict(case) for case in self.cases]}


def find_named_cases(
    conn: Connection, vault: Vault, reach: Reach, facilities: Collection[str], value: str, kinds: Collection[str] = ANY
) -> list[str]:
    """Ids of the cases within reach that `value` names, the last changed first, at most MOST. `facilities` are the
    namespaces of patient numbers to look in (pipeline.interpret.facility_of); `kinds` some of ANY."""
    found = {case_id for kind in kinds for case_id in _named(conn, vault, reach, facilities, value, kind)}
    if not found:
        return []
    query = (
        select(_CASE.c.id)
        .where(
            _CASE.c.id.in_(sorted(found)),
            within(_CASE.c.facility, reach.facilities),
            within(_CASE.c.commune_code, reach.communes),
        )
        .order_by(_CASE.c.changed_at.desc(), _CASE.c.id.desc())
        .limit(MOST)
    )
    return list(conn.execute(query).scalars())


def _named(
    conn: Connection, vault: Vault, reach: Reach, facilities: Collection[str], value: str, kind: str
) -> Iterator[str]:
    """Ids of cases by one kind of identifier, whoever's they are; but no message of another's feed leads anywhere."""
    if kind == "case":
        yield value
    elif kind == "dossier":
        yield from conn.execute(select(_NUMBER.c.case_id).where(_NUMBER.c.code == value)).scalars()
        yield from conn.execute(select(_DOSSIER.c.case_id).where(_DOSSIER.c.code == value)).scalars()
    elif kind == "message":
        spoken = select(_SPOKEN.c.case_id).join(_MESSAGE, _MESSAGE.c.id == _SPOKEN.c.message_id)
        theirs = within(_MESSAGE.c.feed, reach.feeds)
        yield from conn.execute(spoken.where(_SPOKEN.c.message_id == value, theirs)).scalars()
    else:
        keys = [("birth", "paper", value), *(("death", "paper", facility, value) for facility in facilities)]
        if kind == "patient":
            keys = [patient_key(facility, value) for facility in facilities]
        digests = [vault.key(*key) for key in keys]
        if digests:
            yield from conn.execute(select(_KEY.c.case_id).where(_KEY.c.key.in_(digests))).scalars()


def find_message_detail(conn: Connection, reach: Reach, message_id: str) -> MessageDetail | None:
    """One message of the reach's feeds with its cases within reach; None when there is none."""
    envelope = [_MESSAGE.c[name] for name in MessageLine.__dataclass_fields__]
    row = (
        conn.execute(select(*envelope).where(_MESSAGE.c.id == message_id, within(_MESSAGE.c.feed, reach.feeds)))
        .mappings()
        .first()
    )
    if row is None:
        return None
    columns = [_CASE.c[name] for name in SpokenCase.__dataclass_fields__]
    cases = conn.execute(
        select(*columns)
        .join(_SPOKEN, _SPOKEN.c.case_id == _CASE.c.id)
        .where(
            _SPOKEN.c.message_id == message_id,
            within(_CASE.c.facility, reach.facilities),
            within(_CASE.c.commune_code, reach.communes),
        )
        .order_by(_CASE.c.id)
    ).mappings()
    return MessageDetail(MessageLine(**row), tuple(SpokenCase(**case) for case in cases))
