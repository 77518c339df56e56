"""The mapping file format: TOML, strictly typed, every mistake reported with file, line, row and remedy.

An inbound file says how to read one kind of event of one format; an outbound file how to fill one national form. Header
keys: `basis` (the law or standard section, may say unverified), `kind`, `in_force` (a date), and for outbound files
`procedure`, `form`, `competent_commune` (paths in order), `first_valued_decides`. Then `[[row]]`s: the keys of `Row`.
`when` is one comparison: `PATH = TEXT`, `PATH != TEXT`, `PATH valued`, `PATH absent`.

A `to` with one more part than an object-like target fills that leaf of it: inbound `mother.address.province_code`,
outbound `nksNoiSinh.maXa`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gateway.errors import Mistake

Compile = Callable[[str, str], Any]
Value = str | int | bool | Mapping[str, str]

_ROW_START = re.compile(r"^\s*\[\[\s*row\s*\]\]")
_KEY = re.compile(r"^\s*([A-Za-z_]+)\s*=")
_STRING, _STRINGS, _FLAG = "text", "a list of texts", "true or false"
_INBOUND_HEADER = {"basis": _STRING, "kind": _STRING, "in_force": "a date (yyyy-mm-dd, no quotes)"}
_OUTBOUND_HEADER = _INBOUND_HEADER | {
    "procedure": _STRING,
    "form": _STRING,
    "competent_commune": _STRINGS,
    "first_valued_decides": _FLAG,
}
_OPTIONAL_HEADER = ("competent_commune", "first_valued_decides")
_ROW = {
    "to": _STRING,
    "from": "text or a list of texts",
    "using": _STRING,
    "codes": _STRING,
    "when": _STRING,
    "value": "text, a number, true, false or a table of texts",
    "required": _FLAG,
    "owed_by": _STRING,
    "note": _STRING,
}
OWED_BY = ("family", "facility", "commune", "officer")


@dataclass(frozen=True, slots=True)
class Source:
    """A path as written and as compiled by the format's reader."""

    text: str
    path: Any


@dataclass(frozen=True, slots=True)
class Condition:
    """`test` is one of `=`, `!=`, `valued`, `absent`; `text` is what `=` and `!=` compare with."""

    source: Source
    test: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One rule. The first path of `sources` that yields a value wins; `value` stands when none does; `using` names a
    transform (default `text`), `codes` a table applied after it."""

    file: str
    line: int
    to: str
    sources: tuple[Source, ...] = ()
    using: str = "text"
    codes: str | None = None
    when: Condition | None = None
    value: Value | None = None
    required: bool = False
    owed_by: str | None = None
    note: str = ""

    @property
    def label(self) -> str:
        """`<mapping file>#<row target>`, as in provenance."""
        return f"{self.file}#{self.to}"


@dataclass(frozen=True, eq=False)
class RuleSet:
    """One mapping file, overlays applied. Compared by identity, so that plans made from it can be kept."""

    file: str
    kind: str
    basis: str
    in_force: date
    rows: tuple[Row, ...]
    procedure: str = ""
    form: str = ""
    competent_commune: tuple[str, ...] = ()
    first_valued_decides: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the names in a file may refer to. `compile(kind, path)` raises ValueError; `kinds` None: any;
    `targets(kind)` gives the fields of a kind with their types, None when any target is allowed; `fits(type, value)`
    tells whether a constant or a code table's value can become that type."""

    compile: Compile
    transforms: Mapping[str, Any]
    tables: Mapping[str, Any]
    kinds: Sequence[str] | None = None
    targets: Callable[[str], Mapping[str, Any] | None] = field(default=lambda kind: None)
    fits: Callable[[Any, Any], bool] = field(default=lambda wanted, value: True)
    outbound: bool = False


class _Lines:
    """Finds the line of a row or of a key in it, by looking at the text: tomllib does not tell."""

    def __init__(self, text: str) -> None:
        self._text = text.splitlines()
        self._starts = [number for number, line in enumerate(self._text) if _ROW_START.match(line)]

    def of(self, row: int | None, key: str = "") -> int:
        """1-based line of `key` in the row of that index (None: the header), else of the row, else 1."""
        place = -1 if row is None else row
        if place >= len(self._starts):
            return 1
        start = 0 if row is None else self._starts[place]
        after = self._starts[place + 1] if place + 1 < len(self._starts) else len(self._text)
        for number in range(start, after):
            found = _KEY.match(self._text[number])
            if found and found[1] == key:
                return number + 1
        return start + 1


def read_rules(file: str, shown: str, raw: bytes, allowed: Allowed, mistakes: list[Mistake]) -> RuleSet | None:
    """One file as a RuleSet; None when it is too wrong to use. `file` names it in provenance, `shown` in mistakes."""
    text = raw.decode("utf-8-sig")
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else 1
        mistakes.append(Mistake(shown, line, "file", f"not TOML: {error}", "Correct the syntax"))
        return None
    return _FileReader(file, shown, _Lines(text), allowed, mistakes).read(told)


class _FileReader:
    """Reads one parsed file; everything wrong lands in `mistakes`."""

    def __init__(self, file: str, shown: str, lines: _Lines, allowed: Allowed, mistakes: list[Mistake]) -> None:
        self.file, self.shown, self.lines, self.allowed, self.mistakes = file, shown, lines, allowed, mistakes
        self.kind = ""

    def read(self, told: dict[str, Any]) -> RuleSet | None:
        before = len(self.mistakes)
        rows = told.pop("row", [])
        header = _OUTBOUND_HEADER if self.allowed.outbound else _INBOUND_HEADER
        self._check_keys(told, header, None, "header")
        for key in header:
            if key not in told and key not in _OPTIONAL_HEADER:
                self._wrong(None, "", "header", f"`{key}` is missing", f"Add `{key}` above the first [[row]]")
        self.kind = str(told.get("kind", ""))
        if told.get("basis") == "":
            self._wrong(None, "basis", "header", "`basis` is empty", "Name the law or standard, or say unverified")
        if self.allowed.kinds is not None and self.kind not in self.allowed.kinds:
            self._wrong(None, "kind", "header", f"kind `{self.kind}` is unknown", f"Use {_or(self.allowed.kinds)}")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._wrong(None, "", "row", "`row` must be written as [[row]]", "Start every rule with a line [[row]]")
            return None
        read = [self._row(place, row) for place, row in enumerate(rows)]
        self._check_twice([row for row in read if row])
        if len(self.mistakes) > before:
            return None
        told["competent_commune"] = tuple(told.get("competent_commune", ()))
        return RuleSet(file=self.file, rows=tuple(row for row in read if row), **told)

    def _wrong(self, row: int | None, key: str, label: str, problem: str, remedy: str) -> None:
        self.mistakes.append(Mistake(self.shown, self.lines.of(row, key), label, problem, remedy))

    def _check_keys(self, told: Mapping[str, Any], known: Mapping[str, str], row: int | None, label: str) -> bool:
        good = True
        for key, value in told.items():
            if key not in known:
                self._wrong(row, key, label, f"unknown key `{key}`", f"Known keys are {', '.join(known)}")
                good = False
            elif not _is(value, known[key]):
                self._wrong(row, key, label, f"`{key}` must be {known[key]}", "Correct the value")
                good = False
        return good

    def _row(self, place: int, told: dict[str, Any]) -> Row | None:
        label = f"row {place + 1}" + (f" (to {told['to']})" if isinstance(told.get("to"), str) else "")
        if not self._check_keys(told, _ROW, place, label):
            return None
        before = len(self.mistakes)
        if not told.get("to"):
            self._wrong(place, "", label, "`to` is missing", "Name the field this row fills")
            return None
        self._check_names(place, label, told)
        paths = [told["from"]] if isinstance(told.get("from"), str) else told.get("from", [])
        sources = [self._source(place, "from", label, path) for path in paths]
        when = self._condition(place, label, told["when"]) if "when" in told else None
        if len(self.mistakes) > before:
            return None
        plain = {key: value for key, value in told.items() if key not in ("from", "when")}
        kept = tuple(source for source in sources if source)
        return Row(file=self.file, line=self.lines.of(place), sources=kept, when=when, **plain)

    def _check_names(self, place: int, label: str, told: Mapping[str, Any]) -> None:
        to, targets = told["to"], self.allowed.targets(self.kind)
        if targets is not None and to not in targets:
            near = [target for target in targets if target.split(".")[0] == to.split(".")[0]] or sorted(targets)
            self._wrong(place, "to", label, f"`{to}` is not a field of a {self.kind}", f"Use one of {', '.join(near)}")
        using, codes = told.get("using", "text"), told.get("codes")
        if using not in self.allowed.transforms:
            self._wrong(place, "using", label, f"no transform `{using}`", f"Use {_or(sorted(self.allowed.transforms))}")
        if codes is not None and codes not in self.allowed.tables:
            self._wrong(place, "codes", label, f"no code table `{codes}`", f"Add codes/{codes}.csv or correct the name")
        for key in ("using", "codes"):
            if key in told and "from" not in told:
                self._wrong(place, key, label, f"`{key}` without `from`", "`value` is written as it is; say `from`")
        if not any(key in told for key in ("from", "value", "owed_by", "note")):
            remedy = "Give `from` or `value`, or `owed_by` or `note` to say why nobody fills it"
            self._wrong(place, "to", label, "the row says nothing", remedy)
        if told.get("owed_by", "family") not in OWED_BY:
            self._wrong(place, "owed_by", label, "unknown `owed_by`", f"Use {_or(OWED_BY)}")
        if not self.allowed.outbound and "owed_by" in told:
            self._wrong(place, "owed_by", label, "`owed_by` belongs to outbound files", "Delete it")
        if targets is not None and to in targets:
            self._check_types(place, label, told, targets[to])

    def _check_types(self, place: int, label: str, told: Mapping[str, Any], wanted: Any) -> None:
        name = getattr(wanted, "__name__", str(wanted))
        if "value" in told and not self.allowed.fits(wanted, told["value"]):
            self._wrong(place, "value", label, f"`value` cannot become {name}", "Correct the value or `to`")
        table = self.allowed.tables.get(told.get("codes", ""))
        for row in table.rows if table else ():
            if row.columns["value"] and not self.allowed.fits(wanted, row.columns["value"]):
                problem = f"line {row.line} of codes/{told['codes']}.csv has a value that cannot become {name}"
                self._wrong(place, "codes", label, problem, "Correct the table, or name another one")
                return

    def _source(self, place: int, key: str, label: str, path: str) -> Source | None:
        try:
            return Source(path, self.allowed.compile(self.kind, path))
        except ValueError as error:
            self._wrong(place, key, label, f"path `{path}`: {error}", "Correct the path")
            return None

    def _condition(self, place: int, label: str, text: str) -> Condition | None:
        split = split_condition(text)
        if split is None:
            remedy = "Write PATH = TEXT, PATH != TEXT, PATH valued or PATH absent"
            self._wrong(place, "when", label, f"`{text}` is not a condition", remedy)
            return None
        path, test, wanted = split
        source = self._source(place, "when", label, path)
        return Condition(source, test, wanted) if source else None

    def _check_twice(self, rows: Sequence[Row]) -> None:
        seen: dict[str, Row] = {}
        for row in rows:
            first = seen.setdefault(row.to, row)
            if first is not row and not (first.when and row.when):
                remedy = "Give both rows a `when`, or list both paths in one row's `from`"
                problem = f"line {first.line} already fills it"
                self.mistakes.append(Mistake(self.shown, row.line, f"to {row.to}", problem, remedy))


def split_condition(text: str) -> tuple[str, str, str] | None:
    """Path, test and text of a `when`; the mark is the last one outside brackets and quotes. None: not a condition."""
    for test in ("valued", "absent"):
        if text.rstrip().endswith(f" {test}"):
            return text.rstrip()[: -len(test)].strip(), test, ""
    depth, quote, mark = 0, "", None
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif not depth and text.startswith((" = ", " != "), place):
            mark = place
    if mark is None:
        return None
    test, _, wanted = text[mark:].strip().partition(" ")
    path = text[:mark].strip()
    return (path, test, wanted.strip()) if path and wanted.strip() else None


def _or(names: Sequence[str]) -> str:
    return ", ".join(names)


def _is(value: Any, wanted: str) -> bool:
    texts = isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
    if wanted == _STRING:
        return isinstance(value, str)
    if wanted == _STRINGS:
        return texts
    if wanted == _FLAG:
        return isinstance(value, bool)
    if wanted.startswith("a date"):
        return type(value) is date
    if wanted.startswith("text or a list"):
        return texts or isinstance(value, str)
    if isinstance(value, dict):
        return all(isinstance(part, str) for part in value.values())
    return isinstance(value, str | int)
