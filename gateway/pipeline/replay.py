"""replay: walk the steps again from the log, with the mapping of that day or today's, and compare.

External answers come from the log: replay asks nobody and cannot reach `forward`. With the mapping of that day, a
difference means that code changed behaviour or evidence was altered; with today's, it shows what a new mapping would
do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from gateway.domain.dossier import as_json
from gateway.errors import GatewayError
from gateway.mapping.catalogue import Catalogue
from gateway.messagelog.chain import entries_of, payload_of
from gateway.pipeline.cases import load_case, reading_to_json
from gateway.pipeline.correlate import read_message
from gateway.pipeline.dossiers import newest_dossier
from gateway.pipeline.prepare import prepare_dossier
from gateway.pipeline.services import Services
from gateway.ports.hospital import Feed
from gateway.store.tables import CaseMessage, MappingSet, Message

_MESSAGE = Message.__table__  # type: ignore[attr-defined]
_LINK = CaseMessage.__table__  # type: ignore[attr-defined]
_SET = MappingSet.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where replay and record differ. `then` is what the log holds, `now` what replay made."""

    subject: str
    place: str
    then: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Replayed:
    """One message replayed: `mapping` is the hash of the set used, `cases` the cases it speaks in."""

    message: str
    mapping: str
    cases: tuple[str, ...]
    readings: tuple[dict[str, Any], ...]
    differences: tuple[Difference, ...]


def find_replayable(services: Services, since: int, until: int) -> list[str]:
    """The births, deaths and related messages received in a period (microseconds since 1970 UTC, `until` excluded), in
    the order of their arrival."""
    period = (_MESSAGE.c.received_at >= since) & (_MESSAGE.c.received_at < until)
    relevant = _MESSAGE.c.relevance.in_(("birth", "death", "related"))
    with services.store.read() as conn:
        found = select(_MESSAGE.c.id).where(period, relevant).order_by(_MESSAGE.c.received_at, _MESSAGE.c.id)
        return list(conn.execute(found).scalars())


def replay_message(services: Services, message: str, mapping: str, load: Callable[[bytes], Catalogue]) -> Replayed:
    """Replay one message. `mapping` is "then" or "now"; `load` opens an archived mapping set.

    Raises GatewayError `replay.unknown` when there is no such message, `replay.not_read` when it was never relevant.
    """
    with services.store.read() as conn:
        row = conn.execute(select(_MESSAGE).where(_MESSAGE.c.id == message)).first()
        if row is None:
            raise GatewayError("replay.unknown", f"there is no message {message} in the log")
        entries = [entry for entry in entries_of(conn, message) if entry.kind == "interpreted"]
        if not entries:
            raise GatewayError("replay.not_read", f"message {message} is {row.relevance or 'not interpreted yet'}")
        first = entries[0]
        told = orjson.loads(payload_of(conn, services.vault, first.ref))
        catalogue = _catalogue(conn, services, first.meta["mapping"], mapping, load)
        raw = payload_of(conn, services.vault, message)
        on = datetime.fromtimestamp(first.at / 1_000_000, UTC).date()
        reader, feed = services.readers[row.format], _feed_then(first.meta["feed"])
        made = [reading_to_json(reading) for reading in read_message(reader, raw, feed, message, catalogue, on)]
        differences = _compare(message, {"readings": told}, {"readings": made})
        cases = [link.case_id for link in conn.execute(select(_LINK).where(_LINK.c.message_id == message))]
        for case_id in cases:
            differences += _replay_case(conn, services, case_id, feed, catalogue)
    return Replayed(message, catalogue.hash, tuple(cases), tuple(made), tuple(differences))


def _catalogue(
    conn: Connection, services: Services, wanted: str, mapping: str, load: Callable[[bytes], Catalogue]
) -> Catalogue:
    if mapping == "now" or wanted == services.catalogue.hash:
        return services.catalogue
    archive = conn.execute(select(_SET.c.archive).where(_SET.c.hash == wanted)).scalar_one_or_none()
    if archive is None:
        raise GatewayError("replay.no_mapping", f"mapping set {wanted} was not archived")
    return load(archive)


def _feed_then(told: Mapping[str, Any]) -> Feed:
    """The feed's settings as they were that day: under others, a replay would differ for no fault of the evidence."""
    known = {field.name for field in fields(Feed)}
    kept: dict[str, Any] = {name: value for name, value in told.items() if name in known}
    listed = {name: tuple(value) for name, value in kept.items() if isinstance(value, list)}
    return Feed(**{**kept, **listed})


def _replay_case(
    conn: Connection, services: Services, case_id: str, feed: Feed, catalogue: Catalogue
) -> list[Difference]:
    """Read every message of the case again, fold, prepare as at the time of its newest dossier, and compare that."""
    last = newest_dossier(conn, services.vault, case_id)
    if last is None:
        return []
    case = load_case(conn, services.vault, case_id)
    made_at = datetime.fromtimestamp(_prepared_at(conn, case_id) / 1_000_000, UTC)
    mine = {(reading.message, reading.event) for reading in case.readings}
    readings = []
    for message in dict.fromkeys(reading.message for reading in case.readings):
        found = conn.execute(select(_MESSAGE.c.format).where(_MESSAGE.c.id == message)).one()
        raw = payload_of(conn, services.vault, message)
        again = read_message(services.readers[found.format], raw, feed, message, catalogue, made_at.date())
        readings += [reading for reading in again if (reading.message, reading.event) in mine]
    folded = replace(case, readings=tuple(readings)).fold()
    now = as_json(prepare_dossier(folded, feed, catalogue, made_at))
    then = dict(last.content["dossier"])
    for told in (now, then):
        told.pop("mapping_hash")
        told.pop("provenance")
        told.pop("findings")
    return _compare(case_id, then, orjson.loads(orjson.dumps(now)))


def _prepared_at(conn: Connection, case_id: str) -> int:
    return max(int(entry.at) for entry in entries_of(conn, case_id) if entry.kind == "prepared")


def _compare(subject: str, then: Any, now: Any, place: str = "") -> list[Difference]:
    """Leaf by leaf."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        names = sorted({*then, *now})
        return [
            difference
            for name in names
            for difference in _compare(subject, then.get(name), now.get(name), f"{place}.{name}".lstrip("."))
        ]
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        return [
            difference
            for index, (old, new) in enumerate(zip(then, now, strict=True))
            for difference in _compare(subject, old, new, f"{place}[{index}]")
        ]
    return [] if then == now else [Difference(subject, place, then, now)]
