"""One partner that does not answer must not take every thread of a worker.

Half of the threads may ask a partner whose last word is not an answer; only one may once it failed DOUBT_AFTER times in
a row. A single failure is no doubt: partners fail now and then, and holding everything back at each failure would cost
more than it saves (docs/decisions/0006-partners-at-both-ends.md).
"""

from __future__ import annotations

import threading
from collections import Counter

DOUBT_AFTER = 5
"""Failures in a row."""
SOON, LATER = 0.25, 1.0
"""Seconds until a thread that found no room may look again: beside an unproven partner, and beside one in doubt."""


class Gate:
    """Who may ask which partner now, in the memory of one worker of so many `threads`. Safe to use from all of them."""

    def __init__(self, threads: int) -> None:
        self._half = max(1, threads // 2)
        self._lock = threading.Lock()
        self._asking: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._proven: set[str] = set()

    def enter(self, partner: str) -> float:
        """0.0: this thread may ask the partner and then has to `leave`. Otherwise the seconds until it may look again.
        Work without a partner may always."""
        with self._lock:
            asking = self._asking[partner]
            if partner and asking and self._failures[partner] >= DOUBT_AFTER:
                return LATER
            if partner and asking >= self._half and partner not in self._proven:
                return SOON
            self._asking[partner] += 1
            return 0.0

    def doubts(self, partner: str) -> bool:
        """Whether the partner failed so often in a row that whatever else waits for it need not look."""
        with self._lock:
            return bool(partner) and self._failures[partner] >= DOUBT_AFTER

    def leave(self, partner: str, *, answered: bool | None) -> None:
        """The thread asks no more. None: the partner was not asked after all."""
        with self._lock:
            self._asking[partner] -= 1
            if answered is None:
                return
            self._failures[partner] = 0 if answered else self._failures[partner] + 1
            if answered:
                self._proven.add(partner)
            else:
                self._proven.discard(partner)
