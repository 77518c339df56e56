"""The tờ khai on the officer's page: which dossier field stands in which section under which label. All of it is data.

One file per kind, `mappings/forms/<kind>.toml`. Fields of a dossier that no section names are shown too (the page
puts them in a last section), so a new outbound field is never hidden by an old form file. Result fields are what an
officer writes down after registering; gateway.domain.registration checks them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import MappingError, Mistake
from gateway.mapping.file_format import ANY_TEXT, FLAG, TEXT, Key, Keys, check_keys, nearest, rows_of
from gateway.mapping.toml_text import TomlText, read_toml


@dataclass(frozen=True, slots=True)
class FormField:
    """`codes` names the code table whose `value` the field holds; `unit` marks a field that holds a commune's code."""

    name: str
    label: str
    codes: str = ""
    unit: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """`role` is a person of the case (child, mother, father, deceased) whose identity verdict belongs here, or a
    name."""

    title: str
    role: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """How a list names the person: `prefix` + the field's value, from the first subject with a value."""

    field: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ResultField:
    """`hint` shows the form of the value by an example."""

    name: str
    label: str
    hint: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One kind's form; `short` is its name in lists."""

    kind: str
    title: str
    short: str
    basis: str
    subject: tuple[Subject, ...]
    sections: tuple[Section, ...]
    results: tuple[ResultField, ...]


_SUBJECT = (
    Key("field", TEXT, "a field of the dossier", required=True),
    Key("prefix", ANY_TEXT, "what is written before its value"),
)
_FIELD = (
    Key("name", TEXT, "a field of the dossier", required=True),
    Key("label", TEXT, "what the page calls it", required=True),
    Key("codes", TEXT, "the code table whose value the field holds; the page shows the name"),
    Key("unit", FLAG, "whether the field holds a commune's code"),
)
_SECTION = (
    Key("title", TEXT, "the section's heading", required=True),
    Key("role", TEXT, "the person of the case it is about, or another name", required=True),
    Key("field", rows_of(_FIELD), "the fields in their order", required=True),
)
_RESULT = (
    Key("name", TEXT, "a field of the registration's result", required=True),
    Key("label", TEXT, "what the page calls it", required=True),
    Key("hint", ANY_TEXT, "the form of the value, by an example"),
    Key("required", FLAG, "whether the officer must fill it"),
)
FORM: Keys = (
    Key("basis", TEXT, "the law that gives the form; it may say unverified", required=True),
    Key("kind", TEXT, "the kind of event: birth or death", required=True),
    Key("title", TEXT, "the form's name", required=True),
    Key("short", TEXT, "its name in lists", required=True),
    Key("subject", rows_of(_SUBJECT), "how lists name the person: the first field with a value", required=True),
    Key("section", rows_of(_SECTION), "the sections in their order", required=True),
    Key("result", rows_of(_RESULT), "what the officer writes down after registering", required=True),
)
"""The keys of a forms file."""


def load_forms(directory: Path, tables: Collection[str] | None = None) -> dict[str, Form]:
    """Every `<kind>.toml` of a directory by kind; code tables must be among `tables` if these are given. Raises
    MappingError with all mistakes of all files."""
    mistakes: list[Mistake] = []
    forms: dict[str, Form] = {}
    paths = sorted(directory.glob("*.toml"))
    if not paths:
        mistakes.append(Mistake(str(directory), 1, "forms", "no form file is here", "Ship forms/<kind>.toml"))
    for path in paths:
        form = read_form(f"forms/{path.name}", path.stem, path.read_bytes(), tables, mistakes)
        if form is not None:
            forms[form.kind] = form
    if mistakes:
        raise MappingError(mistakes)
    return forms


def read_form(
    shown: str, kind: str, raw: bytes, tables: Collection[str] | None, mistakes: list[Mistake]
) -> Form | None:
    """One file, which must be of `kind`; None after saying what is wrong with it."""
    opened = read_toml(shown, raw, mistakes)
    return None if opened is None else _Reader(shown, opened, tables, mistakes).form(kind)


class _Reader:
    """Reads one file strictly, collecting mistakes instead of stopping at the first."""

    def __init__(self, shown: str, opened: TomlText, tables: Collection[str] | None, mistakes: list[Mistake]) -> None:
        self.shown, self.opened, self.tables, self.mistakes = shown, opened, tables, mistakes

    def form(self, kind: str) -> Form | None:
        before = len(self.mistakes)
        good = self._table(self.opened.told, FORM, "", 0, "header")
        if good.get("kind", kind) != kind:
            problem = f"kind `{good['kind']}` lies in {kind}.toml"
            self._wrong("", 0, "header", "kind", problem, "Name the file by its kind")
        subject = [self._table(row, _SUBJECT, "subject", place) for place, row in enumerate(good.get("subject", ()))]
        sections = self._sections(good.get("section", ()))
        results = [self._table(row, _RESULT, "result", place) for place, row in enumerate(good.get("result", ()))]
        self._refuse_repeats("result", results)
        if len(self.mistakes) > before:
            return None
        head = {key: good[key] for key in ("kind", "title", "short", "basis")}
        return Form(
            **head,
            subject=tuple(Subject(**row) for row in subject),
            sections=tuple(sections),
            results=tuple(ResultField(**row) for row in results),
        )

    def _sections(self, told: Sequence[Mapping[str, Any]]) -> list[Section]:
        sections, read = list[Section](), list[dict[str, Any]]()
        for place, row in enumerate(told):
            good = self._table(row, _SECTION, "section", place)
            fields = []
            for leaf in good.get("field", ()):
                fields.append(self._table(leaf, _FIELD, "section.field", len(read)))
                self._check_codes(fields[-1], len(read))
                read.append(fields[-1])
            if {"title", "role"} <= good.keys() and all({"name", "label"} <= leaf.keys() for leaf in fields):
                sections.append(Section(good["title"], good["role"], tuple(FormField(**leaf) for leaf in fields)))
        self._refuse_repeats("section.field", read)
        return sections

    def _table(self, told: Mapping[str, Any], keys: Keys, table: str, place: int, label: str = "") -> dict[str, Any]:
        label = label or str(told.get("name") or told.get("title") or told.get("field") or table)

        def say(key: str, problem: str, remedy: str) -> None:
            self._wrong(table, place, label, key, problem, remedy)

        return check_keys(told, keys, say)

    def _check_codes(self, field: Mapping[str, Any], place: int) -> None:
        codes = field.get("codes")
        if codes is not None and self.tables is not None and codes not in self.tables:
            remedy = f"{nearest(codes, self.tables)}Add codes/{codes}.csv or correct the name"
            self._wrong("section.field", place, field.get("name", ""), "codes", f"no code table `{codes}`", remedy)

    def _refuse_repeats(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        seen: set[str] = set()
        for place, row in enumerate(rows):
            name = row.get("name")
            if name in seen:
                self._wrong(table, place, str(name), "name", "stands twice", "Keep it in one place")
            seen |= {name} if name else set()

    def _wrong(self, table: str, place: int, label: str, key: str, problem: str, remedy: str) -> None:
        line = self.opened.line_of(table, place, key)
        self.mistakes.append(Mistake(self.shown, line, label, problem, remedy))
