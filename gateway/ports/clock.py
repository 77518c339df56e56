"""Time and randomness come through here, so that replay and tests can hold them still."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...

    def new_id(self) -> str:
        """A fresh identifier of 20 lower-case letters and digits, unguessable."""
        ...


class SystemClock:
    """The machine's clock and the operating system's randomness."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def new_id(self) -> str:
        return secrets.token_hex(10)
