"""The HL7 v2 reader (versions 2.3 to 2.8): what ports.hospital.MessageReader asks, put together from its parts.

hl7v2_message reads lazily, hl7v2_charset decodes, hl7v2_relevance decides, hl7v2_paths serves mapping rows, hl7v2_ack
answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from adapters.hospital.hl7v2_ack import UNKNOWN, Envelope, UnreadableEnvelope, write_answer
from adapters.hospital.hl7v2_batch import answer_batch, split_messages
from adapters.hospital.hl7v2_conformance import conformance_of
from adapters.hospital.hl7v2_content import find_unusable, open_message, text_findings, with_alternates
from adapters.hospital.hl7v2_delimiters import Delimiters
from adapters.hospital.hl7v2_message import LEADING, Hl7v2Message, Segment, read_msh
from adapters.hospital.hl7v2_paths import Hl7v2Path, Hl7v2Scope, compile_path
from adapters.hospital.hl7v2_relevance import (
    BIRTH_OR_DEATH,
    CANCELS,
    MERGES,
    Sign,
    find_signs_in_adt,
    find_signs_in_oru,
    occurred_at,
    patient_handles,
    read_trigger,
)
from adapters.hospital.hl7v2_sequence import decide_sequence
from gateway.domain.case import Rank
from gateway.domain.finding import Finding
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Answer, Event, Feed, Header, Nonconformity

PROCESSING_IDS = ("P", "T", "D")
VERSIONS = frozenset(("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2"))
_EVIDENCE = {"PID": (3, 7, 21, 24, 25, 29, 30, 33), "PV1": (4, 36, 44), "NK1": (3,), "OBX": (2, 3), "OBR": (4,)}
"""Fields the relevance rules look at: read, even when no mapping row uses them."""


class Hl7v2Reader:
    """ports.hospital.MessageReader for HL7 v2 in vertical-bar encoding. Holds nothing, so threads may share it."""

    format = "hl7v2"

    def recognises(self, raw: bytes) -> bool:
        """Whether the bytes start like a message or a batch, after a byte order mark or blanks."""
        return raw[:64].lstrip(LEADING)[:3] in (b"MSH", b"FHS", b"BHS")

    def split(self, raw: bytes) -> list[bytes]:
        """The messages of a file: several in a row, or a batch (chapter 2.10.3). [raw] when there is one or none."""
        return split_messages(raw)

    def header(self, raw: bytes) -> Header:
        """The envelope, from MSH alone. Raises UnreadableMessage: no or truncated MSH, MSH-9, MSH-10, MSH-11 or MSH-12
        missing, a processing id other than P, T, D, a version other than 2.3 to 2.8."""
        msh = read_msh(raw)
        fields, envelope = msh.fields, Envelope(msh.delimiters, msh.fields)
        # One sender's messages differ in MSH-7 and MSH-10 only: what the other fields mean is read once.
        told = _read_header(msh.delimiters, *(fields[n] if n < len(fields) else "" for n in (3, 4, 9, 11, 12, 18)))
        control_id = msh.text(10)
        if not control_id and told.where != "MSH-9":
            told = _FieldsRead(problem="hl7v2.field_missing", where="MSH-10")
        if told.problem:
            words, hl7_code = _PROBLEMS[told.problem]
            raise UnreadableEnvelope(told.problem, told.where, words, hl7_code, envelope)
        return Header(
            format=self.format,
            type=told.type,
            control_id=control_id,
            sender=told.sender,
            sent_at=msh.text(7),
            processing=told.processing,
            version=told.version,
            encoding=told.encoding,
            extra=envelope,
        )

    def patient_of(self, raw: bytes, feed: Feed) -> str | None:
        """PID-3.1 of the first medical record number (MR, PI or PT), else of the first number without a type."""
        pid = open_message(raw, feed)[0].first(b"PID")
        return next(iter(patient_handles(pid)), None) if pid else None

    def events(self, raw: bytes, feed: Feed) -> list[Event]:
        """Births, deaths and related facts; see hl7v2_relevance. Raises UnreadableMessage."""
        message, charset_finding = open_message(raw, feed)
        trigger = read_trigger(message)
        if trigger == "ORU^R01":
            return _oru_events(message, feed, charset_finding)
        if trigger[:4] != "ADT^":
            return []
        if trigger[4:] in CANCELS or trigger[4:] in MERGES:
            return _changes(message, feed, trigger[4:])
        if trigger[4:] not in BIRTH_OR_DEATH:
            return []
        signs = find_signs_in_adt(message, feed)
        if not signs:
            return []
        message = with_alternates(message)
        return [_event(sign, message, message.segments(), feed, Rank.MESSAGE, charset_finding) for sign in signs]

    def facts_of(self, raw: bytes, feed: Feed, kind: str) -> list[Event]:
        """What an ADT message that is no evidence says about its patient, read as a `kind` case wants it."""
        message, charset_finding = open_message(raw, feed)
        if read_trigger(message)[:4] != "ADT^":
            return []
        message = with_alternates(message)
        sign = Sign(kind, "other", f"adt_{kind}")
        return [_event(sign, message, message.segments(), feed, Rank.MESSAGE, charset_finding)]

    def unusable(self, raw: bytes, feed: Feed) -> UnreadableMessage | None:
        """Bytes that are not in the message's character set: see hl7v2_content. For the receive step, in microseconds,
        after `header` accepted the message."""
        return find_unusable(raw, feed)

    def compile(self, path: str) -> Hl7v2Path:
        """Compile a mapping path. Raises ValueError."""
        return compile_path(path)

    def answer(
        self,
        header: Header | None,
        code: str,
        error: UnreadableMessage | None,
        feed: Feed,
        message_id: str,
    ) -> Answer:
        """The acknowledgement in the mode the message asks for and the feed's language; see hl7v2_ack. Its body is
        empty when the sender wants none. Without a header it uses what an unreadable one let us salvage."""
        if header is not None:
            envelope: Envelope = header.extra
        else:
            envelope = error.envelope if isinstance(error, UnreadableEnvelope) else UNKNOWN
        return write_answer(envelope, code, error, message_id, feed.language)

    def answer_batch(self, raw: bytes, answers: Sequence[Answer], feed: Feed, message_id: str) -> Answer:
        """One answer to what `split` took apart; see hl7v2_batch."""
        return answer_batch(raw, answers, feed.language, message_id)

    def decide_sequence(self, header: Header, last: int | None) -> tuple[str, int]:
        """Whether a message is next in its stream (MSH-13); see hl7v2_sequence. Raises UnreadableMessage."""
        envelope: Envelope = header.extra
        return decide_sequence(envelope.field(13), last)

    def conformance(self, raw: bytes) -> list[Nonconformity]:
        """What in a message departs from its version's structure, by hl7apy; slow, see hl7v2_conformance."""
        return conformance_of(raw)


def _changes(message: Hl7v2Message, feed: Feed, trigger: str) -> list[Event]:
    """A cancellation or a merge, as a birth case and as a death case take it. One merge may name several patients."""
    message = with_alternates(message)
    events = []
    for group in _patient_groups(message.segments()):
        gone = next((segment for segment in group if segment.name == "MRG"), None)
        merges = patient_handles(gone, 1) if gone and trigger in MERGES else ()
        if gone:
            gone.read.add(1)
        for kind in ("birth", "death"):
            event = _event(Sign(kind, "related", f"adt_{kind}"), message, group, feed, Rank.MESSAGE, None)
            events.append(replace(event, cancels=CANCELS.get(trigger, ()), merges=merges))
    return events


def _oru_events(message: Hl7v2Message, feed: Feed, charset_finding: Finding | None) -> list[Event]:
    """One ORU^R01 may report on several patients: each PID starts its own group (chapter 7.3.1)."""
    message = with_alternates(message)
    events = []
    for group in _patient_groups(message.segments()):
        observations = [segment for segment in group if segment.name == "OBX"]
        orders = [segment for segment in group if segment.name == "OBR"]
        signs = find_signs_in_oru(observations, orders)
        events += [_event(sign, message, group, feed, Rank.OBSERVATION, charset_finding) for sign in signs]
    return events


def _patient_groups(segments: list[Segment]) -> list[list[Segment]]:
    starts = [place for place, segment in enumerate(segments) if segment.name == "PID"]
    ends = [*starts[1:], len(segments)] if starts else []
    return [[segments[0], *segments[start:end]] for start, end in zip(starts, ends, strict=True)]


def _event(
    sign: Sign, message: Hl7v2Message, segments: list[Segment], feed: Feed, rank: Rank, charset_finding: Finding | None
) -> Event:
    for segment in segments:
        segment.read.update(_EVIDENCE.get(segment.name, ()))
    pid = next((segment for segment in segments if segment.name == "PID"), None)
    return Event(
        kind=sign.kind,
        relevance=sign.relevance,
        mapping=sign.mapping,
        rank=rank,
        patients=patient_handles(pid) if pid else (),
        occurred=occurred_at(message, pid, feed),
        scope=Hl7v2Scope(segments),
        findings=(
            *([charset_finding] if charset_finding else []),
            *text_findings(segments, message.codec),
            *sign.findings,
        ),
        trigger=read_trigger(message).partition("^")[2],
    )


class _FieldsRead(NamedTuple):
    """What MSH says apart from its time and id, or what is wrong with it and where."""

    type: str = ""
    sender: str = ""
    processing: str = ""
    version: str = ""
    encoding: str = ""
    problem: str = ""
    where: str = ""


_PROBLEMS = {
    "hl7v2.field_missing": ("a required field is empty", "101"),
    "hl7v2.processing_id": ("processing id is not P, T or D", "202"),
    "hl7v2.version": ("the version is not one of 2.3 to 2.8", "203"),
}
"""Error code → its sentence and its code of HL7 table 0357."""


@lru_cache(maxsize=256)
def _read_header(
    delimiters: Delimiters, system: str, facility: str, kind: str, processing: str, version: str, charset: str
) -> _FieldsRead:
    """Fields 3, 4, 9, 11, 12 and 18 of MSH as sent."""
    fields = ["MSH", system, facility, kind, processing, version, charset]
    msh = Segment.of_fields(fields, delimiters)
    type_, trigger, processing, version = msh.text(3), msh.text(3, 2), msh.text(4), msh.text(5)
    for place, value in (("MSH-9", type_), ("MSH-11", processing), ("MSH-12", version)):
        if not value:
            return _FieldsRead(problem="hl7v2.field_missing", where=place)
    if processing not in PROCESSING_IDS:
        return _FieldsRead(problem="hl7v2.processing_id", where="MSH-11")
    if version not in VERSIONS:
        return _FieldsRead(problem="hl7v2.version", where="MSH-12")
    return _FieldsRead(
        type=f"{type_}^{trigger}" if trigger else type_,
        sender=f"{msh.text(1)}|{msh.text(2)}",
        processing=processing,
        version=version,
        encoding=msh.text(6).lower() or "utf-8",
    )
