"""What to do after work failed: a pure decision from the error, the tries so far and the time.

A partner that is down is retried for about a week, at first after seconds and then every quarter of an hour; a clear
no is never retried; our own defects are tried a few times, because a restart or a passing fault may cure them, and then
shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from gateway.errors import (
    Conflict,
    GatewayError,
    LogUnavailable,
    Misunderstood,
    Refused,
    Unreachable,
    UnreadableMessage,
)

FIRST_SECONDS = 2.0
CAP_SECONDS = 900.0
PATIENCE_TRIES = 680
"""Tries of an unreachable partner: nine doublings from 2 s to the cap, then a week at 15 minutes."""
DEFECT_TRIES = 5
HURRY_BEFORE = 2 * 86_400
"""Seconds before a deadline from which waits are at most HURRY_CAP_SECONDS."""
HURRY_CAP_SECONDS = 300.0
RACES = 10
"""Times a lost race is run again at once; after that it waits and is given up like a defect."""
UNEXPECTED = "worker.unexpected"


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Run the work again at this instant (microseconds since 1970 UTC)."""

    at: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Stop the lane and show it to a person. `code` says why."""

    code: str


def decide_retry(
    error: Exception, tries: int, now: int, deadline: int | None = None, seed: str = ""
) -> RetryAt | GiveUp:
    """Decide after try number `tries` (1 is the first) failed with `error`.

    The wait doubles with each try; `seed` spreads works that failed together over a quarter of it, the same each time.
    An unreachable partner is never given up before `deadline` (microseconds), the end of a legal clock, and is tried
    more often when it is near. No try comes before the `retry_after` that a partner asked for.
    """
    if isinstance(error, Conflict) and tries < RACES:
        return RetryAt(now)
    if isinstance(error, Refused | Misunderstood | UnreadableMessage):
        return GiveUp(error.code)
    first, patience = 1, DEFECT_TRIES
    if isinstance(error, Unreachable | LogUnavailable):
        patience = PATIENCE_TRIES
    elif isinstance(error, Conflict):
        first, patience = RACES, RACES + DEFECT_TRIES
    wait = wait_seconds(tries - first + 1, seed)
    if deadline is not None and now < deadline:
        patience = tries + 1
        if now + HURRY_BEFORE * 1_000_000 > deadline:
            wait = min(wait, HURRY_CAP_SECONDS)
    if tries >= patience:
        return GiveUp(code_of(error))
    if isinstance(error, Unreachable):
        # Spread, or everything that waited for a partner would come at once.
        wait = max(wait, error.retry_after * (2 - wait_seconds(1, seed) / FIRST_SECONDS))
    return RetryAt(now + round(wait * 1_000_000))


def code_of(error: Exception) -> str:
    """A code for logs and the lane: ours, or the type of a foreign exception (whose text may hold personal data)."""
    return error.code if isinstance(error, GatewayError) else f"{UNEXPECTED} {type(error).__name__}"


def wait_seconds(tries: int, seed: str = "") -> float:
    """Exponential from FIRST_SECONDS, at most CAP_SECONDS, less up to a quarter by `seed`."""
    full = min(CAP_SECONDS, FIRST_SECONDS * 2.0 ** min(tries - 1, 30))
    part = int.from_bytes(blake2b(f"{seed}:{tries}".encode(), digest_size=2).digest(), "big") / 65_536
    return full * (1 - part / 4)
