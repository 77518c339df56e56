"""The tờ khai on the officer's page: which dossier field stands in which section under which label. All of it is data.

One file per kind, `mappings/forms/<kind>.toml`. Fields of a dossier that no section names are shown too (the page
puts them in a last section), so a new outbound field is never hidden by an old form file. Result fields are what an
officer writes down after registering; gateway.domain.registration checks them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from gateway.errors import MappingError, Mistake


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


_HEADER = {"basis", "kind", "title", "short", "subject", "section", "result"}


def load_forms(directory: Path) -> dict[str, Form]:
    """Every `<kind>.toml` of a directory by kind. Raises MappingError with all mistakes of all files."""
    mistakes: list[Mistake] = []
    forms: dict[str, Form] = {}
    paths = sorted(directory.glob("*.toml"))
    if not paths:
        mistakes.append(Mistake(str(directory), 1, "forms", "no form file is here", "Ship forms/<kind>.toml"))
    for path in paths:
        form = _Reader(path, mistakes).form()
        if form is not None:
            forms[form.kind] = form
    if mistakes:
        raise MappingError(mistakes)
    return forms


class _Reader:
    """Reads one file strictly, collecting mistakes instead of stopping at the first."""

    def __init__(self, path: Path, mistakes: list[Mistake]) -> None:
        self.path, self.mistakes = path, mistakes
        self.text = path.read_text(encoding="utf-8")

    def form(self) -> Form | None:
        before = len(self.mistakes)
        try:
            data = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            self._add(1, "file", f"is not TOML: {error}", "Mend the syntax")
            return None
        for key in ("basis", "kind", "title", "short"):
            if not isinstance(data.get(key), str) or not data[key]:
                self._add(1, key, "is missing", f'Write {key} = "…"')
        for key in data.keys() - _HEADER:
            self._add(self._line_of(key), key, "is not a key of a form", f"Use one of {', '.join(sorted(_HEADER))}")
        sections = tuple(self._section(row) for row in self._rows(data, "section"))
        results = tuple(made for row in self._rows(data, "result") if (made := self._row(ResultField, row)))
        subject = tuple(made for row in self._rows(data, "subject") if (made := self._row(Subject, row)))
        self._check_repeats(sections)
        if len(self.mistakes) > before:
            return None
        head = {key: data[key] for key in ("kind", "title", "short", "basis")}
        return Form(**head, subject=subject, sections=sections, results=results)

    def _rows(self, data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        rows = data.get(key, [])
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            self._add(self._line_of(key), key, "needs at least one row", f"Write [[{key}]]")
            return []
        return rows

    def _section(self, row: Mapping[str, Any]) -> Section:
        made = [field for leaf in self._rows(row, "field") if (field := self._row(FormField, leaf))]
        head = {key: row.get(key) for key in row.keys() - {"field"}}
        section = self._row(Section, {**head, "fields": tuple(made)})
        return section or Section("", "", ())

    def _row(self, kind: Any, row: Mapping[str, Any]) -> Any:
        """The row as a dataclass, or None after noting what is wrong."""
        name = str(row.get("name") or row.get("title") or row.get("field") or kind.__name__)
        known = {field.name: field for field in fields(kind)}
        wrong = [f"{key} is not a key here" for key in row.keys() - known.keys()]
        wrong += [f"{key} is missing" for key, field in known.items() if field.default is MISSING and key not in row]
        for key in row.keys() & known.keys():
            expected = bool if known[key].type == "bool" else tuple if key == "fields" else str
            if not isinstance(row[key], expected):
                wrong.append(f"{key} must be {'true or false' if expected is bool else 'a text'}")
        for problem in wrong:
            self._add(self._line_of(name), name, problem, f"Keys: {', '.join(known)}")
        return None if wrong else kind(**row)

    def _check_repeats(self, sections: tuple[Section, ...]) -> None:
        seen: set[str] = set()
        for field in (field for section in sections for field in section.fields):
            if field.name in seen:
                self._add(self._line_of(field.name), field.name, "stands twice", "Keep it in one section")
            seen.add(field.name)

    def _line_of(self, name: str) -> int:
        """The line that names a row, else the one that holds the key; the first when neither is found."""
        lines = [line.strip() for line in self.text.splitlines()]
        marks = [f'{key} = "{name}"' for key in ("name", "title", "field")] + [f"{name} =", f"[[{name}"]
        found = (number for mark in marks for number, line in enumerate(lines, 1) if line.startswith(mark))
        return next(found, 1)

    def _add(self, line: int, row: str, problem: str, remedy: str) -> None:
        self.mistakes.append(Mistake(f"forms/{self.path.name}", line, row, problem, remedy))
