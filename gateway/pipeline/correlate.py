"""correlate: read a relevant message through the mapping rules, find or open its case, add what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.domain.case import Reading
from gateway.domain.finding import Finding
from gateway.domain.linking import Key, decide_same, keys_of, patient_key
from gateway.domain.notification import flatten
from gateway.errors import UnreadableMessage
from gateway.lanes import lanes
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import read_event
from gateway.messagelog.chain import NewEntry, append, payload_of
from gateway.pipeline.cases import StoredCase, add_case, find_case, reading_to_json, save_case
from gateway.pipeline.interpret import facility_of, is_real
from gateway.pipeline.services import Services
from gateway.ports.hospital import Feed, MessageReader
from gateway.store.session import Store, execute, execute_many, now_us

_FIND_MESSAGE = "SELECT feed, format FROM message WHERE id = ?"
_FIND_KEYS = "SELECT key, case_id FROM case_key WHERE key IN ({})"
_FIND_RELATED = "SELECT id FROM message WHERE patient_key IN ({}) AND relevance = 'related' AND id <> ?"
_FIND_SET = "SELECT 1 FROM mapping_set WHERE hash = ?"
_ADD_KEY = "INSERT INTO case_key (key, case_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
_ADD_LINK = "INSERT INTO case_message (case_id, message_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
_ADD_SET = "INSERT INTO mapping_set (hash, first_used_at, archive) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


def read_message(
    reader: MessageReader, raw: bytes, feed: Feed, message: str, catalogue: Catalogue, on: Any
) -> list[Reading]:
    """Every birth, death and related fact in a message, typed, with provenance; nothing of a test message."""
    if not is_real(reader, raw):
        return []
    return [
        replace(read_event(catalogue, reader.format, event, message, feed, on), event=place)
        for place, event in enumerate(reader.events(raw, feed))
    ]


def choose_case(reading: Reading, candidates: Sequence[tuple[str, Sequence[Reading]]]) -> tuple[str | None, bool]:
    """The case a reading belongs to, and whether another candidate is left for a person to decide. Pure."""
    answers = [(case_id, decide_same(readings, reading)) for case_id, readings in candidates]
    sure = [case_id for case_id, same in answers if same is True]
    return (sure[0] if sure else None), len(sure) > 1 or any(same is None for _, same in answers)


def adds_nothing(known: Sequence[Reading], new: Reading) -> bool:
    """Whether an equal reading is already there: a resend under another control id changes nothing."""
    facts = flatten(new.notification)
    return any(
        old.rank == new.rank and old.occurred == new.occurred and flatten(old.notification) == facts for old in known
    )


@dataclass(frozen=True, slots=True)
class Read:
    """One message's readings, with its feed."""

    message: str
    feed: Feed
    readings: tuple[Reading, ...]
    unreadable: str = ""


class Correlate:
    """Handler of `correlate` work: args {"message"}."""

    kind = "correlate"

    def __init__(self, services: Services) -> None:
        self.services = services
        self._archived = ""  # the mapping set seen in the store

    def act(self, args: Mapping[str, Any]) -> Read:
        with self.services.store.read() as conn:
            return self._read(conn, args["message"])

    def _read(self, conn: Connection, message: str) -> Read:
        services = self.services
        name, format_ = execute(conn, _FIND_MESSAGE, (message,)).fetchone()
        feed, on = services.feed(name), services.clock.now().date()
        raw = payload_of(conn, services.vault, message)
        try:
            readings = read_message(services.readers[format_], raw, feed, message, services.catalogue, on)
        except UnreadableMessage as error:
            return Read(message, feed, (), error.code)
        return Read(message, feed, tuple(readings))

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Read) -> None:
        services, now = self.services, now_us(self.services.clock)
        meta = {
            "mapping": services.catalogue.hash,
            "feed": asdict(outcome.feed),  # as it was set that day: replay reads with it
            "relevance": [reading.relevance for reading in outcome.readings],
            "findings": sorted({finding.code for reading in outcome.readings for finding in reading.findings}),
            "unreadable": outcome.unreadable,
        }
        payload = orjson.dumps([reading_to_json(reading) for reading in outcome.readings])
        append(conn, services.vault, services.chain, now, [NewEntry("interpreted", outcome.message, meta, payload)])
        self._archive_mapping(conn, now)
        for reading in outcome.readings:
            self._file(conn, reading, outcome.feed, now)

    def _archive_mapping(self, conn: Connection, now: int) -> None:
        """Keep the mapping set that made this result, so that the day can be replayed."""
        catalogue = self.services.catalogue
        if self._archived == catalogue.hash:
            return
        if execute(conn, _FIND_SET, (catalogue.hash,)).fetchone() is not None:
            self._archived = catalogue.hash
        else:
            execute_many(conn, _ADD_SET, [(catalogue.hash, now, catalogue.archive())])

    def _file(self, conn: Connection, reading: Reading, feed: Feed, now: int) -> None:
        """Put one reading into its case."""
        services, facility = self.services, facility_of(feed)
        keys = keys_of(reading, facility)
        hold_keys(conn, services.store, [services.vault.key(*key) for key in keys])
        cases = self._candidates(conn, keys)
        chosen, doubtful = choose_case(reading, [(case.id, case.readings) for case in cases])
        if chosen is None and reading.relevance == "related":
            return  # found again by its patient key when a case opens
        if doubtful:
            doubt = Finding(f"{reading.kind}.possible_duplicate", "case")
            reading = replace(reading, findings=(*reading.findings, doubt))
        known = next((case for case in cases if case.id == chosen), None)
        case = known or self._opened(reading, feed, facility, now)
        earlier = [] if known else self._earlier(conn, reading, feed, facility)
        fresh = [new for new in (reading, *earlier) if not adds_nothing(case.readings, new)]
        if known is None:
            case = replace(case, readings=tuple(fresh))
            add_case(conn, services.vault, case)
        elif fresh:
            case = save_case(
                conn, services.vault, replace(case, readings=(*case.readings, *fresh)), now=now, changed=True
            )
        self._index(conn, case, (reading, *earlier), facility)
        if fresh:
            self._tell(conn, case, reading, opened=known is None, feed=feed, now=now)

    def _candidates(self, conn: Connection, keys: Sequence[Key]) -> list[StoredCase]:
        vault = self.services.vault
        digests = [vault.key(*key) for key in keys]
        if not digests:
            return []
        sql = _FIND_KEYS.format(", ".join("?" * len(digests)))
        order = {digest: place for place, digest in enumerate(digests)}
        found = sorted((order[bytes(key)], case_id) for key, case_id in execute(conn, sql, digests))
        ids = dict.fromkeys(case_id for _, case_id in found)
        cases = (find_case(conn, vault, case_id) for case_id in ids)
        return [case for case in cases if case is not None]

    def _opened(self, reading: Reading, feed: Feed, facility: str, now: int) -> StoredCase:
        prefix = "ks" if reading.kind == "birth" else "kt"
        return StoredCase(
            id=f"{prefix}-{self.services.clock.new_id()[:12]}",
            kind=reading.kind,
            facility=facility,
            feed=feed.name,
            status="collecting",
            version=1,
            identified=0,
            prepared=0,
            commune_code="",
            opened_at=now,
            changed_at=now,
            settle_at=now + int(feed.settle_seconds * 1_000_000),
        )

    def _earlier(self, conn: Connection, reading: Reading, feed: Feed, facility: str) -> list[Reading]:
        """What earlier messages of this patient said before there was a case (an ORU ahead of its ADT)."""
        handles = [self.services.vault.key(*patient_key(facility, handle)) for handle in reading.patients]
        if not handles:
            return []
        sql = _FIND_RELATED.format(", ".join("?" * len(handles)))
        ids = execute(conn, sql, (*handles, reading.message)).fetchall()
        found = [other for (message,) in ids for other in self._read(conn, message).readings]
        return [other for other in found if other.kind == reading.kind]

    def _index(self, conn: Connection, case: StoredCase, readings: Sequence[Reading], facility: str) -> None:
        digests = {self.services.vault.key(*key) for reading in readings for key in keys_of(reading, facility)}
        if digests:
            execute_many(conn, _ADD_KEY, [(digest, case.id) for digest in sorted(digests)])
        messages = sorted({reading.message for reading in readings})
        execute_many(conn, _ADD_LINK, [(case.id, message) for message in messages])

    def _tell(self, conn: Connection, case: StoredCase, reading: Reading, opened: bool, feed: Feed, now: int) -> None:
        meta = {"message": reading.message, "opened": opened, "version": case.version, "rank": reading.rank.name}
        append(conn, self.services.vault, self.services.chain, now, [NewEntry("correlated", case.id, meta, None)])
        settle = feed.settle_seconds if opened else 0
        lanes.put(conn, f"case:{case.id}", "advance", {"case": case.id}, now, after=settle)


def hold_keys(conn: Connection, store: Store, digests: Sequence[bytes]) -> None:
    """Keep two machines from opening two cases for one person at once: one key, one writer, until the commit. SQLite
    has one writer anyway."""
    if store.is_sqlite:
        return
    for number in sorted(int.from_bytes(digest[:8], "big", signed=True) for digest in digests):
        execute(conn, "SELECT pg_advisory_xact_lock(?)", (number,))
