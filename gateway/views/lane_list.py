"""Lanes that an operator looks for: given up, waiting or due, by what they belong to. Ids, codes and states only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.store.session import execute

PAGE = 500
STATES = ("dead", "waiting", "due", "all")

_LANES = "SELECT key, run_at, tries, error, dead, partner FROM lane WHERE {which} AND key > ? ORDER BY key LIMIT ?"
_WHICH = {True: "dead", False: "(dead OR run_at IS NOT NULL)"}
"""By whether only dead lanes are wanted: those have an index of their own."""
_CASES = """SELECT c.id, c.status, c.commune_code, COALESCE(n.code, ''), COALESCE(n.system, '')
FROM "case" c LEFT JOIN dossier_number n ON n.case_id = c.id WHERE c.id IN ({marks})"""


@dataclass(frozen=True, slots=True)
class LaneFilter:
    """What to look for; "" is anything. `state` is one of STATES; `kind` the first part of a lane's key (dossier,
    follow, answer, letter, case, rx); `error` the beginning of the last failure's code; `system` a commune system that
    numbered the dossier or that the lane's work goes to."""

    state: str = "dead"
    kind: str = ""
    system: str = ""
    commune: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class LaneLine:
    """One lane. `state`: dead (given up or parked) | due | waiting (until `run_at`, microseconds). What follows belongs
    to its case, "" where the lane has none."""

    key: str
    state: str
    run_at: int | None
    tries: int
    error: str
    case_id: str = ""
    case_status: str = ""
    commune_code: str = ""
    code: str = ""
    system: str = ""
    partner: str = ""


def find_lanes(conn: Connection, wanted: LaneFilter, now: int) -> Iterator[LaneLine]:
    """Lanes in the order of their keys. Cost grows with lanes that wait, not with those at rest."""
    after = f"{wanted.kind}:" if wanted.kind else ""
    sql = _LANES.format(which=_WHICH[wanted.state == "dead"])
    while rows := execute(conn, sql, (after, PAGE)).fetchall():
        cases = _cases(conn, {key.rpartition(":")[2] for key, *_ in rows})
        for key, run_at, tries, error, dead, partner in rows:
            if wanted.kind and not key.startswith(f"{wanted.kind}:"):
                return
            state = "dead" if dead else "due" if run_at <= now else "waiting"
            case = cases.get(key.rpartition(":")[2], {})
            line = LaneLine(key, state, run_at, tries, error, **case, partner=partner)
            if _is_wanted(line, wanted):
                yield line
        after = rows[-1][0]


def _cases(conn: Connection, ids: set[str]) -> Mapping[str, dict[str, Any]]:
    names = ("case_id", "case_status", "commune_code", "code", "system")
    rows = execute(conn, _CASES.format(marks=", ".join("?" * len(ids))), tuple(sorted(ids))).fetchall()
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


def _is_wanted(line: LaneLine, wanted: LaneFilter) -> bool:
    return (
        wanted.state in ("all", line.state)
        and wanted.system in ("", line.system, line.partner)
        and wanted.commune in ("", line.commune_code)
        and line.error.startswith(wanted.error)
    )
