"""What a rule selects from an HL7 v2 message: the repetitions of a field, each with its components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Composite(Protocol):
    """One repetition of a field."""

    def __getitem__(self, component: int, /) -> str: ...

    @property
    def text(self) -> str: ...

    def field(self, number: int, /) -> str: ...


def composites(values: Sequence[Any]) -> list[Composite]:
    """The values as composites. A text here means that the row's path names a component: a mistake of the file."""
    for value in values:
        if isinstance(value, str):
            raise TypeError("a whole field was expected: write PID-5, not PID-5.1")
    return list(values)


def by_type(values: Sequence[Any], component: int, order: Sequence[str]) -> list[Composite]:
    """Repetitions by their type code, in the order preferred; unknown types last."""
    rank = {code: place for place, code in enumerate(order)}
    return sorted(composites(values), key=lambda item: rank.get(item[component].upper(), len(order)))
