"""The mapping set: every rule file and code table of a directory and its overlays, checked once, chosen by date.

Layout: `inbound/<format>/<name>.toml`, `outbound/<procedure>/<anything>.toml`, `codes/<table>.csv`, `units/*.csv`,
`letters/<name>.typ`. A variant of an inbound file for a later date is `<name>@<yyyy-mm-dd>.toml`; what counts is
`in_force` inside. An overlay is a directory of the same layout: its rows replace those with the same `to` in the file
of the same path, its code rows those with the same code, its `units` and `letters` files whole ones. Later overlays
win. An overlay may count for some feeds or the dossiers of some provinces only; `within` is the set as one sees it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, reduce
from pathlib import Path, PurePosixPath
from typing import Any

import gateway.mapping.transforms  # registers every transform  # noqa: F401
from gateway.domain.commune import Commune
from gateway.domain.notification import FIELDS, KINDS
from gateway.errors import MappingError, Mistake
from gateway.mapping.codes import NO_CODE, DatedTable, Table, overlay, read_table
from gateway.mapping.layout import check_layout, check_versions
from gateway.mapping.overlays import Layer, Overlay, pack, read_layer, unpack
from gateway.mapping.paths import compile_place, compile_view_path, fits, held_at
from gateway.mapping.registry import TRANSFORMS
from gateway.mapping.rule_files import Allowed, read_rules
from gateway.mapping.rules import Row, RuleSet, extend
from gateway.mapping.units import Units
from gateway.ports.hospital import MessageReader

FORMS_TABLE = "commune_forms"
"""Which wire form a commune takes: a commune's code, else its province's, else `*`."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the parts of one mapping set have in common. `made` keeps what was read of a file in the layers that have
    it; `parts` is the set as it counts for a feed and a province."""

    layers: tuple[Layer, ...]
    readers: Mapping[str, MessageReader]
    made: dict[tuple[str, tuple[int, ...]], Any] = field(default_factory=dict)
    parts: dict[tuple[str, str], Catalogue] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)


class Catalogue:
    """A checked mapping set. `unused` lists inbound files of formats that no reader was given for."""

    def __init__(self, shared: _Shared, counting: tuple[int, ...]) -> None:
        """The layers of `counting`. Mistakes land in `shared`: use `load` or `from_archive`."""
        self._shared, self._counting = shared, counting
        self._extended: dict[tuple[RuleSet, RuleSet], RuleSet] = {}
        self.unused: list[str] = []
        self._tables = {path.stem: self._once(str(path), self._read_table) for path in self._under("codes", ".csv")}
        self._inbound: dict[tuple[str, str], list[RuleSet]] = {}
        self._outbound: dict[tuple[str, str], list[RuleSet]] = {}
        self._read_inbound()
        self._read_outbound()
        for versions in (*self._inbound.values(), *self._outbound.values()):
            versions.sort(key=lambda rules: rules.in_force)
        shared.mistakes.extend(check_versions((*self._inbound.values(), *self._outbound.values())))
        self._check_forms()

    @classmethod
    def load(
        cls, root: Path, readers: Mapping[str, MessageReader], overlays: Sequence[Path | Overlay] = ()
    ) -> Catalogue:
        """Read and check `root` and `overlays`. Raises MappingError with every mistake."""
        stated = [place if isinstance(place, Overlay) else Overlay(place) for place in (root, *overlays)]
        return cls._whole_of([read_layer(overlay) for overlay in stated], readers)

    @classmethod
    def from_archive(cls, archive: bytes, readers: Mapping[str, MessageReader]) -> Catalogue:
        """The set that `archive()` packed, to replay a day with the mapping of that day."""
        return cls._whole_of(unpack(archive), readers)

    @classmethod
    def _whole_of(cls, layers: Sequence[Layer], readers: Mapping[str, MessageReader]) -> Catalogue:
        """The set and each of its parts, all checked at once. A layer without files says nothing and is left out."""
        layers = [layer for layer in layers if layer.files]
        shared = _Shared(tuple(layers), readers, mistakes=check_layout(layers))
        feeds = sorted({"", *(name for layer in layers for name in layer.feeds)})
        provinces = sorted({"", *(code for layer in layers for code in layer.provinces)})
        alike: dict[tuple[int, ...], Catalogue] = {}
        for scope in ((feed, province) for feed in feeds for province in provinces):
            counting = tuple(place for place, layer in enumerate(layers) if layer.counts_for(*scope))
            if counting not in alike:
                alike[counting] = cls(shared, counting)
            shared.parts[scope] = alike[counting]
        for part in alike.values():
            part.check_units()
        if shared.mistakes:
            raise MappingError(sorted(dict.fromkeys(shared.mistakes), key=lambda one: (one.file, one.line)))
        return shared.parts["", ""]

    def within(self, feed: str, province: str = "") -> Catalogue:
        """The set as it counts for messages of a feed and, once the commune is known, for dossiers of a province."""
        parts = self._shared.parts
        known = ((feed, province), (feed, ""), ("", province), ("", ""))
        return parts[next(scope for scope in known if scope in parts)]

    def changed(
        self,
        rules: Callable[[RuleSet], RuleSet] = lambda rules: rules,
        table: Callable[[DatedTable], DatedTable] = lambda table: table,
    ) -> Catalogue:
        """The set with every rule file and code table put through a function, unchecked, all scopes alike: to try out
        what a change would do without writing it. Keeps the hash and the archive of the set it was made from."""
        shared, twins = replace(self._shared, parts={}), dict[int, Catalogue]()
        for scope, part in self._shared.parts.items():
            if id(part) not in twins:
                twins[id(part)], had = copy(part), vars(part)
                vars(twins[id(part)]).update(
                    _shared=shared,
                    _extended={},
                    _inbound={key: [rules(one) for one in versions] for key, versions in had["_inbound"].items()},
                    _outbound={key: [rules(one) for one in versions] for key, versions in had["_outbound"].items()},
                    _tables={name: table(one) for name, one in had["_tables"].items()},
                )
            shared.parts[scope] = twins[id(part)]
        return twins[id(self)]

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) over every file's layer, path and content, also of layers that do not count here: equal sets,
        equal results."""
        digest = hashlib.sha256()
        for number, layer in enumerate(self._shared.layers):
            for path in sorted(layer.files):
                content = layer.files[path]
                digest.update(f"{number}/{path}\0{len(content)}\0".encode())
                digest.update(content)
        return digest.hexdigest()

    def archive(self) -> bytes:
        """Every file of the whole set as tar.xz; equal sets give equal bytes. Packed once: it takes half a second."""
        made = self._shared.made
        if ("archive", ()) not in made:
            made["archive", ()] = pack(self._shared.layers)
        packed: bytes = made["archive", ()]
        return packed

    def inbound(self, format: str, name: str, on: date) -> RuleSet:
        """The rules to read one kind of event with, in force on `on`. KeyError when there is no such file."""
        return _in_force(self._inbound[format, name], on)

    def outbound(self, kind: str, on: date, commune: Commune | None = None) -> RuleSet:
        """The form to fill for one kind of event, in force on `on`, as `commune` takes it; None: any commune. KeyError
        when there is none for the kind."""
        return self.form(kind, self._form_of(kind, on, commune), on)

    def form(self, kind: str, name: str, on: date) -> RuleSet:
        """One wire form by its name, in force on `on`, with what it takes from the one it extends. KeyError without."""
        form = _in_force(self._outbound[kind, name], on)
        if not form.extends:
            return form
        base = self.form(kind, form.extends, on)
        if (base, form) not in self._extended:
            self._extended[base, form] = extend(base, form)
        return self._extended[base, form]

    def forms(self, kind: str) -> list[str]:
        """The names of a kind's wire forms."""
        return [name for of, name in self._outbound if of == kind]

    def _form_of(self, kind: str, on: date, commune: Commune | None) -> str:
        chosen = self._tables[FORMS_TABLE].on(on) if FORMS_TABLE in self._tables else None
        keys = (commune.code, commune.province_code, "*") if commune else ("*",)
        names = (chosen.get(key) for key in keys) if chosen else ()
        return next((name for name in names if name), None) or self._usual_form(kind, on)

    def _usual_form(self, kind: str, on: date) -> str:
        """Without a table of forms: the newest that stands on its own."""
        own = [rules for (of, _), versions in self._outbound.items() if of == kind for rules in versions]
        alone = sorted((rules for rules in own if not rules.extends), key=lambda rules: rules.in_force)
        if not alone:
            raise KeyError(kind)
        return _in_force(alone, on).form

    def rule_sets(self) -> list[RuleSet]:
        """Every rule file, for `hotich check` and coverage."""
        return [rules for versions in (*self._inbound.values(), *self._outbound.values()) for rules in versions]

    def tables(self) -> list[DatedTable]:
        """Every code table, for coverage."""
        return list(self._tables.values())

    def parts(self) -> list[Catalogue]:
        """The set as each feed and province sees it, alike ones once."""
        return list({id(part): part for part in self._shared.parts.values()}.values())

    @property
    def lowest(self) -> Layer:
        """The layer under all overlays."""
        return self._shared.layers[0]

    def table(self, name: str, on: date) -> Table:
        """The code table as in force on `on`. KeyError when there is no such table."""
        table: DatedTable = self._tables[name]
        return table.on(on)

    def template(self, name: str) -> bytes:
        """The letter template `letters/<name>.typ` of the highest layer that has it. KeyError when there is none."""
        path = f"letters/{name}.typ"
        if not self._having(path):
            raise KeyError(name)
        return self._shared.layers[self._having(path)[-1]].files[path]

    @cached_property
    def units(self) -> Units:
        """Communes, old and new. Needs `units/*.csv`."""
        paths = self._under("units", ".csv")
        places = tuple(sorted({place for path in paths for place in self._having(str(path))}))
        if ("units", places) not in self._shared.made:
            files = {path.name: self._shared.layers[self._having(str(path))[-1]].files[str(path)] for path in paths}
            self._shared.made["units", places] = Units(files)
        units: Units = self._shared.made["units", places]
        return units

    def check_units(self) -> None:
        """Lists that an overlay changes are read at the start, and an overlay's provinces must be on them."""
        paths = [str(path) for path in self._under("units", ".csv")]
        scoped = [
            layer for place, layer in enumerate(self._shared.layers) if place in self._counting and layer.provinces
        ]
        if not paths or not (scoped or any(self._having(path)[-1] for path in paths)):
            return
        try:
            today = {unit.province_code for unit in self.units.communes()}
        except MappingError as error:
            self._shared.mistakes.extend(error.mistakes)
            return
        for layer in scoped:
            for code in sorted(layer.provinces - today):
                remedy = "Give a two-digit code of today's list"
                self._shared.mistakes.append(Mistake(layer.name, 1, "provinces", f"no province `{code}`", remedy))

    def _under(self, folder: str, suffix: str) -> list[PurePosixPath]:
        """The paths of a folder in the layers that count, each once."""
        layers = (self._shared.layers[place] for place in self._counting)
        paths = {path for layer in layers for path in layer.files if path.startswith(folder + "/")}
        return [PurePosixPath(path) for path in sorted(paths) if path.endswith(suffix)]

    def _having(self, path: str) -> tuple[int, ...]:
        return tuple(place for place in self._counting if path in self._shared.layers[place].files)

    def _once(self, path: str, read: Callable[[str, tuple[int, ...]], Any]) -> Any:
        """What `read` makes of the file in the layers that have it; parts with the same layers share it."""
        places = self._having(path)
        if (path, places) not in self._shared.made:
            self._shared.made[path, places] = read(path, places)
        return self._shared.made[path, places]

    def _read_table(self, path: str, places: tuple[int, ...]) -> DatedTable:
        tables: list[DatedTable] = []
        for layer in (self._shared.layers[place] for place in places):
            name, below = PurePosixPath(path).stem, tables[0] if tables else None
            tables.append(read_table(name, f"{layer.name}/{path}", layer.files[path], self._shared.mistakes, below))
        return reduce(overlay, tables)

    def _read_inbound(self) -> None:
        for path in self._under("inbound", ".toml"):
            family = path.parts[1]
            if family not in self._shared.readers:
                self.unused.append(str(path))
                continue
            reader = self._shared.readers[family]
            allowed = self._allowed(lambda kind, text, reader=reader: reader.compile(text))
            rules = self._read(path, allowed)
            if rules is not None:
                name = path.stem.partition("@")[0]
                self._inbound.setdefault((family, name), []).append(rules)

    def _allowed(self, compile: Any) -> Allowed:
        return Allowed(compile, TRANSFORMS, self._tables, tuple(KINDS), FIELDS.get, fits)

    def _read_outbound(self) -> None:
        allowed = Allowed(compile_view_path, TRANSFORMS, self._tables, outbound=True, place=compile_place, held=held_at)
        for path in self._under("outbound", ".toml"):
            rules = self._read(path, allowed)
            if rules is None:
                continue
            if rules.procedure and rules.procedure != path.parts[1]:
                problem = f"procedure `{rules.procedure}` lies in folder {path.parts[1]}"
                self._wrong_header(rules, "procedure", problem, "Move the file or correct `procedure`")
            self._outbound.setdefault((rules.kind, rules.form), []).append(rules)

    def _check_forms(self) -> None:
        """Forms that are extended or that communes are given must be there. Asked once all of them are read right: a
        mistake in one would be told again by whatever leans on it."""
        if any("outbound/" in mistake.file for mistake in self._shared.mistakes):
            return
        for (kind, _), versions in self._outbound.items():
            for rules in versions:
                self._check_extension(kind, rules)
        of_kinds = [set(self.forms(kind)) for kind in {kind for kind, _ in self._outbound}]
        names = set.intersection(*of_kinds) if of_kinds else set()
        for row in self._tables[FORMS_TABLE].rows if FORMS_TABLE in self._tables else ():
            if row.columns["value"] not in names:
                problem = f"no form `{row.columns['value']}` for every kind"
                remedy = f"Use {', '.join(sorted(names))}"
                place = f"codes/{FORMS_TABLE}.csv"
                self._shared.mistakes.append(Mistake(place, row.line, f"code {row.columns['code']}", problem, remedy))

    def _check_extension(self, kind: str, rules: RuleSet) -> None:
        bases = self._outbound.get((kind, rules.extends), [])
        if rules.extends and (not bases or any(base.extends for base in bases)):
            remedy = "Name a form of this kind that stands on its own"
            self._wrong_header(rules, "extends", f"`extends` names `{rules.extends}`", remedy)
            return
        known = {row.field for base in bases for row in base.rows}
        for name in rules.leaves_out:
            if name not in known:
                problem, remedy = f"`leaves_out` names `{name}`", "Name a field of the form that is extended"
                self._wrong_header(rules, "leaves_out", problem, remedy)

    def _wrong_header(self, rules: RuleSet, key: str, problem: str, remedy: str) -> None:
        self._shared.mistakes.append(Mistake(*rules.place_of(key), "header", problem, remedy))

    def _read(self, path: PurePosixPath, allowed: Allowed) -> RuleSet | None:
        """The file of the lowest layer that has it, with higher layers' rows in place of those of the same `to`."""
        rules: RuleSet | None = self._once(str(path), lambda text, places: self._merge(text, places, allowed))
        if rules is not None:
            targets = allowed.targets(rules.kind) or {}
            for row in rules.rows:
                self._check_table(row, targets.get(row.to, str))
        return rules

    def _check_table(self, row: Row, wanted: Any) -> None:
        """A file read once for several parts of the set may name a table that is another one, or none, in this part."""
        name, _, column = (row.codes or "").partition(".")
        if not name:
            return
        values = (
            []
            if name not in self._tables
            else [each.columns.get(column or "value") for each in self._tables[name].rows]
        )
        if name not in self._tables:
            problem = f"no code table `{name}` for every feed and province this row is for"
        elif None in values:
            problem = f"codes/{name}.csv has no column `{column}`"
        elif any(value not in ("", NO_CODE) and not fits(wanted, value) for value in values):
            problem = f"codes/{name}.csv has a value that cannot become {wanted.__name__}"
        else:
            return
        self._shared.mistakes.append(Mistake(row.file, row.line, f"to {row.to}", problem, f"Correct codes/{name}.csv"))

    def _merge(self, path: str, places: tuple[int, ...], allowed: Allowed) -> RuleSet | None:
        merged: RuleSet | None = None
        for place in places:
            layer = self._shared.layers[place]
            file = path if place == 0 else f"{layer.name}/{path}"
            shown, mistakes = f"{layer.name}/{path}", self._shared.mistakes
            rules = read_rules(file, shown, layer.files[path], allowed, mistakes, merged)
            if rules is None:
                continue  # its mistakes refuse the set; those of layers above are told too
            if merged is not None:
                rules = replace(rules, rows=_laid_over(merged.rows, rules.rows, allowed.outbound), file=merged.file)
            merged = rules
        return merged


def _laid_over(below: Sequence[Row], above: Sequence[Row], outbound: bool) -> tuple[Row, ...]:
    """`above`'s rows where `below` has rows of the same `to`, new ones last. In a form a row of a whole field also
    replaces those of its parts, and the other way round: a field is a text or an object, never both."""
    rows: dict[str, list[Row]] = {}
    for row in below:
        rows.setdefault(row.to, []).append(row)
    new: dict[str, list[Row]] = {}
    for row in above:
        new.setdefault(row.to, []).append(row)
    fields = {row.field for row in above}
    gone = {to for to in rows if outbound and to not in new and (to in fields or to.partition(".")[0] in new)}
    return tuple(row for to, kept in (rows | new).items() if to not in gone for row in kept)


def _in_force(versions: Sequence[RuleSet], on: date) -> RuleSet:
    """The newest version not after `on`. Before the oldest one known, that one: older messages are still read, and the
    result says which version was used."""
    return next((rules for rules in reversed(versions) if rules.in_force <= on), versions[0])
