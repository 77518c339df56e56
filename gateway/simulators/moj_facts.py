"""What is known of the civil-status exchange's wire, read from moj_wire.toml: second-hand, so data and not code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One way to hand a dossier in. `modules`: name → kind; `code`: the field with the dossier's code; `day`: strptime
    format of ngayTiepNhan; `fields`: name → text | number | files."""

    modules: Mapping[str, str]
    code: str
    day: str
    day_words: str
    wire: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """The whole file; see its comments. Patterns are compiled, keys of `errors` and `states` are texts."""

    operations: Mapping[str, Operation]
    files: Mapping[str, str]
    patterns: Mapping[str, re.Pattern[str]]
    transforms: Mapping[str, re.Pattern[str]]
    fields: Mapping[str, re.Pattern[str]]
    limits: Mapping[str, int]
    errors: Mapping[str, str]
    states: Mapping[str, str]
    catalogues: Mapping[str, str]
    results: Mapping[str, Mapping[str, Any]]


@cache
def load_facts() -> Facts:
    """The facts shipped with the gateway."""
    told = tomllib.loads(Path(__file__).with_name("moj_wire.toml").read_text(encoding="utf-8"))
    plain = {name: told[name] for name in ("files", "limits", "errors", "states", "catalogues", "results")}
    return Facts(
        operations={name: Operation(**one) for name, one in told["operations"].items()},
        patterns=_compiled(told["patterns"]),
        transforms=_compiled(told["transforms"]),
        fields=_compiled(told["fields"]),
        **plain,
    )


def _compiled(patterns: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {name: re.compile(pattern) for name, pattern in patterns.items()}
