"""What is allowed in a mapping set and yet looks like a slip: rows that can never count, dates with holes, files that
nobody reads. A mistake refuses the start (MappingError); a caution only wants a person's look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path, PurePosixPath

from gateway.domain.notification import KINDS
from gateway.domain.office import holidays_known_until
from gateway.mapping.catalogue import FORMS_TABLE, Catalogue
from gateway.mapping.codes import CodeRow, DatedTable
from gateway.mapping.file_format import nearest
from gateway.mapping.forms import Form
from gateway.mapping.layout import version_day
from gateway.mapping.overlays import SUFFIXES, Overlay
from gateway.mapping.review_rows import Caution, review_rows
from gateway.mapping.rules import RuleSet

_YEAR = timedelta(365)
_BESIDE = ("README", "LICENSE")
"""Stems of files that people put beside mappings."""


def review(
    catalogue: Catalogue, forms: Mapping[str, Form], today: date, overlays: Iterable[Overlay] = ()
) -> list[Caution]:
    """Every caution about a set that loaded, each once, in the order of files and lines. `forms` are the officer's
    pages, `overlays` the directories over the shipped one."""
    found: list[Caution] = []
    for part in catalogue.parts():
        for rules in part.rule_sets():
            found += _review_file(rules, part, today)
        for table in part.tables():
            found += review_table(table, today)
        found += _review_holidays(part, today)
    found += _review_use(catalogue, forms)
    for overlay in overlays:
        found += review_directory(overlay.path)
    return sorted(set(found), key=lambda one: (one.file, one.line, one.code, one.message))


def _review_file(rules: RuleSet, catalogue: Catalogue, today: date) -> Iterator[Caution]:
    for caution in review_rows(rules, {table.name: table for table in catalogue.tables()}, today):
        shipped = caution.file in catalogue.lowest.files
        yield replace(caution, file=f"{catalogue.lowest.name}/{caution.file}") if shipped else caution
    day = version_day(PurePosixPath(rules.file))
    if day and day != rules.in_force.isoformat():
        message = f"the name says {day}, `in_force` says {rules.in_force}: the latter counts"
        yield Caution("file.another_day", *rules.place_of("in_force"), message)
    if rules.procedure and rules.kind not in KINDS:
        message = f"no message is about a `{rules.kind}`, so the form is never filled. {nearest(rules.kind, KINDS)}"
        yield Caution("form.never_filled", *rules.place_of("kind"), message.strip())


def review_table(table: DatedTable, today: date) -> Iterator[Caution]:
    """Dates of a code table: days between two rows of one code on which neither counts, and an end ahead that nothing
    follows."""
    by_code: dict[str, list[CodeRow]] = {}
    for row in sorted(table.rows, key=lambda row: row.first):
        by_code.setdefault(row.key, []).append(row)
    for rows in by_code.values():
        for earlier, later in pairwise(rows):
            if later.first > earlier.last + timedelta(1):
                days = f"{earlier.last + timedelta(1)} to {later.first - timedelta(1)}"
                message = f"code {later.columns['code']} counts neither by line {earlier.line} nor here from {days}"
                yield Caution("table.gap", later.file, later.line, message)
        last = rows[-1]
        if today <= last.last < date.max:
            message = f"code {last.columns['code']} ends on {last.last} and nothing follows"
            yield Caution("table.ends", last.file, last.line, message)


def _review_holidays(catalogue: Catalogue, today: date) -> Iterator[Caution]:
    tables = {table.name: table for table in catalogue.tables()}
    known = holidays_known_until(catalogue) if "holidays" in tables else None
    if known is not None and known < today + _YEAR:
        newest = max(tables["holidays"].rows, key=lambda row: row.key)
        message = f"holidays are known until {known}: clocks that end later count every working day"
        yield Caution("holidays.end", newest.file, newest.line, message)


def _review_use(catalogue: Catalogue, forms: Mapping[str, Form]) -> Iterator[Caution]:
    """A table that only an overlay has is for its own rows: the gateway's own code asks for shipped ones alone."""
    parts = catalogue.parts()
    sets = [rules for part in parts for rules in part.rule_sets()]
    used = {row.codes.partition(".")[0] for rules in sets for row in rules.rows if row.codes}
    used |= {field.codes for form in forms.values() for section in form.sections for field in section.fields}
    names = {table.name for part in parts for table in part.tables()}
    for table in (table for part in parts for table in part.tables()):
        if table.name not in used | {FORMS_TABLE} and f"codes/{table.name}.csv" not in catalogue.lowest.files:
            message = f"no row names this table. {nearest(table.name, names - {table.name})}"
            yield Caution("table.not_used", table.file, 1, message.strip())


def review_directory(path: Path) -> Iterator[Caution]:
    """Files of an overlay that are neither rules nor tables: a slip in a name's ending would hide them."""
    for file in sorted(path.rglob("*")):
        place = file.relative_to(path)
        hidden = any(part.startswith(".") for part in place.parts)
        if file.is_file() and not hidden and file.suffix not in SUFFIXES and file.stem not in _BESIDE:
            message = f"only {', '.join(SUFFIXES)} files are read"
            yield Caution("file.not_read", f"{path.name}/{place.as_posix()}", 1, message)
