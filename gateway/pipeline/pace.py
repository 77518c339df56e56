"""How fast a partner may be asked. One pace belongs to one process: several workers on one database each keep it."""

from __future__ import annotations

from threading import Lock

CATCH_UP_SECONDS = 1.0
"""So much unused time may be made up for: whoever was told to come again comes a little late."""


class Pace:
    """At most `per_second` questions, on average. Threads share it; instants are seconds since 1970."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._free_at = 0.0
        self._promised = 0.0
        self._lock = Lock()

    def wait_until(self, questions: int, now: float) -> float:
        """Take the turn for so many questions: 0.0. When it is too early, an instant at which to come again, another
        for everyone who asks, so that those who wait do not all come at once; nothing is taken then."""
        with self._lock:
            if self._free_at <= now:
                self._free_at = max(self._free_at, now - CATCH_UP_SECONDS) + questions / self._per_second
                return 0.0
            at = max(self._promised, self._free_at)
            self._promised = at + questions / self._per_second
            return at
