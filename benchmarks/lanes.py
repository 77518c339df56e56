"""Lanes: what leasing and finishing cost, and whether a partner that is down slows the others.

    python -m benchmarks.lanes [database URL] [stuck lanes]

Prints works a second with nothing stuck, then beside many lanes that wait for a dead partner (100,000 unless told), and
the ratio of the two; and what one claim takes in both cases. Without a URL it makes an SQLite file of its own.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from gateway.lanes import lanes
from gateway.lanes.worker import Worker
from gateway.store.session import Store, insert_rows

WORKS = 4_000
HOUR = 3_600_000_000


def _now() -> int:
    return time.time_ns() // 1000


class Delivers:
    """A handler that costs nothing outside."""

    kind = "deliver"

    def __init__(self, expected: int) -> None:
        self.left = expected
        self.lock = threading.Lock()
        self.done = threading.Event()

    def act(self, args: Mapping[str, Any]) -> None:
        return None

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: None) -> None:
        with self.lock:
            self.left -= 1
            if self.left == 0:
                self.done.set()


def works_a_second(store: Store, prefix: str, count: int = WORKS, threads: int = 4) -> float:
    """Put works of as many lanes and let a worker do them."""
    with store.write() as conn:
        lanes.put_many(conn, [(f"{prefix}:{number}", "deliver", {"n": number}) for number in range(count)], _now())
    handler = Delivers(count)
    worker = Worker(store, {"deliver": handler}, threads=threads)
    begun = time.perf_counter()
    worker.start()
    handler.done.wait()
    elapsed = time.perf_counter() - begun
    worker.stop()
    return count / elapsed


def claim_seconds(store: Store, prefix: str, rounds: int = 50) -> float:
    """The median time of leasing one due lane."""
    times = []
    for number in range(rounds):
        with store.write() as conn:
            lanes.put(conn, f"{prefix}:{number}", "deliver", {}, _now())
        begun = time.perf_counter()
        (claim,) = lanes.claim(store, 1, 60)
        times.append(time.perf_counter() - begun)
        with store.write() as conn:
            lanes.finish(conn, claim, _now())
    return statistics.median(times)


def stick(store: Store, count: int) -> None:
    """Lanes of a partner that is down: tried before, to be tried again in an hour."""
    now = _now()
    rows = [(f"stuck:{number}", now + HOUR, "", 3, "desk.down", False) for number in range(count)]
    with store.write() as conn:
        insert_rows(conn, "lane (key, run_at, token, tries, error, dead)", rows)
        work = [(row[0], "deliver", "{}", now, now) for row in rows]
        insert_rows(conn, "work (key, kind, args, put_at, due_at)", work)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{directory}/lanes.sqlite"
        count = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
        store = Store.open(url)
        store.migrate()
        works_a_second(store, "warm", 500)
        alone, claim_alone = works_a_second(store, "alone"), claim_seconds(store, "one")
        stick(store, count)
        beside, claim_beside = works_a_second(store, "beside"), claim_seconds(store, "two")
        print(f"works, nothing stuck          {alone:>8,.0f} /s   one claim {claim_alone * 1000:6.2f} ms")
        print(f"works beside {count:>7,} stuck    {beside:>8,.0f} /s   one claim {claim_beside * 1000:6.2f} ms")
        print(f"ratio                         {beside / alone:>8.2f}")
        store.close()


if __name__ == "__main__":
    main()
