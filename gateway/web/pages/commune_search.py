"""Finding one of today's communes by code or by a name as people type it: with or without marks, type or province."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.commune import Commune
from gateway.mapping.unit_names import plain, read_name

MOST = 12


@dataclass(frozen=True, slots=True)
class Found:
    """The best matches, at most `MOST`; `left_off` is how many more there are."""

    places: tuple[Commune, ...] = ()
    left_off: int = 0


def search_communes(units: Sequence[Commune], typed: str) -> Found:
    """Units whose code is `typed`, or whose name and province hold every word of it: the name alone first, then names
    that begin with it, then the rest; within each in code order."""
    code, words = typed.strip(), plain(typed).split()
    if not words:
        return Found()
    if code.isdecimal():
        return Found(tuple(place for place in units if place.code == code.zfill(5)))
    name = read_name("commune", typed).key
    ranked = sorted(
        (_rank(place, name, words), place.code, place)
        for place in units
        if set(words) <= set(plain(f"{place.name} {place.province}").split())
    )
    places = tuple(place for _, _, place in ranked)
    return Found(places[:MOST], len(places[MOST:]))


def _rank(place: Commune, name: str, words: Sequence[str]) -> int:
    own = read_name("commune", place.name).key
    if name == own or " ".join(words) == plain(place.name):
        return 0
    return 1 if own.startswith(name) or plain(place.name).startswith(" ".join(words)) else 2
