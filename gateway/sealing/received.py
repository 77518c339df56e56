"""When the messages of a case came, and what the evidence log holds of them: for the receipt in a container."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from gateway.store.session import execute

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MESSAGES = """SELECT m.id, m.received_at, m.type FROM case_message cm JOIN message m ON m.id = cm.message_id
WHERE cm.case_id = ? ORDER BY m.received_at, m.id"""
_DIGEST = "SELECT digest FROM entry WHERE writer = ? AND seq = ?"


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """One message: its number in the log `<writer>.<seq>`, when it came (aware), its type, and the salted digest
    of its content (hexadecimal) by which an export of the log proves it; "" when the log's entry is gone."""

    id: str
    at: datetime
    type: str
    digest: str


def received_of(conn: Connection, case_id: str) -> tuple[ReceivedMessage, ...]:
    """The messages that speak in a case, in the order they came."""
    rows = execute(conn, _MESSAGES, (case_id,)).fetchall()
    return tuple(
        ReceivedMessage(message, _EPOCH + timedelta(microseconds=at), kind, _digest_of(conn, message))
        for message, at, kind in rows
    )


def _digest_of(conn: Connection, message: str) -> str:
    writer, _, seq = message.rpartition(".")
    found = execute(conn, _DIGEST, (writer, int(seq))).fetchone() if seq.isdecimal() else None
    return bytes(found[0]).hex() if found else ""
