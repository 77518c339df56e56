"""The evidence log for the auditor's page: entries by number, without content."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from gateway.store.tables import Chain, Entry
from gateway.views.cursor import Page, decode, encode

_ENTRY = Entry.__table__  # type: ignore[attr-defined]
_CHAIN = Chain.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One link. `meta` is JSON text without personal data; `hash` in hexadecimal."""

    writer: str
    seq: int
    at: int
    kind: str
    subject: str
    meta: str
    hash: str

    @property
    def id(self) -> str:
        return f"{self.writer}.{self.seq}"


def list_writers(conn: Connection) -> list[tuple[str, int]]:
    """Every chain with its length."""
    return list(conn.execute(select(_CHAIN.c.writer, _CHAIN.c.seq).order_by(_CHAIN.c.writer)))


def list_entries(conn: Connection, writer: str, after: str | None = None, limit: int = 50) -> Page[EntryLine]:
    """One writer's entries, the newest first."""
    place = decode(after, int)
    query = select(_ENTRY).where(_ENTRY.c.writer == writer).order_by(_ENTRY.c.seq.desc()).limit(limit + 1)
    if place is not None:
        query = query.where(_ENTRY.c.seq < place[0])
    lines = [_line(row) for row in conn.execute(query).mappings()]
    page = lines[:limit]
    return Page(page, encode(page[-1].seq) if len(lines) > limit else None)


def list_entries_about(conn: Connection, subject: str, limit: int = 200) -> list[EntryLine]:
    """Everything the log says about one message, case or dossier, in order of time."""
    query = select(_ENTRY).where(_ENTRY.c.subject == subject).order_by(_ENTRY.c.at, _ENTRY.c.seq).limit(limit)
    return [_line(row) for row in conn.execute(query).mappings()]


def _line(row: object) -> EntryLine:
    kept = {name: row[name] for name in ("writer", "seq", "at", "kind", "subject", "meta")}  # type: ignore[index]
    return EntryLine(**kept, hash=row["hash"].hex())  # type: ignore[index]
