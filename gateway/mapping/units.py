"""Administrative units: an address, written with the old or the new units, → today's commune.

Since 01/07/2025 there are 34 provinces and 3,321 communes, and no districts (Decision 19/2025/QĐ-TTg). 3,316 of the
codes are re-used old ones, so a code is read with everything written beside it: a district, a name, a province, and
only then the date. An old commune that went whole into a new one is that new one; a split one, and whatever stays
undecided, goes to a person as candidates. Nothing is guessed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.domain.commune import Commune, CommuneAnswer
from gateway.domain.person import Address
from gateway.mapping.unit_names import UnitName, alike, read_name, same_unit

TWO_LEVELS_SINCE = date(2025, 7, 1)
MOST_CANDIDATES = 30
"""More candidates than this are no help to a person: the answer is then plainly unknown."""


@dataclass(frozen=True, slots=True)
class OldCommune:
    """A commune of the list before 01/07/2025. One successor: it went there whole; several: it was split."""

    code: str
    name: UnitName
    district_code: str
    district: UnitName
    province_code: str
    province: UnitName
    successors: tuple[Commune, ...]


Unit = Commune | OldCommune


class Units:
    """Both lists, indexed. Built once from the files of `mappings/units` by name."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._new = {
            row["code"]: Commune(row["code"], row["name"], row["province_code"], row["province"], row["list"])
            for row in _rows(files["communes.csv"])
        }
        self._old = self._read_old(files)
        self._names = {code: read_name("commune", unit.name) for code, unit in self._new.items()}
        self._aliases = {
            read_name("province", row["alias"]).key: read_name("province", row["province"])
            for row in _rows(files["province_aliases.csv"])
        }
        self._provinces = {unit.province: read_name("province", unit.province) for unit in self._new.values()}
        self._parents: dict[str, set[tuple[str, str]]] = {}
        self._by_name: dict[str, list[Unit]] = {}
        for unit in self._new.values():
            self._by_name.setdefault(self._names[unit.code].key, []).append(unit)
        for old in self._old.values():
            self._by_name.setdefault(old.name.key, []).append(old)
            for successor in old.successors:
                self._parents.setdefault(successor.code, set()).add((old.province_code, old.province.key))
        self._province_keys = {name.key for name in self._provinces.values()} | self._aliases.keys()
        self._province_keys |= {old.province.key for old in self._old.values()}

    def _read_old(self, files: Mapping[str, bytes]) -> dict[str, OldCommune]:
        districts = {row["code"]: row for row in _rows(files["old_districts.csv"])}
        rows: dict[str, dict[str, str]] = {}
        successors: dict[str, list[Commune]] = {}
        for row in _rows(files["old_communes.csv"]):
            rows[row["code"]] = row
            successors.setdefault(row["code"], []).append(self._new[row["new_code"]])
        found = {}
        for code, row in rows.items():
            above = districts[row["district_code"]]
            district, province = read_name("district", above["name"]), read_name("province", above["province"])
            name = read_name("commune", row["name"])
            into = tuple(successors[code])
            found[code] = OldCommune(code, name, row["district_code"], district, above["province_code"], province, into)
        return found

    def today(self, code: str) -> Commune | None:
        """The unit of today's list with this code."""
        return self._new.get(_padded(code, 5))

    def communes(self) -> Sequence[Commune]:
        """Today's list, in code order."""
        return list(self._new.values())

    def resolve(self, address: Address, on: date) -> CommuneAnswer:
        """Today's commune of an address written on the day `on`; None with candidates when a person has to choose."""
        address = self._from_line(address)
        code = _padded(address.commune_code, 5)
        readings: list[Unit] = [unit for unit in (self._new.get(code), self._old.get(code)) if unit is not None]
        if readings:
            return self._by_code(readings, address, on)
        return self._by_written_name(address, on) if address.commune else CommuneAnswer(None)

    # A code, and everything written beside it

    def _by_code(self, readings: list[Unit], address: Address, on: date) -> CommuneAnswer:
        kept = readings
        district = _padded(address.district_code, 3)
        if district:
            kept = [unit for unit in kept if isinstance(unit, OldCommune) and unit.district_code == district]
        if address.commune:
            written = read_name("commune", address.commune)
            kept = [unit for unit in kept if alike(written, self._name(unit))]
        if address.province or address.province_code:
            exact = [unit for unit in kept if self._in_province(unit, address, strictly=True)]
            kept = exact or [unit for unit in kept if self._in_province(unit, address)]
        if not kept:
            return _undecided(successor for unit in readings for successor in _successors(unit))
        if address.district:
            kept = [unit for unit in kept if isinstance(unit, OldCommune) and _in_district(unit, address)] or kept
        if len(kept) > 1:
            since = Commune if on >= TWO_LEVELS_SINCE else OldCommune
            kept = [unit for unit in kept if isinstance(unit, since)]
        return _decided(kept)

    # Names alone

    def _by_written_name(self, address: Address, on: date) -> CommuneAnswer:
        written = read_name("commune", address.commune)
        place = address.province or address.province_code
        near = [unit for unit in self._by_name.get(written.key, ()) if not place or self._in_province(unit, address)]
        kept = [unit for unit in near if same_unit(written, self._name(unit))]
        if not kept:
            return _undecided(successor for unit in near for successor in _successors(unit))
        new = [unit for unit in kept if isinstance(unit, Commune)]
        old = [unit for unit in kept if isinstance(unit, OldCommune)]
        if address.district or address.district_code:
            within = [unit for unit in old if _in_district(unit, address)]
            # A new name with the district kept by habit is still a new name; an old one elsewhere decides nothing.
            return _decided(within) if within else _decided(new) if new and not old else _decided(kept)
        if on < TWO_LEVELS_SINCE:
            return _decided(old or new)
        if new and self._is_todays_province(address):
            return _decided(new)
        return _decided(kept)

    def _from_line(self, address: Address) -> Address:
        """An address in one line, "thôn, xã, huyện, tỉnh": its parts, when the last one is a province."""
        if address.commune_code or address.commune or "," not in address.line:
            return address
        parts = [part.strip() for part in address.line.split(",") if part.strip()]
        province = address.province
        if read_name("province", parts[-1]).key in self._province_keys:
            province = province or parts[-1]
            parts = parts[:-1]
        if not province and not address.province_code or not parts:
            return address
        district = address.district
        if len(parts) > 1 and not district and self._is_district(parts[-1], parts[-2]):
            district = parts[-1]
            parts = parts[:-1]
        return Address(
            line=", ".join(parts[:-1]),
            commune=parts[-1],
            district=district,
            district_code=address.district_code,
            province=province,
            province_code=address.province_code,
            country=address.country,
        )

    def _is_district(self, written: str, below: str) -> bool:
        district, commune = read_name("district", written), read_name("commune", below)
        units = self._by_name.get(commune.key, ())
        return any(isinstance(unit, OldCommune) and same_unit(district, unit.district) for unit in units)

    def _name(self, unit: Unit) -> UnitName:
        return self._names[unit.code] if isinstance(unit, Commune) else unit.name

    def _province(self, text: str) -> UnitName:
        written = read_name("province", text)
        return self._aliases.get(written.key, written)

    def _is_todays_province(self, address: Address) -> bool:
        if not address.province:
            return True
        written = self._province(address.province)
        return any(same_unit(written, name) for name in self._provinces.values())

    def _in_province(self, unit: Unit, address: Address, strictly: bool = False) -> bool:
        """Whether the province written fits. Strictly: the province of the unit's own list; else also the other list's:
        people write a new commune with the old province and the other way round."""
        old = isinstance(unit, OldCommune)
        own = (unit.province_code, unit.province.key if old else self._provinces[unit.province].key)  # type: ignore[union-attr, index]
        fitting = {own}
        if not strictly:
            if isinstance(unit, OldCommune):
                fitting |= {(to.province_code, self._provinces[to.province].key) for to in unit.successors}
            else:
                fitting |= self._parents.get(unit.code, set())
        if address.province:
            key = self._province(address.province).key
            return any(key == name for _, name in fitting)
        return any(_padded(address.province_code, 2) == code for code, _ in fitting)


def _rows(raw: bytes) -> Iterable[dict[str, str]]:
    return csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))


def _padded(code: str, length: int) -> str:
    code = code.strip()
    return code.zfill(length) if code.isdigit() and int(code) else ""


def _in_district(unit: OldCommune, address: Address) -> bool:
    code = _padded(address.district_code, 3)
    if code:
        return unit.district_code == code
    return same_unit(read_name("district", address.district), unit.district)


def _successors(unit: Unit) -> tuple[Commune, ...]:
    return (unit,) if isinstance(unit, Commune) else unit.successors


def _decided(units: Sequence[Unit]) -> CommuneAnswer:
    """One successor of them all, whichever of them is meant; else candidates."""
    targets = {to.code: to for unit in units for to in _successors(unit)}
    return CommuneAnswer(next(iter(targets.values()))) if len(targets) == 1 else _undecided(targets.values())


def _undecided(targets: Iterable[Commune]) -> CommuneAnswer:
    found = {target.code: target for target in targets}
    if len(found) > MOST_CANDIDATES:
        return CommuneAnswer(None)
    return CommuneAnswer(None, tuple(found[code] for code in sorted(found)))
