"""Code tables: what a code of one system means in another, on a date.

A table is a CSV file in UTF-8 with the columns `code,value,name,valid_from,valid_to,source` and any others. Dates are
ISO, `valid_to` is the last day in force, empty means unlimited. Codes compare trimmed, NFC and case-folded; two rows
for one code must not be in force on the same day.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.errors import Mistake

COLUMNS = ("code", "value", "name", "valid_from", "valid_to", "source")
_ALWAYS, _NEVER = date.min, date.max


def fold_code(code: str) -> str:
    """The form in which codes are compared."""
    return unicodedata.normalize("NFC", code).strip().casefold()


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One line of a table; `columns` has every column by name, as written."""

    columns: Mapping[str, str]
    first: date
    last: date
    line: int

    @property
    def key(self) -> str:
        return fold_code(self.columns["code"])


class Table:
    """The rows of a code table in force on one day. Satisfies registry.CodeTable."""

    __slots__ = ("_rows", "name")

    def __init__(self, name: str, rows: Sequence[CodeRow]) -> None:
        self.name = name
        self._rows = {row.key: row.columns for row in rows}

    def get(self, code: str) -> str | None:
        """The value a code stands for, "" when the table says it stands for nothing; None without such a code."""
        return self.column(code, "value")

    def column(self, code: str, column: str) -> str | None:
        """Another column of the code's row; None without such a code. KeyError for a column the table lacks."""
        row = self._rows.get(code) or self._rows.get(fold_code(code))
        return None if row is None else row[column]

    def codes(self) -> Sequence[str]:
        """All codes in force, as written, in file order."""
        return [row["code"] for row in self._rows.values()]


class DatedTable:
    """A whole code table; `on` gives the part in force on a day, made once per stretch of days without a change."""

    def __init__(self, name: str, rows: Sequence[CodeRow]) -> None:
        self.name = name
        self.rows = tuple(rows)
        starts = {row.first for row in rows} | {row.last + timedelta(1) for row in rows if row.last != _NEVER}
        self._changes = sorted(starts | {_ALWAYS})
        self._stretches: dict[int, Table] = {}

    def on(self, day: date) -> Table:
        """The table in force on `day`."""
        place = bisect_right(self._changes, day)
        table = self._stretches.get(place)
        if table is None:
            table = Table(self.name, [row for row in self.rows if row.first <= day <= row.last])
            self._stretches[place] = table
        return table


def read_table(name: str, file: str, raw: bytes, mistakes: list[Mistake]) -> DatedTable:
    """Read one CSV file; what is wrong with it is added to `mistakes`."""
    reader = csv.DictReader(io.StringIO(raw.decode("utf-8-sig")), strict=True)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        remedy = f"The first line must name the columns {','.join(COLUMNS)}"
        mistakes.append(Mistake(file, 1, "header", f"column {', '.join(missing)} is missing", remedy))
        return DatedTable(name, ())
    rows: list[CodeRow] = []
    for columns in reader:
        row = _read_row(columns, file, reader.line_num, mistakes)
        if row is not None:
            rows.append(row)
    _refuse_overlaps(rows, file, mistakes)
    return DatedTable(name, rows)


def overlay(below: DatedTable, above: DatedTable) -> DatedTable:
    """`above`'s rows instead of those of `below` with the same code."""
    replaced = {row.key for row in above.rows}
    return DatedTable(below.name, (*(row for row in below.rows if row.key not in replaced), *above.rows))


def _read_row(columns: dict[str, str], file: str, line: int, mistakes: list[Mistake]) -> CodeRow | None:
    label = f"code {columns['code']}"
    if None in columns or None in columns.values():
        problem, remedy = "the line has another number of columns than the header", "Quote values that hold a comma"
    elif not columns["code"].strip():
        label, problem, remedy = "row", "the code is empty", "Give the code as the sender writes it"
    elif not columns["source"].strip():
        problem, remedy = "the source is empty", "Say where the row comes from; it may be `unverified`"
    else:
        try:
            first = date.fromisoformat(columns["valid_from"]) if columns["valid_from"] else _ALWAYS
            last = date.fromisoformat(columns["valid_to"]) if columns["valid_to"] else _NEVER
        except ValueError:
            problem, remedy = "valid_from or valid_to is not a date", "Write yyyy-mm-dd or leave it empty"
        else:
            if first <= last:
                return CodeRow(columns, first, last, line)
            problem, remedy = "valid_from is after valid_to", "Swap the dates"
    mistakes.append(Mistake(file, line, label, problem, remedy))
    return None


def _refuse_overlaps(rows: Sequence[CodeRow], file: str, mistakes: list[Mistake]) -> None:
    seen: dict[str, list[CodeRow]] = {}
    for row in rows:
        for other in seen.setdefault(row.key, []):
            if row.first <= other.last and other.first <= row.last:
                problem = f"the code is already in line {other.line} for the same days"
                remedy = "Delete one of the lines or let the older one end (valid_to) before the newer begins"
                mistakes.append(Mistake(file, row.line, f"code {row.columns['code']}", problem, remedy))
        seen[row.key].append(row)
