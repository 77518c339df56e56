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
from gateway.domain.linking import Key, decide_filing, doubt_about, keys_of, patient_key
from gateway.domain.notification import KINDS
from gateway.domain.papers import with_differences
from gateway.errors import UnreadableMessage
from gateway.mapping.catalogue import Catalogue
from gateway.pipeline.correlate import adds_nothing, read_message
from gateway.pipeline.interpret import facility_of, sort_message
from gateway.pipeline.prepare import prepare_dossier
from gateway.ports.hospital import Feed, Header, MessageReader


@dataclass(frozen=True, slots=True)
class Sent:
    """One file of a stream: what to call it, its bytes, and the feed it comes by."""

    name: str
    raw: bytes
    feed: Feed


@dataclass(frozen=True, slots=True)
class RehearsedCase:
    """`told` is the case as `hotich try --json` has it, `folded` what it was prepared from. `events` says which events
    of which messages speak in it: by them the same case is found again under another mapping set."""

    folded: Case
    events: frozenset[tuple[str, int]]
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would become of a stream. `messages` are as `hotich try --json` has them; `now` is when it was rehearsed."""

    messages: list[dict[str, Any]]
    cases: list[RehearsedCase]
    now: datetime

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document of `hotich try`."""
        return {"messages": self.messages, "cases": [case.told for case in self.cases]}


@dataclass(slots=True)
class _Case:
    kind: str
    feed: Feed  # of the message that opened it, as in life
    readings: list[Reading]
    keys: set[Key]


@dataclass(slots=True)
class _Run:
    catalogue: Catalogue
    readers: Mapping[str, MessageReader]
    messages: list[dict[str, Any]] = field(default_factory=list)
    cases: list[_Case] = field(default_factory=list)
    waiting: list[tuple[str, Reading]] = field(default_factory=list)  # facility, facts without a case yet
    merged: list[tuple[str, frozenset[str]]] = field(default_factory=list)  # facility, handles of one patient
    seen: dict[tuple[str, str, str], bytes] = field(default_factory=dict)  # feed, format, control id → content
    now: datetime | None = None


def rehearse(
    catalogue: Catalogue, readers: Mapping[str, MessageReader], feed: Feed, files: Iterable[tuple[str, bytes]]
) -> dict[str, Any]:
    """The JSON document of `hotich try`: {"messages": […], "cases": […]}. The files are one stream of one feed."""
    return rehearse_stream(catalogue, readers, (Sent(name, raw, feed) for name, raw in files)).document


def rehearse_stream(catalogue: Catalogue, readers: Mapping[str, MessageReader], stream: Iterable[Sent]) -> Rehearsal:
    """Rehearse a stream whose messages may come by several feeds. A file may hold several messages."""
    run = _Run(catalogue, readers)
    for sent in stream:
        reader = recognise(readers, sent.raw)
        parts = [sent.raw] if reader is None else _split(reader, sent.raw)
        for index, part in enumerate(parts):
            _take(run, reader, sent, index, part)
    now = run.now or datetime.now(UTC)
    return Rehearsal(run.messages, [_prepared(run, case, now) for case in run.cases], now)


def recognise(readers: Mapping[str, MessageReader], raw: bytes) -> MessageReader | None:
    """The reader whose format the bytes look like."""
    return next((reader for reader in readers.values() if reader.recognises(raw)), None)


def _split(reader: MessageReader, raw: bytes) -> list[bytes]:
    try:
        return reader.split(raw) or [raw]
    except UnreadableMessage:
        return [raw]


def _take(run: _Run, reader: MessageReader | None, sent: Sent, index: int, raw: bytes) -> None:
    """One message: header, relevance, readings, case."""
    told: dict[str, Any] = {"path": sent.name, "index": index, "type": None, "control_id": None, "ack": "AR"}
    told |= {"relevance": "other", "findings": [], "unread": []}
    run.messages.append(told)
    if reader is None:
        told["findings"] = [Finding("message.unreadable", "offset 0", "no known format").as_json()]
        return
    try:
        header = reader.header(raw)
        told |= {"type": header.type, "control_id": header.control_id, "ack": _ack(run, sent.feed, header, raw)}
        if told["ack"] != "AA":
            told["findings"] = [Finding("message.unreadable", "MSH-10", "control id re-used").as_json()]
            return
        run.now = max(filter(None, (run.now, _instant(header))), default=None)
        message = f"{sent.name}#{index}" if index else sent.name
        readings = read_message(reader, raw, sent.feed, message, run.catalogue, _today(run), kinds=tuple(KINDS))
        told["relevance"] = sort_message(reader, raw, sent.feed, message).relevance
        telling = [reading for reading in readings if reading.relevance != "other"]
        findings = [finding for reading in telling for finding in reading.findings]
        if header.processing not in ("", "P"):
            told["relevance"] = "other"
            findings.append(Finding("message.not_production", "MSH-11"))
    except UnreadableMessage as error:
        told["ack"] = "AR" if told["type"] is None else "AE"
        told["findings"] = [Finding("message.unreadable", error.where, error.message).as_json()]
        return
    told["findings"] = [finding.as_json() for finding in dict.fromkeys(findings)]
    told["unread"] = sorted({place for reading in telling for place in reading.unread})
    for reading in readings:
        _file(run, sent.feed, reading)


def _ack(run: _Run, feed: Feed, header: Header, raw: bytes) -> str:
    """The answer by the rule of re-used control ids."""
    if not header.control_id or feed.control_id_reuse == "accept":
        return "AA"
    known = run.seen.setdefault((feed.name, header.format, header.control_id), raw)
    return "AA" if known == raw else "AR"


def _instant(header: Header) -> datetime | None:
    try:
        moment = PartialDate.parse(header.sent_at)
    except ValueError:
        return None
    return moment.instant() or (
        datetime(moment.year, moment.month or 1, moment.day or 1, 5, tzinfo=UTC) if moment.day else None
    )


def _today(run: _Run) -> Any:
    return (run.now or datetime.now(UTC)).date()


def _file(run: _Run, feed: Feed, reading: Reading) -> None:
    """The in-memory twin of correlate's filing: same keys, same decision, dictionaries for tables."""
    facility = facility_of(feed)
    patients = _patients(run, facility, reading)
    keys = {*keys_of(reading, facility), *((reading.kind, *patient_key(facility, handle)) for handle in patients)}
    near = [case for case in run.cases if case.kind == reading.kind and case.keys & keys]
    filing = decide_filing(reading, [(str(place), case.readings) for place, case in enumerate(near)])
    if filing.case is None and reading.relevance in ("related", "other"):
        run.waiting.append((facility, reading))
        return
    if filing.doubtful:
        reading = replace(reading, findings=(*reading.findings, doubt_about(reading)))
    case = near[int(filing.case)] if filing.case is not None else _Case(reading.kind, feed, [], set())
    if filing.case is None:
        run.cases.append(case)
    for gone in (near[int(place)] for place in filing.joins):
        case.readings += gone.readings
        case.keys |= gone.keys
        run.cases.remove(gone)
    earlier = [other for place, other in run.waiting if place == facility and _about(other, reading.kind, patients)]
    reading = with_differences(case.readings, reading)
    for new in (reading, *earlier):
        if not adds_nothing(case.readings, new):
            case.readings.append(new)
        case.keys |= set(keys_of(new, facility))
    run.waiting = [(place, other) for place, other in run.waiting if other not in earlier]


def _patients(run: _Run, facility: str, reading: Reading) -> frozenset[str]:
    """The patient's handles, with those that merges seen so far made one."""
    if reading.merges:
        run.merged.append((facility, reading.handles))
    found = reading.handles
    while more := [names for place, names in run.merged if place == facility and names & found and not names <= found]:
        found = found.union(*more)
    return found


def _about(reading: Reading, kind: str, patients: frozenset[str]) -> bool:
    return reading.kind == kind and not reading.handles.isdisjoint(patients)


def _prepared(run: _Run, case: _Case, now: datetime) -> RehearsedCase:
    folded = fold(case.kind, case.readings, {}, {})
    told = as_json(prepare_dossier(folded, case.feed, run.catalogue, now))
    return RehearsedCase(folded, frozenset((reading.message, reading.event) for reading in case.readings), told)
