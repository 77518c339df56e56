"""Possible duplicates beyond one facility: proposed as messages come, decided by a person, never joined by guess.

A proposal holds no dossier back: the commune's officer sees it with the dossier, and a dossier that comes twice does
less harm than one that comes after the law's deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import orjson
from sqlalchemy import Connection

from gateway.domain.case import Case, Reading
from gateway.domain.duplicates import (
    Evidence,
    across_keys_of,
    decide_proposed,
    evidence_of,
    held_apart,
    is_multiple,
)
from gateway.errors import Conflict
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.cases import StoredCase, find_case, load_case
from gateway.pipeline.merging import merge_cases
from gateway.pipeline.pairs import (
    Pair,
    add_pair,
    close_pair,
    drop_pair,
    find_pair,
    find_pair_by_id,
    hand_over,
    hold_together,
    refresh_pair,
)
from gateway.pipeline.services import Services
from gateway.store.session import execute, execute_many, now_us

TOO_MANY = 8
"""A key that so many other cases have names nobody: a number typed for want of one. It proposes nothing."""

OVER = ("cancelled", "merged")
"""A case in one of these states is nobody's duplicate."""

_ADD_KEY = "INSERT INTO case_key (key, case_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
FIND_OTHERS = """SELECT * FROM
(SELECT key, case_id FROM case_key WHERE key = ? AND case_id <> ? ORDER BY case_id LIMIT {limit}) AS found_{number}"""
"""The other cases of one key, by the primary key of `case_key`; the limit keeps a worn-out key as cheap as any."""

_DECIDED_ALREADY = "Đề nghị này không còn: đã có người quyết định, hoặc thông tin mới cho thấy là hai người khác nhau."
_MOVED_ON = "Một trong hai hồ sơ vừa có thông tin mới. Xin xem lại trước khi quyết định."
_CONTRADICTS = (
    "Chưa gộp được: hai hồ sơ trái nhau về giới tính, thứ tự sinh hoặc giờ sinh, hoặc giới tính người chết. Hãy yêu cầu"
    " cơ sở y tế sửa thông tin trước."
)


def propose_duplicates(conn: Connection, services: Services, case: StoredCase, reading: Reading, now: int) -> None:
    """Pair a case that was opened or extended by `reading` with others that may be about the same person.

    Belongs into the transaction that writes the case. What is found is proposed once; an open proposal follows the
    facts and is taken back when they tell the two apart; a decided one stays decided.
    """
    folded = case.fold()
    digests = [services.vault.key(*key) for key in across_keys_of(folded.notification)]
    if folded.withdrawn or not digests:
        return
    hold_together(conn, services.store, digests)
    execute_many(conn, _ADD_KEY, [(digest, case.id) for digest in digests])
    for other_id in _others(conn, digests, case.id):
        other = find_case(conn, services.vault, other_id)
        if other is not None and other.status not in OVER:
            _weigh(conn, services, (case, folded), (other, other.fold()), reading.message, now)


def decide_duplicate(
    services: Services, pair_id: str, same: bool, who: str, why: str, seen: Sequence[int] | None = None
) -> dict[str, str]:
    """Record that a pair is one person (the cases are merged) or two (never proposed again). Same answer as
    `desk.decide`; `seen` are the versions of the first and the second case that the person saw. The caller has checked
    that `who` may see both."""
    if not why.strip():
        return {"why": "Hãy ghi căn cứ của quyết định."}
    now = now_us(services.clock)
    try:
        with services.store.write() as conn:
            return _decide(conn, services, pair_id, same, who, why.strip(), seen, now)
    except Conflict as error:
        if error.code != "case.contradiction":
            raise
        return {"pair": _CONTRADICTS}


def _others(conn: Connection, digests: Sequence[bytes], case_id: str) -> list[str]:
    """Ids of other cases with one of the keys, in one statement."""
    sql = " UNION ALL ".join(FIND_OTHERS.format(limit=TOO_MANY + 1, number=number) for number in range(len(digests)))
    rows = execute(conn, sql, [value for digest in digests for value in (digest, case_id)]).fetchall()
    found: dict[bytes, list[str]] = {}
    for key, other in rows:
        found.setdefault(bytes(key), []).append(other)
    return sorted({other for others in found.values() if len(others) <= TOO_MANY for other in others})


def _weigh(
    conn: Connection,
    services: Services,
    mine: tuple[StoredCase, Case],
    theirs: tuple[StoredCase, Case],
    message: str,
    now: int,
) -> None:
    (case, folded), (other, known) = mine, theirs
    evidence = evidence_of(folded.notification, known.notification)
    proposed = not known.withdrawn and decide_proposed(
        case.kind,
        evidence,
        multiple=is_multiple(folded.notification) or is_multiple(known.notification),
        apart=case.facility == other.facility and held_apart(case.readings, other.readings),
    )
    pair = find_pair(conn, case.id, other.id)
    if pair is None:
        if proposed:
            add_pair(conn, services.clock.new_id(), case.kind, (case.id, other.id), evidence, now)
            _log(conn, services, (case.id, other.id), {"duplicate": "proposed", "message": message}, evidence, now)
    elif pair.state == "open" and proposed:
        refresh_pair(conn, pair, evidence)
    elif pair.state == "open":
        drop_pair(conn, pair)
        _log(conn, services, (case.id, other.id), {"duplicate": "told apart", "message": message}, evidence, now)


def _log(
    conn: Connection, services: Services, cases: tuple[str, str], meta: dict[str, str], evidence: Evidence, now: int
) -> None:
    both = ((cases[0], cases[1]), (cases[1], cases[0]))
    entries = [NewEntry("correlated", one, {**meta, "other": other, **asdict(evidence)}) for one, other in both]
    append(conn, services.vault, services.chain, now, entries)


def _decide(
    conn: Connection,
    services: Services,
    pair_id: str,
    same: bool,
    who: str,
    why: str,
    seen: Sequence[int] | None,
    now: int,
) -> dict[str, str]:
    pair = find_pair_by_id(conn, pair_id)
    if pair is None or pair.decided_at is not None:
        return {"pair": _DECIDED_ALREADY}
    cases = [load_case(conn, services.vault, case_id) for case_id in (pair.first, pair.second)]
    if seen is not None and [case.version for case in cases] != list(seen):
        return {"pair": _MOVED_ON}
    # Guarded: whoever decides at the same moment waits here, and then finds it decided.
    if not close_pair(conn, pair_id, "same" if same else "different", who, now):
        return {"pair": _DECIDED_ALREADY}
    payload = orjson.dumps({"who": who, "why": why, "evidence": orjson.loads(pair.evidence)})
    meta = {"action": "duplicate", "pair": pair_id, "same": same}
    entries = [NewEntry("decided", case.id, meta, payload) for case in cases]
    append(conn, services.vault, services.chain, now, entries)
    if same:
        _merge(conn, services, pair, cases, why, now)
    return {}


def _merge(conn: Connection, services: Services, pair: Pair, cases: Sequence[StoredCase], why: str, now: int) -> None:
    kept = merge_cases(conn, services, cases[0], cases[1], why, now)
    hand_over(conn, kept.id, pair.other(kept.id), now)
