"""Administrative units: an address, written with the old or the new units, → today's commune.

Since 01/07/2025 there are 34 provinces and 3,321 communes, and no districts (Decision 19/2025/QĐ-TTg). 3,316 of the
codes are re-used old ones, so a code is read with everything written beside it: a district, a name, a province, the
feed's own word on its codes, and only then the date. Every unit of either list that fits all that is written is a
reading of the address. When all readings lead to one commune of today, that is the answer; else they are candidates for
a person. An old commune that went whole into a new one leads there; a split one leads to each of its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from gateway.domain.commune import Commune, CommuneAnswer
from gateway.domain.person import Address
from gateway.mapping.unit_index import Unit, UnitIndex, Where
from gateway.mapping.unit_lines import LineReader
from gateway.mapping.unit_lists import OldCommune, read_lists
from gateway.mapping.unit_names import alike, read_name, readings

MOST_CANDIDATES = 30
"""More candidates than this are no help to a person: the answer is then plainly unknown."""

_LISTS = {"old": OldCommune, "new": Commune}


class Units:
    """Both lists. Built once from the files of `mappings/units` by name; MappingError when they are wrong."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        lists = read_lists(files)
        self._new, self._old, self._index = lists.communes, lists.old, UnitIndex(lists)
        self._since = min(date.fromisoformat(text) for text in {unit.list for unit in self._new.values()})
        index = self._index
        self._lines = LineReader(
            is_country=index.is_country,
            is_province=lambda text: bool(index.province(text)),
            is_typed_district=lambda text: bool(index.named_districts(text, typed=True)),
            is_commune=lambda text: bool(index.named(text)),
            is_within=index.is_within,
        )

    def today(self, code: str) -> Commune | None:
        """The unit of today's list with this code."""
        return self._new.get(_padded(code, 5))

    def communes(self) -> Sequence[Commune]:
        """Today's list, in code order."""
        return list(self._new.values())

    def resolve(self, address: Address, on: date, unit_list: str = "") -> CommuneAnswer:
        """Today's commune of an address written on the day `on`; None with candidates when a person has to choose.
        `unit_list` is the sender's word on its codes and names: "old", "new", or "" when unknown."""
        address = self._lines.parts(address)
        code = _padded(address.commune_code, 5)
        coded: list[Unit] = [unit for unit in (self._new.get(code), self._old.get(code)) if unit is not None]
        if coded:
            return self._by_code(coded, address, on, unit_list)
        if address.commune and not self._is_district(address):
            return self._by_written_name(address, on, unit_list)
        if address.commune:
            address = replace(address, commune="", district=address.commune)
        return self._by_district(self._where(address))

    def _is_district(self, address: Address) -> bool:
        """Whether a district stands where the commune belongs: "TP Quy Nhơn", "Huyện Côn Đảo"."""
        text = address.commune
        return not address.district and not self._index.near(text) and bool(self._index.named_districts(text))

    # A code, and everything written beside it

    def _by_code(self, coded: list[Unit], address: Address, on: date, unit_list: str) -> CommuneAnswer:
        where = self._where(address)
        named = self._index.named(address.commune) if address.commune else []
        kept = self._agreeing(coded, named, address.commune) if address.commune else coded
        # A district of no list tells nothing against a code and a name that agree.
        by_district = bool(where.districts) or where.districts is not None and not address.commune
        if by_district:
            kept = [unit for unit in kept if self._index.in_district(unit, where)]
        kept = [unit for unit in kept if self._index.in_province(unit, where)]
        kept = [unit for unit in kept if self._index.in_province(unit, where, strictly=True)] or kept
        if by_district and unit_list != "new":
            kept = [unit for unit in kept if isinstance(unit, OldCommune)] or (kept if address.commune else [])
        elif not by_district and unit_list:
            theirs = [unit for unit in kept if isinstance(unit, _LISTS[unit_list])]
            kept = theirs or (kept if address.commune else [])
        if not kept:
            return _undecided([*coded, *(unit for unit in named if self._index.fits(unit, where))])
        if len(kept) > 1 and not by_district:
            kept = [unit for unit in kept if isinstance(unit, Commune if on >= self._since else OldCommune)]
        return _decided(kept)

    def _agreeing(self, coded: list[Unit], named: list[Unit], text: str) -> list[Unit]:
        """Of the units of a code, those of the name beside it: exactly, else loosely, unless it is exactly the name of
        another one in the same province."""
        exact = [unit for unit in coded if unit in named]
        if exact:
            return exact
        around = {to.province_code for unit in coded for to in _successors(unit)}
        if any(to.province_code in around for unit in named for to in _successors(unit)):
            return []
        names = readings("commune", text)
        return [unit for unit in coded if any(alike(name, self._index.name(unit)) for name in names)]

    # Names alone

    def _by_written_name(self, address: Address, on: date, unit_list: str) -> CommuneAnswer:
        where, named = self._where(address), self._index.named(address.commune)
        kept = [unit for unit in named if self._index.fits(unit, where)]
        if where.districts is None and not read_name("commune", address.commune).type:
            # "Quy Nhơn" alone: the new ward, or the former city.
            kept += self._index.of_districts(self._index.named_districts(address.commune), where)
        if not kept:
            like = named or self._index.near(address.commune)
            around = [unit for unit in like if self._index.in_province(unit, where)]
            return _undecided(around or self._index.of_districts(where.districts or (), where) or named)
        if on < self._since:
            kept = [unit for unit in kept if isinstance(unit, OldCommune)] or kept
        elif where.districts is None:
            kept = [unit for unit in kept if isinstance(unit, _LISTS.get(unit_list, object))] or kept
        elif unit_list != "new":
            # A district and its own province: an address of the old list, whole. Else a new name with the old district
            # kept by habit is as likely.
            kept = [unit for unit in kept if self._is_whole(unit, where)] or kept
        return _decided(kept)

    def _is_whole(self, unit: Unit, where: Where) -> bool:
        return isinstance(unit, OldCommune) and self._index.in_province(unit, where, strictly=True)

    def _by_district(self, where: Where) -> CommuneAnswer:
        """No commune is written: sure only for a district that had none and became one."""
        units = self._index.of_districts(where.districts or (), where)
        islands = [unit for unit in units if unit.district.code in self._index.islands]
        return _decided(islands) if islands and islands == units else _undecided(units)

    def _where(self, address: Address) -> Where:
        district = _padded(address.district_code, 3)
        districts = frozenset({district}) if district else None
        if address.district:
            named = self._index.named_districts(address.district)
            districts = named if districts is None else districts & named if named else districts
        province = self._index.province(address.province) or read_name("province", address.province).shelf
        return Where(districts, province, _padded(address.province_code, 2))


def _padded(code: str, length: int) -> str:
    code = code.strip()
    return code.zfill(length) if code.isdigit() and int(code) else ""


def _successors(unit: Unit) -> tuple[Commune, ...]:
    return (unit,) if isinstance(unit, Commune) else unit.successors


def _decided(units: Sequence[Unit]) -> CommuneAnswer:
    """One successor of them all, whichever of them is meant; else candidates."""
    targets = {to.code: to for unit in units for to in _successors(unit)}
    sure = len(targets) == 1 and all(isinstance(unit, Commune) or unit.whole for unit in units)
    return CommuneAnswer(next(iter(targets.values()))) if sure else _undecided(units)


def _undecided(units: Iterable[Unit]) -> CommuneAnswer:
    found = {to.code: to for unit in units for to in _successors(unit)}
    if len(found) > MOST_CANDIDATES:
        return CommuneAnswer(None)
    return CommuneAnswer(None, tuple(found[code] for code in sorted(found)))
