"""One SQLite connection in one thread: what waits together is done in one transaction and answered after its commit."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
_Waiting = tuple[Work[Any], "asyncio.Future[Any]"]
LARGEST = 256
"""Pieces of work in one transaction."""


class GroupWriter:
    """Runs work for an event loop. What it answered survives the death of the process (WAL); a power cut as well
    (synchronous=FULL)."""

    def __init__(self, path: Path, schema: str) -> None:
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._conn.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            self._conn.execute(f"PRAGMA {pragma}")
        self._conn.executescript(schema)
        self._thread = threading.Thread(target=self._work, name="book", daemon=True)
        self._thread.start()

    async def run(self, work: Work[T]) -> T:
        """What `work` returns, once it is committed; what it raises, with nothing of it kept."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put((work, future))
        return await future

    def close(self) -> None:
        """Finish what waits and close the file."""
        self._waiting.put(None)
        self._thread.join()
        self._conn.close()

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, go_on = [first], True
            while go_on and len(group) < LARGEST:
                try:
                    more = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    go_on = False
                else:
                    group.append(more)
            self._do(group)
            if not go_on:
                return

    def _do(self, group: list[_Waiting]) -> None:
        answers: list[tuple[asyncio.Future[Any], Any, Exception | None]] = []
        try:
            self._conn.execute("BEGIN IMMEDIATE")
            answers = [self._one(work, future) for work, future in group]
            self._conn.execute("COMMIT")
        except sqlite3.Error as error:
            if self._conn.in_transaction:
                self._conn.execute("ROLLBACK")
            answers = [(future, None, error) for _, future in group]
        loop = group[0][1].get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(_answer, answers)

    def _one(self, work: Work[Any], future: asyncio.Future[Any]) -> tuple[asyncio.Future[Any], Any, Exception | None]:
        self._conn.execute("SAVEPOINT one")
        try:
            answer, error = work(self._conn), None
        except Exception as raised:  # noqa: BLE001 - it goes to whoever asked; the others' work is kept
            answer, error = None, raised
            self._conn.execute("ROLLBACK TO one")
        self._conn.execute("RELEASE one")
        return future, answer, error


def _answer(answers: list[tuple[asyncio.Future[Any], Any, Exception | None]]) -> None:
    for future, answer, error in answers:
        if future.done():  # whoever asked has gone away
            continue
        if error is None:
            future.set_result(answer)
        else:
            future.set_exception(error)
