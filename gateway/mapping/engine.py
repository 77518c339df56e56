"""Applies mapping rows: a message's event → a typed reading; a case's facts → a filled form.

The engine knows no field, code or law: what is read, renamed, required or owed is in the mapping files. Every value it
puts out carries its source (message, path, rule), and no value comes from anywhere but a path or a row's `value`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from gateway.domain.case import Reading
from gateway.domain.commune import CommuneAnswer
from gateway.domain.dossier import Owed
from gateway.domain.finding import Finding
from gateway.domain.notification import FIELDS, UNITS, build
from gateway.domain.person import Address
from gateway.domain.provenance import Provenance
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.codes import Table
from gateway.mapping.paths import ViewPath, convert
from gateway.mapping.registry import TRANSFORMS
from gateway.mapping.rules import Condition, Row, RuleSet
from gateway.ports.hospital import DeletingScope, Event, Feed

Found = tuple[Any, str]
"""A value and the path it was read at."""

CONSTANT = "value"
"""The path of a value that the row itself states; its message is then "gateway": by the form's own rule."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled form. `fields` lists every field of the form, "" when nobody supplied it; `owed` who still has to;
    `missing` the required fields without a value."""

    fields: Mapping[str, Any]
    owed: tuple[Owed, ...]
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]
    provenance: Mapping[str, Provenance]


class RowContext:
    """What transforms see (registry.Context): the feed, the date, tables, and where they are."""

    __slots__ = ("_catalogue", "_places", "feed", "field", "findings", "on", "path")

    def __init__(
        self, catalogue: Catalogue, feed: Feed, on: date, places: Mapping[Address, CommuneAnswer] = MappingProxyType({})
    ) -> None:
        self._catalogue = catalogue
        self._places = dict(places)  # for one form only: nobody's address is kept longer
        self.feed = feed
        self.on = on
        self.path = ""
        self.field = ""  # of a form: findings are then shown there
        self.findings: list[Finding] = []

    def table(self, name: str) -> Table:
        return self._catalogue.table(name, self.on)

    def commune_of(self, address: Address) -> CommuneAnswer:
        answer = self._places.get(address)
        if answer is None:
            answer = self._places[address] = self._catalogue.units.resolve(address, self.on, self.feed.unit_list)
        return answer

    def note(self, code: str, detail: str = "") -> None:
        self.findings.append(Finding(code, self.field or self.path, detail))


def read_event(catalogue: Catalogue, format: str, event: Event, message_id: str, feed: Feed, on: date) -> Reading:
    """Read one event through the rules of `event.mapping` in force on `on`."""
    rules = catalogue.inbound(format, event.mapping, on)
    context = RowContext(catalogue, feed, on)
    facts: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    sources: dict[str, list[tuple[Row, str]]] = {}
    cleared: list[str] = []
    select = event.scope.select
    scope = event.scope
    deletes = scope.deletes if isinstance(scope, DeletingScope) and scope.asks_to_delete() else None
    for rule in _inbound_plan(rules):
        unit, leaf = rule.unit, rule.leaf
        if leaf in parts[unit] if unit in parts and leaf else not leaf and unit in facts:
            continue  # another row for it, with a `when`, was first
        if rule.holds is not None and not rule.holds(select):
            continue
        found = rule.run(select, context)
        if found is None:
            if rule.row.required:
                context.findings.append(Finding("value.missing", rule.row.to))
            if deletes and any(deletes(source.path) for source in rule.row.sources):
                cleared.append(unit)
            continue
        if leaf:
            parts.setdefault(unit, {})[leaf] = found[0]
        else:
            facts[unit] = found[0]
        sources.setdefault(unit, []).append((rule.row, found[1]))
    for unit, leaves in parts.items():
        facts[unit] = replace(facts[unit], **leaves) if unit in facts else UNITS[rules.kind][unit](**leaves)
    return Reading(
        message=message_id,
        kind=rules.kind,
        relevance=event.relevance,
        rank=event.rank,
        occurred=event.occurred,
        patients=event.patients,
        notification=build(rules.kind, facts),
        provenance={unit: _provenance(message_id, unit, read) for unit, read in sources.items()},
        findings=tuple(dict.fromkeys((*event.findings, *context.findings))),
        unread=tuple(event.scope.unread()),
        trigger=event.trigger,
        cancels=event.cancels,
        merges=event.merges,
        clears=tuple(unit for unit in dict.fromkeys(cleared) if unit not in facts),
    )


def _provenance(message_id: str, unit: str, read: Sequence[tuple[Row, str]]) -> Provenance:
    """Where a value was read; a name or address put together from several rows names every path."""
    paths = dict.fromkeys(path for _, path in read)
    return Provenance(message_id, "; ".join(paths), f"{read[0][0].file}#{unit}")


@dataclass(frozen=True, slots=True)
class _Rule:
    """A row made ready: does it apply, what does it yield, and which unit (or which `leaf` of it) does it fill."""

    row: Row
    holds: Callable[[Any], bool] | None
    run: Callable[[Any, RowContext], Found | None]
    unit: str
    leaf: str


@lru_cache(maxsize=1024)
def _inbound_plan(rules: RuleSet) -> list[_Rule]:
    plan = []
    for row in rules.rows:
        section, name, *leaf = row.to.split(".")
        wanted = FIELDS[rules.kind][row.to]
        plan.append(_ready(row, wanted, f"{section}.{name}", leaf[0] if leaf else "", _look_in_message))
    return plan


@lru_cache(maxsize=1024)
def _outbound_plan(rules: RuleSet) -> list[_Rule]:
    return [_ready(row, None, *row.to.partition(".")[::2], _look_in_view) for row in rules.rows]


Look = Callable[[Any, Any], Sequence[Any]]


def _look_in_message(path: Any, select: Callable[[Any], Sequence[Any]]) -> Sequence[Any]:
    return select(path)


def _look_in_view(path: ViewPath, view: Mapping[str, Any]) -> Sequence[Any]:
    value = path.select(view)
    return () if value is None or value == "" else (value,)


def _ready(row: Row, wanted: type | None, unit: str, leaf: str, look: Look) -> _Rule:
    holds = _compile_condition(row.when, look) if row.when else None
    return _Rule(row, holds, _compile_row(row, wanted, look), unit, leaf)


def _compile_row(row: Row, wanted: type | None, look: Look) -> Callable[[Any, RowContext], Found | None]:
    """A row's sources as one function of (where to look, context). `wanted` is the target's type; None: a wire form's
    field, which is text or an object of texts."""
    transform, codes = TRANSFORMS[row.using], row.codes
    expected = wanted or (str, Mapping)
    sources = [(source.text, source.path) for source in row.sources]
    constant = None if row.value is None else (_constant(row.value, wanted), CONSTANT)

    def run(where: Any, context: RowContext) -> Found | None:
        for text, path in sources:
            values = look(path, where)
            if not values:
                continue
            context.path = text
            value = transform(values, context)
            if value is not None and codes is not None:
                value = _crosswalk(value, codes, wanted, context)
            if value is None:
                continue
            if not isinstance(value, expected):
                raise TypeError(f"{row.label}: {row.using} gave {type(value).__name__}, not {expected}")
            return value, text
        return constant

    return run


def _constant(value: Any, wanted: type | None) -> Any:
    if wanted is not None:
        return convert(wanted, value)
    return dict(value) if isinstance(value, Mapping) else plain_text(value)


def _crosswalk(value: Any, codes: str, wanted: type | None, context: RowContext) -> Any:
    """The value a code stands for. A code the table lacks is a finding and is not passed on; one that stands for
    nothing ("") is no value."""
    name, _, column = codes.partition(".")
    meant = context.table(name).column(str(value.value if isinstance(value, Enum) else value), column or "value")
    if meant is None:
        context.note("value.no_crosswalk", codes)
        return None
    if meant == "":
        return None
    return meant if wanted is None else convert(wanted, meant)


def _compile_condition(when: Condition, look: Look) -> Callable[[Any], bool]:
    """`=` holds when any value at the path equals the text; `!=` when none does, also when there is none."""
    path, test, text = when.source.path, when.test, when.text.strip("'\"")

    def holds(where: Any) -> bool:
        values = look(path, where)
        if test in ("valued", "absent"):
            return bool(values) == (test == "valued")
        return any(plain_text(value) == text for value in values) == (test == "=")

    return holds


def plain_text(value: Any) -> str:
    """A value as conditions compare it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.value if isinstance(value, Enum) else value).strip()


# Outbound


def fill_form(
    rules: RuleSet,
    view: Mapping[str, Any],
    provenance: Mapping[str, Provenance],
    catalogue: Catalogue,
    feed: Feed,
    on: date,
    places: Mapping[Address, CommuneAnswer] = MappingProxyType({}),
) -> Filled:
    """Fill the form of `rules` from `view`: typed values by two-part path. `provenance` has the view's sources,
    `places` the communes of addresses that are known; others are looked up as written on the day `on`."""
    context = RowContext(catalogue, feed, on, places)
    fields: dict[str, Any] = {rule.unit: "" for rule in _outbound_plan(rules)}
    sources: dict[str, Provenance] = {}
    filled: set[str] = set()
    wanting: dict[str, Row] = {}
    for rule in _outbound_plan(rules):
        row = rule.row
        if row.to in filled or rule.holds is not None and not rule.holds(view):
            continue
        context.field = row.to
        found = rule.run(view, context)
        if found is not None:
            filled.add(row.to)
            fields[rule.unit] = {**(fields[rule.unit] or {}), rule.leaf: found[0]} if rule.leaf else found[0]
            if rule.unit not in sources or sources[rule.unit].path == CONSTANT:  # a part read beats a part stated
                sources[rule.unit] = _form_source(row, found[1], provenance)
        if (row.required or row.owed_by) and (found is None or found[1] == CONSTANT):
            wanting.setdefault(rule.unit, row)
    missing = tuple(field for field, row in wanting.items() if row.required)
    return Filled(
        fields=fields,
        owed=tuple(Owed(field, row.owed_by) for field, row in wanting.items() if row.owed_by),
        missing=missing,
        findings=tuple(dict.fromkeys((*context.findings, *(Finding("value.missing", field) for field in missing)))),
        provenance=sources,
    )


def _form_source(row: Row, path: str, provenance: Mapping[str, Provenance]) -> Provenance:
    """The message and path a field's value was first read at, and both rules it went through."""
    if path == CONSTANT:
        return Provenance("gateway", CONSTANT, row.label)
    origin = provenance[".".join(path.split(".")[:2])]
    return Provenance(origin.message, origin.path, f"{origin.rule} > {row.label}")
