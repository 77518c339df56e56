"""A case's legal clocks as lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def clock_lines(case: Mapping[str, Any]) -> list[str]:
    """One line a clock of a case (domain.dossier.as_json): name, end or what it waits for, rule, source, doubts."""
    lines = []
    for clock in case.get("clocks", ()):
        when = clock["ends"] or f"({clock['waits']}{', ' + clock['starts'] if clock['starts'] else ''})"
        doubt = "" if clock["holidays_known"] else " · holidays of that year unknown"
        lines.append(f"{clock['name']} {when}: {clock['rule']} [{clock['source']}]{doubt}")
    return lines
