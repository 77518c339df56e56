"""rehearse: what would become of these messages? The same steps as in life, in memory: no store, no network, nothing
sent.

Time stands still at the newest message's own time, so that a rehearsal gives the same answer on any day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from gateway.domain.case import Case, Reading, fold
from gateway.domain.dates import PartialDate
from gateway.domain.dossier import as_json
from gateway.domain.finding import Finding
from gateway.domain.linking import Key, keys_of
from gateway.errors import UnreadableMessage
from gateway.mapping.catalogue import Catalogue
from gateway.pipeline.correlate import adds_nothing, choose_case, read_message
from gateway.pipeline.interpret import facility_of, sort_message
from gateway.pipeline.prepare import prepare_dossier
from gateway.ports.hospital import Feed, Header, MessageReader


@dataclass(slots=True)
class _Case:
    kind: str
    readings: list[Reading]
    keys: set[Key]


@dataclass(slots=True)
class _Rehearsal:
    catalogue: Catalogue
    readers: Mapping[str, MessageReader]
    feed: Feed
    messages: list[dict[str, Any]] = field(default_factory=list)
    cases: list[_Case] = field(default_factory=list)
    waiting: list[Reading] = field(default_factory=list)  # related facts whose case is not open yet
    seen: dict[str, bytes] = field(default_factory=dict)  # control id → content
    now: datetime | None = None


def rehearse(
    catalogue: Catalogue, readers: Mapping[str, MessageReader], feed: Feed, files: Iterable[tuple[str, bytes]]
) -> dict[str, Any]:
    """The JSON document of `hotich try`: {"messages": […], "cases": […]}. The files are one stream."""
    run = _Rehearsal(catalogue, readers, feed)
    for path, raw in files:
        reader = recognise(readers, raw)
        parts = [raw] if reader is None else _split(reader, raw)
        for index, part in enumerate(parts):
            _take(run, reader, path, index, part)
    now = run.now or datetime.now(UTC)
    return {"messages": run.messages, "cases": [_case_json(run, case, now) for case in run.cases]}


def recognise(readers: Mapping[str, MessageReader], raw: bytes) -> MessageReader | None:
    """The reader whose format the bytes look like."""
    return next((reader for reader in readers.values() if reader.recognises(raw)), None)


def _split(reader: MessageReader, raw: bytes) -> list[bytes]:
    try:
        return reader.split(raw) or [raw]
    except UnreadableMessage:
        return [raw]


def _take(run: _Rehearsal, reader: MessageReader | None, path: str, index: int, raw: bytes) -> None:
    """One message: header, relevance, readings, case."""
    told: dict[str, Any] = {"path": path, "index": index, "type": None, "control_id": None, "ack": "AR"}
    told |= {"relevance": "other", "findings": [], "unread": []}
    run.messages.append(told)
    if reader is None:
        told["findings"] = [Finding("message.unreadable", "offset 0", "no known format").as_json()]
        return
    try:
        header = reader.header(raw)
        told |= {"type": header.type, "control_id": header.control_id, "ack": _ack(run, header, raw)}
        if told["ack"] != "AA":
            told["findings"] = [Finding("message.unreadable", "MSH-10", "control id re-used").as_json()]
            return
        run.now = max(filter(None, (run.now, _instant(header))), default=None)
        message = f"{path}#{index}" if index else path
        readings = read_message(reader, raw, run.feed, message, run.catalogue, _today(run))
        told["relevance"] = sort_message(reader, raw, run.feed, message).relevance
        findings = [finding for reading in readings for finding in reading.findings]
        if header.processing not in ("", "P"):
            told["relevance"] = "other"
            findings.append(Finding("message.not_production", "MSH-11"))
    except UnreadableMessage as error:
        told["ack"] = "AR" if told["type"] is None else "AE"
        told["findings"] = [Finding("message.unreadable", error.where, error.message).as_json()]
        return
    told["findings"] = [finding.as_json() for finding in dict.fromkeys(findings)]
    told["unread"] = sorted({place for reading in readings for place in reading.unread})
    for reading in readings:
        _file(run, reading)


def _ack(run: _Rehearsal, header: Header, raw: bytes) -> str:
    """The answer by the rule of re-used control ids."""
    if not header.control_id or run.feed.control_id_reuse == "accept":
        return "AA"
    known = run.seen.setdefault(f"{header.format}:{header.control_id}", raw)
    return "AA" if known == raw else "AR"


def _instant(header: Header) -> datetime | None:
    try:
        moment = PartialDate.parse(header.sent_at)
    except ValueError:
        return None
    return moment.instant() or (
        datetime(moment.year, moment.month or 1, moment.day or 1, 5, tzinfo=UTC) if moment.day else None
    )


def _today(run: _Rehearsal) -> Any:
    return (run.now or datetime.now(UTC)).date()


def _file(run: _Rehearsal, reading: Reading) -> None:
    """The in-memory twin of correlate's filing: same keys, same decision, dictionaries for tables."""
    facility = facility_of(run.feed)
    keys = set(keys_of(reading, facility))
    near = [case for case in run.cases if case.kind == reading.kind and case.keys & keys]
    chosen, doubtful = choose_case(reading, [(str(place), case.readings) for place, case in enumerate(near)])
    if doubtful:
        doubt = Finding(f"{reading.kind}.possible_duplicate", "case")
        reading = replace(reading, findings=(*reading.findings, doubt))
    if chosen is None and reading.relevance == "related":
        run.waiting.append(reading)
        return
    case = near[int(chosen)] if chosen is not None else _Case(reading.kind, [], set())
    if chosen is None:
        run.cases.append(case)
    earlier = [
        other for other in run.waiting if other.kind == reading.kind and set(other.patients) & set(reading.patients)
    ]
    for new in (reading, *earlier):
        if not adds_nothing(case.readings, new):
            case.readings.append(new)
        case.keys |= set(keys_of(new, facility))
    run.waiting = [other for other in run.waiting if other not in earlier]


def _case_json(run: _Rehearsal, case: _Case, now: datetime) -> dict[str, Any]:
    folded: Case = fold(case.kind, case.readings, {}, {})
    return as_json(prepare_dossier(folded, run.feed, run.catalogue, now))
