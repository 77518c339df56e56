"""correlate: read a relevant message through the mapping rules, find or open its case, add what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.domain.case import Reading
from gateway.domain.finding import Finding
from gateway.domain.journey import FINAL
from gateway.domain.linking import decide_filing, doubt_about, keys_of, patient_key
from gateway.domain.notification import KINDS, flatten
from gateway.domain.papers import with_differences
from gateway.errors import UnreadableMessage
from gateway.lanes import lanes
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import read_event
from gateway.messagelog.chain import NewEntry, append, payload_of
from gateway.pipeline.cases import StoredCase, add_case, find_case, reading_to_json, save_case
from gateway.pipeline.duplicates import propose_duplicates
from gateway.pipeline.interpret import facility_of, is_real
from gateway.pipeline.merging import merge_cases
from gateway.pipeline.pairs import hold_together
from gateway.pipeline.services import Services
from gateway.ports.hospital import FactsReader, Feed, MessageReader
from gateway.store.session import execute, execute_many, now_us

_FIND_MESSAGE = "SELECT feed, format, received_at FROM message WHERE id = ?"
_FIND_KEYS = "SELECT key, case_id FROM case_key WHERE key IN ({})"
_FIND_EARLIER = """SELECT id FROM message WHERE patient_key IN ({}) AND relevance IN ('related', 'other') AND id <> ?
ORDER BY relevance DESC, received_at DESC, id DESC LIMIT ?"""
_FIND_ALIASES = "SELECT same_as FROM patient_alias WHERE key IN ({})"
_ADD_ALIAS = "INSERT INTO patient_alias (key, same_as) VALUES (?, ?) ON CONFLICT DO NOTHING"
_FIND_SET = "SELECT 1 FROM mapping_set WHERE hash = ?"
_ADD_KEY = "INSERT INTO case_key (key, case_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
_ADD_LINK = "INSERT INTO case_message (case_id, message_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
_ADD_SET = "INSERT INTO mapping_set (hash, first_used_at, archive) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

MOST_EARLIER = 20
"""So many messages of a patient are looked at when a case opens, the related ones and the newest first: a long stay
sends hundreds that say the same."""

CLOCK_AHEAD = timedelta(minutes=10)
"""A sender's clock may be this far ahead of ours and is believed."""


def read_message(
    reader: MessageReader,
    raw: bytes,
    feed: Feed,
    message: str,
    catalogue: Catalogue,
    on: Any,
    *,
    kinds: Sequence[str] = (),
    received: datetime | None = None,
) -> list[Reading]:
    """Every birth, death and related fact in a message, typed, with provenance; nothing of a test message. A message
    without any is read for what it says of its patient, as cases of `kinds` want it. `received`: when it came to us;
    a sender whose clock runs ahead of that is not believed."""
    if not is_real(reader, raw):
        return []
    catalogue = catalogue.within(feed.name)
    events = reader.events(raw, feed)
    if not events and isinstance(reader, FactsReader):
        events = [event for kind in kinds for event in reader.facts_of(raw, feed, kind)]
    readings = [read_event(catalogue, reader.format, event, message, feed, on) for event in events]
    return [replace(_in_time(reading, received), event=place) for place, reading in enumerate(readings)]


def _in_time(reading: Reading, received: datetime | None) -> Reading:
    """An event from the future happened when we heard of it: else it would overrule everything said until then."""
    if received is None or not reading.occurred:
        return reading
    if datetime.fromisoformat(reading.occurred) <= received + CLOCK_AHEAD:
        return reading
    now = received.astimezone(UTC).isoformat(timespec="seconds")
    return replace(reading, occurred=now, findings=(*reading.findings, Finding("message.clock_ahead", "EVN-2")))


def adds_nothing(known: Sequence[Reading], new: Reading) -> bool:
    """Whether an equal reading is already there: a resend under another control id changes nothing."""
    says = _says(new)
    return any(_says(old) == says for old in known)


def _says(reading: Reading) -> tuple[Any, ...]:
    changes = (reading.trigger, reading.cancels, reading.merges, reading.clears)
    return (reading.rank, reading.occurred, *changes, flatten(reading.notification))


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
        name, format_, at = execute(conn, _FIND_MESSAGE, (message,)).fetchone()
        feed, on = services.feed(name), services.clock.now().date()
        raw, received = payload_of(conn, services.vault, message), datetime.fromtimestamp(at / 1_000_000, UTC)
        reader, catalogue = services.readers[format_], services.catalogue
        try:
            readings = read_message(reader, raw, feed, message, catalogue, on, kinds=tuple(KINDS), received=received)
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
        patients = self._patients(conn, reading, facility)
        keys = [*(services.vault.key(*key) for key in keys_of(reading, facility)), *patients]
        hold_together(conn, services.store, keys)
        cases = self._candidates(conn, reading, keys)
        filing = decide_filing(reading, [(case.id, case.readings) for case in cases])
        known = next((case for case in cases if case.id == filing.case), None)
        if _says_nothing(reading, known):
            return  # found again by its patient key when a case opens
        if filing.doubtful:
            reading = replace(reading, findings=(*reading.findings, doubt_about(reading)))
        for gone in (case for case in cases if known and case.id in filing.joins):
            known = merge_cases(conn, services, known or gone, gone, reading.trigger or "facts", now)
        reading = with_differences(known.readings if known else (), reading)
        case = known or self._opened(reading, feed, facility, now)
        earlier = [] if known else self._earlier(conn, reading, patients)
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
            propose_duplicates(conn, services, case, reading, now)
            self._tell(conn, case, reading, opened=known is None, feed=feed, now=now)

    def _patients(self, conn: Connection, reading: Reading, facility: str) -> list[bytes]:
        """Keyed digests of the patient's handles, with those that any message, a merge above all, told beside them."""
        vault = self.services.vault
        own = [vault.key(*patient_key(facility, handle)) for handle in sorted(reading.handles)]
        if len(own) > 1:
            execute_many(conn, _ADD_ALIAS, list(permutations(own, 2)))
        found = dict.fromkeys(own)
        seen = 0
        while len(found) > seen:  # a merge of a merge: until nothing new is named
            seen = len(found)
            sql = _FIND_ALIASES.format(", ".join("?" * seen))
            found |= dict.fromkeys(bytes(key) for (key,) in execute(conn, sql, list(found)))
        return list(found)

    def _candidates(self, conn: Connection, reading: Reading, digests: Sequence[bytes]) -> list[StoredCase]:
        if not digests:
            return []
        sql = _FIND_KEYS.format(", ".join("?" * len(digests)))
        order = {digest: place for place, digest in enumerate(digests)}
        found = sorted((order[bytes(key)], case_id) for key, case_id in execute(conn, sql, digests))
        ids = dict.fromkeys(case_id for _, case_id in found)
        cases = (find_case(conn, self.services.vault, case_id) for case_id in ids)
        return [case for case in cases if case is not None and case.kind == reading.kind and case.status != "merged"]

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

    def _earlier(self, conn: Connection, reading: Reading, patients: Sequence[bytes]) -> list[Reading]:
        """What earlier messages of this patient said before there was a case (an ORU ahead of its ADT)."""
        if not patients:
            return []
        sql = _FIND_EARLIER.format(", ".join("?" * len(patients)))
        ids = execute(conn, sql, (*patients, reading.message, MOST_EARLIER)).fetchall()
        found = [other for (message,) in ids for other in self._read(conn, message).readings]
        return [other for other in found if other.kind == reading.kind]

    def _index(self, conn: Connection, case: StoredCase, readings: Sequence[Reading], facility: str) -> None:
        vault = self.services.vault
        digests = {vault.key(*key) for reading in readings for key in keys_of(reading, facility)}
        # By the patient alone, too: that is how an ordinary message finds out that its patient has a case.
        digests |= {vault.key(*patient_key(facility, handle)) for reading in readings for handle in reading.handles}
        if digests:
            execute_many(conn, _ADD_KEY, [(digest, case.id) for digest in sorted(digests)])
        messages = sorted({reading.message for reading in readings})
        execute_many(conn, _ADD_LINK, [(case.id, message) for message in messages])

    def _tell(self, conn: Connection, case: StoredCase, reading: Reading, opened: bool, feed: Feed, now: int) -> None:
        meta = {"message": reading.message, "opened": opened, "version": case.version, "rank": reading.rank.name}
        append(conn, self.services.vault, self.services.chain, now, [NewEntry("correlated", case.id, meta, None)])
        settle = feed.settle_seconds if opened else 0
        lanes.put(conn, f"case:{case.id}", "advance", {"case": case.id}, now, after=settle)


def _says_nothing(reading: Reading, known: StoredCase | None) -> bool:
    """Whether a reading has no case to go to: it is no evidence and there is none, or none that ordinary messages may
    still complete."""
    if reading.relevance not in ("related", "other"):
        return False
    return known is None or (reading.relevance == "other" and known.status in FINAL)
