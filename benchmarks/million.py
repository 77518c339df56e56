"""What a log of a million messages costs: `hotich serve` in a process of its own on SQLite, everyday admissions of
varied patients with a birth or a death among every 500, over 64 MLLP connections with durable acknowledgements.

    python -m benchmarks.million [--messages 1000000]   (100000 when not said; a million takes some ten minutes)

Printed: resident memory at tenths of the way (flat: the last against the first quarter), bytes a message, messages a
second against raw SQLite of the same run, how long a case, a dossier's page and a page of messages take against the
same when a tenth was stored, and what verifying the log yields.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import uvloop
from sqlalchemy import func, select

from benchmarks.raw_sqlite import group_commits
from gateway.bootstrap import open_store, open_vault
from gateway.lanes.lanes import busy
from gateway.messagelog.audit import verify_store
from gateway.settings import Settings
from gateway.store.session import Store
from gateway.store.tables import CaseRow, DeskItem, Message
from gateway.testing.mllp_client import Ledger, send_all
from gateway.testing.traffic import admission, birth
from gateway.views.cursor import encode
from tests.journeys.outsider import OFFICER, Outsider
from tests.serving_child import Server

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_ITEM = DeskItem.__table__  # type: ignore[attr-defined]
_MESSAGE = Message.__table__  # type: ignore[attr-defined]

CONNECTIONS, REQUESTS, EVENT_EVERY = 64, 200, 500
MARKS = (10, 25, 50, 75, 100)  # percent
_ALIVE = b"|vi|M|||||||||||||||N\r"
_DEAD = b"|vi|M|||||||||||||202611200530+0700|Y\r"  # PID-29 and PID-30


def message(number: int) -> bytes:
    """The message of that number: of every thousand one birth, one death, else admissions of adults."""
    if number % EVENT_EVERY:
        return admission(number)
    return birth(number) if number // EVENT_EVERY % 2 else death(number)


def death(number: int) -> bytes:
    """An ADT^A03 of an adult who died."""
    leaving = admission(number, f"TV{number:08d}").replace(b"ADT^A01^ADT_A01", b"ADT^A03^ADT_A03", 1)
    return leaving.replace(b"EVN|A01", b"EVN|A03", 1).replace(_ALIVE, _DEAD, 1)


class Memory(NamedTuple):
    """MB of a process, now and at most so far."""

    now: float
    most: float


def memory_of(pid: int) -> Memory:
    """From the kernel's own account (/proc/PID/status)."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Memory(*(int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")))


def quantiles(values: list[float]) -> tuple[float, float]:
    """p50 and p95."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100]


class Reading(NamedTuple):
    """One kind of request: its name, and the latencies of each in milliseconds."""

    name: str
    took: list[float]


class Trial:
    """One gateway that is filled, and asked on the way."""

    def __init__(self, server: Server) -> None:
        self.server, self.reader, self.chance = server, Outsider(server), random.Random(2026)
        settings = Settings(data_dir=server.data)
        self.store: Store = open_store(settings)
        self.vault = open_vault(settings)
        self.reader.prepare()
        self.officer = self.reader.sign_in(OFFICER).client
        self.api = self.reader.client(self.reader.token)

    def memory(self) -> Memory:
        assert self.server.process is not None
        return memory_of(self.server.process.pid)

    def send(self, first: int, last: int) -> float:
        """Seconds until every one of these messages is acknowledged; fails unless all are accepted."""
        ledger, start = Ledger(), time.perf_counter()
        uvloop.run(send_all(self.server.ports[0], map(message, range(first, last)), CONNECTIONS, ledger))
        answers = list(ledger.answered.values())
        if answers.count("AA") != last - first or ledger.lost:
            raise SystemExit(f"{last - first} sent, {answers.count('AA')} accepted, {ledger.lost} connections lost")
        return time.perf_counter() - start

    def settle(self) -> float:
        """Seconds until no work is due."""
        start = time.perf_counter()
        while True:
            with self.store.read() as conn:
                if not busy(conn):
                    return time.perf_counter() - start
            time.sleep(0.05)

    def bytes_stored(self) -> int:
        return sum(file.stat().st_size for file in self.server.data.glob("hotich.db*"))

    def read(self) -> list[Reading]:
        """Ask for random cases, dossier pages, newest messages and messages of random days."""
        with self.store.read() as conn:
            cases = conn.execute(select(_CASE.c.id)).scalars().all()
            codes = conn.execute(select(_ITEM.c.code)).scalars().all()
            oldest, newest = conn.execute(
                select(func.min(_MESSAGE.c.received_at), func.max(_MESSAGE.c.received_at))
            ).one()
        choose = self.chance
        return [
            self._read("case (API)", self.api, lambda: f"/api/cases/{choose.choice(cases)}"),
            self._read("dossier page", self.officer, lambda: f"/ho-so/{choose.choice(codes)}"),
            self._read("newest messages", self.api, lambda: "/api/messages?limit=50"),
            self._read("older messages", self.api, lambda: _older(choose.randint(oldest, newest))),
        ]

    def _read(self, name: str, client: httpx.Client, address: Callable[[], str]) -> Reading:
        took = []
        for _ in range(REQUESTS):
            path, start = address(), time.perf_counter()
            answer = client.get(path)
            took.append((time.perf_counter() - start) * 1000)
            if answer.status_code != 200:
                raise SystemExit(f"{name}: {answer.status_code}")
        return Reading(name, took)

    def close(self) -> None:
        self.api.close()
        self.reader.close()
        self.store.close()


def _older(instant: int) -> str:
    return f"/api/messages?limit=50&after={encode(instant, '~')}"


def portions(total: int) -> Iterator[tuple[int, int, int]]:
    """(percent reached at the end, first, last) of a hundred portions: the sender's own memory stays small."""
    for percent in range(1, 101):
        first, last = total * (percent - 1) // 100, total * percent // 100
        if last > first:
            yield percent, first, last


def fill(trial: Trial, total: int) -> tuple[dict[int, Memory], list[Reading], float]:
    """Send all; memory by percent, the readings at ten percent, and the seconds spent sending."""
    reached, early, sending = dict[int, Memory](), list[Reading](), 0.0
    for percent, first, last in portions(total):
        sending += trial.send(first, last)
        if percent in MARKS:
            reached[percent] = trial.memory()
            print(f"{percent:>4} %  {last:>10,} messages  {reached[percent].now:6.1f} MB  {last / sending:8,.0f}/s")
        if percent == MARKS[0]:
            trial.settle()
            early = trial.read()
    return reached, early, sending


def report(trial: Trial, total: int, reached: dict[int, Memory], early: list[Reading]) -> None:
    flat, most = reached[100].now / reached[25].now, trial.memory().most
    print(f"resident memory last/quarter    {flat:.2f}   at most {most:.1f} MB (must stay under 250)")
    print(f"database                        {trial.bytes_stored() / total:,.0f} bytes a message")
    for before, now in zip(early, trial.read(), strict=True):
        (old, _), (p50, p95) = quantiles(before.took), quantiles(now.took)
        print(f"{now.name:<20} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms   p50 {p50 / old:.2f} x that at 10 % (p95 < 50 ms)")
    for words, payloads in (("chains", False), ("chains and contents", True)):
        start = time.perf_counter()
        result = verify_store(trial.store, trial.vault, payloads=payloads)
        took = time.perf_counter() - start
        print(f"verify {words:<20} {result.entries / took:10,.0f} entries/s   intact: {result.intact}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        baseline = group_commits(Path(directory), CONNECTIONS)
        server = Server(Path(directory))
        try:
            server.start(log_level="warning")
            trial = Trial(server)
            reached, early, sending = fill(trial, options.messages)
            waited = trial.settle()
            rate = options.messages / sending
            print(
                f"acknowledged                    {rate:,.0f}/s, {rate / baseline:.2f} of raw SQLite {baseline:,.0f}/s"
            )
            settled = options.messages / (sending + waited)
            print(f"interpreted and settled         {settled:,.0f}/s, the last {waited:.1f} s after the last message")
            report(trial, options.messages, reached, early)
            trial.close()
            print(f"stopped with exit code {server.stop()}; said on standard error: {server.log.stat().st_size} bytes")
        finally:
            server.end()


if __name__ == "__main__":
    main()
