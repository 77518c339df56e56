"""Bytes of a mapping file as text and as TOML; tells in which line a key stands, because tomllib does not."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import Mistake

_LONGEST = 2000
"""Of lines, in characters: a key of thousands of dots takes tomllib more memory than there is."""
_TABLE = re.compile(r"\s*\[\[?\s*([\w.\s\"'-]+?)\s*\]\]?\s*(?:#|$)")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*[=.]")
_LONG = re.compile(r'"""(?:\\.|.)*?"""|\'\'\'.*?\'\'\'', re.DOTALL)


def decode(shown: str, raw: bytes, mistakes: list[Mistake]) -> str | None:
    """UTF-8 with or without a byte order mark; None after saying which line is not."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = f"byte {raw[error.start] if error.start < len(raw) else 0:#04x} is not UTF-8"
        mistakes.append(Mistake(shown, line, "file", problem, "Save the file as UTF-8"))
        return None


@dataclass(frozen=True, slots=True)
class TomlText:
    """A parsed file and its lines. `tables` has (name, first line, line after the last) of every `[[name]]` or
    `[name]`; the header is the first, under ""."""

    told: dict[str, Any]
    lines: tuple[str, ...]
    tables: tuple[tuple[str, int, int], ...]

    def line_of(self, name: str = "", place: int = 0, key: str = "", text: str = "") -> int:
        """1-based line of `key` in the `place`-th table of a name, there of `text` if it is found; else of the table,
        else 1."""
        alike = [table for table in self.tables if table[0] == name]
        if place >= len(alike):
            return 1
        _, start, after = alike[place]
        for number in range(start, after):
            found = _KEY.match(self.lines[number])
            if key and found and found[1] == key:
                return next((at for at in range(number, after) if text and text in self.lines[at]), number) + 1
        return start + 1


def read_toml(shown: str, raw: bytes, mistakes: list[Mistake]) -> TomlText | None:
    """A file as TOML; None after saying what is wrong with it."""
    text = decode(shown, raw, mistakes)
    if text is None:
        return None
    if not text.strip():
        mistakes.append(Mistake(shown, 1, "file", "the file is empty", "Write the header and rows, or delete the file"))
        return None
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _LONGEST:
            problem = f"the line is longer than {_LONGEST} characters"
            mistakes.append(Mistake(shown, number, "file", problem, "Break it into several lines"))
            return None
    try:
        told = tomllib.loads(text)
    except ValueError as error:  # also a number of thousands of digits
        mistakes.append(Mistake(shown, _line_in(str(error), text), "file", f"not TOML: {error}", "Correct the syntax"))
    except RecursionError:
        mistakes.append(Mistake(shown, 1, "file", "brackets are nested too deep", "Correct the syntax"))
    else:
        return TomlText(told, *_tables(text))
    return None


def _line_in(error: str, text: str) -> int:
    found = re.search(r"at line (\d+)", error)
    if found:
        return int(found[1])
    return text.rstrip().count("\n") + 1 if "end of document" in error else 1


def _tables(text: str) -> tuple[tuple[str, ...], tuple[tuple[str, int, int], ...]]:
    """Lines, and where tables start; the inside of long texts is no line of its own."""
    lines = tuple(_LONG.sub(lambda long: "\n" * long[0].count("\n"), text).split("\n"))
    starts = [(found[1], number) for number, line in enumerate(lines) if (found := _TABLE.match(line))]
    named = [("", 0), *((re.sub(r"[\s\"']", "", name), number) for name, number in starts)]
    ends = [number for _, number in named[1:]] + [len(lines)]
    return lines, tuple((name, start, end) for (name, start), end in zip(named, ends, strict=True))


def header_lines(opened: TomlText) -> Mapping[str, int]:
    """Key of the header → its line."""
    return {key: opened.line_of(key=key) for key in opened.told}
