"""Which fields a birth or death object may have, and what may stand in them: taken from the mapping set, so that the
simulator knows every wire form that the gateway knows and nothing is listed twice.

A field is required where the form's row says so. Its values must be of the code table that the row or the officer's
form names, else of the shape that the row's transform or the field's name asks for; an empty text is always a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from gateway.mapping.catalogue import Catalogue
from gateway.mapping.forms import load_forms
from gateway.mapping.rules import Row
from gateway.simulators.moj_facts import Facts


class Problem(NamedTuple):
    """What is wrong with a field, in the words an officer would read. Never a value."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class TextRule:
    """What one text may be. `values` None: any."""

    required: bool = False
    values: frozenset[str] | None = None
    shape: re.Pattern[str] | None = None

    def problem(self, text: Any) -> str:
        """The problem's words; "" when there is none."""
        if not isinstance(text, str):
            return "phải là chuỗi ký tự"
        if not text:
            return "bắt buộc nhập" if self.required else ""
        if self.values is not None and text not in self.values:
            return "mã không có trong danh mục"
        if self.shape is not None and not self.shape.fullmatch(text):
            return "sai định dạng"
        return ""


@dataclass(frozen=True, slots=True)
class WireForm:
    """One wire form: rules of plain fields, and of the parts of those that are objects."""

    name: str
    kind: str
    module: str
    wire: str
    texts: Mapping[str, TextRule]
    objects: Mapping[str, Mapping[str, TextRule]] = field(default_factory=dict)

    def problems(self, told: Mapping[str, Any]) -> list[Problem]:
        """Everything wrong with a dossier's fields, in their order; [] when it is right."""
        found: list[Problem] = []
        for name, value in told.items():
            if (rule := self.texts.get(name)) is not None:
                if words := rule.problem(value):
                    found.append(Problem(name, words))
            elif (parts := self.objects.get(name)) is not None:
                found += _part_problems(name, parts, value)
            else:
                found.append(Problem(name, "trường không có trong biểu mẫu"))
        wanted = [name for name, rule in self.texts.items() if rule.required]
        wanted += [name for name, parts in self.objects.items() if any(rule.required for rule in parts.values())]
        return found + [Problem(name, "bắt buộc nhập") for name in wanted if name not in told]


def _part_problems(name: str, parts: Mapping[str, TextRule], value: Any) -> Iterable[Problem]:
    if not isinstance(value, dict):
        return [Problem(name, f"phải là đối tượng {{{', '.join(parts)}}}")]
    # XML cannot tell an empty object from an empty text, so a part that is absent is an empty one.
    told = dict.fromkeys(parts, "") | value
    words = {part: parts[part].problem(text) if part in parts else "trường không có" for part, text in told.items()}
    return [Problem(f"{name}.{part}", problem) for part, problem in words.items() if problem]


def wire_forms(mappings: Path, facts: Facts, on: date) -> tuple[list[WireForm], Catalogue]:
    """Every wire form of a directory of mappings in force on a day, and the catalogue they are from. Raises
    MappingError."""
    catalogue = Catalogue.load(mappings, {})  # without readers: inbound files are of no interest here
    tables = {table.name: table.on(on) for table in catalogue.tables()}
    values = {
        name: frozenset(value for code in table.codes() if (value := table.get(code)) is not None)
        for name, table in tables.items()
    }
    forms = []
    for kind, form in load_forms(mappings / "forms", tables).items():
        shown = {leaf.name: leaf.codes for section in form.sections for leaf in section.fields}
        for name in catalogue.forms(kind):
            rules = catalogue.form(kind, name, on)
            rows = _RowRules(values, shown, facts)
            forms.append(WireForm(name, kind, rules.module, rules.wire, *rows.of(rules.rows)))
    return forms, catalogue


@dataclass(frozen=True, slots=True)
class _RowRules:
    """From mapping rows to rules. `values` by code table; `shown`: the table by which a page shows a field."""

    values: Mapping[str, frozenset[str]]
    shown: Mapping[str, str]
    facts: Facts

    def of(self, rows: Iterable[Row]) -> tuple[dict[str, TextRule], dict[str, dict[str, TextRule]]]:
        texts: dict[str, TextRule] = {}
        objects: dict[str, dict[str, TextRule]] = {}
        for row in rows:
            name, _, part = row.to.partition(".")
            if isinstance(row.value, dict):
                objects[name] = dict.fromkeys(row.value, TextRule())
            elif part:
                objects.setdefault(name, {})[part] = self._rule(row, objects.get(name, {}).get(part))
            else:
                texts[name] = self._rule(row, texts.get(name))
        return texts, objects

    def _rule(self, row: Row, other: TextRule | None) -> TextRule:
        """`other`: what another row of the same target, for another case, asks for."""
        required = row.required and (other is None or other.required)
        table = row.codes or self.shown.get(row.to, "")
        if not table:
            return TextRule(required, None, self.facts.fields.get(row.to) or self.facts.transforms.get(row.using))
        constant = {row.value} if isinstance(row.value, str) else set()
        earlier = other.values if other is not None and other.values else frozenset[str]()
        return TextRule(required, self.values[table] | constant | earlier)
