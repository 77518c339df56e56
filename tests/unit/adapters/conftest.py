"""Listeners on loopback ports and folders to watch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import structlog

from adapters.hospital.mllp import MllpListener
from tests.mllp_world import HeldIntake


@pytest.fixture
def intake() -> HeldIntake:
    return HeldIntake()


@pytest.fixture
async def start(intake: HeldIntake) -> AsyncIterator[Callable[..., object]]:
    started: list[MllpListener] = []

    async def start_listener(**options: object) -> tuple[str, int]:
        listener = MllpListener(port=0, **options)  # type: ignore[arg-type]
        started.append(listener)
        host, port = (await listener.start(intake)).rsplit(":", 1)
        return host, int(port)

    yield start_listener
    for listener in started:
        await listener.stop()


@pytest.fixture
def every_level_is_logged() -> None:
    """Whatever a command that ran before in this process chose."""
    structlog.reset_defaults()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made
