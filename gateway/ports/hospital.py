"""What a hospital adapter offers: readers turn bytes into events with selectable paths; listeners bring bytes in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from gateway.domain.case import Rank
from gateway.domain.finding import Finding
from gateway.domain.notice import TOLD, OutcomeNotice
from gateway.domain.notification import Notification
from gateway.errors import UnreadableMessage


@dataclass(frozen=True, slots=True)
class Feed:
    """How one sender sends. `encoding` None: taken from the message (MSH-18, XML declaration), never guessed.
    `offset` minutes east of UTC for instants without a zone. Who the sender is told by: gateway.pipeline.senders."""

    name: str = "default"
    facility_code: str = ""
    facility_name: str = ""
    facility_commune: str = ""  # today's commune code of the facility, for place of birth and death
    encoding: str | None = None
    offset: int = 420
    settle_seconds: float = 0.0
    control_id_reuse: str = "refuse"  # refuse | accept
    senders: tuple[str, ...] = ()  # "MSH-3|MSH-4" pairs, "*" for any; MACSKCB for MoH XML; source for FHIR
    formats: tuple[str, ...] = ("hl7v2", "fhir", "moh")
    discharge_died: tuple[str, ...] = ("20",)  # this feed's PV1-36 codes for a death
    placeholder_names: tuple[str, ...] = ()
    language: Literal["vi", "en"] = "vi"  # of the words in answers to this sender
    sequence_numbers: bool = False  # MSH-13 must count up by one
    unit_list: Literal["", "old", "new"] = ""  # the list its commune codes are of: before 01/07/2025, or today's
    fhir_version: Literal["R4", "R4B", "R5"] = "R4"  # the release of FHIR it sends
    ports: tuple[int, ...] = ()  # MLLP listeners of its own
    client_certificates: tuple[str, ...] = ()  # SHA-256 fingerprints (hexadecimal) or common names of the subject
    addresses: tuple[str, ...] = ()  # IPv4 and IPv6 networks
    overlay: str = ""  # directory of mapping rows and code tables of this feed alone
    max_message_bytes: int = 0  # 0: what the gateway takes
    messages_per_second: float = 0.0  # 0: as many as come
    burst_messages: int = 100  # taken at once after a pause
    quiet_hours: str = ""  # "22:00-05:00" on the feed's own clock: nothing is sent to the sender
    folder: str = ""  # files put into this directory are messages of this feed
    folder_settle_seconds: float = 10.0  # nobody wrote to a file for so long: it is complete
    paper_certificates: tuple[str, ...] = ()  # PEM files: whose signatures on papers count
    paper_signature: Literal["report", "require"] = "report"  # require: papers without a valid one are not taken
    answer: Literal["", "hl7v2", "fhir", "webhook", "file"] = ""  # how the sender is told what became of its dossiers
    answer_to: str = ""  # mllp://host:port, mllps://host:port, https://…, or a directory
    answer_secret: str = ""  # file of the HMAC key (webhook) or bearer token (fhir)
    answer_ca: str = ""  # PEM file of the authorities behind the receiver's certificate; the machine's otherwise
    answer_states: tuple[str, ...] = TOLD


@dataclass(frozen=True, slots=True)
class Header:
    """The cheap part of a message, read before the ACK. `control_id` is MSH-10 / Bundle.identifier / empty (identity is
    then the content); `type` e.g. "ADT^A01", "Bundle/message", "HSDLGCS"; `sender` to recognise the feed; `sent_at` is
    as sent (HL7 DTM or ISO 8601) or ""; `processing` is P, T or D (HL70103)."""

    format: str
    type: str
    control_id: str
    sender: str
    sent_at: str = ""
    processing: str = "P"
    version: str = ""
    encoding: str = "utf-8"
    extra: Any = None  # the reader's own: what its `answer` needs


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a sender. `code` is AA | AE | AR (enhanced: CA | CE | CR); `status` the HTTP status of the same;
    `retry_after` seconds after which the sender may send it again, 0 when that does not depend on time."""

    code: str
    body: bytes
    media_type: str
    status: int
    retry_after: int = 0


class Scope(Protocol):
    """What mapping paths are evaluated against: one event in one message. Remembers what was read."""

    def select(self, path: Any) -> Sequence[Any]:
        """Values at a compiled path, in document order; [] when absent. Items are text or reader-specific composites
        (HL7 v2 repetitions, FHIR JSON objects) that the named transforms of gateway.mapping understand."""
        ...

    def unread(self) -> Sequence[str]:
        """Paths that carry a value and that no rule read, in the format's own path language."""
        ...


@runtime_checkable
class DeletingScope(Protocol):
    """A scope of a format in which a sender can ask to delete a value, rather than say nothing of it."""

    def asks_to_delete(self) -> bool:
        """Whether there is anything at all to delete; cheap."""
        ...

    def deletes(self, path: Any) -> bool:
        """Whether the sender asks to delete what is at a compiled path."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """One birth, death or set of related facts found in a message. `mapping` names the inbound mapping file
    (`<format>/<mapping>.toml`); `patients` are the handles by which this facility names the patient: its patient number
    first, then others such as "Patient/123"; () when the message has none. `trigger` is what the message can be
    cancelled as, `cancels` the triggers it withdraws, `merges` handles that it says are the same patient's."""

    kind: str
    relevance: str
    mapping: str
    rank: Rank
    patients: tuple[str, ...]
    occurred: str
    scope: Scope
    findings: tuple[Finding, ...] = field(default=())
    trigger: str = ""
    cancels: tuple[str, ...] = ()
    merges: tuple[str, ...] = ()


@runtime_checkable
class FactsReader(Protocol):
    """A reader whose ordinary messages may complete an open case of their patient."""

    def facts_of(self, raw: bytes, feed: Feed, kind: str) -> list[Event]:
        """What a message without events says of its patient, as a case of `kind` wants it: relevance "other"."""
        ...


class MessageReader(Protocol):
    """One message format. Entry point group `gateway.hospital`."""

    format: str

    def recognises(self, raw: bytes) -> bool:
        """Whether the bytes look like this format; a look at the first bytes, no parse."""
        ...

    def split(self, raw: bytes) -> list[bytes]:
        """The single messages of a file or batch, in order. [raw] for one message."""
        ...

    def header(self, raw: bytes) -> Header:
        """The envelope. Raises UnreadableMessage naming the place."""
        ...

    def patient_of(self, raw: bytes, feed: Feed) -> str | None:
        """The facility's patient number of an irrelevant message, to find it again when a case opens."""
        ...

    def events(self, raw: bytes, feed: Feed) -> list[Event]:
        """Births, deaths and related facts in one message; [] when it is none of our business. Raises
        UnreadableMessage."""
        ...

    def compile(self, path: str) -> Any:
        """Compile a mapping path once, at start. Raises ValueError with the reason when the path is not grammatical."""
        ...

    def answer(self, header: Header | None, code: str, error: Any, feed: Feed, message_id: str) -> Answer:
        """The acknowledgement. `error` is an UnreadableMessage or None; `header` None when not even that was read."""
        ...


@runtime_checkable
class ContentReader(Protocol):
    """A reader that can say, in microseconds and before the answer, that content is unusable though the envelope is
    good (AE: stored, for people to look at)."""

    def unusable(self, raw: bytes, feed: Feed) -> UnreadableMessage | None:
        """What is wrong and where, or None. Holds no personal data."""
        ...


@runtime_checkable
class BatchReader(Protocol):
    """A reader whose format has an answer to a batch as such."""

    def answer_batch(self, raw: bytes, answers: Sequence[Answer], feed: Feed, message_id: str) -> Answer:
        """One answer to the bytes that `split` took apart, from the answers to its messages in order."""
        ...


@runtime_checkable
class SequenceReader(Protocol):
    """A reader whose format numbers messages, for feeds with `sequence_numbers`."""

    def decide_sequence(self, header: Header, last: int | None) -> tuple[str, int]:
        """`take` | `repeat` | `start`, and the number expected next; `last` was taken before. Raises UnreadableMessage
        for a message out of its turn."""
        ...


@dataclass(frozen=True, slots=True)
class Nonconformity:
    """One departure from the standard's structure: the place (`PID-5`, `ADT_A01`) and what is wrong there, in English.
    Holds no value of the message."""

    place: str
    problem: str


@runtime_checkable
class ConformanceReader(Protocol):
    """A reader that can check a message against its standard's structure: slow, for people, never before an answer."""

    def conformance(self, raw: bytes) -> list[Nonconformity]:
        """Departures, by place; [] when there are none. Bounded in time and memory: when a limit is reached that is
        the one row told. Raises UnreadableMessage when there is no message to check."""
        ...


class CodeTable(Protocol):
    """The part of a code table in force that a document writer looks up."""

    def column(self, code: str, column: str) -> str | None:
        """A column of the code's row; None without such a code. KeyError for a column the row lacks."""
        ...

    def codes(self) -> Sequence[str]:
        """All codes in force, in file order."""
        ...


@dataclass(frozen=True, slots=True)
class DocumentFrame:
    """What a document says about itself. `case_id` names its resources, `identifier` the document; `at` (aware) is
    when it was put together, on the wall clock of `offset` (minutes east of UTC); `author` speaks where the
    notification names no facility; `withdrawn`: what it says was taken back."""

    case_id: str
    identifier: str
    at: datetime
    offset: int = 420
    author: str = "hotich-gateway"
    withdrawn: bool = False


@runtime_checkable
class DocumentWriter(Protocol):
    """A reader of a format that also writes it: a case's notification as one document, which the reader reads back to
    the same notification. A reader of `gateway.hospital` offers it by having `write`."""

    format: str
    document_type: str  # media type

    def write(self, notification: Notification, frame: DocumentFrame, table: Callable[[str], CodeTable]) -> bytes:
        """The document. Equal arguments give equal bytes; `table` gives a code table in force by name."""
        ...


class OutcomeSender(Protocol):
    """Tells a hospital what became of a dossier. Entry point group `gateway.hospital`; `way` is the feed's `answer`.
    May have `check_feed(feed)`, as listeners do."""

    way: str

    def send(self, notice: OutcomeNotice, feed: Feed) -> None:
        """Deliver the notice to `feed.answer_to` and wait until the receiver has it. Safe to repeat: it carries
        `notice.key`. Raises Unreachable, Refused, Misconfigured or Misunderstood."""
        ...


Reply = Callable[[Answer], None]


@dataclass(frozen=True, slots=True)
class Origin:
    """What the way in knows of a sender, apart from its message. `address` is the peer's IP address, "" when there is
    none (a folder); `fingerprint` the SHA-256 of a verified client certificate in lower-case hexadecimal, `subject` its
    common name; `facilities` the codes a token speaks for, empty when it speaks for none in particular."""

    address: str = ""
    fingerprint: str = ""
    subject: str = ""
    facilities: frozenset[str] = frozenset()


NOWHERE = Origin()
"""Bytes of which nothing is known but themselves."""


class Intake(Protocol):
    """Where listeners hand bytes in: the receive step."""

    def submit(self, raw: bytes, format: str | None, feed: str | None, reply: Reply, origin: Origin = NOWHERE) -> None:
        """Queue one message (or batch) for durable storage. Call it on the event loop's thread; `reply` is called there
        too, after the commit, in the order of submission. `format` None: recognised from the bytes; `feed` None:
        recognised from the message and its origin, else the feed that the listener's port, the token or the folder
        belongs to. Never raises for bad content; `reply` gets the refusal."""
        ...


class Listener(Protocol):
    """Brings bytes in. Entry point group `gateway.hospital`. A reader, and a listener's class as a static method, may
    also have `check_feed(feed)`: it raises SettingsError, naming the key, for what it cannot do for a feed. It is asked
    at start."""

    async def start(self, intake: Intake) -> str:
        """Listen; returns "host:port"."""
        ...

    async def stop(self) -> None:
        """Stop accepting, let answers in flight go out, close."""
        ...
