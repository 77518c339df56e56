"""The simulator's book: every dossier once, by its code, with all that happened to it. Functions on one connection, to
be run by a GroupWriter.

The first content under a code stays; the same again is a repeat, another one a clash. `arrival` counts dossiers in the
order in which they were taken, `submission.n` everything that was handed in.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.simulators.moj_envelopes import Submission

SCHEMA = """
CREATE TABLE IF NOT EXISTS dossier (
    code TEXT PRIMARY KEY, arrival INTEGER NOT NULL UNIQUE, operation TEXT NOT NULL, module TEXT NOT NULL,
    kind TEXT NOT NULL, agency TEXT NOT NULL, linked_code TEXT NOT NULL, received TEXT NOT NULL, digest TEXT NOT NULL,
    data TEXT NOT NULL, fields TEXT NOT NULL, files TEXT NOT NULL, state INTEGER NOT NULL, state_at REAL NOT NULL,
    words TEXT NOT NULL DEFAULT '', supplement_by TEXT NOT NULL DEFAULT '', polls INTEGER NOT NULL DEFAULT 0,
    result TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS dossier_state ON dossier (state, state_at);
CREATE TABLE IF NOT EXISTS submission (
    n INTEGER PRIMARY KEY, code TEXT NOT NULL, digest TEXT NOT NULL, verdict TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS history (
    n INTEGER PRIMARY KEY, code TEXT NOT NULL, state INTEGER NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS number (series TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS callback (
    n INTEGER PRIMARY KEY, code TEXT NOT NULL, body TEXT NOT NULL, due_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS callback_waiting ON callback (code, n) WHERE NOT done;
"""
ENDS = (4, 6)
"""Registered and refused: nothing comes after."""

_COUNT = """INSERT INTO number (series, last) VALUES (?, 1)
ON CONFLICT (series) DO UPDATE SET last = last + 1 RETURNING last"""
_LISTED = "code, arrival, operation, module, agency, digest, state, linked_code, received"


@dataclass(frozen=True, slots=True)
class Dossier:
    """One row of the book, with what answers and walks need."""

    code: str
    module: str
    kind: str
    agency: str
    linked_code: str
    state: int
    state_at: float
    words: str
    supplement_by: str
    polls: int
    fields: str  # JSON text of the dossier's fields
    result: str  # JSON text of so, quyenSo, trangSo, ngayDangKy, soDinhDanh; "" before


_COLUMNS = ", ".join(Dossier.__slots__)


def take(conn: sqlite3.Connection, handed: Submission, now: float) -> str:
    """Keep a dossier: "accepted", or "repeat" or "clash" when its code is there already."""
    known = conn.execute("SELECT digest FROM dossier WHERE code = ?", (handed.code,)).fetchone()
    if known is not None:
        verdict = "repeat" if known["digest"] == handed.digest else "clash"
        return note(conn, handed.code, handed.digest, verdict, now)
    files = [
        {"name": file.name, "title": file.title, "size": file.size, "digest": file.digest} for file in handed.files
    ]
    fields, listed = orjson.dumps(handed.fields).decode(), orjson.dumps(files).decode()
    conn.execute(
        f"INSERT INTO dossier ({_LISTED}, kind, data, fields, files, state_at) VALUES (?{', ?' * 13})",
        (
            handed.code, count(conn, "arrival"), handed.operation, handed.module, handed.agency, handed.digest, 1,
            handed.linked_code, handed.received, handed.kind, handed.data, fields, listed, now,
        ),
    )  # fmt: skip
    conn.execute("INSERT INTO history (code, state, at) VALUES (?, 1, ?)", (handed.code, now))
    return note(conn, handed.code, handed.digest, "accepted", now)


def note(conn: sqlite3.Connection, code: str, digest: str, verdict: str, now: float) -> str:
    """Write down that something was handed in; returns the verdict."""
    conn.execute("INSERT INTO submission (code, digest, verdict, at) VALUES (?, ?, ?, ?)", (code, digest, verdict, now))
    return verdict


def count(conn: sqlite3.Connection, series: str) -> int:
    """The next number of a series: 1, 2, 3 …"""
    last: int = conn.execute(_COUNT, (series,)).fetchone()[0]
    return last


def find(conn: sqlite3.Connection, code: str) -> Dossier | None:
    """A dossier by its code."""
    row = conn.execute(f"SELECT {_COLUMNS} FROM dossier WHERE code = ?", (code,)).fetchone()
    return None if row is None else Dossier(*row)


def due(conn: sqlite3.Connection, before: float) -> list[Dossier]:
    """Dossiers that are not at an end and have been in their state since `before`, the oldest first."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM dossier WHERE state IN (1, 2, 3) AND state_at <= ? ORDER BY state_at LIMIT 500",
        (before,),
    )
    return [Dossier(*row) for row in rows]


def poll(conn: sqlite3.Connection, code: str) -> None:
    """Count one question about a dossier in its state."""
    conn.execute("UPDATE dossier SET polls = polls + 1 WHERE code = ?", (code,))


def move(conn: sqlite3.Connection, changed: Dossier) -> None:
    """Write down a dossier's new state, words and result."""
    conn.execute(
        "UPDATE dossier SET state = ?, state_at = ?, words = ?, supplement_by = ?, result = ?, polls = 0 "
        "WHERE code = ?",
        (changed.state, changed.state_at, changed.words, changed.supplement_by, changed.result, changed.code),
    )
    conn.execute(
        "INSERT INTO history (code, state, at) VALUES (?, ?, ?)", (changed.code, changed.state, changed.state_at)
    )


def counts(conn: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Dossiers by module and by state, submissions by verdict; nothing about persons."""
    told = {
        "modules": "SELECT module, COUNT(*) FROM dossier GROUP BY module",
        "states": "SELECT state, COUNT(*) FROM dossier GROUP BY state",
        "submissions": "SELECT verdict, COUNT(*) FROM submission GROUP BY verdict",
    }
    return {name: {str(key): number for key, number in conn.execute(query)} for name, query in told.items()}


def listing(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every dossier in the order of arrival: how often each verdict fell, the digests of all contents seen (the first
    is the one kept), all arrivals and all states. No content."""
    arrivals: dict[str, list[dict[str, Any]]] = {}
    for row in conn.execute("SELECT code, n, digest, verdict FROM submission ORDER BY n"):
        arrivals.setdefault(row["code"], []).append({"n": row["n"], "digest": row["digest"], "verdict": row["verdict"]})
    states: dict[str, list[int]] = {}
    for row in conn.execute("SELECT code, state FROM history ORDER BY n"):
        states.setdefault(row["code"], []).append(row["state"])
    dossiers = [dict(row) for row in conn.execute(f"SELECT {_LISTED} FROM dossier ORDER BY arrival")]
    for dossier in dossiers:
        came = arrivals.get(dossier["code"], [])
        verdicts = [one["verdict"] for one in came]
        dossier["accepted"], dossier["repeats"] = verdicts.count("accepted"), verdicts.count("repeat")
        dossier["clashes"], dossier["refused"] = verdicts.count("clash"), verdicts.count("refused")
        dossier["versions"] = list(dict.fromkeys(one["digest"] for one in came if one["verdict"] != "refused"))
        dossier["arrivals"], dossier["states"] = came, states[dossier["code"]]
    return dossiers


def whole(conn: sqlite3.Connection, code: str) -> dict[str, Any] | None:
    """One dossier with its content, files by name, size and digest, and result."""
    row = conn.execute(f"SELECT {_LISTED}, data, files, words, result FROM dossier WHERE code = ?", (code,)).fetchone()
    if row is None:
        return None
    told = dict(row)
    told["files"], told["result"] = orjson.loads(row["files"]), orjson.loads(row["result"] or "{}")
    return told
