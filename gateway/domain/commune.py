"""Which commune: a place in an address → today's administrative unit, or candidates for a person to choose from.

Since 01/07/2025 there are 3,321 communes and no districts; 3,316 of their codes are re-used codes of old communes,
2,145 of them for a unit of another name. A code is therefore always kept with the date of its list.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Commune:
    """One unit of a dated list. `list` is the list's date, ISO text, e.g. "2025-07-01"."""

    code: str
    name: str
    province_code: str
    province: str
    list: str


@dataclass(frozen=True, slots=True)
class CommuneAnswer:
    """The competent commune, or None with `candidates` (split units, ambiguous names) for a person. `basis` says which
    rule chose it: e.g. "mother.address", "father.address", "deceased.address", "death.place", "desk"."""

    commune: Commune | None
    candidates: tuple[Commune, ...] = ()
    basis: str = ""
