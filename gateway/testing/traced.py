"""A mapping set that notes what is used of it: which files, and which codes of which tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from gateway.domain.commune import Commune
from gateway.mapping.catalogue import FORMS_TABLE, Catalogue
from gateway.mapping.codes import Table
from gateway.mapping.rules import RuleSet


def code_key(table: str, code: str = "") -> str:
    """How a code of a table stands among what was used; without a code: the whole table was gone through."""
    return f"codes/{table}.csv#{code.strip().casefold()}"


class TracedCatalogue:
    """Stands in for a Catalogue. `touched` gets the names of rule files and `code_key`s."""

    def __init__(self, catalogue: Catalogue, touched: set[str]) -> None:
        self._catalogue, self._touched = catalogue, touched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalogue, name)

    def within(self, feed: str, province: str = "") -> TracedCatalogue:
        return TracedCatalogue(self._catalogue.within(feed, province), self._touched)

    def inbound(self, format: str, name: str, on: date) -> RuleSet:
        return self._noted(self._catalogue.inbound(format, name, on))

    def outbound(self, kind: str, on: date, commune: Commune | None = None) -> RuleSet:
        self._touched.add(code_key(FORMS_TABLE))
        return self._noted(self._catalogue.outbound(kind, on, commune))

    def _noted(self, rules: RuleSet) -> RuleSet:
        self._touched |= {rules.file, *(row.file for row in rules.rows)}
        return rules

    def table(self, name: str, on: date) -> TracedTable:
        return TracedTable(self._catalogue.table(name, on), self._touched)


class TracedTable:
    """A code table that notes which codes are asked for; a list of all codes asks for all (`codes/<name>.csv#`)."""

    def __init__(self, table: Table, touched: set[str]) -> None:
        self._table, self._touched = table, touched

    def get(self, code: str) -> str | None:
        return self.column(code, "value")

    def column(self, code: str, column: str) -> str | None:
        self._touched.add(code_key(self._table.name, code))
        return self._table.column(code, column)

    def codes(self) -> Sequence[str]:
        self._touched.add(code_key(self._table.name))
        return self._table.codes()
