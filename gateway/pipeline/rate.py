"""How fast a feed may send: one token bucket a feed. Pure but for what the bucket holds.

A bucket is full of `burst` tokens at first and gets `rate` new ones a second; a message takes one. Buckets belong to
one process: several receivers on one database each let the rate through.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gateway.ports.hospital import Feed


@dataclass(slots=True)
class TokenBucket:
    """`rate` tokens a second, never more than `burst` together. Instants are seconds of any clock that only goes
    forward."""

    rate: float
    burst: int
    _tokens: float = field(init=False)
    _at: float = field(init=False, default=-math.inf)

    def __post_init__(self) -> None:
        self._tokens = float(self.burst)

    def wait(self, now: float) -> float:
        """Take a token: 0.0. When there is none, the seconds until there is one; nothing is taken then."""
        if now > self._at:
            self._tokens = min(float(self.burst), self._tokens + (now - self._at) * self.rate)
            self._at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self.rate


def bucket_of(feed: Feed) -> TokenBucket | None:
    """The feed's bucket; None when it may send as fast as it likes."""
    return TokenBucket(feed.messages_per_second, feed.burst_messages) if feed.messages_per_second > 0 else None
