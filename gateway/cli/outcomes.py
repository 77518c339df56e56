"""What became of a message: its relevance, cases, identity verdicts, dossiers and where they lie. Read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from gateway.pipeline.cases import load_case
from gateway.pipeline.receive import content_key_of
from gateway.pipeline.services import Services
from gateway.store.tables import CaseMessage, CaseRow, DeskItem, DossierRow, Message

_MESSAGE = Message.__table__  # type: ignore[attr-defined]
_LINK = CaseMessage.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_DOSSIER = DossierRow.__table__  # type: ignore[attr-defined]
_ITEM = DeskItem.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """One case as the demo shows it. `identity` is "mother matched, father not_found"; `state` the desk's, else the
    case's own."""

    id: str
    kind: str
    identity: str
    procedure: str
    commune_code: str
    state: str


@dataclass(frozen=True, slots=True)
class MessageOutcome:
    """`relevance` None: not interpreted yet."""

    id: str
    relevance: str | None
    cases: tuple[CaseOutcome, ...]


def outcomes_of(services: Services, contents: Sequence[bytes]) -> list[MessageOutcome | None]:
    """For each message content what became of it; None for a message that was refused and so is only in the log."""
    with services.store.read() as conn:
        return [_outcome(conn, services, raw) for raw in contents]


def _outcome(conn: Connection, services: Services, raw: bytes) -> MessageOutcome | None:
    content = _MESSAGE.c.content_key == content_key_of(services.vault, raw)
    row = conn.execute(select(_MESSAGE.c.id, _MESSAGE.c.relevance).where(content)).first()
    if row is None:
        return None
    linked = select(_LINK.c.case_id).where(_LINK.c.message_id == row.id).order_by(_LINK.c.case_id)
    cases = tuple(_case(conn, services, case_id) for case_id in conn.execute(linked).scalars())
    return MessageOutcome(row.id, row.relevance, cases)


def _case(conn: Connection, services: Services, case_id: str) -> CaseOutcome:
    case = conn.execute(select(_CASE).where(_CASE.c.id == case_id)).one()
    newest = select(_DOSSIER).where(_DOSSIER.c.case_id == case_id).order_by(_DOSSIER.c.version.desc()).limit(1)
    dossier = conn.execute(newest).first()
    lies = conn.execute(select(_ITEM.c.state).where(_ITEM.c.case_id == case_id)).scalar()
    asked = load_case(conn, services.vault, case_id).identity
    return CaseOutcome(
        id=case_id,
        kind=case.kind,
        identity=", ".join(f"{role} {result.verdict}" for role, result in sorted(asked.items())),
        procedure=dossier.procedure if dossier else "",
        commune_code=case.commune_code,
        state=f"desk: {lies}" if lies else case.status,
    )
