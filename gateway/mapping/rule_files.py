"""Reads rule files strictly: every mistake is told at once, with file, line, row, problem and remedy.

A mistaken row is kept by its `to` alone and a mistaken header key by its default, so that one mistake is not told again
as others that follow from it; whoever reads refuses the set when anything was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from gateway.errors import Mistake
from gateway.mapping.codes import NO_CODE
from gateway.mapping.file_format import Keys, Say, check_keys, choose, nearest
from gateway.mapping.probe import can_read
from gateway.mapping.registry import Transform
from gateway.mapping.rules import (
    INBOUND_HEADER,
    INBOUND_ROW,
    OUTBOUND_FIELD,
    OUTBOUND_HEADER,
    OUTBOUND_ROW,
    SAYS_SOMETHING,
    Condition,
    Row,
    RuleSet,
    Source,
    split_condition,
)
from gateway.mapping.toml_text import TomlText, read_toml

Compile = Callable[[str, str], Any]
_LISTS = ("competent_commune", "leaves_out")
_REPEATED = ("kind", "in_force", "procedure", "form", "extends")
"""Header keys by which an overlay is the same file as the one below it."""
_TAKEN_ON = ("competent_commune", "first_valued_decides", "wire", "module", "extends", "leaves_out")
"""Header keys that an overlay need not repeat."""
_UNREAD_DAY = date.min
"""In place of an `in_force` that was said to be wrong."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the names in a file may refer to. `compile(kind, path)` raises ValueError; `kinds` None: any;
    `targets(kind)` gives the fields of a kind with their types, None when any target is allowed; `fits(type, value)`
    tells whether a constant or a code table's value can become that type; `place(kind, path)` raises ValueError unless
    the path is an address; `held(kind, path)` gives the type at a path, None when only the message tells."""

    compile: Compile
    transforms: Mapping[str, Transform]
    tables: Mapping[str, Any]
    kinds: Sequence[str] | None = None
    targets: Callable[[str], Mapping[str, Any] | None] = field(default=lambda kind: None)
    fits: Callable[[Any, Any], bool] = field(default=lambda wanted, value: True)
    outbound: bool = False
    place: Compile = field(default=lambda kind, path: path)
    held: Callable[[str, str], type | None] = field(default=lambda kind, path: None)


def read_rules(
    file: str, shown: str, raw: bytes, allowed: Allowed, mistakes: list[Mistake], below: RuleSet | None = None
) -> RuleSet | None:
    """One file as a RuleSet; None when not even its header can be used. `file` names it in provenance, `shown` in
    mistakes. `below` is what the file is an overlay of: its header must be repeated, and what it adds is taken on."""
    opened = read_toml(shown, raw, mistakes)
    return None if opened is None else _FileReader(file, shown, opened, allowed, mistakes).read(below)


class _FileReader:
    """Reads one parsed file; everything wrong lands in `mistakes`."""

    def __init__(self, file: str, shown: str, opened: TomlText, allowed: Allowed, mistakes: list[Mistake]) -> None:
        self.file, self.shown, self.opened, self.allowed, self.mistakes = file, shown, opened, allowed, mistakes
        self.kind = ""

    def read(self, below: RuleSet | None) -> RuleSet | None:
        told = dict(self.opened.told)
        rows = told.pop("row", [])
        header = self._header(told, below)
        self.kind = header.get("kind", "")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._wrong("row", "`row` must be written as [[row]]", "Start every rule with a line [[row]]", key="row")
            return None
        read = [self._row(place, row) for place, row in enumerate(rows)]
        self._check_twice(rows)
        lines = {key: (self.shown, self.opened.line_of(key=key)) for key in told}
        if below is not None:
            header = {key: getattr(below, key) for key in _TAKEN_ON} | header
            lines = {**below.header, **lines}
        usable = {key: tuple(value) if key in _LISTS else value for key, value in header.items()}
        defaults: dict[str, Any] = {"kind": "", "basis": "", "in_force": _UNREAD_DAY}
        return RuleSet(file=self.file, rows=tuple(row for row in read if row), header=lines, **(defaults | usable))

    def _wrong(self, label: str, problem: str, remedy: str, key: str = "", place: int | None = None) -> None:
        line = self.opened.line_of("" if place is None else "row", place or 0, key)
        self.mistakes.append(Mistake(self.shown, line, label, problem, remedy))

    def _header(self, told: Mapping[str, Any], below: RuleSet | None) -> dict[str, Any]:
        outbound, before = self.allowed.outbound, len(self.mistakes)

        def say(key: str, problem: str, remedy: str) -> None:
            self._wrong("header", problem, remedy, key)

        mine, others = (OUTBOUND_HEADER, ()) if outbound else (INBOUND_HEADER, OUTBOUND_HEADER)
        header = check_keys(_without_foreign(told, mine, others, say), mine, say)
        kind, kinds = header.get("kind"), self.allowed.kinds
        if kind is not None and kinds is not None and kind not in kinds:
            say("kind", f"kind `{kind}` is unknown", choose(kind, kinds))
        for path in header.get("competent_commune", ()):
            try:
                self.allowed.place(kind or "", path)
            except ValueError as error:
                say("competent_commune", f"path `{path}`: {error}", "Name an address of the notification")
        if below is not None and len(self.mistakes) == before:
            self._check_repeated(header, below, say)
        return header

    def _check_repeated(self, header: Mapping[str, Any], below: RuleSet, say: Say) -> None:
        """An overlay is the same file: of one kind, form and day. Another day's rules are a file of their own."""
        for key in _REPEATED:
            if header.get(key, getattr(below, key)) != getattr(below, key):
                problem = f"`{key}` is `{header[key]}`, but {below.file} has `{getattr(below, key)}`"
                say(key, problem, "Repeat the header of the file below, or give this file a name of its own")

    def _row(self, place: int, told: dict[str, Any]) -> Row | None:
        label = f"row {place + 1}" + (f" (to {told['to']})" if isinstance(told.get("to"), str) else "")
        before = len(self.mistakes)

        def say(key: str, problem: str, remedy: str) -> None:
            self._wrong(label, problem, remedy, key, place)

        mine, others = (OUTBOUND_ROW, ()) if self.allowed.outbound else (INBOUND_ROW, OUTBOUND_ROW)
        good = check_keys(_without_foreign(told, mine, others, say), mine, say)
        if not any(key in told for key in SAYS_SOMETHING):
            said = "`owed_by` or `note`" if self.allowed.outbound else "`note`"
            say("to", "the row says nothing", f"Give `from` or `value`, or {said} to say why nobody fills it")
        self._check_names(good, say)
        paths = [good["from"]] if isinstance(good.get("from"), str) else good.get("from", [])
        sources = [source for path in paths if (source := self._source(place, label, "from", path))]
        self._check_held(good, paths, say)
        when = self._condition(place, label, good["when"]) if "when" in good else None
        if "to" not in good:
            return None
        line = self.opened.line_of("row", place)
        if len(self.mistakes) > before:
            return Row(self.file, line, good["to"])
        plain = {key: value for key, value in good.items() if key not in ("from", "when")}
        return Row(file=self.file, line=line, sources=tuple(sources), when=when, **plain)

    def _check_names(self, good: Mapping[str, Any], say: Say) -> None:
        targets = self.allowed.targets(self.kind)
        to, using, codes = good.get("to"), good.get("using", "text"), good.get("codes")
        if to is not None and targets is not None and to not in targets:
            near = [target for target in targets if target.split(".")[0] == to.split(".")[0]]
            say("to", f"`{to}` is not a field of a {self.kind}", choose(to, near or targets))
        if to is not None and self.allowed.outbound and not re.match(OUTBOUND_FIELD, to):
            say("to", f"`{to}` cannot be a field", "Write field or field.part, in ASCII letters, digits and _")
        if using not in self.allowed.transforms:
            say("using", f"no transform `{using}`", choose(using, sorted(self.allowed.transforms)))
        if codes is not None and (found := self._table_problem(codes)):
            say("codes", *found)
        elif to is not None and (targets is None or to in targets):
            self._check_types(good, None if targets is None else targets[to], say)

    def _table_problem(self, codes: str) -> tuple[str, str] | None:
        """Problem and remedy of a `codes`, None when it is right."""
        name, _, column = codes.partition(".")
        table = self.allowed.tables.get(name)
        if table is None:
            close = nearest(name, self.allowed.tables)
            return f"no code table `{name}`", f"{close}Add codes/{name}.csv or correct the name"
        if column and table.columns and column not in table.columns:
            return f"codes/{name}.csv has no column `{column}`", choose(column, table.columns)
        return None

    def _check_types(self, good: Mapping[str, Any], wanted: Any, say: Say) -> None:
        """`wanted` None: a wire form's field, text or an object of texts."""
        name = getattr(wanted, "__name__", "text")
        if "value" in good and wanted is not None and not self.allowed.fits(wanted, good["value"]):
            say("value", f"`value` cannot become {name}", "Correct the value or `to`")
        if codes := good.get("codes"):
            if wanted is not None and (line := self._unfit_line(codes, wanted)):
                problem = f"line {line} of codes/{codes.partition('.')[0]}.csv has a value that cannot become {name}"
                say("codes", problem, "Correct the table, or name another one")
            return
        transform = self.allowed.transforms.get(good.get("using", "text"))
        if "from" in good and transform is not None:
            given = _results_of(transform)
            if given and not any(issubclass(each, wanted or (str, Mapping)) for each in given):
                gives = " or ".join(each.__name__ for each in given)
                problem = f"`{good.get('using', 'text')}` gives {gives}, the field takes {name}"
                say("using" if "using" in good else "to", problem, "Name another transform in `using`")

    def _check_held(self, good: Mapping[str, Any], paths: Sequence[str], say: Say) -> None:
        name = good.get("using", "text")
        transform = self.allowed.transforms.get(name)
        for path in paths:
            held = self.allowed.held(self.kind, path)
            if transform is not None and held is not None and not can_read(transform, held):
                remedy = "Name another transform in `using`, or another path"
                say("from", f"`{name}` cannot read `{path}`, which is of type {held.__name__}", remedy)

    def _unfit_line(self, codes: str, wanted: Any) -> int:
        """The first line of a table whose value cannot become the wanted type; 0 without one."""
        name, _, column = codes.partition(".")
        for row in self.allowed.tables[name].rows:
            value = row.columns.get(column or "value", "")
            if value not in ("", NO_CODE) and not self.allowed.fits(wanted, value):
                return int(row.line)
        return 0

    def _source(self, place: int, label: str, key: str, path: str) -> Source | None:
        try:
            return Source(path, self.allowed.compile(self.kind, path))
        except (ValueError, RecursionError) as error:
            words = str(error) if isinstance(error, ValueError) else "brackets are nested too deep"
            line = self.opened.line_of("row", place, key, path)
            self.mistakes.append(Mistake(self.shown, line, label, f"path `{path}`: {words}", "Correct the path"))
            return None

    def _condition(self, place: int, label: str, text: str) -> Condition | None:
        split = split_condition(text)
        if split is None:
            return None  # said before
        path, test, wanted = split
        source = self._source(place, label, "when", path)
        return Condition(source, test, wanted) if source else None

    def _check_twice(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """A field is filled by one row, or by several that each say when; as a whole, or in parts."""
        seen: dict[str, int] = {}
        for place, row in enumerate(rows):
            to = row.get("to")
            if not isinstance(to, str) or not to:
                continue
            first = seen.setdefault(to, place)
            if first != place and not ("when" in row and "when" in rows[first]):
                remedy = "Give both rows a `when`, or list both paths in one row's `from`"
                self._wrong(f"to {to}", f"{self._line(first)} already fills it", remedy, place=place)
            whole = to.partition(".")[0]
            other = next((name for name in seen if name != to and (name == whole or name.startswith(f"{to}."))), None)
            if other is not None and self.allowed.outbound:
                remedy = "Fill a field either as a whole or in parts"
                self._wrong(f"to {to}", f"{self._line(seen[other])} fills `{other}`", remedy, place=place)

    def _line(self, place: int) -> str:
        return f"line {self.opened.line_of('row', place)}"


def _without_foreign(told: Mapping[str, Any], mine: Keys, others: Keys, say: Say) -> dict[str, Any]:
    """Keys of outbound files in an inbound one get a sentence of their own."""
    foreign = {key.name for key in others} - {key.name for key in mine}
    for key in told:
        if key in foreign:
            say(key, f"`{key}` belongs to outbound files", "Delete it")
    return {key: value for key, value in told.items() if key not in foreign}


@cache
def _results_of(transform: Transform) -> tuple[type, ...]:
    """The types a transform says it gives; () when it does not say."""
    hint = get_type_hints(transform).get("return", Any)
    given = [get_origin(each) or each for each in get_args(hint) or (hint,) if each is not NoneType]
    return () if Any in given else tuple(given)
