"""Who was refused as a stranger: for the technician who names senders in the settings. No personal data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from gateway.store.tables import UnknownSender

_TABLE = UnknownSender.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class UnknownLine:
    """One stranger. `sender` is what its messages call it, "" when none was read; `place` the mark that was missing the
    last time; instants are ISO 8601 in UTC."""

    sender: str
    address: str
    format: str
    code: str
    place: str
    count: int
    first: str
    last: str


def list_unknown_senders(conn: Connection, limit: int = 200) -> list[UnknownLine]:
    """Strangers, the latest first."""
    query = select(_TABLE).order_by(_TABLE.c.last_at.desc()).limit(limit)
    return [
        UnknownLine(
            **{name: row[name] for name in ("sender", "address", "format", "code", "place", "count")},
            first=_said(row["first_at"]),
            last=_said(row["last_at"]),
        )
        for row in conn.execute(query).mappings()
    ]


def _said(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000, UTC).isoformat()
