"""One-line addresses: "12 Lê Lợi, P. Trần Phú, TP Quy Nhơn, Bình Định" → its parts.

Read from the end: the country, a province, a district, a commune, each only when it is there. Parts stand between
commas or semicolons, or between blanks and a dash; since some names hold a dash (Bà Rịa - Vũng Tàu), the longest run of
parts that is a name counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.domain.person import Address
from gateway.mapping.unit_names import read_name

_BETWEEN = re.compile(r"[,;\n]")
_DASH = re.compile(r"\s+-\s+|\s*[–—]\s*")
_AFTER_DASH = "- "
"""How a part begins that a dash parts from the one before: names are read without it."""

Known = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class LineReader:
    """Which texts name a country, a province, a district with its type, or a commune; `is_within` asks of a commune and
    a district."""

    is_country: Known
    is_province: Known
    is_typed_district: Known
    is_commune: Known
    is_within: Callable[[str, str], bool]

    def parts(self, address: Address) -> Address:
        """The address with its units in their fields; unchanged when it has a commune already or names none."""
        if address.commune_code or address.commune or not address.line:
            return address
        line = _DASH.sub(f",{_AFTER_DASH}", address.line)
        rest = [part.strip() for part in _BETWEEN.split(line) if part.strip(" -")]
        if rest and self.is_country(rest[-1]):
            rest.pop()
        province = _take(rest, self.is_province)
        district = address.district or self._district(rest)
        # Where nothing larger is written beside it, a last part without a type may as well be a hamlet or a street.
        commune = _take(rest, self.is_commune if province or district else self._is_typed_commune)
        if not commune and rest and read_name("commune", rest[-1]).type:
            commune = _pop(rest, 1)  # of no list: still what the person who decides needs to see
        if not commune and not district:
            return address
        return replace(
            address,
            line=_pop(rest, len(rest)),
            commune=commune,
            district=district,
            province=address.province or province,
        )

    def _district(self, rest: list[str]) -> str:
        """The district at the end: one of the list with its type, or whatever stands there after a commune."""
        if found := _take(rest, self.is_typed_district):
            return found
        for length in _lengths(rest):
            if length < len(rest) and self.is_within(rest[-length - 1], " ".join(rest[-length:])):
                return _pop(rest, length)
        unknown = len(rest) > 1 and self.is_commune(rest[-2]) and not self.is_commune(rest[-1])
        return _pop(rest, 1) if unknown else ""

    def _is_typed_commune(self, text: str) -> bool:
        return bool(read_name("commune", text).type) and self.is_commune(text)


def _take(rest: list[str], known: Known) -> str:
    """The longest run of last parts that is a name; taken off `rest`."""
    return next((_pop(rest, length) for length in _lengths(rest) if known(" ".join(rest[-length:]))), "")


def _lengths(rest: list[str]) -> tuple[int, ...]:
    """How many of the last parts may be one name: no unit's name holds more than one dash."""
    if not rest:
        return ()
    return (2, 1) if len(rest) > 1 and rest[-1].startswith(_AFTER_DASH) else (1,)


def _pop(rest: list[str], length: int) -> str:
    """The last parts as one text, dashes where they were; taken off `rest`."""
    taken = rest[len(rest) - length :]
    del rest[len(rest) - length :]
    return ", ".join(taken).replace(f", {_AFTER_DASH}", f" {_AFTER_DASH}").removeprefix(_AFTER_DASH)
