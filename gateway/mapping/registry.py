"""The closed set of named transforms that mapping rows refer to by `using`.

A transform takes the selected values and a context, and returns a typed value or None. It never raises for bad data: it
adds a finding and returns None. Each transform's docstring shows examples that are tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Protocol, TypeVar

from gateway.domain.commune import CommuneAnswer
from gateway.domain.person import Address
from gateway.ports.hospital import Feed


class CodeTable(Protocol):
    """One code table in force on the context's date."""

    def get(self, code: str) -> str | None:
        """The value a code stands for; None when the table has no such code. Codes compare case-folded and trimmed."""
        ...

    def column(self, code: str, column: str) -> str | None:
        """Another column of the code's row, e.g. "name"."""
        ...

    def codes(self) -> Sequence[str]:
        """All codes in force, in file order."""
        ...


class Context(Protocol):
    """What a transform may know besides the values. `path` is the path, as written in the row, that supplied them."""

    feed: Feed
    on: date
    path: str

    def table(self, name: str) -> CodeTable:
        """A code table of `mappings/codes/<name>.csv`."""
        ...

    def commune_of(self, address: Address) -> CommuneAnswer:
        """Today's administrative unit of an address."""
        ...

    def note(self, code: str, detail: str = "") -> None:
        """Add a finding at the place of the row being read. `detail` holds no personal data."""
        ...


Transform = Callable[[Sequence[Any], Context], Any]
TRANSFORMS: dict[str, Transform] = {}
F = TypeVar("F", bound=Transform)


def transform(name: str) -> Callable[[F], F]:
    """Register a transform under the name mapping files use."""

    def register(function: F) -> F:
        if name in TRANSFORMS:
            raise ValueError(f"transform {name} is defined twice")
        TRANSFORMS[name] = function
        return function

    return register
