"""Rows of a rule file that can never count, or not as they are written. Only what is certain from the file is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from gateway.domain.notification import FIELDS
from gateway.domain.person import Address, PersonName
from gateway.mapping.codes import DatedTable
from gateway.mapping.rules import Condition, Row, RuleSet

_OPPOSITE = {"=": "!=", "!=": "=", "valued": "absent", "absent": "valued"}


@dataclass(frozen=True, slots=True)
class Caution:
    """Something a person should look at. `code` is stable, `family.reason`; `file` and `line` (1-based) say where."""

    code: str
    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} [{self.code}]"


def review_rows(rules: RuleSet, tables: Mapping[str, DatedTable], today: date) -> Iterator[Caution]:
    """Cautions about one file's rows, overlays applied."""
    own = FIELDS.get(rules.kind, {}) if rules.procedure else {}
    earlier: dict[str, list[Row]] = {}
    for row in rules.rows:
        before = earlier.setdefault(row.to, [])
        for code, message in _of_row(row, before, own):
            yield Caution(code, row.file, row.line, f"to {row.to}: {message}")
        yield from _of_codes(row, rules, tables, today)
        before.append(row)
    for name in rules.leaves_out:
        own_row = next((row for row in rules.rows if row.field == name), None)
        if own_row is not None:
            message = f"to {own_row.to}: `leaves_out` names {name}, yet this row fills it"
            yield Caution("row.left_out", own_row.file, own_row.line, message)


def _of_row(row: Row, before: Sequence[Row], types: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    when, paths = row.when, [source.text for source in row.sources]
    always = next((each for each in before if _fills_always(each) and _implies(when, each.when)), None)
    if always is not None:
        yield "row.never", f"line {always.line} always fills it first"
    elif _cover(before):
        yield "row.never", "the rows before it fill it in every case"
    if when is None:
        return
    if never := _impossible(when, types):
        yield ("row.never" if when.test == "=" else "when.always"), never
    if when.test == "absent" and when.source.text in paths:
        yield "path.never", f"path `{when.source.text}` is read only when it is absent"
    plain = types.get(when.source.text) not in (None, Address, PersonName)  # those are not one text
    certain = plain and row.using == "text" and row.codes is None and when.test in ("valued", "=")
    if certain and when.source.text in paths:
        if paths.index(when.source.text) < len(paths) - 1:
            yield "path.never", f"no path after `{when.source.text}` is tried: it is valued"
        if row.value is not None:
            yield "value.never", f"`value` is never taken: `{when.source.text}` is valued"


def _fills_always(row: Row) -> bool:
    """Whether a row yields something whenever its condition holds."""
    return row.value is not None


def _implies(when: Condition | None, other: Condition | None) -> bool:
    """Whether `other` holds whenever `when` does, as far as the texts tell."""
    if when is None or other is None or when.source.text != other.source.text:
        return False
    if (when.test, _bare(when)) == (other.test, _bare(other)):
        return True
    return (when.test, other.test) in (("=", "valued"), ("absent", "!="))


def _cover(rows: Sequence[Row]) -> bool:
    """Whether rows that always yield something stand for a condition and for its opposite."""
    sure = [row.when for row in rows if row.when is not None and _fills_always(row)]
    stated = {(when.source.text, when.test, _bare(when)) for when in sure}
    return any((when.source.text, _OPPOSITE[when.test], _bare(when)) in stated for when in sure)


def _bare(when: Condition) -> str:
    return when.text.strip("'\"")


def _impossible(when: Condition, types: Mapping[str, Any]) -> str:
    """Why a comparison with a field of the notification always has the same answer; "" when it does not."""
    wanted = types.get(when.source.text)
    if when.test not in ("=", "!=") or not isinstance(wanted, type):
        return ""
    if issubclass(wanted, Enum):
        known = [str(member.value) for member in wanted]
    elif wanted is bool:
        known = ["true", "false"]
    else:
        return ""
    return "" if _bare(when) in known else f"`{when.source.text}` is never `{_bare(when)}`, only {', '.join(known)}"


def _of_codes(row: Row, rules: RuleSet, tables: Mapping[str, DatedTable], today: date) -> Iterator[Caution]:
    name, _, column = (row.codes or "").partition(".")
    if not name:
        return
    day = max(rules.in_force, today)
    table = tables[name].on(day)
    if not any(table.column(code, column or "value") for code in table.codes()):
        yield Caution("codes.none", row.file, row.line, f"to {row.to}: codes/{name}.csv has no value for {day}")
