"""One partner that does not answer must not take every thread: while it is in doubt, one thread at a time asks it.

A single failure is no doubt: partners fail now and then, and a slow-down at each failure would cost more than it saves
(docs/decisions/0006-partners-at-both-ends.md).
"""

from __future__ import annotations

import threading
from collections import Counter

DOUBT_AFTER = 3
"""Failures in a row."""


class Gate:
    """Who may ask which partner now. In the memory of one worker; safe to use from its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()

    def enter(self, partner: str) -> bool:
        """Whether this thread may ask the partner; it then has to `leave`. Work without a partner may always."""
        with self._lock:
            if partner and self._asking[partner] and self._failures[partner] >= DOUBT_AFTER:
                return False
            self._asking[partner] += 1
            return True

    def doubts(self, partner: str) -> bool:
        """Whether the partner failed so often in a row that whatever else waits for it need not look."""
        with self._lock:
            return bool(partner) and self._failures[partner] >= DOUBT_AFTER

    def leave(self, partner: str, *, answered: bool) -> None:
        """The thread asks no more. A partner that failed DOUBT_AFTER times in a row is in doubt until it answers."""
        with self._lock:
            self._asking[partner] -= 1
            self._failures[partner] = 0 if answered else self._failures[partner] + 1
