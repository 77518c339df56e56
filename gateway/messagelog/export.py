"""Writes a period of the log so that an auditor can verify it offline, with nothing of ours but one Python file.

The directory holds `log.sqlite` (tables entry, payload, checkpoint, before, period), `checkpoint-key.pem`, `verify.py`
and `READ_ME.txt`. Payloads are in clear: the export is personal data and must be kept as such.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from gateway.messagelog import verify
from gateway.messagelog.audit import opened_rows
from gateway.messagelog.checkpoint import CheckpointKey
from gateway.store.session import Store, execute
from gateway.store.vault import Vault

_BATCH = 500
_TABLES = """
CREATE TABLE entry (writer TEXT, seq INTEGER, at INTEGER, kind TEXT, subject TEXT, meta TEXT, digest BLOB, hash BLOB,
    PRIMARY KEY (writer, seq)) WITHOUT ROWID;
CREATE TABLE payload (writer TEXT, seq INTEGER, salt BLOB, body BLOB, PRIMARY KEY (writer, seq));
CREATE TABLE checkpoint (at INTEGER, jws TEXT);
CREATE TABLE before (writer TEXT PRIMARY KEY, seq INTEGER, hash BLOB);
CREATE TABLE period (since INTEGER, until INTEGER);
"""
_READ_ME = """Evidence log of a hotich gateway. CONFIDENTIAL: personal data in clear.

Verify:  python verify.py .      (Python 3.11 or later with the package `cryptography`)
Compare checkpoint-key.pem with the key handed over earlier, or give that one:  python verify.py . --key KEY.pem
Give checkpoints kept elsewhere too:  --checkpoint FILE

log.sqlite opens with any SQLite program. Times are microseconds since 1970 UTC. The first lines of verify.py say how
the chain is made, so that it can also be checked by a program of your own.
"""


def export(store: Store, vault: Vault, since: int, until: int, directory: Path) -> int:
    """Write all entries from `since` to just before `until` (microseconds) to a new directory; returns their number.

    `until` must have passed. FileExistsError when the directory is there already. Make a checkpoint before, so that the
    end is signed.
    """
    directory.mkdir(mode=0o700)
    with store.read() as conn:
        ranges = _ranges(conn, since, until)
        with closing(sqlite3.connect(directory / "log.sqlite")) as out, out:
            (directory / "log.sqlite").chmod(0o600)
            out.executescript(_TABLES)
            out.execute("INSERT INTO period VALUES (?, ?)", (since, until))
            count = sum(_copy_chain(conn, vault, out, writer, *part) for writer, part in ranges.items())
            checkpoints = execute(conn, "SELECT at, jws FROM checkpoint WHERE at >= ? ORDER BY at", (since,)).fetchall()
            out.executemany("INSERT INTO checkpoint VALUES (?, ?)", checkpoints)
        out.close()
    (directory / "checkpoint-key.pem").write_bytes(CheckpointKey.open(vault.directory).public_pem)
    (directory / "READ_ME.txt").write_text(_READ_ME, encoding="utf-8")
    shutil.copy(verify.__file__, directory / "verify.py")
    return count


def _ranges(conn: Connection, since: int, until: int) -> dict[str, tuple[int, int]]:
    """By writer: number of the entry before the first, and of the last. Numbers, not times, say what belongs together:
    clocks of several machines may differ a little, and a chain is exported without gaps."""
    ranges = {}
    for (writer,) in execute(conn, "SELECT writer FROM chain ORDER BY writer").fetchall():
        sql = "SELECT COALESCE(MIN(seq), 0), COALESCE(MAX(seq), 0) FROM entry WHERE writer = ? AND at >= ? AND at < ?"
        first, last = execute(conn, sql, (writer, since, until)).fetchone()
        if not last:
            sql = "SELECT COALESCE(MAX(seq), 0) FROM entry WHERE writer = ? AND at < ?"
            (last,) = execute(conn, sql, (writer, since)).fetchone()
            first = last + 1
        ranges[writer] = (first - 1, last)
    return ranges


def _copy_chain(conn: Connection, vault: Vault, out: sqlite3.Connection, writer: str, before: int, last: int) -> int:
    found = execute(conn, "SELECT hash FROM entry WHERE writer = ? AND seq = ?", (writer, before)).fetchone()
    out.execute("INSERT INTO before VALUES (?, ?, ?)", (writer, before, found[0] if found else verify.GENESIS))
    where = "WHERE entry.writer = ? AND entry.seq > ? AND entry.seq <= ?"
    count = 0
    for rows in _batches(opened_rows(conn, vault, where, (writer, before, last))):
        out.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [row[:8] for row in rows])
        kept = [(writer, row[1], row[8], row[9]) for row in rows if row[9] is not None]
        out.executemany("INSERT INTO payload VALUES (?, ?, ?, ?)", kept)
        count += len(rows)
    return count


def _batches(rows: Iterable[verify.Row]) -> Iterator[list[verify.Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
