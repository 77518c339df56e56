"""Whether a transform can read what a path of the notification holds, found out by trying it on a value of that type.

A row that gives a date to `full_name` would fail at the first dossier, when nobody looks; this refuses it at the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache

from gateway.domain.commune import CommuneAnswer
from gateway.domain.dates import PartialDate
from gateway.domain.person import Address, PersonName, Sex
from gateway.mapping.registry import Transform
from gateway.ports.hospital import Feed

_EXAMPLES = {
    str: "1",
    int: 1,
    bool: True,
    Sex: Sex.FEMALE,
    PartialDate: PartialDate(2026, 11, 23, 8, 15),
    PersonName: PersonName("A", "B", "C"),
    Address: Address("1", commune="A", province="B"),
}
_COMPOSITES = (PersonName, Address)


class _NoTable:
    def get(self, code: str) -> str | None:
        return None

    def column(self, code: str, column: str) -> str | None:
        return None

    def codes(self) -> Sequence[str]:
        return ()


class _Trial:
    """A context (registry.Context) that knows no table and no commune, and remembers whether something was noted."""

    feed, on, path = Feed(), date(2026, 11, 23), "section.field"

    def __init__(self) -> None:
        self.noted = False

    def table(self, name: str) -> _NoTable:
        return _NoTable()

    def commune_of(self, address: Address) -> CommuneAnswer:
        return CommuneAnswer(None)

    def note(self, code: str, detail: str = "") -> None:
        self.noted = True


@cache
def can_read(transform: Transform, held: type) -> bool:
    """Whether the transform takes values of a type; True for a type nothing is known about."""
    if held not in _EXAMPLES:
        return True
    trial = _Trial()
    try:
        given = transform([_EXAMPLES[held]], trial)
    except TypeError:
        return False
    return not (held in _COMPOSITES and given is None and trial.noted)
