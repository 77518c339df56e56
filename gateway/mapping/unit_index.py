"""An index of both lists of administrative units: what a text may name, and what fits what is written above it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from gateway.domain.commune import Commune
from gateway.mapping.unit_lists import District, OldCommune, UnitLists
from gateway.mapping.unit_names import UnitName, official_name, read_name, readings, same_unit

Unit = Commune | OldCommune
Found = TypeVar("Found")
_MOST_KEPT = 16384
Province = tuple[str, str]
"""A province's code and name (its shelf, see unit_names) in one list."""


@dataclass(frozen=True, slots=True)
class Where:
    """What is written above the commune. `districts`: None when no district is written, empty when it is none of the
    list; `province` and `province_code` are "" when not written, `province` is else a shelf (unit_names)."""

    districts: frozenset[str] | None = None
    province: str = ""
    province_code: str = ""


@dataclass(frozen=True, slots=True)
class _Origin:
    """Of one of today's communes: its province, and the provinces and districts it was made from."""

    province: Province
    provinces: set[Province] = field(default_factory=set)
    districts: set[str] = field(default_factory=set)


class UnitIndex:
    """Units by name, by district, and where they lie. `islands` are the codes of districts that had no communes."""

    def __init__(self, lists: UnitLists) -> None:
        self._provinces = lists.provinces
        self._kept: dict[tuple[str, str], Any] = {}
        self.islands = frozenset(lists.islands)
        self._names = {code: official_name("commune", unit.name) for code, unit in lists.communes.items()}
        self._by_name: dict[str, list[Unit]] = {}
        self._origins: dict[str, _Origin] = {}
        self._by_district: dict[str, list[OldCommune]] = {}
        self._districts: dict[str, list[District]] = {}
        self._add_communes(lists)
        for old in (*lists.old.values(), *lists.merged):
            self._by_name.setdefault(old.name.shelf, []).append(old)
            self._add_old(old)
        for island in lists.islands.values():
            self._add_old(island)
        for district in lists.districts.values():
            self._districts.setdefault(district.name.shelf, []).append(district)
        for alias, code in lists.district_aliases:
            self._districts.setdefault(alias.shelf, []).append(replace(lists.districts[code], name=alias))

    def _add_communes(self, lists: UnitLists) -> None:
        shelves = {
            name: official_name("province", name).shelf for name in {unit.province for unit in lists.communes.values()}
        }
        for code, unit in lists.communes.items():
            self._by_name.setdefault(self._names[code].shelf, []).append(unit)
            self._origins[code] = _Origin((unit.province_code, shelves[unit.province]))

    def _add_old(self, old: OldCommune) -> None:
        district = old.district
        self._by_district.setdefault(district.code, []).append(old)
        for successor in old.successors:
            origin = self._origins[successor.code]
            origin.provinces.add((district.province_code, district.province.shelf))
            origin.districts.add(district.code)

    # What a text may name

    def near(self, text: str) -> list[Unit]:
        """Communes of a name that looks like the text."""
        return [unit for name in readings("commune", text) for unit in self._by_name.get(name.shelf, ())]

    def named(self, text: str) -> list[Unit]:
        """Communes that the text names exactly; without marks in the text, marks do not count."""
        return self._keep("commune", text, self._find_named)

    def _find_named(self, text: str) -> list[Unit]:
        names = readings("commune", text)
        return [unit for unit in self.near(text) if any(same_unit(name, self.name(unit)) for name in names)]

    def _keep(self, what: str, text: str, find: Callable[[str], Found]) -> Found:
        """What `find` finds, remembered if it is something: names of units are nobody's data, other texts may be."""
        found: Found | None = self._kept.get((what, text))
        if found is None:
            found = find(text)
            if found and len(self._kept) < _MOST_KEPT:
                self._kept[what, text] = found
        return found

    def named_districts(self, text: str, typed: bool = False) -> frozenset[str]:
        """Codes of the districts a text may name. In a province with one district of that name the type does not count:
        districts rose from huyện to thị xã and quận, and people still write what they were. `typed`: only when the
        text has a type."""
        return self._keep(
            "typed district" if typed else "district", text, lambda text: self._find_districts(text, typed)
        )

    def _find_districts(self, text: str, typed: bool) -> frozenset[str]:
        found: set[str] = set()
        for name in readings("district", text):
            if typed and not name.type:
                continue
            like = [district for district in self._districts.get(name.shelf, ()) if _same_but_type(name, district.name)]
            for province in {district.province_code for district in like}:
                here = [district for district in like if district.province_code == province]
                exact = [district.code for district in here if same_unit(name, district.name)]
                found.update(exact or (here[0].code for _ in (1,) if len(here) == 1))
        return frozenset(found)

    def of_districts(self, codes: Iterable[str], where: Where) -> list[OldCommune]:
        """The communes of old districts, in the province written."""
        units = [unit for code in codes for unit in self._by_district.get(code, ())]
        return [unit for unit in units if self.in_province(unit, where)]

    def is_within(self, commune: str, district: str) -> bool:
        """Whether the second text names an old district that has a commune of the first."""
        districts = self.named_districts(district)
        return any(isinstance(unit, OldCommune) and unit.district.code in districts for unit in self.named(commune))

    def name(self, unit: Unit) -> UnitName:
        """A unit's name, taken apart."""
        return self._names[unit.code] if isinstance(unit, Commune) else unit.name

    def province(self, text: str) -> str:
        """The shelf of the official name of the province a text names; "" when it names none."""
        return self._keep("province", text, self._find_province) if text else ""

    def _find_province(self, text: str) -> str:
        return self._provinces.get(read_name("province", text).shelf, "")

    def is_country(self, text: str) -> bool:
        """Whether the text is the country's name."""
        return self._provinces.get(read_name("province", text).shelf) == ""

    # What fits

    def fits(self, unit: Unit, where: Where) -> bool:
        """Whether a unit may lie where the writer says."""
        return self.in_district(unit, where) and self.in_province(unit, where)

    def in_district(self, unit: Unit, where: Where) -> bool:
        """Whether the district written fits; of a commune of today, whether part of it was made from there."""
        if where.districts is None:
            return True
        if isinstance(unit, OldCommune):
            return unit.district.code in where.districts
        return not where.districts.isdisjoint(self._origins[unit.code].districts)

    def in_province(self, unit: Unit, where: Where, strictly: bool = False) -> bool:
        """Whether the province written fits. Strictly: the province of the unit's own list; else also the other list's:
        people write a new commune with the old province and the other way round."""
        if isinstance(unit, OldCommune):
            fitting = {(unit.district.province_code, unit.district.province.shelf)}
            other = {self._origins[to.code].province for to in unit.successors}
        else:
            origin = self._origins[unit.code]
            fitting, other = {origin.province}, origin.provinces
        if not strictly:
            fitting |= other
        fits_name = not where.province or any(name == where.province for _, name in fitting)
        return fits_name and (not where.province_code or any(code == where.province_code for code, _ in fitting))


def _same_but_type(written: UnitName, official: UnitName) -> bool:
    return same_unit(replace(written, type=""), official)
