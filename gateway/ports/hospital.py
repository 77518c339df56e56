"""What a hospital adapter offers: readers turn bytes into events with selectable paths; listeners bring bytes in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.domain.case import Rank
from gateway.domain.finding import Finding


@dataclass(frozen=True, slots=True)
class Feed:
    """How one sender sends. `encoding` None: taken from the message (MSH-18, XML declaration), never guessed.
    `offset` minutes east of UTC for instants without a zone. `tables` maps a code table to the feed's own crosswalk."""

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
    """The reply to a sender. `code` is AA | AE | AR (enhanced: CA | CE | CR); `status` the HTTP status of the same."""

    code: str
    body: bytes
    media_type: str
    status: int


class Scope(Protocol):
    """What mapping paths are evaluated against: one event in one message. Remembers what was read."""

    def select(self, path: Any) -> Sequence[Any]:
        """Values at a compiled path, in document order; [] when absent. Items are text or reader-specific composites
        (HL7 v2 repetitions, FHIR JSON objects) that the named transforms of gateway.mapping understand."""
        ...

    def unread(self) -> Sequence[str]:
        """Paths that carry a value and that no rule read, in the format's own path language."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """One birth, death or set of related facts found in a message. `mapping` names the inbound mapping file
    (`<format>/<mapping>.toml`); `patients` are the handles by which this facility names the patient: its patient number
    first, then others such as "Patient/123"; () when the message has none."""

    kind: str
    relevance: str
    mapping: str
    rank: Rank
    patients: tuple[str, ...]
    occurred: str
    scope: Scope
    findings: tuple[Finding, ...] = field(default=())


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


Reply = Callable[[Answer], None]


class Intake(Protocol):
    """Where listeners hand bytes in: the receive step."""

    def submit(self, raw: bytes, format: str | None, feed: str | None, reply: Reply) -> None:
        """Queue one message (or batch) for durable storage. Call it on the event loop's thread; `reply` is called there
        too, after the commit, in the order of submission. `format` None: recognised from the bytes; `feed` None:
        recognised from the message. Never raises for bad content; `reply` gets the refusal."""
        ...


class Listener(Protocol):
    """Brings bytes in. Entry point group `gateway.hospital`."""

    async def start(self, intake: Intake) -> str:
        """Listen; returns "host:port"."""
        ...

    async def stop(self) -> None:
        """Stop accepting, let answers in flight go out, close."""
        ...
