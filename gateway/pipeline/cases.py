"""Cases in the store: read, write, and the JSON inside their encrypted column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.domain.case import Case, Edit, Rank, Reading, fold
from gateway.domain.finding import Finding
from gateway.domain.identity import IdentityResult, Verdict
from gateway.domain.notification import UNITS, build, flatten, from_json, to_json
from gateway.domain.person import Person
from gateway.domain.provenance import Provenance
from gateway.errors import Conflict
from gateway.store.session import execute
from gateway.store.vault import Vault


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A row of the case table with its sealed content opened. `content` is what `CaseRow.sealed` holds."""

    id: str
    kind: str
    facility: str
    feed: str
    status: str
    version: int
    identified: int
    prepared: int
    commune_code: str
    opened_at: int
    changed_at: int
    settle_at: int
    readings: tuple[Reading, ...] = ()
    identity: Mapping[str, IdentityResult] = field(default_factory=dict)
    edits: Mapping[str, Edit] = field(default_factory=dict)

    def fold(self) -> Case:
        """The case as all its readings, identity answers and edits tell it."""
        return fold(self.kind, self.readings, self.identity, self.edits)


_PLAIN = tuple(leaf.name for leaf in fields(StoredCase) if leaf.name not in ("readings", "identity", "edits"))
# Written out, not built by SQLAlchemy: building and caching statements was a third of the time of a dossier.
_FIND = f'SELECT {", ".join(_PLAIN)}, sealed FROM "case" WHERE id = ?'
_ADD = f'INSERT INTO "case" ({", ".join(_PLAIN)}, sealed) VALUES ({", ".join("?" * len(_PLAIN))}, ?)'
_SAVE = f'UPDATE "case" SET {" = ?, ".join(_PLAIN)} = ?, sealed = ? WHERE id = ? AND version = ? AND changed_at = ?'
_STATUS = 'UPDATE "case" SET status = ?, changed_at = ? WHERE id = ?'


def find_case(conn: Connection, vault: Vault, case_id: str) -> StoredCase | None:
    """The case, or None."""
    row = execute(conn, _FIND, (case_id,)).fetchone()
    return None if row is None else _opened(row, vault)


def load_case(conn: Connection, vault: Vault, case_id: str) -> StoredCase:
    """The case; Conflict when there is none (it was merged away meanwhile)."""
    case = find_case(conn, vault, case_id)
    if case is None:
        raise Conflict("case.gone", "the case is not there any more")
    return case


def _opened(row: Any, vault: Vault) -> StoredCase:
    *plain, sealed = row
    named = dict(zip(_PLAIN, plain, strict=True))
    content = orjson.loads(vault.unseal(bytes(sealed)))
    return StoredCase(
        **named,
        readings=tuple(reading_from_json(item) for item in content["readings"]),
        identity={role: _identity_from_json(item) for role, item in content["identity"].items()},
        edits={
            path: Edit(_edit_value(named["kind"], path, item["value"]), item["who"], item["at"], item["why"])
            for path, item in content["edits"].items()
        },
    )


def add_case(conn: Connection, vault: Vault, case: StoredCase) -> None:
    """Write a new case."""
    execute(conn, _ADD, (*_plain_of(case), _sealed(vault, case)))


def save_case(conn: Connection, vault: Vault, case: StoredCase, *, now: int, changed: bool) -> StoredCase:
    """Write a case back. `changed` makes a new version of it; Conflict when another writer was first, be it with the
    state alone, which makes no new version (`set_status`)."""
    newer = replace(case, version=case.version + 1, changed_at=now) if changed else case
    values = (*_plain_of(newer), _sealed(vault, newer), case.id, case.version, case.changed_at)
    if execute(conn, _SAVE, values).rowcount != 1:
        raise Conflict("case.stale", "the case moved on meanwhile")
    return newer


def set_status(conn: Connection, case_id: str, status: str, now: int) -> None:
    """Write the fold of the case's journey into its index column."""
    execute(conn, _STATUS, (status, now, case_id))


def _plain_of(case: StoredCase) -> tuple[Any, ...]:
    return tuple(getattr(case, name) for name in _PLAIN)


def _sealed(vault: Vault, case: StoredCase) -> bytes:
    return vault.seal(
        orjson.dumps(
            {
                "readings": [reading_to_json(reading) for reading in case.readings],
                "identity": {role: _identity_to_json(result) for role, result in case.identity.items()},
                "edits": {path: {**asdict(edit), "value": to_json(edit.value)} for path, edit in case.edits.items()},
            }
        )
    )


def reading_to_json(reading: Reading) -> dict[str, Any]:
    """A reading as JSON, with the typed facts by path."""
    return {
        "message": reading.message,
        "kind": reading.kind,
        "relevance": reading.relevance,
        "rank": int(reading.rank),
        "occurred": reading.occurred,
        "patients": list(reading.patients),
        "facts": {path: to_json(value) for path, value in flatten(reading.notification).items()},
        "provenance": {path: [source.message, source.path, source.rule] for path, source in reading.provenance.items()},
        "findings": _findings_to_json(reading.findings),
        "unread": list(reading.unread),
        "event": reading.event,
        "trigger": reading.trigger,
        "cancels": list(reading.cancels),
        "merges": list(reading.merges),
        "clears": list(reading.clears),
    }


def reading_from_json(item: Mapping[str, Any]) -> Reading:
    """The reverse of `reading_to_json`."""
    kind = item["kind"]
    return Reading(
        message=item["message"],
        kind=kind,
        relevance=item["relevance"],
        rank=Rank(item["rank"]),
        occurred=item["occurred"],
        patients=tuple(item["patients"]),
        notification=build(kind, {path: from_json(kind, path, value) for path, value in item["facts"].items()}),
        provenance={path: Provenance(*source) for path, source in item["provenance"].items()},
        findings=tuple(Finding(*finding) for finding in item["findings"]),
        unread=tuple(item["unread"]),
        event=item["event"],
        trigger=item.get("trigger", ""),
        cancels=tuple(item.get("cancels", ())),
        merges=tuple(item.get("merges", ())),
        clears=tuple(item.get("clears", ())),
    )


def _findings_to_json(findings: Sequence[Finding]) -> list[list[str]]:
    return [[finding.code, finding.where, finding.detail] for finding in findings]


def _identity_to_json(result: IdentityResult) -> dict[str, Any]:
    return {
        "role": result.role,
        "verdict": result.verdict.value,
        "differing": list(result.differing),
        "person": result.person and _person_to_json(result.person),
        "asked_at": result.asked_at,
        "entry": result.entry,
        "close": list(result.close),
        "late": result.late,
        "question": result.question,
        "relatives": {role: _person_to_json(person) for role, person in result.relatives.items()},
    }


def _identity_from_json(item: Mapping[str, Any]) -> IdentityResult:
    return IdentityResult(
        role=item["role"],
        verdict=Verdict(item["verdict"]),
        differing=tuple(item["differing"]),
        person=item["person"] and _person_from_json(item["person"]),
        asked_at=item["asked_at"],
        entry=item["entry"],
        close=tuple(item.get("close", ())),
        late=item.get("late", False),
        question=item.get("question", ""),
        relatives={role: _person_from_json(person) for role, person in item.get("relatives", {}).items()},
    )


def _person_to_json(person: Person) -> dict[str, Any]:
    named = ((leaf.name, getattr(person, leaf.name)) for leaf in fields(person))
    return {name: to_json(value) for name, value in named if value is not None}


def _person_from_json(item: Mapping[str, Any]) -> Person:
    # Every person in a notification has the same fields, so one role's types serve for all.
    return Person(**{name: from_json("birth", f"mother.{name}", value) for name, value in item.items()})


def _edit_value(kind: str, path: str, value: Any) -> Any:
    return from_json(kind, path, value) if path in UNITS[kind] else value
