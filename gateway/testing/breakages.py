"""Every way to break a mapping file a little: what a slip of the hand would do to one row, one header fact, one code.

Whoever writes mappings (we, a hospital, a province, a vendor) has samples that say what should come out. A breakage
that no sample notices is a row that nobody would miss, or one that nothing guards; see gateway.testing.mutation.

A breakage the loader refuses anyway is not tried: two rows for one `to` must both keep their `when`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from gateway.domain.dates import PartialDate
from gateway.domain.notification import FIELDS
from gateway.domain.person import Address, PersonName
from gateway.mapping.codes import DatedTable
from gateway.mapping.registry import TRANSFORMS, Context, Transform
from gateway.mapping.rules import OWED_BY, WIRES, Condition, Row, RuleSet, Value

BROKEN = "~broken"
"""The name under which a breakage's transform stands in for a row's own while it is tried."""

OTHER = "khác"
_OPPOSITE = {"=": "!=", "!=": "=", "valued": "absent", "absent": "valued"}


@dataclass(frozen=True, slots=True)
class Breakage:
    """One slip. `file`, `line` and `row` say where, `what` says which. `rules` breaks the rule file it is about and
    leaves others alone, `table` does so for code tables; `transform` goes under the name BROKEN. `of_identity`: the row
    reads what the population database answered."""

    file: str
    line: int
    row: str
    what: str
    rules: Callable[[RuleSet], RuleSet] = lambda rules: rules
    table: Callable[[DatedTable], DatedTable] = lambda table: table
    transform: Transform | None = None
    of_identity: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.row}: {self.what}"


def deletions(rules: RuleSet) -> Iterator[Breakage]:
    """Each row deleted in turn."""
    yield from (_breakage(row, "row deleted", ()) for row in rules.rows)


def breakages(rules: RuleSet) -> Iterator[Breakage]:
    """Every breakage of one rule file: its rows in their order, then its header."""
    shared = {row.to for row in rules.rows if sum(other.to == row.to for other in rules.rows) > 1}
    for row in rules.rows:
        wanted = None if rules.procedure else FIELDS[rules.kind][row.to]
        yield _breakage(row, "row deleted", ())
        yield from _of_sources(row)
        yield from _of_constant(row, wanted)
        yield from _of_condition(row, row.to in shared)
        yield from _of_debts(row)
    yield from _of_header(rules)


def lost_codes(table: DatedTable) -> Iterator[Breakage]:
    """Each line of a code table deleted in turn."""
    for row in table.rows:

        def without(other: DatedTable, row: Any = row) -> DatedTable:
            if other.name != table.name:
                return other
            return DatedTable(other.name, [one for one in other.rows if one.columns != row.columns])

        yield Breakage(
            f"codes/{table.name}.csv", row.line, row.columns["code"], "line deleted", table=without, of_identity=True
        )


def _breakage(row: Row, what: str, instead: Sequence[Row], transform: Transform | None = None) -> Breakage:
    def change(rules: RuleSet) -> RuleSet:
        if not any(_same(row, other) for other in rules.rows):
            return rules
        kept = [(other,) if not _same(row, other) else instead for other in rules.rows]
        return replace(rules, rows=tuple(one for ones in kept for one in ones))

    read = [source.text for source in row.sources] + ([row.when.source.text] if row.when else [])
    identity = any(text.startswith("identity.") for text in read)
    return Breakage(row.file, row.line, row.to, what, change, transform=transform, of_identity=identity)


def _same(one: Row, other: Row) -> bool:
    return (one.file, one.line) == (other.file, other.line)


def _of_sources(row: Row) -> Iterator[Breakage]:
    """Dropped paths, lost codes, and a transform that yields something else or nothing."""
    for place, source in enumerate(row.sources):
        left = row.sources[:place] + row.sources[place + 1 :]
        yield _breakage(row, f"`from` without `{source.text}`", [replace(row, sources=left)])
    if not row.sources:
        return
    if row.codes:
        yield _breakage(row, "`codes` taken away", [replace(row, codes=None)])
    if row.using != "text":
        yield _breakage(row, "`using` taken away", [replace(row, using="text")])
    broken = [replace(row, using=BROKEN)]
    yield _breakage(row, "`using` yields nothing", broken, lambda values, context: None)
    what = "`codes` gives another code's value" if row.codes else "`using` yields another value"
    yield _breakage(row, what, broken, _another(row))


def _another(row: Row) -> Transform:
    """The row's own transform with another value of the same type, for a coded row another code of its table."""
    usual, codes = TRANSFORMS[row.using], row.codes

    def another(values: Sequence[Any], context: Context) -> Any:
        value = usual(values, context)
        if value is None:
            return None
        return another_code(value, codes, context) if codes else another_value(value)

    return another


def another_code(value: Any, codes: str, context: Context) -> str | None:
    """A code of the table that stands for something else than `value` does; None when all stand for the same."""
    name, _, column = codes.partition(".")
    table, meant = context.table(name), column or "value"
    now = table.column(str(value.value if isinstance(value, Enum) else value), meant)
    return next((code for code in table.codes() if table.column(code, meant) not in (now, "")), None)


def another_value(value: Any) -> Any:
    """A value of the same type that is not equal."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case Enum():
            return next(member for member in type(value) if member is not value)
        case PartialDate():
            return replace(value, year=value.year + 4)  # 29 February stays one
        case PersonName():
            return replace(value, given=f"{value.given} {OTHER}")
        case Address():
            return replace(value, line=f"{value.line} {OTHER}")
        case Mapping():
            first = next(iter(value))
            return {**value, first: f"{value[first]} {OTHER}"}
    return f"{value} {OTHER}"


def _of_constant(row: Row, wanted: type | None) -> Iterator[Breakage]:
    if row.value is None:
        return
    yield _breakage(row, "`value` taken away", [replace(row, value=None)])
    yield _breakage(row, "`value` changed", [replace(row, value=_another_constant(row.value, wanted))])


def _another_constant(value: Value, wanted: type | None) -> Value:
    if wanted is not None and issubclass(wanted, Enum):
        other: str = another_value(wanted(value)).value
        return other
    changed: Value = another_value(value)
    return changed


def _of_condition(row: Row, shared: bool) -> Iterator[Breakage]:
    if row.when is None:
        return
    opposite = Condition(row.when.source, _OPPOSITE[row.when.test], row.when.text)
    yield _breakage(row, "`when` turned round", [replace(row, when=opposite)])
    if not shared:
        yield _breakage(row, "`when` taken away", [replace(row, when=None)])


def _of_debts(row: Row) -> Iterator[Breakage]:
    if row.required:
        yield _breakage(row, "`required` taken away", [replace(row, required=False)])
    if row.owed_by:
        other = next(who for who in OWED_BY if who != row.owed_by)
        yield _breakage(row, "`owed_by` taken away", [replace(row, owed_by=None)])
        yield _breakage(row, f"`owed_by` is {other}", [replace(row, owed_by=other)])


def _of_header(rules: RuleSet) -> Iterator[Breakage]:
    if not rules.procedure:
        return
    other_wire = next(wire for wire in WIRES if wire != rules.wire)
    yield _header(rules, f"`wire` is {other_wire}", wire=other_wire)
    yield _header(rules, "`module` changed", module=f"{rules.module}{OTHER}")
    yield _header(rules, "`procedure` changed", procedure=f"{rules.procedure}{OTHER}")
    places = rules.competent_commune
    for number, place in enumerate(places):
        yield _header(rules, f"`competent_commune` without {place}", competent_commune=_without(places, number))
        if number:
            order = (*places[: number - 1], place, places[number - 1], *places[number + 1 :])
            yield _header(rules, f"`competent_commune` has {place} one earlier", competent_commune=order)
    if places:
        told = not rules.first_valued_decides
        yield _header(rules, f"`first_valued_decides` is {str(told).lower()}", first_valued_decides=told)
    for number, name in enumerate(rules.leaves_out):
        yield _header(rules, f"`leaves_out` without {name}", leaves_out=_without(rules.leaves_out, number))


def _header(rules: RuleSet, what: str, **changed: Any) -> Breakage:
    def change(other: RuleSet) -> RuleSet:
        return replace(other, **changed) if other.file == rules.file else other

    return Breakage(rules.file, 1, "header", what, change)


def _without(names: tuple[str, ...], number: int) -> tuple[str, ...]:
    return names[:number] + names[number + 1 :]
