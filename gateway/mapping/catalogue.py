"""The mapping set: every rule file and code table of a directory and its overlays, checked once, chosen by date.

Layout: `inbound/<format>/<name>.toml`, `outbound/<procedure>/<anything>.toml`, `codes/<table>.csv`, `units/*.csv`. A
variant of an inbound file for a later date is `<name>@<yyyy-mm-dd>.toml`; what counts is `in_force` inside. An overlay
is a directory of the same layout: its rows replace those with the same `to` in the file of the same path, its code rows
those with the same code, its `units` files whole ones. Later overlays win.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import gateway.mapping.transforms  # registers every transform  # noqa: F401
from gateway.domain.notification import FIELDS, KINDS
from gateway.errors import MappingError, Mistake
from gateway.mapping.codes import DatedTable, Table, overlay, read_table
from gateway.mapping.paths import compile_view_path, fits
from gateway.mapping.registry import TRANSFORMS
from gateway.mapping.rules import Allowed, RuleSet, read_rules
from gateway.mapping.units import Units
from gateway.ports.hospital import MessageReader


@dataclass(frozen=True, slots=True)
class _Layer:
    """The base directory or one overlay: its name for people, and its files by path."""

    name: str
    files: Mapping[str, bytes]

    def under(self, folder: str, suffix: str) -> Iterator[tuple[PurePosixPath, bytes]]:
        for path in sorted(self.files):
            if path.startswith(folder + "/") and path.endswith(suffix):
                yield PurePosixPath(path), self.files[path]


class Catalogue:
    """A checked mapping set. `unused` lists inbound files of formats that no reader was given for."""

    def __init__(self, layers: Sequence[_Layer], readers: Mapping[str, MessageReader]) -> None:
        self._layers = tuple(layers)
        self._readers = readers
        self.unused: list[str] = []
        self._mistakes: list[Mistake] = []
        self._tables = self._read_tables()
        self._inbound: dict[tuple[str, str], list[RuleSet]] = {}
        self._outbound: dict[str, list[RuleSet]] = {}
        self._read_inbound()
        self._read_outbound()
        for versions in (*self._inbound.values(), *self._outbound.values()):
            versions.sort(key=lambda rules: rules.in_force)
        if self._mistakes:
            raise MappingError(self._mistakes)

    @classmethod
    def load(cls, root: Path, readers: Mapping[str, MessageReader], overlays: Sequence[Path] = ()) -> Catalogue:
        """Read and check `root` and `overlays`. Raises MappingError with every mistake."""
        layers = []
        for directory in (root, *overlays):
            if not directory.is_dir():
                remedy = "Correct the setting that names it"
                raise MappingError([Mistake(str(directory), 1, "directory", "there is no such directory", remedy)])
            found = (path for path in directory.rglob("*") if path.suffix in (".toml", ".csv") and path.is_file())
            files = {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}
            layers.append(_Layer(directory.name, files))
        return cls(layers, readers)

    @classmethod
    def from_archive(cls, archive: bytes, readers: Mapping[str, MessageReader]) -> Catalogue:
        """The set that `archive()` packed, to replay a day with the mapping of that day."""
        layers: dict[tuple[int, str], dict[str, bytes]] = {}
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:xz") as tar:
            for member in tar:
                number, name, path = member.name.split("/", 2)
                file = tar.extractfile(member)
                if file is not None:
                    layers.setdefault((int(number), name), {})[path] = file.read()
        return cls([_Layer(name, files) for (_, name), files in sorted(layers.items())], readers)

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) over every file's layer, path and content: equal sets, equal results."""
        digest = hashlib.sha256()
        for number, layer in enumerate(self._layers):
            for path in sorted(layer.files):
                content = layer.files[path]
                digest.update(f"{number}/{path}\0{len(content)}\0".encode())
                digest.update(content)
        return digest.hexdigest()

    def archive(self) -> bytes:
        """Every file as tar.xz; equal sets give equal bytes."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:xz", format=tarfile.PAX_FORMAT, preset=6) as tar:
            for number, layer in enumerate(self._layers):
                for path in sorted(layer.files):
                    member = tarfile.TarInfo(f"{number}/{layer.name}/{path}")
                    member.size = len(layer.files[path])
                    tar.addfile(member, io.BytesIO(layer.files[path]))
        return packed.getvalue()

    def inbound(self, format: str, name: str, on: date) -> RuleSet:
        """The rules to read one kind of event with, in force on `on`. KeyError when there is no such file."""
        return _in_force(self._inbound[format, name], on)

    def outbound(self, kind: str, on: date) -> RuleSet:
        """The form to fill for one kind of event, in force on `on`. KeyError when there is none for the kind."""
        return _in_force(self._outbound[kind], on)

    def rule_sets(self) -> list[RuleSet]:
        """Every rule file, for `hotich check` and coverage."""
        return [rules for versions in (*self._inbound.values(), *self._outbound.values()) for rules in versions]

    def table(self, name: str, on: date) -> Table:
        """The code table as in force on `on`. KeyError when there is no such table."""
        return self._tables[name].on(on)

    @cached_property
    def units(self) -> Units:
        """Communes, old and new. Needs `units/*.csv`."""
        files: dict[str, bytes] = {}
        for layer in self._layers:
            files |= {path.name: content for path, content in layer.under("units", ".csv")}
        return Units(files)

    def _read_tables(self) -> dict[str, DatedTable]:
        tables: dict[str, DatedTable] = {}
        for layer in self._layers:
            for path, raw in layer.under("codes", ".csv"):
                table = read_table(path.stem, f"{layer.name}/{path}", raw, self._mistakes)
                tables[path.stem] = overlay(tables[path.stem], table) if path.stem in tables else table
        return tables

    def _read_inbound(self) -> None:
        paths = sorted({path for layer in self._layers for path, _ in layer.under("inbound", ".toml")})
        for path in paths:
            family = path.parts[1]
            if family not in self._readers:
                self.unused.append(str(path))
                continue
            reader = self._readers[family]
            rules = self._read(path, self._allowed(lambda kind, text, reader=reader: reader.compile(text)))
            if rules is not None:
                name = path.stem.partition("@")[0]
                self._inbound.setdefault((family, name), []).append(rules)

    def _allowed(self, compile: Any) -> Allowed:
        return Allowed(compile, TRANSFORMS, self._tables, tuple(KINDS), FIELDS.get, fits)

    def _read_outbound(self) -> None:
        allowed = Allowed(compile_view_path, TRANSFORMS, self._tables, outbound=True)
        for path in sorted({path for layer in self._layers for path, _ in layer.under("outbound", ".toml")}):
            rules = self._read(path, allowed)
            if rules is None:
                continue
            if rules.procedure != path.parts[1]:
                remedy = "Move the file or correct `procedure`"
                problem = f"procedure `{rules.procedure}` lies in folder {path.parts[1]}"
                self._mistakes.append(Mistake(str(path), 1, "header", problem, remedy))
            for place in rules.competent_commune:
                self._check_place(path, rules, place)
            self._outbound.setdefault(rules.kind, []).append(rules)

    def _check_place(self, path: PurePosixPath, rules: RuleSet, place: str) -> None:
        try:
            compile_view_path(rules.kind, place)
        except ValueError as error:
            problem = f"`competent_commune` path `{place}`: {error}"
            self._mistakes.append(Mistake(str(path), 1, "header", problem, "Correct the path"))

    def _read(self, path: PurePosixPath, allowed: Allowed) -> RuleSet | None:
        """The file of the lowest layer that has it, with higher layers' rows in place of those of the same `to`."""
        merged: RuleSet | None = None
        for layer in self._layers:
            raw = layer.files.get(str(path))
            if raw is None:
                continue
            file = str(path) if layer is self._layers[0] else f"{layer.name}/{path}"
            rules = read_rules(file, f"{layer.name}/{path}", raw, allowed, self._mistakes)
            if rules is None:
                return None
            if merged is not None:
                replaced = {row.to for row in rules.rows}
                kept = tuple(row for row in merged.rows if row.to not in replaced)
                rules = replace(rules, rows=kept + rules.rows, file=merged.file)
            merged = rules
        return merged


def _in_force(versions: Sequence[RuleSet], on: date) -> RuleSet:
    """The newest version not after `on`. Before the oldest one known, that one: older messages are still read, and the
    result says which version was used."""
    return next((rules for rules in reversed(versions) if rules.in_force <= on), versions[0])
