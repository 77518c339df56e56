"""What a sample folder promises (`dossier.json`, `findings.json`) against what becomes of its messages now.

An expected file is a promise that a reviewer read, not a recording: `hotich try --accept` shows every change it writes.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOSSIER, FINDINGS = "dossier.json", "findings.json"
NOT_EXPECTED = ("findings", "provenance", "mapping_hash", "clocks", "corrections", "withdrawn")
"""Parts of a case that dossier.json leaves out: findings have their own file, `deadlines` has the clocks' ends, the
others change with every edit."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise not kept: the file, its text (empty when it is not there) and what it would have to be."""

    file: Path
    before: str
    after: str

    def diff(self) -> str:
        """The unified difference, expected against now."""
        names = (f"{self.file} expected", f"{self.file} now")
        lines = difflib.unified_diff(self.before.splitlines(True), self.after.splitlines(True), *names)
        return "".join(lines)


def has_promises(folder: Path) -> bool:
    """Whether a folder has an expected file."""
    return any((folder / name).exists() for name in (DOSSIER, FINDINGS))


def broken_promises(folder: Path, told: Mapping[str, Any]) -> list[Broken]:
    """The expected files of a folder that differ from what `told` (the document of `hotich try`) says."""
    now = {DOSSIER: dossiers_of(told), FINDINGS: findings_of(told)}
    broken = (Broken(folder / name, _text_of(folder / name), as_text(value)) for name, value in now.items())
    return [promise for promise in broken if promise.before != promise.after]


def keep_now(promise: Broken) -> None:
    """Write what is now in place of what was expected."""
    promise.file.write_text(promise.after, encoding="utf-8")


def dossiers_of(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What dossier.json keeps of a rehearsal."""
    return [{key: value for key, value in case.items() if key not in NOT_EXPECTED} for case in told["cases"]]


def findings_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """What findings.json keeps of a rehearsal: each finding as code and place."""
    messages = [
        {"relevance": message["relevance"], "ack": message["ack"], "findings": _places(message)}
        for message in told["messages"]
    ]
    return {"messages": messages, "cases": [{"findings": _places(case)} for case in told["cases"]]}


def as_text(value: Any) -> str:
    """JSON as the sample files keep it: readable, in a stable order."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _places(told: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"code": finding["code"], "where": finding["where"]} for finding in told["findings"]]


def _text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
