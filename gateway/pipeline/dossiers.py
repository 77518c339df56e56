"""Dossiers in the store: one row a version, the newest of a case, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.store.session import execute
from gateway.store.vault import Vault

_COLUMNS = (
    "case_id", "version", "code", "procedure", "form", "commune_code", "mapping_hash", "content_key", "status",
    "register_by", "made_at", "changed_at", "system", "taken_at", "sealed",
)  # fmt: skip
_NEWEST = f"SELECT {', '.join(_COLUMNS)} FROM dossier WHERE case_id = ? ORDER BY version DESC LIMIT 1"
_FIND = f"SELECT {', '.join(_COLUMNS)} FROM dossier WHERE case_id = ? AND version = ?"
_CHANGED = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in ("case_id", "version", "made_at"))
_WRITE = f"""INSERT INTO dossier ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" * len(_COLUMNS))})
ON CONFLICT (case_id, version) DO UPDATE SET {_CHANGED}"""
_MARK = "UPDATE dossier SET status = ?, changed_at = ? WHERE case_id = ? AND version = ?"


@dataclass(frozen=True, slots=True)
class StoredDossier:
    """One version of a case's dossier. `content` is {"dossier": domain.dossier.as_json, "xml": signed text or None}."""

    case_id: str
    version: int
    code: str
    procedure: str
    form: str
    commune_code: str
    mapping_hash: str
    content_key: bytes
    status: str
    register_by: str
    made_at: int
    changed_at: int
    content: Mapping[str, Any]
    system: str = ""
    taken_at: int | None = None

    @property
    def left(self) -> bool:
        """Whether it left, or is leaving: it stays as it is, and a change makes a new version."""
        return self.content["xml"] is not None


def newest_dossier(conn: Connection, vault: Vault, case_id: str) -> StoredDossier | None:
    """The newest version of a case's dossier, or None."""
    return _opened(execute(conn, _NEWEST, (case_id,)).fetchone(), vault)


def find_dossier(conn: Connection, vault: Vault, case_id: str, version: int) -> StoredDossier | None:
    """One version of a case's dossier, or None."""
    return _opened(execute(conn, _FIND, (case_id, version)).fetchone(), vault)


def _opened(row: Any, vault: Vault) -> StoredDossier | None:
    if row is None:
        return None
    named = dict(zip(_COLUMNS, row, strict=True))
    content = orjson.loads(vault.unseal(bytes(named.pop("sealed"))))
    return StoredDossier(**named | {"content_key": bytes(named["content_key"])}, content=content)


def write_dossier_row(conn: Connection, vault: Vault, dossier: StoredDossier) -> None:
    """Write a version, in place of what stood under the same number."""
    plain = [getattr(dossier, name) for name in _COLUMNS[:-1]]
    sealed = vault.seal(orjson.dumps(dossier.content))
    execute(conn, _WRITE, (*plain, sealed))


def mark_dossier(conn: Connection, case_id: str, version: int, status: str, now: int) -> None:
    """Write the fold of a dossier's journey into its index column."""
    execute(conn, _MARK, (status, now, case_id, version))
