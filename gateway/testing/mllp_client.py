"""A stop-and-wait MLLP sender with a ledger, for fault tests and benchmarks: what was acknowledged is written down
first.

Like a hospital system it reconnects when the receiver goes away and sends an unacknowledged message again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_START, _END = b"\x0b", b"\x1c\r"


@dataclass(slots=True)
class Ledger:
    """What came back: control ids by acknowledgement code, and how often a connection was lost."""

    answered: dict[str, str] = field(default_factory=dict)
    lost: int = 0


async def send_all(port: int, messages: Iterable[bytes], connections: int, ledger: Ledger) -> None:
    """Send every message to localhost:`port` until each is answered, over `connections` connections at once."""
    queue = iter(list(messages))
    await asyncio.gather(*(_sender(port, queue, ledger) for _ in range(connections)))


async def _sender(port: int, queue: Iterator[bytes], ledger: Ledger) -> None:
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    for message in queue:
        while True:
            try:
                streams = streams or await asyncio.open_connection("127.0.0.1", port)
                code = await _exchange(*streams, message)
            except (OSError, asyncio.IncompleteReadError):
                if streams is not None:
                    streams[1].close()
                streams, ledger.lost = None, ledger.lost + 1
                await asyncio.sleep(0.05)
                continue
            ledger.answered[control_id(message)] = code
            break
    if streams is not None:
        streams[1].close()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes) -> str:
    writer.write(_START + message + _END)
    answer = (await reader.readuntil(_END)).decode()
    acknowledged = next(line for line in answer.split("\r") if line.startswith("MSA")).split("|")
    if acknowledged[2] != control_id(message):
        raise ValueError("an acknowledgement for another message")
    return acknowledged[1]


def control_id(message: bytes) -> str:
    """MSH-10."""
    return message.split(b"|", 10)[9].decode()
