"""The mapping file format: what a rule file may say (key by key) and what it is once read.

An inbound file says how to read one kind of event of one format; an outbound file how to fill one national form. A file
is TOML: header keys, then `[[row]]`s. The tables of keys below are the format: gateway.mapping.rule_files reads by
them, gateway.mapping.schema makes JSON Schemas of them. `when` is one comparison: `PATH = TEXT`, `PATH != TEXT`,
`PATH valued`, `PATH absent`. `codes` is a table, or `table.column` for the codes of another system.

A `to` with one more part than an object-like target fills that leaf of it: inbound `mother.address.province_code`,
outbound `nksNoiSinh.maXa`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from gateway.mapping.file_format import CONSTANT, DAY, FLAG, PATHS, TEXT, TEXTS, Key, Shape, one_of

Value = str | int | bool | Mapping[str, str]
WIRES = ("json", "xml")
OWED_BY = ("family", "facility", "commune", "officer")

_FIELD = r"[A-Za-z_][A-Za-z0-9_]*"
_WHEN = Shape(
    "PATH = TEXT, PATH != TEXT, PATH valued or PATH absent",
    lambda value: isinstance(value, str) and split_condition(value) is not None,
    {"type": "string", "pattern": r"\S\s+(valued|absent)\s*$|\S !?= +\S"},
)
_CODES = Shape(
    "a table, or table.column",
    lambda value: isinstance(value, str) and all(value.split(".")) and 1 <= len(value.split(".")) <= 2,
    {"type": "string", "pattern": r"^[^.]+(\.[^.]+)?$"},
)
_TO = Key("to", TEXT, "the field this row fills", required=True)

INBOUND_HEADER = (
    Key("basis", TEXT, "the law or the section of the standard; it may say unverified", required=True),
    Key("kind", TEXT, "what the events are about: birth or death", required=True),
    Key("in_force", DAY, "the first day on which the file counts", required=True),
)
OUTBOUND_HEADER = (
    *INBOUND_HEADER,
    Key("procedure", TEXT, "the code of the administrative procedure, also the name of the folder", required=True),
    Key("form", TEXT, "the name of the wire form", required=True),
    Key("competent_commune", TEXTS, "the addresses that decide which commune registers, in the law's order"),
    Key("first_valued_decides", FLAG, "whether a known address forbids trying the next one"),
    Key("wire", one_of(WIRES), "the text the exchange takes: json, or xml as <hotich><hoso>"),
    Key("module", TEXT, "the exchange's name for this kind of registration"),
    Key("extends", TEXT, "the form whose rows count where this file has none for the field"),
    Key("leaves_out", TEXTS, "fields of the extended form that this one lacks", needs="extends"),
)
INBOUND_ROW = (
    _TO,
    Key("from", PATHS, "where to look, in the format's own path language; the first path that yields a value wins"),
    Key("using", TEXT, "the transform that reads the value; text when not given", needs="from"),
    Key("codes", _CODES, "the code table looked up last; a code it lacks is a finding, never passed on", needs="from"),
    Key("when", _WHEN, "the row counts only if this comparison holds"),
    Key("value", CONSTANT, "a constant: alone, or for when no path yields anything"),
    Key("required", FLAG, "whether a missing value is a finding; outbound, the dossier then waits"),
    Key("note", TEXT, "why the row is as it is; a row that fills nothing must say it"),
)
OUTBOUND_ROW = (
    *INBOUND_ROW,
    Key("owed_by", one_of(OWED_BY), "who supplies what is not there; the dossier does not wait"),
)
SAYS_SOMETHING = ("from", "value", "owed_by", "note")
"""A row has at least one of these."""
OUTBOUND_FIELD = rf"^{_FIELD}(\.{_FIELD})?$"
"""A field of a wire form, or one part of an object there: names that XML and JSON both take."""


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

    @property
    def field(self) -> str:
        """The wire form's field, without the part of it that this row fills."""
        return self.to.partition(".")[0]


@dataclass(frozen=True, eq=False)
class RuleSet:
    """One mapping file, overlays applied. Compared by identity, so that plans made from it can be kept.

    `wire` is the text a connector sends: JSON text, or `<hotich><hoso>` XML; `module` goes into its envelope.
    `header` has the file and line of each header key."""

    file: str
    kind: str
    basis: str
    in_force: date
    rows: tuple[Row, ...]
    procedure: str = ""
    form: str = ""
    competent_commune: tuple[str, ...] = ()
    first_valued_decides: bool = False
    wire: str = "json"
    module: str = ""
    extends: str = ""
    leaves_out: tuple[str, ...] = ()
    header: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def place_of(self, key: str) -> tuple[str, int]:
        """File and line of a header key; the file's first line when it does not have the key."""
        return self.header.get(key, (self.file, 1))


def extend(base: RuleSet, form: RuleSet) -> RuleSet:
    """`form` on top of the one it extends: its rows stand where the base has rows of the same field. A new field stands
    after the field before it in the form's own file: the order of an XML form's elements is part of it."""
    fields: dict[str, list[Row]] = {}
    for row in base.rows:
        fields.setdefault(row.field, []).append(row)
    own: dict[str, list[Row]] = {}
    for row in form.rows:
        own.setdefault(row.field, []).append(row)
    order, before = [field for field in fields if field not in form.leaves_out], ""
    for name in own:
        if name not in order:
            order.insert(order.index(before) + 1 if before else len(order), name)
        before = name
    merged = fields | own
    return replace(
        form,
        rows=tuple(row for field in order for row in merged[field]),
        competent_commune=form.competent_commune or base.competent_commune,
        first_valued_decides=form.first_valued_decides or base.first_valued_decides,
    )


def split_condition(text: str) -> tuple[str, str, str] | None:
    """Path, test and text of a `when`; the mark is the last one outside brackets and quotes. None: not a condition."""
    words = text.strip()
    for test in ("valued", "absent"):
        if words.endswith(f" {test}"):
            return words[: -len(test)].strip(), test, ""
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
