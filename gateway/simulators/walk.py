"""How a dossier goes through its states by itself: 1 → 3 → 4, over 2 when something is missing, or 1 → 6."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import orjson

from gateway.domain.office import OFFICE_ZONE
from gateway.errors import SettingsError
from gateway.simulators import book
from gateway.simulators.book import Dossier
from gateway.simulators.faults import Faults
from gateway.simulators.registration import register

FIRST = {"": 3, "supplement": 2, "refused": 6}
"""A dossier's fate → where it goes from 1."""
NEXT = {2: 3, 3: 4}
WORDS = {
    2: "Đề nghị bổ sung bản chính giấy chứng sinh hoặc giấy báo tử (mô phỏng)",
    6: "Hồ sơ không thuộc thẩm quyền của xã (mô phỏng)",
}
SUPPLEMENT_DAYS = 7
NO_WALK_POLLS, NO_WALK_SECONDS = 0, 0.0


@dataclass(frozen=True, slots=True)
class Walk:
    """A dossier goes one state on when it was asked about `polls` times, or has been there for `seconds`; with neither
    it waits for a person."""

    polls: int = NO_WALK_POLLS
    seconds: float = NO_WALK_SECONDS


def read_walk(text: str) -> Walk:
    """ "" (nobody walks), "3" (a state every three questions) or "1.5s" (a state every one and a half seconds).

    Raises SettingsError for anything else.
    """
    number = text.removesuffix("s")
    try:
        if not text:
            return Walk()
        walk = Walk(seconds=float(number)) if text.endswith("s") else Walk(polls=int(number))
    except ValueError:
        walk = Walk()
    if not (walk.polls > 0 or 0 < walk.seconds < 86_400):
        raise SettingsError("simulator.walk", f"--walk {text}: a number of questions, as 3, or of seconds, as 1.5s")
    return walk


def next_state(dossier: Dossier, faults: Faults) -> int:
    """Where a dossier goes by itself; its own state when it stays."""
    return FIRST[faults.fate_of(dossier.code)] if dossier.state == 1 else NEXT.get(dossier.state, dossier.state)


def change(
    conn: sqlite3.Connection, dossier: Dossier, state: int, now: datetime, words: str = "", by: str = ""
) -> Dossier:
    """The dossier in its new state; the first time it is registered it gets its numbers. `by`: the last day of a
    supplement, dd/MM/yyyy HH:mm:ss; a week when not given."""
    here = now.astimezone(OFFICE_ZONE)
    last_day = by or (f"{here + timedelta(SUPPLEMENT_DAYS):%d/%m/%Y %H:%M:%S}" if state == 2 else "")
    result = dossier.result
    if state == 4 and not result:
        result = orjson.dumps(register(conn, dossier, here)).decode()
    changed = replace(
        dossier,
        state=state,
        state_at=now.timestamp(),
        words=words or WORDS.get(state, ""),
        supplement_by=last_day,
        result=result,
    )
    book.move(conn, changed)
    return changed
