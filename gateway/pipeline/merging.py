"""Two cases that turn out to be one person's become one: by a merge message, or because a person said so."""

from __future__ import annotations

from dataclasses import replace

import orjson
from sqlalchemy import Connection

from gateway.domain.case import Edit
from gateway.domain.linking import contradict
from gateway.errors import Conflict
from gateway.lanes import lanes
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.cases import StoredCase, save_case
from gateway.pipeline.dossiers import newest_dossier
from gateway.pipeline.pairs import hand_over
from gateway.pipeline.services import Services
from gateway.store.session import execute

MERGED_INTO = "merged.into"
"""The edit that says into which case one was merged."""

_COPY_KEYS = """INSERT INTO case_key (key, case_id) SELECT key, ? FROM case_key WHERE case_id = ?
ON CONFLICT DO NOTHING"""
_DROP_KEYS = "DELETE FROM case_key WHERE case_id = ?"
_COPY_LINKS = """INSERT INTO case_message (case_id, message_id) SELECT ?, message_id FROM case_message WHERE case_id = ?
ON CONFLICT DO NOTHING"""


def merge_cases(
    conn: Connection, services: Services, one: StoredCase, other: StoredCase, why: str, now: int
) -> StoredCase:
    """Join two cases of one kind; returns the one that goes on: the one whose dossier left, else the older.

    The other keeps its readings as a trace, points to the first, and withdraws its own dossier if that left. Raises
    Conflict `case.contradiction` when they cannot be one person.
    """
    if one.kind != other.kind or contradict(one.readings, other.readings):
        raise Conflict("case.contradiction", "the two cases cannot be one person: sex, order or hour of birth differ")
    kept, gone = sorted((one, other), key=lambda case: (not _left(conn, services, case), case.opened_at, case.id))
    at = services.clock.now().isoformat(timespec="seconds")
    marked = replace(gone, edits={**gone.edits, MERGED_INTO: Edit(kept.id, "gateway", at, why)})
    save_case(conn, services.vault, marked, now=now, changed=True)
    known = {(reading.message, reading.event) for reading in kept.readings}
    moved = tuple(reading for reading in gone.readings if (reading.message, reading.event) not in known)
    joined = replace(kept, readings=(*kept.readings, *moved), edits={**gone.edits, **kept.edits})
    saved = save_case(conn, services.vault, joined, now=now, changed=True)
    execute(conn, _COPY_KEYS, (kept.id, gone.id))
    execute(conn, _DROP_KEYS, (gone.id,))
    execute(conn, _COPY_LINKS, (kept.id, gone.id))
    hand_over(conn, kept.id, gone.id, now)
    meta, payload = {"into": kept.id, "version": saved.version}, orjson.dumps({"why": why})
    append(conn, services.vault, services.chain, now, [NewEntry("merged", gone.id, meta, payload)])
    for case in (kept, gone):
        lanes.put(conn, f"case:{case.id}", "advance", {"case": case.id}, now)
    return saved


def _left(conn: Connection, services: Services, case: StoredCase) -> bool:
    newest = newest_dossier(conn, services.vault, case.id)
    return newest is not None and newest.left
