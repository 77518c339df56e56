"""Verifies the log of a live store with the stand-alone verifier: the checks that an auditor makes on an export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, select

from gateway.errors import GatewayError
from gateway.messagelog.checkpoint import CheckpointKey
from gateway.messagelog.verify import Report, Row, read_key, verify_rows
from gateway.store.session import Store, stream
from gateway.store.tables import Chain, Checkpoint
from gateway.store.vault import Vault

_CHAIN = Chain.__table__  # type: ignore[attr-defined]
_CHECKPOINT = Checkpoint.__table__  # type: ignore[attr-defined]
_ENTRIES = "SELECT writer, seq, at, kind, subject, meta, digest, hash FROM entry ORDER BY writer, seq"
_WITH_PAYLOADS = """SELECT entry.writer, entry.seq, at, kind, subject, meta, digest, hash, salt, sealed FROM entry
LEFT JOIN payload ON payload.writer = entry.writer AND payload.seq = entry.seq ORDER BY entry.writer, entry.seq"""


def verify_store(store: Store, vault: Vault, more: Iterable[str] = (), payloads: bool = True) -> Report:
    """Check every chain of the store against its hashes, its head and the checkpoints kept here and (`more`) elsewhere.

    `payloads` False leaves the payloads alone, which is several times faster.
    """
    key = read_key(CheckpointKey.open(vault.directory).public_pem)
    with store.read() as conn:
        kept = conn.execute(select(_CHECKPOINT.c.jws).order_by(_CHECKPOINT.c.id)).scalars().all()
        heads = {row.writer: (row.seq, bytes(row.hash)) for row in conn.execute(select(_CHAIN))}
        rows = opened_rows(conn, vault) if payloads else stream(conn, _ENTRIES)
        return verify_rows(rows, [*kept, *more], key, heads=heads, look_into=payloads)


def opened_rows(conn: Connection, vault: Vault, where: str = "", values: tuple[object, ...] = ()) -> Iterator[Row]:
    """Entries with their salts and payloads, decrypted, in the order of writer and number."""
    sql = _WITH_PAYLOADS.replace(" ORDER", f" {where} ORDER") if where else _WITH_PAYLOADS
    for row in stream(conn, sql, values):
        yield (*row[:9], _opened(vault, row[9]))


def _opened(vault: Vault, sealed: bytes | None) -> bytes | None:
    """The payload. Bytes altered in the store cannot be opened and stand for themselves: no digest fits them."""
    if sealed is None:
        return None
    try:
        return vault.unseal(sealed)
    except GatewayError as error:
        if error.code != "vault.altered":
            raise
        return sealed
