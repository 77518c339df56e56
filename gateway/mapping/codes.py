"""Code tables: what a code of one system means in another, on a date.

A table is a CSV file in UTF-8 with the columns `code,value,name,valid_from,valid_to,source` and any others. Dates are
yyyy-mm-dd, `valid_to` is the last day in force, empty means unlimited. Codes compare trimmed, NFC and case-folded; two
rows for one code must not be in force on the same day.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.errors import Mistake
from gateway.mapping.file_format import nearest
from gateway.mapping.toml_text import decode

COLUMNS = ("code", "value", "name", "valid_from", "valid_to", "source")
NO_CODE = "?"
"""Written in place of a value: that system has no code for it, or none that is known. Empty: it stands for nothing."""
_ALWAYS, _NEVER = date.min, date.max


def fold_code(code: str) -> str:
    """The form in which codes are compared."""
    return unicodedata.normalize("NFC", code).strip().casefold()


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One line of a table; `columns` has every column by name, as written. `file` is where the line stands."""

    columns: Mapping[str, str]
    first: date
    last: date
    line: int
    file: str = ""

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
        """Another column of the code's row; None without such a code, or where the column says that its system has none
        (NO_CODE). KeyError for a column the table lacks."""
        row = self._rows.get(code) or self._rows.get(fold_code(code))
        return None if row is None or row[column] == NO_CODE else row[column]

    def codes(self) -> Sequence[str]:
        """All codes in force, as written, in file order."""
        return [row["code"] for row in self._rows.values()]


class DatedTable:
    """A whole code table; `on` gives the part in force on a day, made once per stretch of days without a change.
    `file` and `columns` are those of the file it was read from, the lowest one under overlays."""

    def __init__(self, name: str, rows: Sequence[CodeRow], file: str = "", columns: Sequence[str] = ()) -> None:
        self.name = name
        self.rows = tuple(rows)
        self.file, self.columns = file, tuple(columns)
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


def overlay(below: DatedTable, above: DatedTable) -> DatedTable:
    """`above`'s rows instead of those of `below` with the same code."""
    replaced = {row.key for row in above.rows}
    rows = (*(row for row in below.rows if row.key not in replaced), *above.rows)
    return DatedTable(below.name, rows, below.file, below.columns)


def read_table(
    name: str, file: str, raw: bytes, mistakes: list[Mistake], below: DatedTable | None = None
) -> DatedTable:
    """Read one CSV file; what is wrong with it is added to `mistakes`. Under an overlay `below` is the table it is laid
    over, whose columns it must have."""
    text = decode(file, raw, mistakes)
    lines = _lines(text or "", file, mistakes)
    at, header = next(lines, (1, []))
    if text is None or not _is_header(header, at, file, below, mistakes):
        return DatedTable(name, (), file)
    rows: list[CodeRow] = []
    for line, values in lines:
        row = _read_row(header, values, file, line, mistakes)
        if row is not None:
            rows.append(row)
    _refuse_overlaps(rows, file, mistakes)
    return DatedTable(name, rows, file, header)


def _lines(text: str, file: str, mistakes: list[Mistake]) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it starts in; blank lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            remedy = 'Quote a value that holds a comma or a quote, and write a quote inside it twice: "a ""b"""'
            mistakes.append(Mistake(file, line, "row", f"not CSV: {error}", remedy))
            continue
        if values:
            yield line, values


def _is_header(header: Sequence[str], line: int, file: str, below: DatedTable | None, mistakes: list[Mistake]) -> bool:
    wanted = below.columns if below is not None and below.columns else COLUMNS
    remedy = f"The first line must name the columns {','.join(wanted)}"
    wrong = []
    if missing := [column for column in wanted if column not in header]:
        near = "".join(nearest(name, missing) for name in header if name not in wanted)
        if len(header) < 2 and any(mark in header[0] for mark in ";\t" if header):
            near = "Separate the columns by commas. "
        problem = f"column {', '.join(missing)} is missing" if header else "the file is empty"
        wrong.append((problem, near + remedy))
    if twice := sorted({column for column in header if header.count(column) > 1}):
        wrong.append((f"column {', '.join(twice)} stands twice", "Delete or rename one of them"))
    if below is not None and (more := [column for column in header if column not in wanted]) and not missing:
        wrong.append((f"column {', '.join(more)} is not in {below.file}", remedy))
    mistakes.extend(Mistake(file, line, "header", problem, remedy) for problem, remedy in wrong)
    return not wrong


def _read_row(
    header: Sequence[str], values: Sequence[str], file: str, line: int, mistakes: list[Mistake]
) -> CodeRow | None:
    if len(values) != len(header):
        problem = f"the line has {len(values)} columns, the header {len(header)}"
        remedy = "Count the commas; quote values that hold one"
        mistakes.append(Mistake(file, line, f"code {values[0]}", problem, remedy))
        return None
    columns = dict(zip(header, values, strict=True))
    first, last = (_read_day(columns[name], usual) for name, usual in (("valid_from", _ALWAYS), ("valid_to", _NEVER)))
    wrong = []
    if not columns["code"].strip():
        wrong.append(("the code is empty", "Give the code as the sender writes it"))
    if not columns["source"].strip():
        wrong.append(("the source is empty", "Say where the row comes from; it may be `unverified`"))
    for name, day in (("valid_from", first), ("valid_to", last)):
        if day is None:
            wrong.append((f"{name} is not a date", "Write yyyy-mm-dd or leave it empty"))
    if first is not None and last is not None and first > last:
        wrong.append(("valid_from is after valid_to", "Swap the dates"))
    label = f"code {columns['code']}"
    mistakes.extend(Mistake(file, line, label, problem, remedy) for problem, remedy in wrong)
    return None if wrong or first is None or last is None else CodeRow(columns, first, last, line, file)


def _read_day(text: str, usual: date) -> date | None:
    """A day as the file writes it; `usual` for an empty one, None for what is none."""
    if not text:
        return usual
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) else None
    except ValueError:
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
