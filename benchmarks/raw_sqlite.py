"""The baseline of receiving: what SQLite itself can do, one 2 KB row a message, on the disk before anyone goes on.

`single`: one client, one synced commit a row. `group`: waiting asyncio clients, each inserts one row, waits for the
commit and goes on; one thread commits whatever waits. Both with WAL and synchronous=FULL, as the store has it.

    python -m benchmarks.raw_sqlite [clients]
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path

ROW = os.urandom(2048)
SECONDS = 3.0


def _open(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    return connection


def single_commits(directory: Path, seconds: float = SECONDS) -> float:
    """Synced commits a second, one row each."""
    connection = _open(directory / "single.sqlite")
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO row (body) VALUES (?)", (ROW,))
        connection.execute("COMMIT")
        count += 1
    connection.close()
    return count / seconds


def group_commits(directory: Path, clients: int = 64, seconds: float = SECONDS) -> float:
    """Rows a second with `clients` waiting clients."""
    return asyncio.run(_group_commits(_open(directory / "group.sqlite"), clients, seconds))


async def _group_commits(connection: sqlite3.Connection, clients: int, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    waiting: queue.SimpleQueue[asyncio.Future[None] | None] = queue.SimpleQueue()

    def answer(group: list[asyncio.Future[None]]) -> None:
        for future in group:
            future.set_result(None)

    def write() -> None:
        while (first := waiting.get()) is not None:
            group = [first]
            while not waiting.empty() and len(group) < 512:
                following = waiting.get()
                if following is None:
                    return
                group.append(following)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO row (body) VALUES (?)", [(ROW,)] * len(group))
            connection.execute("COMMIT")
            loop.call_soon_threadsafe(answer, group)

    async def client(end: float) -> int:
        count = 0
        while time.perf_counter() < end:
            future = loop.create_future()
            waiting.put(future)
            await future
            count += 1
        return count

    thread = threading.Thread(target=write)
    thread.start()
    end = time.perf_counter() + seconds
    total = sum(await asyncio.gather(*(client(end) for _ in range(clients))))
    waiting.put(None)
    await asyncio.to_thread(thread.join)
    connection.close()
    return total / seconds


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        waiting_clients = int(sys.argv[1]) if len(sys.argv) > 1 else 64
        print(f"single synced commits   {single_commits(Path(name)):>9,.0f} /s")
        print(f"group commit, {waiting_clients:>3} wait  {group_commits(Path(name), waiting_clients):>9,.0f} /s")
