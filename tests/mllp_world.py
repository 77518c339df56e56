"""An intake that answers when told to, and a peer for MLLP over real loopback sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import hl7

from gateway.ports.hospital import NOWHERE, Origin, Reply
from tests.hl7v2_messages import FEED, READER, message

Reader = asyncio.StreamReader


class HeldIntake:
    """An intake that stores nothing: it answers when told to, or at once when `held` is False."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.origins: list[tuple[str | None, Origin]] = []
        self.waiting: list[tuple[bytes, Reply]] = []
        self.held = False

    def submit(self, raw: bytes, format: str | None, feed: str | None, reply: Reply, origin: Origin = NOWHERE) -> None:
        assert format == "hl7v2"
        self.origins.append((feed, origin))
        self.received.append(raw)
        self.waiting.append((raw, reply))
        if not self.held:
            self.release()

    def release(self, count: int | None = None) -> None:
        now, self.waiting = self.waiting[:count], self.waiting[count:] if count else []
        for raw, reply in now:
            parts = READER.split(raw)
            given = [READER.answer(READER.header(part), "AA", None, FEED, "rx.1") for part in parts]
            reply(given[0] if len(given) == 1 else READER.answer_batch(raw, given, FEED, "rx.1"))


def framed(*controls: str) -> bytes:
    return b"".join(b"\x0b" + message({"MSH-10": control}) + b"\x1c\r" for control in controls)


async def answers(reader: Reader, count: int) -> list[str]:
    """MSA-2 of the next answers, in order."""
    found = []
    for _ in range(count):
        frame = await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 10)
        found.append(str(hl7.parse(frame.strip(b"\x0b\x1c\r").decode("utf-8"))["MSA"][0][2]))
    return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)
