"""A watched folder and the intake behind it, which remembers what it was handed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.hospital.folder import FolderListener
from gateway.ports.hospital import Answer, Feed, Reply
from tests.conftest import StillClock

NAME = "Lò Thị Hoa"  # file names may hold a person's name


TAKEN = Answer("AA", b"MSA|AA|1", "application/hl7-v2", 200)


REFUSED = Answer("AR", b"MSA|AR|1", "application/hl7-v2", 403)


@dataclass
class Intake:
    """Remembers what it was handed; `says` decides the answer."""

    says: Callable[[bytes], Answer] = lambda _raw: TAKEN
    heard: list[bytes] = field(default_factory=list)
    feeds: set[str | None] = field(default_factory=set)

    def submit(self, raw: bytes, format: str | None, feed: str | None, reply: Reply, *_origin: Any) -> None:
        assert format is None, "the format is told by the bytes"
        self.heard.append(raw)
        self.feeds.add(feed)
        asyncio.get_running_loop().call_soon(reply, self.says(raw))


def listen_to(*places: Path, settle: float = 0.0, **options: Any) -> FolderListener:
    feeds = {
        f"bv-{number}": Feed(f"bv-{number}", folder=str(path), folder_settle_seconds=settle)
        for number, path in enumerate(places)
    }
    return FolderListener(feeds, StillClock(), poll_seconds=0.01, **options)


@asynccontextmanager
async def watching(listener: FolderListener, intake: Intake) -> Any:
    await listener.start(intake)
    try:
        yield
    finally:
        await listener.stop()


async def until(found: Callable[[], bool]) -> None:
    for _ in range(1000):
        if found():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def several_looks() -> None:
    await asyncio.sleep(0.1)


def tree(path: Path) -> set[str]:
    return {str(file.relative_to(path)) for file in path.rglob("*") if not file.is_dir()}
