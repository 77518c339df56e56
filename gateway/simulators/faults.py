"""Faults that a simulator plays, from a TOML file. Which request suffers which is a function of seed, operation,
dossier code and attempt alone, so that a run can be repeated.

```toml
seed = 1
[every]                  # shares of all requests, 0 to 1
slow = 0.05
slow_seconds = 0.5
[nhanHoSoDKHT]           # one operation's own; keys it lacks are those of `every`
reset_after = 0.10
[fate]                   # what becomes of dossiers under --walk
supplement = 0.10
refused = 0.05
```
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.errors import SettingsError
from gateway.mapping.file_format import nearest

KINDS = {
    "slow": "the answer comes after slow_seconds",
    "status_500": "500 in plain text, nothing kept",
    "status_502": "502 in plain text, nothing kept",
    "status_503": "503 in plain text, nothing kept",
    "too_many": "429 with Retry-After: retry_after_seconds, nothing kept",
    "reset_before": "the connection is reset before anything is kept",
    "token_expired": "401, and every token given before is worth nothing; nothing kept (only with --secret)",
    "html": "200 with an HTML page, as a proxy's log-in page; nothing kept",
    "wrong_code": "an errorCode that no list has; nothing kept",
    "reset_after": "all is done and kept, then the connection is reset without an answer",
    "half": "all is done and kept, then half the answer is sent and the connection closed",
    "duplicate": "a dossier's first arrival is answered as if it were its second; each row of an answer stands twice",
    "state_0": "a dossier's state is told as 0, an error while sending",
}
"""What can happen to a request."""

SECONDS = {"slow_seconds": 2.0, "retry_after_seconds": 1.0}
FATES = ("supplement", "refused")
SHIPPED = ("mixed", "passing")
"""Files that come with the gateway: 20 % of everything, and 20 % of what a client gets over by itself."""


@dataclass(frozen=True, slots=True)
class Faults:
    """`shares`: operation → kind of fault → share of its requests, laid beside each other in this order; `seconds`
    likewise; `fate`: share of dossiers."""

    seed: int = 1
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seconds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    fate: Mapping[str, float] = field(default_factory=dict)

    def decide(self, operation: str, key: str, attempt: int) -> str:
        """The fault that the `attempt`-th request (from 1) about `key` suffers; "" for none."""
        return _drawn(self.shares.get(operation, {}), f"{self.seed}|{operation}|{key}|{attempt}")

    def fate_of(self, code: str) -> str:
        """What becomes of a dossier: "supplement", "refused", or "" for registered without more ado."""
        return _drawn(self.fate, f"{self.seed}|fate|{code}")

    def seconds_of(self, operation: str, name: str) -> float:
        """slow_seconds or retry_after_seconds of an operation."""
        return self.seconds.get(operation, SECONDS).get(name, SECONDS[name])


@dataclass(slots=True)
class Attempts:
    """Counts requests by operation and key, and the faults that were played. Forgotten with the process."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    played: Counter[str] = field(default_factory=Counter)

    def next_fault(self, faults: Faults, operation: str, key: str) -> str:
        """The fault of the next request about `key`."""
        self.seen[operation, key] += 1
        kind = faults.decide(operation, key, self.seen[operation, key])
        if kind:
            self.played[f"{operation}.{kind}"] += 1
        return kind


def load_faults(path: Path, operations: Sequence[str], seed: int | None = None) -> Faults:
    """Read and check a faults file, or one of SHIPPED by its name; `seed` wins over the file's. Raises SettingsError
    naming every mistake."""
    file = Path(__file__).with_name(f"faults_{path}.toml") if str(path) in SHIPPED else path
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError("simulator.faults_unreadable", f"{path}: {error}") from None
    mistakes: list[str] = []
    first = told.pop("seed", 1)
    if not isinstance(first, int) or isinstance(first, bool):
        mistakes.append("seed: must be a whole number")
    tables = {name: _table(name, table, operations, mistakes) for name, table in told.items()}
    every = tables.get("every", {})
    merged = {name: every | tables.get(name, {}) for name in operations}
    merged["fate"] = tables.get("fate", {})
    shares = {name: {key: one[key] for key in (*KINDS, *FATES) if key in one} for name, one in merged.items()}
    mistakes += [f"{name}: the shares add up to more than 1" for name, one in shares.items() if sum(one.values()) > 1]
    if mistakes:
        raise SettingsError("simulator.faults_wrong", f"{path}: " + "; ".join(mistakes))
    seconds = {name: {key: value for key, value in table.items() if key in SECONDS} for name, table in merged.items()}
    return Faults(first if seed is None else seed, shares, seconds, shares.pop("fate"))


def _table(name: str, told: Any, operations: Sequence[str], mistakes: list[str]) -> dict[str, float]:
    """One table of the file, its wrong keys left out."""
    known = ("every", *operations, "fate")
    if name not in known or not isinstance(told, dict):
        mistakes.append(f"{name}: no such table. {nearest(name, known)}There are {', '.join(known)}")
        return {}
    keys = FATES if name == "fate" else (*KINDS, *SECONDS)
    good = {}
    for key, value in told.items():
        if key not in keys:
            mistakes.append(f"{name}.{key}: no such key. {nearest(key, keys)}There are {', '.join(keys)}")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _most(key):
            mistakes.append(f"{name}.{key}: must be a number from 0 to {_most(key)}")
        else:
            good[key] = float(value)
    return good


def _most(key: str) -> int:
    return 600 if key in SECONDS else 1


def _drawn(shares: Mapping[str, float], text: str) -> str:
    """The kind at the point of [0, 1) that `text` hashes to, with the shares laid beside each other."""
    if not shares:
        return ""
    point = int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / (1 << 56)
    for kind, share in shares.items():
        if point < share:
            return kind
        point -= share
    return ""
