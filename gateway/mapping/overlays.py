"""Layers of a mapping set: the directory that ships and the overlays over it, each for everyone or for some only."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import MappingError, Mistake

_SCOPE = "scope.json"
SUFFIXES = (".toml", ".csv", ".typ")
"""What is read of a directory: rules, tables, templates of letters."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """A directory of local mappings. `feeds` and `provinces` (two-digit codes of today's list) say for whom it counts;
    () for everyone."""

    path: Path
    feeds: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """One directory as read: its name for people, its files by path, and for whom it counts (empty: for everyone). The
    scope is among the files, so that a set's hash and archive hold it."""

    name: str
    files: Mapping[str, bytes]
    feeds: frozenset[str]
    provinces: frozenset[str]

    def counts_for(self, feed: str, province: str) -> bool:
        """Whether the layer counts for a feed's messages and a province's dossiers."""
        return (not self.feeds or feed in self.feeds) and (not self.provinces or province in self.provinces)


def read_layer(overlay: Overlay) -> Layer:
    """The rule files, tables and templates of a directory. Raises MappingError when there is none."""
    if not overlay.path.is_dir():
        remedy = "Correct the setting that names it"
        raise MappingError([Mistake(str(overlay.path), 1, "directory", "there is no such directory", remedy)])
    found = (path for path in overlay.path.rglob("*") if path.suffix in SUFFIXES and path.is_file())
    files = {path.relative_to(overlay.path).as_posix(): path.read_bytes() for path in found}
    if overlay.feeds or overlay.provinces:
        scope = {"feeds": sorted(overlay.feeds), "provinces": sorted(overlay.provinces)}
        files[_SCOPE] = json.dumps(scope).encode()
    return make_layer(overlay.path.name, files)


def make_layer(name: str, files: Mapping[str, bytes]) -> Layer:
    """A layer of files read before, with the scope that is among them."""
    scope = json.loads(files.get(_SCOPE, b"{}"))
    return Layer(name, files, frozenset(scope.get("feeds", ())), frozenset(scope.get("provinces", ())))


def pack(layers: Sequence[Layer]) -> bytes:
    """Every file of the layers as tar.xz; equal layers give equal bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz", format=tarfile.PAX_FORMAT, preset=6) as tar:
        for number, layer in enumerate(layers):
            for path in sorted(layer.files):
                member = tarfile.TarInfo(f"{number}/{layer.name}/{path}")
                member.size = len(layer.files[path])
                tar.addfile(member, io.BytesIO(layer.files[path]))
    return packed.getvalue()


def unpack(archive: bytes) -> list[Layer]:
    """The reverse of `pack`."""
    layers: dict[tuple[int, str], dict[str, bytes]] = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:xz") as tar:
        for member in tar:
            number, name, path = member.name.split("/", 2)
            file = tar.extractfile(member)
            if file is not None:
                layers.setdefault((int(number), name), {})[path] = file.read()
    return [make_layer(name, files) for (_, name), files in sorted(layers.items())]
