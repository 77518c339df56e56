"""Durable MLLP acknowledgements: the real listener and receive step in a process of their own, stop-and-wait senders
here, against what SQLite alone can do in the same run.

Every acknowledgement means: on the disk (WAL, synchronous=FULL), in the evidence log, encrypted. Each sender checks
that MSA-2 is its message. Run: python -m benchmarks.mllp_ack [seconds]
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop

from adapters.hospital.mllp import MllpListener
from benchmarks.adt_sample import irrelevant
from benchmarks.raw_sqlite import group_commits, single_commits
from gateway.bootstrap import build
from gateway.pipeline.receive import Receiver
from gateway.settings import Settings

ID = b"|@@@@@@@@@|"


def receive(directory: str, pipe: Connection) -> None:
    """The child: listen until told to stop."""

    async def listen() -> None:
        receiver = Receiver(build(Settings(data_dir=Path(directory))), asyncio.get_running_loop())
        listener = MllpListener(port=0)
        pipe.send(int((await listener.start(receiver)).rsplit(":", 1)[1]))
        await asyncio.to_thread(pipe.recv)
        await listener.stop()
        await receiver.close()

    uvloop.run(listen())


class Sender(asyncio.Protocol):
    """One stop-and-wait connection."""

    def __init__(self, template: tuple[bytes, bytes], name: int, end: float, latencies: list[float]) -> None:
        self.head, self.tail = template
        self.name, self.end, self.latencies = name, end, latencies
        self.count, self.started, self.got = 0, 0.0, b""
        self.done = asyncio.get_running_loop().create_future()

    def itself(self) -> Sender:
        """The factory asyncio wants."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.send()

    def send(self) -> None:
        self.count += 1
        self.id = b"|%02d%07d|" % (self.name, self.count)
        self.started = time.perf_counter()
        self.transport.write(self.head + self.id + self.tail)

    def data_received(self, data: bytes) -> None:
        self.got += data
        if not self.got.endswith(b"\x1c\r"):
            return
        now = time.perf_counter()
        if b"\rMSA|AA" + self.id[:-1] not in self.got:
            raise SystemExit(f"not acknowledged: {self.got!r}")
        self.latencies.append(now - self.started)
        self.got = b""
        if now < self.end:
            self.send()
        elif not self.done.done():
            self.done.set_result(None)
            self.transport.close()


async def load(port: int, connections: int, seconds: float, first: int) -> tuple[float, list[float]]:
    """Acknowledgements a second, and the latencies in seconds."""
    head, tail = irrelevant(ID.strip(b"|").decode()).split(ID)
    template = b"\x0b" + head, tail + b"\x1c\r"
    loop, latencies, start = asyncio.get_running_loop(), list[float](), time.perf_counter()
    end = start + seconds
    senders = [Sender(template, first + number, end, latencies) for number in range(connections)]
    for sender in senders:
        await loop.create_connection(sender.itself, "127.0.0.1", port)
    await asyncio.gather(*(sender.done for sender in senders))
    return len(latencies) / (time.perf_counter() - start), sorted(latencies)


def report(name: str, rate: float, latencies: list[float], baseline: float, must: int) -> None:
    p50, p99 = (latencies[int(len(latencies) * part)] * 1000 for part in (0.5, 0.99))
    print(
        f"{name:<16} {rate:>9,.0f} /s   p50 {p50:6.2f} ms  p99 {p99:6.2f} ms   "
        f"{rate / baseline:4.0%} of raw SQLite {baseline:,.0f} /s (must reach {must}%)"
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    with tempfile.TemporaryDirectory() as directory:
        single = single_commits(Path(directory), seconds)
        group = group_commits(Path(directory), 64, seconds)
        here, there = multiprocessing.get_context("spawn").Pipe()
        child = multiprocessing.get_context("spawn").Process(target=receive, args=(f"{directory}/data", there))
        child.start()
        port = here.recv()
        uvloop.run(load(port, 8, 1.0, 90))  # warm up
        report("1 connection", *uvloop.run(load(port, 1, seconds, 0)), single, 60)
        report("64 connections", *uvloop.run(load(port, 64, seconds, 10)), group, 50)
        here.send("stop")
        child.join()


if __name__ == "__main__":
    main()
