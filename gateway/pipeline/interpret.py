"""interpret: what is a message about? Decides relevance in microseconds and sends on only what matters.

Most traffic is neither birth nor death: it stays in the log with a patient key, so that it is found when a case opens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection

from gateway.domain.journey import FINAL
from gateway.domain.linking import patient_key
from gateway.errors import UnreadableMessage
from gateway.lanes import lanes
from gateway.messagelog.chain import payload_of
from gateway.pipeline.services import Services
from gateway.ports.hospital import Feed, MessageReader
from gateway.store.session import execute, execute_many, now_us

_FIND = "SELECT id, feed, format FROM message WHERE id IN ({})"
_OPEN = f"""SELECT DISTINCT k.key FROM case_key k JOIN "case" c ON c.id = k.case_id WHERE k.key IN ({{}})
AND c.status NOT IN ({", ".join(f"'{state}'" for state in sorted(FINAL))})"""
_MARK = "UPDATE message SET relevance = ?, patient_key = ? WHERE id = ?"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sorted:
    """One message's relevance: birth | death | related | other | unreadable, and its patient's handle and facility."""

    message: str
    relevance: str
    patient: str | None
    facility: str


def facility_of(feed: Feed) -> str:
    """The namespace of patient numbers: the facility's code, else the feed."""
    return feed.facility_code or f"feed:{feed.name}"


def sort_message(reader: MessageReader, raw: bytes, feed: Feed, message: str) -> Sorted:
    """Decide a message's relevance. A message that cannot be read any further is `unreadable`, never lost."""
    facility = facility_of(feed)
    try:
        events = reader.events(raw, feed)
        if events and is_real(reader, raw):
            found = {event.relevance for event in events}
            relevance = next(kind for kind in ("birth", "death", "related") if kind in found)
            patient = next((event.patients[0] for event in events if event.patients), None)
            return Sorted(message, relevance, patient, facility)
        return Sorted(message, "other", reader.patient_of(raw, feed), facility)
    except UnreadableMessage as error:
        _log.warning("message.unreadable", message=message, code=error.code, where=error.where)
        return Sorted(message, "unreadable", None, facility)


def is_real(reader: MessageReader, raw: bytes) -> bool:
    """Whether real dossiers may come of a message: not of training or debugging ones (processing id T or D, HL7 table
    0103)."""
    return reader.header(raw).processing in ("", "P")


class Interpret:
    """Handler of `interpret` work: args {"writer", "first", "last"}, the log entries of one group commit."""

    kind = "interpret"

    def __init__(self, services: Services) -> None:
        self.services = services

    def act(self, args: Mapping[str, Any]) -> Sequence[Sorted]:
        services = self.services
        ids = [f"{args['writer']}.{seq}" for seq in range(args["first"], args["last"] + 1)]
        with services.store.read() as conn:
            rows = execute(conn, _FIND.format(", ".join("?" * len(ids))), ids).fetchall()
            return [self._sort(conn, *row, alone=bool(args.get("alone"))) for row in rows]

    def _sort(self, conn: Connection, message: str, feed_name: str, format_: str, *, alone: bool) -> Sorted:
        feed = self.services.feed(feed_name)
        try:
            raw = payload_of(conn, self.services.vault, message)
            return sort_message(self.services.readers[format_], raw, feed, message)
        except Exception as error:
            if alone:
                raise
            # A defect of ours on one message, or a payload somebody changed, must not hold its neighbours, nor what
            # comes after in this lane: it goes on in a lane of its own and fails where it is seen.
            _log.error("interpret.defect", message=message, error=type(error).__name__)
            return Sorted(message, "alone", None, facility_of(feed))

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Sequence[Sorted]) -> None:
        services, now = self.services, now_us(self.services.clock)
        marks: list[tuple[str, bytes | None, str]] = []
        ordinary: dict[bytes, list[str]] = {}
        for item in outcome:
            if item.relevance == "alone":
                writer, _, seq = item.message.rpartition(".")
                alone = {"writer": writer, "first": int(seq), "last": int(seq), "alone": True}
                lanes.put(conn, f"message:{item.message}", "interpret", alone, now)
                continue
            key = item.patient and services.vault.key(*patient_key(item.facility, item.patient))
            marks.append((item.relevance, key or None, item.message))
            if key and item.relevance == "other":
                ordinary.setdefault(key, []).append(item.message)
            if item.relevance in ("birth", "death", "related"):
                lane = key.hex() if key else item.message
                lanes.put(conn, f"patient:{lane}", "correlate", {"message": item.message}, now)
        execute_many(conn, _MARK, marks)
        for key in _with_open_case(conn, list(ordinary)):
            for message in ordinary[key]:
                lanes.put(conn, f"patient:{key.hex()}", "correlate", {"message": message}, now)


def _with_open_case(conn: Connection, keys: Sequence[bytes]) -> list[bytes]:
    """The patients among `keys` who have a case that ordinary messages may still complete."""
    if not keys:
        return []
    return [bytes(key) for (key,) in execute(conn, _OPEN.format(", ".join("?" * len(keys))), keys)]
