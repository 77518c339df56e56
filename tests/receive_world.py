"""A receiver with a format of its own for the tests of `receive`, and a store that fails when told to."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from gateway.errors import UnreadableMessage
from gateway.pipeline.receive import Receiver
from gateway.ports.hospital import Answer, Feed, Header
from gateway.store.session import Store, execute

NAME = "Lê Thị Hương Giang"


class PlainReader:
    """A format for tests: `PLAIN|<control id>|<sender>|<anything>`, a batch has several lines."""

    format = "plain"

    def recognises(self, raw: bytes) -> bool:
        return raw.startswith(b"PLAIN|")

    def split(self, raw: bytes) -> list[bytes]:
        return raw.splitlines() or [raw]

    def header(self, raw: bytes) -> Header:
        if b"defect" in raw:
            raise KeyError(NAME)
        parts = raw.decode().split("|")
        if len(parts) < 4:
            raise UnreadableMessage("plain.short", "part 4", "a part is missing", "101")
        return Header("plain", "TEXT", parts[1], parts[2])

    def answer(self, header: Header | None, code: str, error: Any, feed: Feed, message_id: str) -> Answer:
        words = error.code if error else ""
        status = {"AA": 200, "AR": 400}[code]
        return Answer(
            code, f"{code}|{header.control_id if header else ''}|{message_id}|{words}\n".encode(), "text/plain", status
        )


def plain(control_id: str, sender: str = "HIS", body: str = NAME) -> bytes:
    return f"PLAIN|{control_id}|{sender}|{body}".encode()


FEEDS = (
    Feed("birth", senders=("HIS",), formats=("plain",)),
    Feed("reuses", senders=("OLD",), formats=("plain",), control_id_reuse="accept"),
    Feed("others", senders=("FHIR",), formats=("fhir",)),
)


@dataclass
class Desk:
    """A receiver with what it needs, and what it answered, in order."""

    services: Any
    max_bytes: int = 10_000
    answers: list[Answer] = field(default_factory=list)

    async def send(self, *messages: bytes, format: str | None = "plain", feed: str | None = None) -> list[Answer]:
        """Hand messages in together and wait for all answers."""
        loop = asyncio.get_running_loop()
        receiver = Receiver(self.services, loop, self.max_bytes)
        begin, done = len(self.answers), asyncio.Event()

        def reply(answer: Answer) -> None:
            self.answers.append(answer)
            if len(self.answers) == begin + len(messages):
                done.set()

        for raw in messages:
            receiver.submit(raw, format, feed, reply)
        await asyncio.wait_for(done.wait(), 20)
        await receiver.close()
        return self.answers[begin:]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.services.store.read() as conn:
            return [tuple(row) for row in execute(conn, sql).fetchall()]

    @property
    def stored(self) -> dict[str, int]:
        counts = (
            (table, self.rows(f"SELECT COUNT(*) FROM {table}")[0][0])
            for table in ("entry", "payload", "message", "work")
        )
        return dict(counts)


def fields(answer: Answer) -> list[str]:
    return answer.body.decode().strip().split("|")


class TornStore:
    """A store whose writes fail at the statement with a given number; the last is the commit."""

    def __init__(self, store: Store, fail_at: int) -> None:
        self.store, self.left, self.is_sqlite, self.failed = store, fail_at, store.is_sqlite, False

    def read(self) -> Any:
        return self.store.read()

    @contextmanager
    def write(self) -> Iterator[Any]:
        with self.store.write() as conn:
            yield SimpleNamespace(
                dialect=conn.dialect, info=conn.info, execute=conn.execute, connection=self._driver(conn)
            )
            self.step()

    def _driver(self, conn: Any) -> Any:
        def cursor() -> Any:
            self.step()
            return conn.connection.cursor()

        return SimpleNamespace(cursor=cursor)

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.failed = True
            raise sqlite3.OperationalError("disk I/O error")


def codes(answers: list[Answer]) -> list[str]:
    return [f"{answer.code} {fields(answer)[3]}".strip() for answer in answers]
