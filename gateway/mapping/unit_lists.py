"""The lists of administrative units, read from `units/*.csv` and checked: today's communes, the communes and districts
before, what became of each, and other names people still write.

A list may be spread over several files: `old_communes.csv`, then `old_communes.<anything>.csv` in the order of their
names. Lines of a later file replace those of the same key in earlier ones: an overlay corrects a unit with one line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from gateway.domain.commune import Commune
from gateway.errors import MappingError, Mistake
from gateway.mapping.unit_names import UnitName, official_name, read_name

_COLUMNS = {
    "communes": ("code", "name", "province_code", "province", "list"),
    "old_districts": ("code", "name", "province_code", "province", "new_code"),
    "old_communes": ("code", "name", "district_code", "whole", "new_code"),
    "merged_communes": ("name", "district_code", "old_code", "source"),
    "district_aliases": ("alias", "district_code", "source"),
    "province_aliases": ("alias", "province"),
}
_KEY = {"merged_communes": 2, "district_aliases": 1, "province_aliases": 1}
"""How many leading columns tell what a line is about; one where it is not said: the code."""


@dataclass(frozen=True, slots=True)
class District:
    """A district of the list before: there are none today. `new_code` is today's commune it became itself, for the few
    island districts that had no communes."""

    code: str
    name: UnitName
    province_code: str
    province: UnitName
    new_code: str = ""


@dataclass(frozen=True, slots=True)
class OldCommune:
    """A commune of the list before. One successor: it went there whole; several: it was split. `whole` False with one
    successor: others are not known, so nothing follows."""

    code: str
    name: UnitName
    district: District
    successors: tuple[Commune, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class UnitLists:
    """Everything read. `merged` are communes gone before the old list ended, with the successors of what they joined;
    `islands` stand for districts without communes, by district code; `provinces` has each way to write a province, old
    or new, as the official name's shelf; "" is the country's name."""

    communes: Mapping[str, Commune]
    old: Mapping[str, OldCommune]
    merged: Sequence[OldCommune]
    districts: Mapping[str, District]
    islands: Mapping[str, OldCommune]
    district_aliases: Sequence[tuple[UnitName, str]]
    provinces: Mapping[str, str]


@dataclass(slots=True)
class _Line:
    file: str
    number: int
    values: list[str]


@dataclass(slots=True)
class _Reader:
    files: Mapping[str, bytes]
    mistakes: list[Mistake] = field(default_factory=list)
    names: dict[str, UnitName] = field(default_factory=dict)
    """Names by level and text: thousands of communes share theirs."""

    def lines(self, table: str) -> list[_Line]:
        """Every line of the list that counts, in the order of its columns."""
        names = sorted(name for name in self.files if name.startswith(table + ".") and name.endswith(".csv"))
        if f"{table}.csv" not in self.files:
            self.mistakes.append(Mistake(f"units/{table}.csv", 1, "file", "is missing", "Put it back"))
            return []
        names.remove(f"{table}.csv")
        kept = list(self._read(table, f"{table}.csv"))
        width = _KEY.get(table, 1)
        for name in names:
            above = list(self._read(table, name))
            replaced = {tuple(line.values[:width]) for line in above}
            kept = [line for line in kept if tuple(line.values[:width]) not in replaced] + above
        return kept

    def _read(self, table: str, name: str) -> Iterator[_Line]:
        rows = csv.reader(io.StringIO(self.files[name].decode("utf-8-sig"), newline=""))
        columns, header = _COLUMNS[table], next(rows, [])
        missing = [column for column in columns if column not in header]
        if missing:
            remedy = f"The first line is {','.join(columns)}"
            self.mistakes.append(Mistake(f"units/{name}", 1, "header", f"no column {', '.join(missing)}", remedy))
            return
        order = None if header[: len(columns)] == list(columns) else [header.index(column) for column in columns]
        for row in rows:
            if len(row) != len(header):
                if row:
                    self._wrong(_Line(name, rows.line_num, row), "has too few or too many columns", "Count the commas")
                continue
            yield _Line(name, rows.line_num, row if order is None else [row[at] for at in order])

    def _wrong(self, line: _Line, problem: str, remedy: str) -> None:
        row = line.values[0] if line.values else ""
        self.mistakes.append(Mistake(f"units/{line.file}", line.number, row, problem, remedy))

    def known(self, line: _Line, column: str, code: str, among: Mapping[str, object]) -> bool:
        """Whether a line's reference leads somewhere; else a mistake."""
        if code not in among:
            self._wrong(line, f"{column} {code or '(empty)'} is in no list", "Correct the code")
        return code in among

    def name(self, level: str, text: str) -> UnitName:
        found = self.names.get(level + text)
        if found is None:
            found = self.names[level + text] = official_name(level, text)
        return found

    # The lists

    def communes(self) -> dict[str, Commune]:
        found = {}
        for line in self.lines("communes"):
            code, name, _, _, listed = line.values[:5]
            if not name or len(code) != 5 or not code.isdigit():
                self._wrong(line, "code of five digits or name is missing", "Write both")
                continue
            if not _is_date(listed):
                self._wrong(line, f"list {listed} is no date", "Write yyyy-mm-dd")
            found[code] = Commune(*line.values[:5])
        return found

    def districts(self, communes: Mapping[str, Commune]) -> dict[str, District]:
        found = {}
        for line in self.lines("old_districts"):
            code, name, province_code, province, new_code = line.values[:5]
            if new_code and not self.known(line, "new_code", new_code, communes):
                continue
            above = self.name("province", province)
            found[code] = District(code, self.name("district", name), province_code, above, new_code)
        return found

    def old(self, communes: Mapping[str, Commune], districts: Mapping[str, District]) -> dict[str, OldCommune]:
        found: dict[str, OldCommune] = {}
        for line in self.lines("old_communes"):
            code, name, district, whole, new_code = line.values[:5]
            if district not in districts or new_code not in communes:
                self.known(line, "district_code", district, districts)
                self.known(line, "new_code", new_code, communes)
                continue
            before = found.get(code)
            if before is None:
                below = districts[district]
                found[code] = OldCommune(code, self.name("commune", name), below, (communes[new_code],), whole == "1")
            elif whole == "1" or before.whole:
                self._wrong(line, "several lines, yet whole is 1", "Write 0 on every line of a split commune")
            else:
                into = (*before.successors, communes[new_code])
                found[code] = OldCommune(code, before.name, before.district, into, False)
        return found

    def merged(self, old: Mapping[str, OldCommune], districts: Mapping[str, District]) -> list[OldCommune]:
        found: dict[tuple[str, str], OldCommune] = {}
        for line in self.lines("merged_communes"):
            name, district, code, _ = line.values[:4]
            if self.known(line, "district_code", district, districts) & self.known(line, "old_code", code, old):
                before = found.get((name, district))
                into = dict.fromkeys((*(before.successors if before else ()), *old[code].successors))
                whole = old[code].whole and (before is None or before.whole and len(into) == 1)
                read = self.name("commune", name)
                found[name, district] = OldCommune("", read, districts[district], tuple(into), whole)
        return list(found.values())

    def district_aliases(self, districts: Mapping[str, District]) -> list[tuple[UnitName, str]]:
        lines = self.lines("district_aliases")
        known = [line for line in lines if self.known(line, "district_code", line.values[1], districts)]
        return [(self.name("district", line.values[0]), line.values[1]) for line in known]

    def provinces(self, communes: Mapping[str, Commune], districts: Mapping[str, District]) -> dict[str, str]:
        provinces = {district.province.shelf for district in districts.values()}
        provinces |= {self.name("province", name).shelf for name in {unit.province for unit in communes.values()}}
        found = {shelf: shelf for shelf in provinces}
        for line in self.lines("province_aliases"):
            alias, province = line.values[:2]
            shelf = read_name("province", province).shelf if province else ""
            if not shelf or self.known(line, "province", shelf, found):
                found[read_name("province", alias).shelf] = shelf
        return found


def read_lists(files: Mapping[str, bytes]) -> UnitLists:
    """The lists of `files`, by file name. Raises MappingError with every mistake."""
    reader = _Reader(files)
    communes = reader.communes()
    districts = reader.districts(communes)
    old = reader.old(communes, districts)
    merged = reader.merged(old, districts)
    aliases = reader.district_aliases(districts)
    provinces = reader.provinces(communes, districts)
    if reader.mistakes:
        raise MappingError(reader.mistakes)
    islands = {
        district.code: OldCommune("", district.name, district, (communes[district.new_code],))
        for district in districts.values()
        if district.new_code
    }
    return UnitLists(communes, old, merged, districts, islands, aliases, provinces)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
