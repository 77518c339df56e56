"""The evidence log: for every writer one hash chain of entries, payloads encrypted beside it (DESIGN section 7).

An entry's hash is SHA-256 over the hash before it, then the lengths (4 bytes each, big-endian) and then the bytes of
the fields writer, seq, at, kind, subject, meta and digest; numbers as decimal text. The first entry follows 32 zero
bytes. The digest of a payload is SHA-256(salt || payload) with 16 random bytes of salt, so that after erasure nobody
can confirm a guess of what stood there. `verify.py` computes the same from this description alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Any

import orjson
from sqlalchemy import Connection, select

from gateway.errors import GatewayError
from gateway.store.session import execute, insert_rows
from gateway.store.tables import Entry, Payload
from gateway.store.vault import Vault

GENESIS = bytes(32)
_ENTRY = Entry.__table__  # type: ignore[attr-defined]
_PAYLOAD = Payload.__table__  # type: ignore[attr-defined]
_LENGTHS = Struct(">7I").pack
_HEAD = "SELECT seq, hash FROM chain WHERE writer = ?"
_FOUND = "INSERT INTO chain (writer, seq, hash) VALUES (?, 0, ?) ON CONFLICT DO NOTHING"
_MOVE = "UPDATE chain SET seq = ?, hash = ? WHERE writer = ?"
_FIND_PAYLOAD = "SELECT sealed FROM payload WHERE writer = ? AND seq = ?"
_INTO_ENTRY = "entry (writer, seq, at, kind, subject, meta, digest, hash)"
_INTO_PAYLOAD = "payload (writer, seq, salt, sealed)"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What happened. `subject` "" means the entry itself (a received message); `meta` and `subject` hold no personal
    data; `payload` is what the entry is evidence of, None when there is nothing more."""

    kind: str
    subject: str
    meta: Mapping[str, Any]
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry as stored. `at` is microseconds since 1970 UTC."""

    writer: str
    seq: int
    at: int
    kind: str
    subject: str
    meta: Mapping[str, Any]
    digest: bytes
    hash: bytes

    @property
    def ref(self) -> str:
        """How others name this entry: "<writer>.<seq>"."""
        return f"{self.writer}.{self.seq}"


def append(conn: Connection, vault: Vault, writer: str, at: int, entries: Sequence[NewEntry]) -> list[str]:
    """Add entries to a writer's chain within the caller's transaction; returns their references "<writer>.<seq>".

    The chain's head stays locked until the transaction ends, so that two processes of one writer take turns.
    """
    seq, previous = _locked_head(conn, writer)
    rows, payloads, refs = [], [], []
    for entry in entries:
        seq += 1
        ref = f"{writer}.{seq}"
        digest = b""
        if entry.payload is not None:
            salt = os.urandom(16)
            digest = sha256(salt + entry.payload).digest()
            payloads.append((writer, seq, salt, vault.seal(entry.payload)))
        subject = entry.subject or ref
        meta = orjson.dumps(entry.meta, option=orjson.OPT_SORT_KEYS).decode()
        previous = link(previous, writer, seq, at, entry.kind, subject, meta, digest)
        rows.append((writer, seq, at, entry.kind, subject, meta, digest, previous))
        refs.append(ref)
    if rows:
        insert_rows(conn, _INTO_ENTRY, rows)
        insert_rows(conn, _INTO_PAYLOAD, payloads)
        execute(conn, _MOVE, (seq, previous, writer))
    return refs


def link(previous: bytes, writer: str, seq: int, at: int, kind: str, subject: str, meta: str, digest: bytes) -> bytes:
    """The hash of one entry."""
    fields = [writer.encode(), b"%d" % seq, b"%d" % at, kind.encode(), subject.encode(), meta.encode(), digest]
    return sha256(previous + _LENGTHS(*map(len, fields)) + b"".join(fields)).digest()


def payload_of(conn: Connection, vault: Vault, ref: str) -> bytes:
    """The payload an entry is evidence of. Raises GatewayError `log.no_payload` when it has none or it was erased."""
    writer, seq = split_ref(ref)
    row = execute(conn, _FIND_PAYLOAD, (writer, seq)).fetchone()
    if row is None:
        raise GatewayError("log.no_payload", f"entry {ref} has no payload, or it was erased")
    return vault.unseal(bytes(row[0]))


def entries_of(conn: Connection, subject: str) -> list[LoggedEntry]:
    """Everything logged about a message, case or user, in the order it happened."""
    rows = conn.execute(
        select(_ENTRY).where(_ENTRY.c.subject == subject).order_by(_ENTRY.c.at, _ENTRY.c.writer, _ENTRY.c.seq)
    )
    return [LoggedEntry(**{**row, "meta": orjson.loads(row["meta"])}) for row in rows.mappings()]


def erase(conn: Connection, ref: str) -> bool:
    """Delete the payload of an entry; the chain still verifies. False when there was none."""
    writer, seq = split_ref(ref)
    return bool(execute(conn, "DELETE FROM payload WHERE writer = ? AND seq = ?", (writer, seq)).rowcount)


def split_ref(ref: str) -> tuple[str, int]:
    """("<writer>", <seq>). Raises GatewayError `log.bad_reference` when `ref` is not a reference."""
    writer, dot, seq = ref.rpartition(".")
    if not dot or not seq.isascii() or not seq.isdigit():
        raise GatewayError("log.bad_reference", "a log entry is named <writer>.<number>")
    return writer, int(seq)


def _locked_head(conn: Connection, writer: str) -> tuple[int, bytes]:
    lock = _HEAD if conn.dialect.name == "sqlite" else f"{_HEAD} FOR UPDATE"
    row = execute(conn, lock, (writer,)).fetchone()
    if row is None:
        execute(conn, _FOUND, (writer, GENESIS))
        row = execute(conn, lock, (writer,)).fetchone()
    return row[0], bytes(row[1])
