"""Where files of a mapping set lie: what lies elsewhere would count for nothing without a word, so it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import PurePosixPath

from gateway.errors import Mistake
from gateway.mapping.file_format import choose, nearest
from gateway.mapping.overlays import SUFFIXES, Layer
from gateway.mapping.rules import RuleSet

_PLACES = {
    "inbound": "inbound/<format>/<name>.toml",
    "outbound": "outbound/<procedure>/<name>.toml",
    "codes": "codes/<table>.csv",
    "units": "units/<list>.csv",
    "forms": "forms/<kind>.toml",
    "letters": "letters/<name>.typ",
}
"""Folder → where its files lie."""


def check_layout(layers: Sequence[Layer]) -> list[Mistake]:
    """Mistakes of place in every layer, the lowest first. That one may hold more than the folders named here."""
    return [
        Mistake(f"{layer.name}/{path}", 1, "file", problem, remedy)
        for number, layer in enumerate(layers)
        for path in map(PurePosixPath, sorted(layer.files))
        if path.suffix in SUFFIXES and (number or path.parts[0] in _PLACES)
        for problem, remedy in (_misplaced(path) or _unexpected(path, layers[:number]))
    ]


def check_versions(versions: Iterable[Sequence[RuleSet]]) -> Iterator[Mistake]:
    """Of files that are versions of one another, no two may begin on one day: nothing would tell which counts."""
    for alike in versions:
        seen: dict[date, RuleSet] = {}
        for rules in alike:
            first = seen.setdefault(rules.in_force, rules)
            if first is not rules:
                problem, remedy = f"{first.file} begins on the same day", "Change `in_force`, or put both into one file"
                yield Mistake(*rules.place_of("in_force"), "header", problem, remedy)


def version_day(path: PurePosixPath) -> str:
    """What a file's name says of its first day: `adt_birth@2027-03-01.toml`; "" when it says nothing."""
    return path.stem.partition("@")[2]


def _misplaced(path: PurePosixPath) -> list[tuple[str, str]]:
    folder, wanted = path.parts[0], "; ".join(_PLACES.values())
    if len(path.parts) == 1:
        return [("the file lies in no folder", f"Files lie at {wanted}")]
    if folder not in _PLACES:
        return [(f"there is no folder `{folder}`", f"{nearest(folder, _PLACES)}Files lie at {wanted}")]
    right = PurePosixPath(_PLACES[folder])
    if len(path.parts) != len(right.parts) or path.suffix != right.suffix:
        return [("the file is not read here", f"Its place is {right}")]
    day = version_day(path)
    if folder == "inbound" and "@" in path.stem and not _is_day(day):
        return [(f"`{day}` is not a date", "Write <name>@<yyyy-mm-dd>.toml")]
    return []


def _unexpected(path: PurePosixPath, below: Sequence[Layer]) -> list[tuple[str, str]]:
    """A form, a code table, a letter or a later version may come with an overlay; a message's rules or a list of units
    not: no reader asks for a name of an overlay's own."""
    folder = path.parts[0]
    if not below or folder in ("outbound", "codes", "letters"):
        return []
    if folder == "forms":
        return [("an overlay cannot change the officer's form", "Delete the file")]
    known = {_read_as(PurePosixPath(name)) for layer in below for name in layer.files if name.startswith(f"{folder}/")}
    if _read_as(path) in known:
        return []
    return [("no file below has this name, so nothing asks for it", choose(_read_as(path), sorted(known)))]


def _read_as(path: PurePosixPath) -> str:
    """The name readers ask for: without the date of a version or the mark of an addition (`communes.local.csv`)."""
    mark = "@" if path.parts[0] == "inbound" else "."
    return str(path.with_name(path.stem.partition(mark)[0] + path.suffix))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
