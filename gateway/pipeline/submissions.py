"""What the receive step holds in its hands: one message, one submission, and what their senders are told."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select, tuple_

from gateway.errors import UnreadableMessage
from gateway.ports.hospital import NOWHERE, Answer, BatchReader, Feed, Header, MessageReader, Origin, Reply
from gateway.store.tables import Message

STRANGERS = ("receive.unknown_sender", "receive.sender_refused")
"""Refusals of somebody no feed knows, or who lacks a mark of the feed."""

_DUPLICATE_KEY = "205"  # HL7 table 0357
_MESSAGE = Message.__table__  # type: ignore[attr-defined]


@dataclass(slots=True)
class Received:
    """One message on its way. `error` was found in its envelope, `unusable` in its bytes; `wait` seconds its feed has
    to wait, having sent too much: then it is not kept. `id`, `clash` and `twin` are what the store said: its log entry,
    other content under its control id or a number out of turn, or the same message earlier in this group."""

    raw: bytes
    reader: MessageReader
    header: Header | None
    feed: Feed
    error: UnreadableMessage | None
    control_key: str = ""
    content_key: bytes = b""
    unusable: UnreadableMessage | None = None
    origin: Origin = NOWHERE
    wait: float = 0.0
    id: str = ""
    clash: UnreadableMessage | None = None
    twin: Received | None = None

    @property
    def number(self) -> str:
        """What the sender is told as its message's number."""
        return self.twin.id if self.twin is not None else self.id

    @property
    def refusal(self) -> UnreadableMessage | None:
        """Why it is refused, or None."""
        return self.error or self.clash


@dataclass(slots=True)
class Submission:
    """What one call of `submit` brought: one message or the messages of a batch, answered together. `batch` writes the
    answer to a batch as such."""

    messages: list[Received]
    reply: Reply
    raw: bytes = b""
    batch: BatchReader | None = None


def recognise(conn: Connection, messages: list[Received]) -> None:
    """Find out which messages were stored before, here or earlier in the group, with the same or with other content."""
    readable = [message for message in messages if message.error is None]
    keys = {(message.feed.name, message.control_key) for message in readable}
    where = tuple_(_MESSAGE.c.feed, _MESSAGE.c.control_key).in_(sorted(keys))
    columns = (_MESSAGE.c.feed, _MESSAGE.c.control_key, _MESSAGE.c.content_key, _MESSAGE.c.id)
    stored = {(row.feed, row.control_key): row for row in conn.execute(select(*columns).where(where))}
    first: dict[tuple[str, str], Received] = {}
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
        elif isinstance(before, Received):
            message.twin = before
        else:
            message.id = before.id


def answer_of(submission: Submission, failure: UnreadableMessage | None) -> Answer:
    """The one answer to a submission; `failure` is why it was not stored."""
    answers = [_answer_one(message, failure) for message in submission.messages]
    if submission.batch is None and len(answers) == 1:
        return answers[0]
    longest = max(answer.retry_after for answer in answers)
    if submission.batch is not None:
        first = submission.messages[0]
        answer = submission.batch.answer_batch(submission.raw, answers, first.feed, "" if failure else first.number)
        return replace(answer, retry_after=longest)
    worst = max(answers, key=lambda answer: ("AER".index(answer.code[-1]), answer.status))
    return replace(worst, body=b"".join(answer.body for answer in answers), retry_after=longest)


def _answer_one(message: Received, failure: UnreadableMessage | None) -> Answer:
    reader, header, feed = message.reader, message.header, message.feed
    if message.wait:
        answer = reader.answer(header, "AR", message.error, feed, "")
        return replace(answer, status=429, retry_after=math.ceil(message.wait))
    error = failure or message.refusal
    if error is None:
        return reader.answer(header, "AE" if message.unusable else "AA", message.unusable, feed, message.number)
    answer = reader.answer(header, "AR", error, feed, "" if failure else message.number)
    return replace(answer, status=503 if failure else 403 if error.code in STRANGERS else answer.status)
