"""receive: bytes become durable before anyone is answered.

The event loop's thread reads the envelope of each message and queues it; whatever came in one turn of the loop, or
while the group before was being stored, is stored in one transaction (group commit): log entries with encrypted
payloads, message rows, one `interpret` work row. Only after the commit are the answers given, in the order of
submission. Nothing is acknowledged that is not on the disk. Judged here are the envelope, who sends and how fast, and
whether the bytes can be read at all (AE); what else is wrong with the content is found later, by people who can do
something about it.

A message is known by its feed and control id (MSH-10), or by its content where the format has no such id or the feed
re-uses them. The unique index of the message table decides; the usual group has no resend in it, so the log is written
first and looked into only when the index says that something was there before. A feed that numbers its messages
(gateway.pipeline.turns) pays for looking first.

Whoever sends faster than its feed may is refused in its turn, without a trace in the store: it sends again, and the
others do not pay for it.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from gateway.errors import Conflict, LogUnavailable, UnreadableMessage
from gateway.lanes import lanes
from gateway.messagelog.chain import NewEntry, append, split_ref
from gateway.pipeline.rate import bucket_of
from gateway.pipeline.senders import Senders
from gateway.pipeline.submissions import STRANGERS, Received, Submission, answer_of, recognise
from gateway.pipeline.turns import take_turns
from gateway.pipeline.unknown_senders import Unknown, note_unknown
from gateway.ports.hospital import (
    NOWHERE,
    Answer,
    BatchReader,
    ContentReader,
    Feed,
    MessageReader,
    Origin,
    Reply,
    SequenceReader,
)
from gateway.store.session import insert_rows, now_us
from gateway.store.vault import Vault

if TYPE_CHECKING:
    from gateway.pipeline.services import Services

MAX_BYTES = 16 * 1024 * 1024
_GROUP = 512
_GROUP_BYTES = 8 * 1024 * 1024
_TRIES = 8
_CONTROL_ID_CHARS = 199  # MSH-10 in HL7 v2.7 and later; an index entry must stay small
_TOO_LARGE, _UNSUPPORTED = "102", "200"  # HL7 table 0357
_INTERNAL = "207"
_INTO_MESSAGE = "message (id, received_at, feed, format, type, control_key, content_key, ack)"
_ONCE = "ON CONFLICT (feed, control_key) DO NOTHING"
_log = structlog.get_logger(__name__)


_Told = tuple[Submission, UnreadableMessage | None]
"""A submission, and why it was not stored (None when it was)."""


class _SeenBefore(Exception):
    """The unique index refused a message: some of the group were stored before."""


class Receiver:
    """The intake (ports.hospital.Intake): durable storage, then the answer. Make it on the event loop's thread."""

    def __init__(self, services: Services, loop: asyncio.AbstractEventLoop, max_bytes: int = MAX_BYTES) -> None:
        self._services = services
        self._loop = loop
        self._max_bytes = max_bytes
        self._senders = Senders(services.feeds)
        self._buckets = {name: bucket for name, feed in services.feeds.items() if (bucket := bucket_of(feed))}
        # What a reader can do is asked once: looking a protocol up costs more than reading an envelope.
        readers = services.readers
        self._content = {name: reader for name, reader in readers.items() if isinstance(reader, ContentReader)}
        self._batch = {name: reader for name, reader in readers.items() if isinstance(reader, BatchReader)}
        self._numbered = {name: reader for name, reader in readers.items() if isinstance(reader, SequenceReader)}
        self._waiting: deque[Submission] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        # SQLite commits in a fraction of a millisecond, less than handing the group to a thread and back costs beside a
        # busy interpreter. PostgreSQL is a network away and may hang: there a thread waits, and the loop goes on.
        self._thread = None if services.store.is_sqlite else ThreadPoolExecutor(1, thread_name_prefix="receiver")

    def submit(self, raw: bytes, format: str | None, feed: str | None, reply: Reply, origin: Origin = NOWHERE) -> None:
        """Queue one message or batch; see ports.hospital.Intake. A batch gets one answer: its acknowledgements in
        order, with the code and status of the worst."""
        try:
            submission = self._open(raw, format, feed, reply, origin)
        except Exception as defect:  # noqa: BLE001 - see next line
            # A defect of ours must not break the listener, nor be taken for a message: the sender hears AR, we log it.
            _log.error("receive.defect", error=type(defect).__name__, size=len(raw))
            error = _internal("receive.defect", "the gateway failed on this message")
            submission = Submission([self._refused(raw, format, error)], reply)
        if self._closed:
            _answer_all([(submission, _internal("receive.closing", "the gateway is shutting down; send it again"))])
        else:
            self._waiting.append(submission)
            self._start()

    async def close(self) -> None:
        """Store and answer what waits; refuse what comes later."""
        self._closed = True
        while self._waiting or not self._idle.is_set():
            await self._idle.wait()
        if self._thread is not None:
            self._thread.shutdown()

    def _open(self, raw: bytes, format: str | None, feed: str | None, reply: Reply, origin: Origin) -> Submission:
        if len(raw) > self._max_bytes:
            return Submission([self._refused(raw, format, _too_large(self._max_bytes))], reply)
        reader = self._reader(raw, format)
        if reader is None:
            words = "no installed format begins like this"
            error = UnreadableMessage("receive.unrecognised", "offset 0", words, _UNSUPPORTED)
            return Submission([self._refused(raw, format, error)], reply)
        parts = reader.split(raw)
        messages = [self._envelope(part, reader, feed, origin) for part in parts]
        if len(parts) == 1 and parts[0] is raw:  # nearly every message
            return Submission(messages, reply)
        return Submission(messages, reply, raw, self._batch.get(reader.format))

    def _reader(self, raw: bytes, format: str | None) -> MessageReader | None:
        readers = self._services.readers
        if format is not None:
            return readers[format]
        return next((reader for reader in readers.values() if reader.recognises(raw)), None)

    def _refused(self, raw: bytes, format: str | None, error: UnreadableMessage) -> Received:
        """Something without an envelope. When the format is not known either, the first reader words the answer."""
        readers = self._services.readers
        reader = readers.get(format or "") or next(iter(readers.values()))
        return Received(raw, reader, None, Feed(name=""), error)

    def _envelope(self, raw: bytes, reader: MessageReader, name: str | None, origin: Origin) -> Received:
        header, feed = None, Feed(name=name or "")
        try:
            header = reader.header(raw)
            feed = self._senders.feed_of(header, name, origin)
            if header.format not in feed.formats:
                words = "this feed does not take this format"
                raise UnreadableMessage("receive.format_not_taken", "sender", words, _UNSUPPORTED)
        except UnreadableMessage as error:
            return Received(raw, reader, header, feed, error, origin=origin)
        if (wait := self._wait(feed)) > 0:
            words = f"more than {feed.messages_per_second:g} messages a second; send it again in {math.ceil(wait)} s"
            return Received(raw, reader, header, feed, _internal("receive.too_many", words), wait=wait)
        if 0 < feed.max_message_bytes < len(raw):
            return Received(raw, reader, header, feed, _too_large(feed.max_message_bytes))
        content_key = content_key_of(self._services.vault, raw)
        content = self._content.get(reader.format)
        unusable = content.unusable(raw, feed) if content is not None else None
        control_key = self._control_key(header.control_id, feed, content_key)
        return Received(raw, reader, header, feed, None, control_key, content_key, unusable, origin)

    def _wait(self, feed: Feed) -> float:
        """Seconds until the feed may send again; 0.0 when it may now."""
        bucket = self._buckets.get(feed.name) if self._buckets else None
        return bucket.wait(self._loop.time()) if bucket is not None else 0.0

    def _control_key(self, control_id: str, feed: Feed, content_key: bytes) -> str:
        if not control_id or feed.control_id_reuse == "accept":
            return f"={content_key.hex()}"
        if len(control_id) <= _CONTROL_ID_CHARS and control_id.isprintable():
            return control_id
        return f"~{self._services.vault.key(control_id).hex()}"

    def _start(self) -> None:
        """Store the next group, unless one is being stored: soon, so that all sockets now ready share its commit."""
        if not self._idle.is_set() or not self._waiting:
            return
        self._idle.clear()
        if self._thread is None:
            self._loop.call_soon(lambda: self._stored(self._store_group(self._next_group())))
        else:
            self._thread.submit(self._store_in_thread, self._next_group())

    def _next_group(self) -> list[Submission]:
        group: list[Submission] = []
        size = 0
        while self._waiting and len(group) < _GROUP and size < _GROUP_BYTES:
            group.append(self._waiting.popleft())
            size += sum(len(message.raw) for message in group[-1].messages)
        return group

    def _store_in_thread(self, group: list[Submission]) -> None:
        told = self._store_group(group)
        try:
            self._loop.call_soon_threadsafe(self._stored, told)
        except RuntimeError:
            # The loop is gone, and with it the connections: senders heard nothing and will send again.
            _log.warning("receive.nobody_to_answer", messages=len(group))

    def _store_group(self, group: list[Submission]) -> list[_Told]:
        """Store a group; what each of it is to be told."""
        try:
            self._store([message for submission in group for message in submission.messages])
        except Exception as error:  # noqa: BLE001 - whatever it was, the senders must hear that nothing was stored
            _log.error("receive.store_failed", error=type(error).__name__, messages=len(group))
            if len(group) > 1 and not isinstance(error, OperationalError | LogUnavailable):
                # Not the store but one of the messages: it must not take its neighbours along.
                return [told for submission in group for told in self._store_group([submission])]
            failure = _internal("receive.store_failed", "the message could not be stored; send it again")
            return [(submission, failure) for submission in group]
        return [(submission, None) for submission in group]

    def _stored(self, told: list[_Told]) -> None:
        _answer_all(told)
        self._idle.set()
        self._start()

    def _store(self, messages: list[Received]) -> None:
        """One transaction for all. Returns when it is committed; raises when nothing was stored."""
        store = self._services.store
        kept = [message for message in messages if not message.wait]
        if not kept:
            return
        numbered = any(message.feed.sequence_numbers for message in kept)
        for attempt in range(_TRIES):
            try:
                with store.write() as conn:
                    if attempt or numbered:
                        recognise(conn, kept)
                    self._add(conn, kept)
                return
            except (_SeenBefore, Conflict):
                continue
        raise LogUnavailable("log.contended", "other receivers kept storing the same messages")

    def _add(self, conn: Connection, messages: list[Received]) -> None:
        services, now = self._services, now_us(self._services.clock)
        unknown = [message for message in messages if not message.id]
        take_turns(conn, [message for message in unknown if message.feed.sequence_numbers], self._numbered)
        added = [message for message in unknown if message.twin is None]
        refs = append(conn, services.vault, services.writer, now, [self._entry(message) for message in added])
        rows = []
        for message, ref in zip(added, refs, strict=True):
            if message.refusal is None and message.header is not None:
                header = message.header
                rows.append((ref, now, message.feed.name, header.format, header.type, message.control_key,
                             message.content_key, "AE" if message.unusable else "AA"))  # fmt: skip
        if rows:
            if insert_rows(conn, _INTO_MESSAGE, rows, _ONCE) != len(rows):
                raise _SeenBefore
            first, last = split_ref(refs[0])[1], split_ref(refs[-1])[1]
            args = {"writer": services.writer, "first": first, "last": last}
            lanes.put(conn, f"rx:{services.writer}", "interpret", args, now)
        strangers = [_stranger(message) for message in added if message.error and message.error.code in STRANGERS]
        note_unknown(conn, now, strangers)
        for message, ref in zip(added, refs, strict=True):
            message.id = ref

    def _entry(self, message: Received) -> NewEntry:
        refusal, header = message.refusal, message.header
        facts: dict[str, Any] = {
            "feed": message.feed.name,
            "format": message.reader.format,
            "type": header.type if header else "",
        }
        if refusal is None:
            return NewEntry("received", "", facts, message.raw)
        kept = message.raw if len(message.raw) <= self._max_bytes else None
        facts |= {"code": refusal.code, "where": refusal.where, "size": len(message.raw)}
        return NewEntry("refused", "", facts, kept)


def content_key_of(vault: Vault, raw: bytes) -> bytes:
    """What makes two messages the same content. Clients end a message differently when they send it again; that does
    not make it another one."""
    return vault.key(raw.strip(b"\r\n\x0b\x1c "))


def _answer_all(told: Sequence[_Told]) -> None:
    """Give the answers, on the event loop's thread. One that cannot be given does not hold up the others."""
    for submission, failure in told:
        try:
            submission.reply(_worded(submission, failure))
        except Exception as error:  # noqa: BLE001 - the reply is the listener's code
            _log.error("receive.answer_failed", error=type(error).__name__)


def _worded(submission: Submission, failure: UnreadableMessage | None) -> Answer:
    """The answer; one after the other when a format cannot answer the batch as such, as every sender must hear."""
    try:
        return answer_of(submission, failure)
    except Exception as defect:
        if submission.batch is None:
            raise
        _log.error("receive.batch_answer_failed", error=type(defect).__name__)
        return answer_of(replace(submission, batch=None), failure)


def _stranger(message: Received) -> Unknown:
    assert message.error is not None
    sender = message.header.sender if message.header else ""
    return Unknown(message.origin.address, sender, message.reader.format, message.error.code, message.error.where)


def _too_large(limit: int) -> UnreadableMessage:
    return UnreadableMessage("receive.too_large", "offset 0", f"the message is larger than {limit} bytes", _TOO_LARGE)


def _internal(code: str, words: str) -> UnreadableMessage:
    return UnreadableMessage(code, "", words, _INTERNAL)
