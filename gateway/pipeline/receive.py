"""receive: bytes become durable before anyone is answered.

The event loop's thread reads the envelope of each message and queues it; whatever came in one turn of the loop, or
while the group before was being stored, is stored in one transaction (group commit): log entries with encrypted
payloads, message rows, one `interpret` work row. Only after the commit are the answers given, in the order of
submission. Nothing is acknowledged that is not on the disk, and nothing is judged here but the envelope: unusable
content is found later, by people who can do something about it.

A message is known by its feed and control id (MSH-10), or by its content where the format has no such id or the feed
re-uses them. The unique index of the message table decides; the usual group has no resend in it, so the log is written
first and looked into only when the index says that something was there before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, select, tuple_
from sqlalchemy.exc import OperationalError

from gateway.errors import Conflict, LogUnavailable, UnreadableMessage
from gateway.lanes import lanes
from gateway.messagelog.chain import NewEntry, append, split_ref
from gateway.ports.hospital import Answer, Feed, Header, MessageReader, Reply
from gateway.store.session import insert_rows, now_us
from gateway.store.tables import Message
from gateway.store.vault import Vault

if TYPE_CHECKING:
    from gateway.pipeline.services import Services

MAX_BYTES = 16 * 1024 * 1024
_GROUP = 512
_GROUP_BYTES = 8 * 1024 * 1024
_TRIES = 8
_CONTROL_ID_CHARS = 199  # MSH-10 in HL7 v2.7 and later; an index entry must stay small
_TOO_LARGE, _UNSUPPORTED = "102", "200"  # HL7 table 0357
_UNKNOWN_KEY, _DUPLICATE_KEY, _INTERNAL = "204", "205", "207"
_MESSAGE = Message.__table__  # type: ignore[attr-defined]
_INTO_MESSAGE = "message (id, received_at, feed, format, type, control_key, content_key, ack)"
_ONCE = "ON CONFLICT (feed, control_key) DO NOTHING"
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Received:
    """One message on its way. `error` was found in its envelope; `id`, `clash` and `twin` are what the store said: its
    log entry, other content under its control id, or the same message earlier in this group."""

    raw: bytes
    reader: MessageReader
    header: Header | None
    feed: Feed
    error: UnreadableMessage | None
    control_key: str = ""
    content_key: bytes = b""
    id: str = ""
    clash: UnreadableMessage | None = None
    twin: _Received | None = None

    @property
    def refusal(self) -> UnreadableMessage | None:
        return self.error or self.clash


@dataclass(slots=True)
class _Submission:
    """What one call of `submit` brought: one message or the messages of a batch, answered together."""

    messages: list[_Received]
    reply: Reply


_Told = tuple[_Submission, UnreadableMessage | None]
"""A submission, and why it was not stored (None when it was)."""


class _SeenBefore(Exception):
    """The unique index refused a message: some of the group were stored before."""


class Receiver:
    """The intake (ports.hospital.Intake): durable storage, then the answer. Make it on the event loop's thread."""

    def __init__(self, services: Services, loop: asyncio.AbstractEventLoop, max_bytes: int = MAX_BYTES) -> None:
        self._services = services
        self._loop = loop
        self._max_bytes = max_bytes
        self._feeds = {sender: feed for feed in services.feeds.values() for sender in feed.senders}
        self._waiting: deque[_Submission] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        # SQLite commits in a fraction of a millisecond, less than handing the group to a thread and back costs beside a
        # busy interpreter. PostgreSQL is a network away and may hang: there a thread waits, and the loop goes on.
        self._thread = None if services.store.is_sqlite else ThreadPoolExecutor(1, thread_name_prefix="receiver")

    def submit(self, raw: bytes, format: str | None, feed: str | None, reply: Reply) -> None:
        """Queue one message or batch; see ports.hospital.Intake. A batch gets one answer: its acknowledgements in
        order, with the code and status of the worst."""
        try:
            messages = self._open(raw, format, feed)
        except Exception as error:  # noqa: BLE001 - see next line
            # A defect of ours must not break the listener, nor be taken for a message: the sender hears AR, we log it.
            _log.error("receive.defect", error=type(error).__name__, size=len(raw))
            messages = [self._refused(raw, format, _internal("receive.defect", "the gateway failed on this message"))]
        submission = _Submission(messages, reply)
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

    def _open(self, raw: bytes, format: str | None, feed: str | None) -> list[_Received]:
        if len(raw) > self._max_bytes:
            words = f"the message is larger than {self._max_bytes} bytes"
            return [self._refused(raw, format, UnreadableMessage("receive.too_large", "offset 0", words, _TOO_LARGE))]
        reader = self._reader(raw, format)
        if reader is None:
            words = "no installed format begins like this"
            error = UnreadableMessage("receive.unrecognised", "offset 0", words, _UNSUPPORTED)
            return [self._refused(raw, format, error)]
        return [self._envelope(part, reader, feed) for part in reader.split(raw)]

    def _reader(self, raw: bytes, format: str | None) -> MessageReader | None:
        readers = self._services.readers
        if format is not None:
            return readers[format]
        return next((reader for reader in readers.values() if reader.recognises(raw)), None)

    def _refused(self, raw: bytes, format: str | None, error: UnreadableMessage) -> _Received:
        """Something without an envelope. When the format is not known either, the first reader words the answer."""
        readers = self._services.readers
        reader = readers.get(format or "") or next(iter(readers.values()))
        return _Received(raw, reader, None, Feed(name=""), error)

    def _envelope(self, raw: bytes, reader: MessageReader, name: str | None) -> _Received:
        header, feed = None, Feed(name=name or "")
        try:
            header = reader.header(raw)
            feed = self._feed_of(header, name)
        except UnreadableMessage as error:
            return _Received(raw, reader, header, feed, error)
        content_key = content_key_of(self._services.vault, raw)
        control_id = header.control_id
        if not control_id or feed.control_id_reuse == "accept":
            control_key = f"={content_key.hex()}"
        elif len(control_id) <= _CONTROL_ID_CHARS and control_id.isprintable():
            control_key = control_id
        else:
            control_key = f"~{self._services.vault.key(control_id).hex()}"
        return _Received(raw, reader, header, feed, None, control_key, content_key)

    def _feed_of(self, header: Header, name: str | None) -> Feed:
        if name is not None:
            feed = self._services.feeds.get(name)
        else:
            feed = self._feeds.get(header.sender) or self._feeds.get("*")
        if feed is None:
            words = "this sender is not known here; the administrator names senders in the settings of a feed"
            raise UnreadableMessage("receive.unknown_sender", "sender", words, _UNKNOWN_KEY)
        if header.format not in feed.formats:
            words = "this feed does not take this format"
            raise UnreadableMessage("receive.format_not_taken", "sender", words, _UNSUPPORTED)
        return feed

    def _start(self) -> None:
        """Store the next group, unless one is being stored: soon, so that all sockets now ready share its commit."""
        if not self._idle.is_set() or not self._waiting:
            return
        self._idle.clear()
        if self._thread is None:
            self._loop.call_soon(lambda: self._stored(self._store_group(self._next_group())))
        else:
            self._thread.submit(self._store_in_thread, self._next_group())

    def _next_group(self) -> list[_Submission]:
        group: list[_Submission] = []
        size = 0
        while self._waiting and len(group) < _GROUP and size < _GROUP_BYTES:
            group.append(self._waiting.popleft())
            size += sum(len(message.raw) for message in group[-1].messages)
        return group

    def _store_in_thread(self, group: list[_Submission]) -> None:
        told = self._store_group(group)
        try:
            self._loop.call_soon_threadsafe(self._stored, told)
        except RuntimeError:
            # The loop is gone, and with it the connections: senders heard nothing and will send again.
            _log.warning("receive.nobody_to_answer", messages=len(group))

    def _store_group(self, group: list[_Submission]) -> list[_Told]:
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

    def _store(self, messages: list[_Received]) -> None:
        """One transaction for all. Returns when it is committed; raises when nothing was stored."""
        store = self._services.store
        for attempt in range(_TRIES):
            try:
                with store.write() as conn:
                    if attempt:
                        _recognise(conn, messages)
                    self._add(conn, messages)
                return
            except (_SeenBefore, Conflict):
                continue
        raise LogUnavailable("log.contended", "other receivers kept storing the same messages")

    def _add(self, conn: Connection, messages: list[_Received]) -> None:
        services, now = self._services, now_us(self._services.clock)
        added = [message for message in messages if not message.id and message.twin is None]
        refs = append(conn, services.vault, services.writer, now, [self._entry(message) for message in added])
        rows = []
        for message, ref in zip(added, refs, strict=True):
            if message.refusal is None and message.header is not None:
                header = message.header
                rows.append((ref, now, message.feed.name, header.format, header.type, message.control_key,
                             message.content_key, "AA"))  # fmt: skip
        if rows:
            if insert_rows(conn, _INTO_MESSAGE, rows, _ONCE) != len(rows):
                raise _SeenBefore
            first, last = split_ref(refs[0])[1], split_ref(refs[-1])[1]
            args = {"writer": services.writer, "first": first, "last": last}
            lanes.put(conn, f"rx:{services.writer}", "interpret", args, now)
        for message, ref in zip(added, refs, strict=True):
            message.id = ref

    def _entry(self, message: _Received) -> NewEntry:
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


def _recognise(conn: Connection, messages: list[_Received]) -> None:
    """Find out which messages were stored before, here or earlier in the group, with the same or with other content."""
    readable = [message for message in messages if message.error is None]
    keys = {(message.feed.name, message.control_key) for message in readable}
    where = tuple_(_MESSAGE.c.feed, _MESSAGE.c.control_key).in_(sorted(keys))
    columns = (_MESSAGE.c.feed, _MESSAGE.c.control_key, _MESSAGE.c.content_key, _MESSAGE.c.id)
    stored = {(row.feed, row.control_key): row for row in conn.execute(select(*columns).where(where))}
    first: dict[tuple[str, str], _Received] = {}
    for message in messages:
        message.id, message.clash, message.twin = "", None, None
    for message in readable:
        key = (message.feed.name, message.control_key)
        before: Any = stored.get(key) or first.setdefault(key, message)
        if before is message:
            continue
        if bytes(before.content_key) != message.content_key:
            words = "this control id was used before for a message with other content"
            message.clash = UnreadableMessage("receive.control_id_reused", "MSH-10", words, _DUPLICATE_KEY)
        elif isinstance(before, _Received):
            message.twin = before
        else:
            message.id = before.id


def _answer_all(told: Sequence[_Told]) -> None:
    """Give the answers, on the event loop's thread. One that cannot be given does not hold up the others."""
    for submission, failure in told:
        try:
            submission.reply(_answer(submission, failure))
        except Exception as error:  # noqa: BLE001 - the reply is the listener's code
            _log.error("receive.answer_failed", error=type(error).__name__)


def _answer(submission: _Submission, failure: UnreadableMessage | None) -> Answer:
    answers = [_answer_one(message, failure) for message in submission.messages]
    if len(answers) == 1:
        return answers[0]
    worst = max(answers, key=lambda answer: ("AER".index(answer.code[-1]), answer.status))
    return replace(worst, body=b"".join(answer.body for answer in answers))


def _answer_one(message: _Received, failure: UnreadableMessage | None) -> Answer:
    error = failure or message.refusal
    number = message.twin.id if message.twin is not None else message.id
    if error is None:
        return message.reader.answer(message.header, "AA", None, message.feed, number)
    answer = message.reader.answer(message.header, "AR", error, message.feed, "" if failure else number)
    return replace(answer, status=503) if failure else answer


def _internal(code: str, words: str) -> UnreadableMessage:
    return UnreadableMessage(code, "", words, _INTERNAL)
