"""The newest word of the commune on a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection

from gateway.store.session import execute
from gateway.store.vault import Vault

_FIND = "SELECT case_id, version, system, state, reference, told_at, sealed FROM outcome WHERE case_id = ?"


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """The newest word of the commune on a case. `told_at` in microseconds; `paper` is the registration's PDF in base64,
    "" when none was given; `findings` are where the result contradicts the register's rules."""

    case_id: str
    version: int
    system: str
    state: str
    reference: str
    told_at: int
    words: str
    result: Mapping[str, str]
    paper: str
    findings: Sequence[Mapping[str, str]] = ()


def find_outcome(conn: Connection, vault: Vault, case_id: str) -> StoredOutcome | None:
    """What the commune last said of a case; None when it said nothing yet."""
    row = execute(conn, _FIND, (case_id,)).fetchone()
    return None if row is None else StoredOutcome(*row[:-1], **orjson.loads(vault.unseal(bytes(row[-1]))))
