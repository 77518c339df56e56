"""A population database for development and demonstrations: invented citizens in one SQLite file.

A stand-in, not a mirror of the national service, and it refuses no question: given a number it knows, it returns the
person even when name or birth date do not match, where the national service would return nobody and not say why. So the
verdict "differs" can be seen and shown. The file holds persons in the clear (mode 0600): invented ones only.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from adapters.population.citizens_csv import Citizen, read_citizens
from gateway.domain.dates import PartialDate
from gateway.domain.identity import PersonQuery, PopulationAnswer
from gateway.domain.notification import to_json
from gateway.domain.person import Address, Person, PersonName, Sex
from gateway.errors import Misunderstood, SettingsError, Unreachable

_TABLE = """
CREATE TABLE IF NOT EXISTS citizen (
  personal_id TEXT UNIQUE,
  cmnd TEXT UNIQUE,
  record TEXT NOT NULL,
  CHECK (personal_id IS NOT NULL OR cmnd IS NOT NULL)
) STRICT
"""
_BY_PERSONAL_ID = "SELECT record FROM citizen WHERE personal_id = ?"
_BY_CMND = "SELECT record FROM citizen WHERE cmnd = ?"


class EmbeddedPopulation:
    """ports.population.PopulationDatabase over a SQLite file, made when it is not there. Safe to share by threads."""

    name = "embedded"
    development_only = True

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            weakref.finalize(self, self._connection.close)
            self._connection.execute(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise SettingsError(
                "population.file_unusable", f"{self.path} cannot be used as a population directory: {error}"
            ) from error

    def lookup(self, query: PersonQuery) -> PopulationAnswer:
        """Find by personal identifier, else by CMND. The evidence is the record as JSON, `null` for nobody.

        Raises Unreachable while the file cannot be read.
        """
        record = self._find(_BY_PERSONAL_ID, query.personal_id) or self._find(_BY_CMND, query.cmnd)
        if record is None:
            return PopulationAnswer(None, b"null")
        parts = _parts(record)
        spouse = self._find(_BY_PERSONAL_ID, parts.get(_SPOUSE))
        relatives = {} if spouse is None else {"spouse": _person(_parts(spouse))}
        return PopulationAnswer(_person(parts), record.encode(), relatives)

    def load_csv(self, path: Path | str) -> int:
        """Add or replace the citizens of a CSV file (columns: see citizens_csv.COLUMNS); how many the file has.

        All or nothing. Loading the same file twice changes nothing. Raises SettingsError listing every wrong line.
        """
        citizens = read_citizens(Path(path))
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for citizen in citizens:
                    self._put(citizen)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        return len(citizens)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _put(self, citizen: Citizen) -> None:
        numbers = (citizen.person.personal_id, citizen.person.cmnd)
        self._connection.execute("DELETE FROM citizen WHERE personal_id = ? OR cmnd = ?", numbers)
        told = to_json(citizen.person) | ({_SPOUSE: citizen.spouse_id} if citizen.spouse_id else {})
        record = json.dumps(told, ensure_ascii=False, sort_keys=True, default=to_json)
        self._connection.execute("INSERT INTO citizen VALUES (?, ?, ?)", (*numbers, record))

    def _find(self, question: str, number: str | None) -> str | None:
        if not number:
            return None
        try:
            with self._lock:
                row = self._connection.execute(question, (number,)).fetchone()
        except sqlite3.Error as error:
            # The type alone: a message of SQLite's could quote what was asked.
            words = f"the directory cannot be read: {type(error).__name__}"
            raise Unreachable("population.directory_unreadable", words) from error
        return None if row is None else str(row[0])


_SPOUSE = "spouse_id"
_TYPES: dict[str, Callable[[Any], Any]] = {
    "name": lambda parts: PersonName(**parts),
    "address": lambda parts: Address(**parts),
    "born": PartialDate.parse,
    "sex": Sex,
}


def _parts(record: str) -> dict[str, Any]:
    """A stored record. Raises Misunderstood when the file was written by something else."""
    try:
        return dict(json.loads(record))
    except (ValueError, TypeError) as error:
        raise _unreadable() from error


def _person(parts: Mapping[str, Any]) -> Person:
    """The typed person of a record. Raises Misunderstood."""
    try:
        known = {key: value for key, value in parts.items() if key != _SPOUSE}
        return Person(**{key: _TYPES[key](value) if key in _TYPES else value for key, value in known.items()})
    except (ValueError, TypeError, AttributeError) as error:
        raise _unreadable() from error


def _unreadable() -> Misunderstood:
    return Misunderstood("population.record_unreadable", "a record of the directory cannot be read")
