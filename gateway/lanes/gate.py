"""One partner that does not answer must not take every thread: while it is in doubt, one thread at a time asks it."""

from __future__ import annotations

import threading
from collections import Counter


class Gate:
    """Who may ask which partner now. In the memory of one worker; safe to use from its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: Counter[str] = Counter()
        self._doubted: set[str] = set()

    def enter(self, partner: str) -> bool:
        """Whether this thread may ask the partner; it then has to `leave`. Work without a partner may always."""
        with self._lock:
            if partner and partner in self._doubted and self._asking[partner]:
                return False
            self._asking[partner] += 1
            return True

    def leave(self, partner: str, *, answered: bool) -> None:
        """The thread asks no more. A partner that did not answer is in doubt until it does."""
        with self._lock:
            self._asking[partner] -= 1
            if answered:
                self._doubted.discard(partner)
            elif partner:
                self._doubted.add(partner)
