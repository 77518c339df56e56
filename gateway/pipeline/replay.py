"""replay: walk the steps again from the log, with the mapping of that day or today's, and compare.

External answers come from the log: replay asks nobody and cannot reach `forward`. With the mapping of that day, a
difference means that code changed behaviour or evidence was altered; with today's, it shows what a new mapping would
do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from gateway.domain.dossier import as_json
from gateway.domain.notification import KINDS
from gateway.errors import GatewayError
from gateway.mapping.catalogue import Catalogue
from gateway.messagelog.chain import entries_of, payload_of
from gateway.pipeline.cases import load_case, reading_to_json
from gateway.pipeline.correlate import read_message
from gateway.pipeline.dossiers import newest_dossier
from gateway.pipeline.logged import feed_from_json
from gateway.pipeline.prepare import prepare_dossier
from gateway.pipeline.services import Services
from gateway.ports.hospital import Feed
from gateway.store.tables import CaseMessage, MappingSet, Message

_MESSAGE = Message.__table__  # type: ignore[attr-defined]
_LINK = CaseMessage.__table__  # type: ignore[attr-defined]
_SET = MappingSet.__table__  # type: ignore[attr-defined]


_NOT_COMPARED = ("mapping_hash", "provenance", "findings")
"""Of a dossier as recorded; nor is what a record of an earlier version of the gateway did not hold yet."""


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
        reader, feed = services.readers[row.format], feed_from_json(first.meta["feed"])
        received, kinds = _moment(row.received_at), tuple(dict.fromkeys(reading["kind"] for reading in told))
        read = read_message(reader, raw, feed, message, catalogue, on, kinds=kinds, received=received)
        made = [reading_to_json(reading) for reading in read]
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


def _replay_case(
    conn: Connection, services: Services, case_id: str, feed: Feed, catalogue: Catalogue
) -> list[Difference]:
    """Read every message of the case again, fold, prepare as at the time of its newest dossier, and compare that."""
    last = newest_dossier(conn, services.vault, case_id)
    if last is None:
        return []
    case = load_case(conn, services.vault, case_id)
    made_at = _moment(_prepared_at(conn, case_id))
    mine = {(reading.message, reading.event) for reading in case.readings}
    readings = []
    for message in dict.fromkeys(reading.message for reading in case.readings):
        found = conn.execute(select(_MESSAGE.c.format, _MESSAGE.c.received_at).where(_MESSAGE.c.id == message)).one()
        raw, received = payload_of(conn, services.vault, message), _moment(found.received_at)
        reader, day = services.readers[found.format], made_at.date()
        again = read_message(reader, raw, feed, message, catalogue, day, kinds=tuple(KINDS), received=received)
        readings += [reading for reading in again if (reading.message, reading.event) in mine]
    folded = replace(case, readings=tuple(readings)).fold()
    then = {name: part for name, part in last.content["dossier"].items() if name not in _NOT_COMPARED}
    now = as_json(prepare_dossier(folded, feed, catalogue, made_at))
    now["dossier"] = {name: now["dossier"].get(name) for name in then["dossier"]}
    return _compare(case_id, then, orjson.loads(orjson.dumps({name: now.get(name) for name in then})))


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


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
