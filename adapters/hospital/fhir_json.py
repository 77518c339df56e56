"""FHIR JSON (FHIR R4 section 2.6.2): strict where a lenient reader would read another message than was meant.

RFC 8259 leaves open what a name that occurs twice in an object means, and most parsers silently take the last:
`deceasedBoolean` could then be true for one reader and false for the next. FHIR forbids it, and so it is refused here.
Depth is limited, numbers beyond a double and NaN are no JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from gateway.errors import UnreadableMessage

MAX_DEPTH = 64
_MARK = b"\xef\xbb\xbf"
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?', re.DOTALL)
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")


def read_json(raw: bytes) -> Any:
    """The value in `raw`; a byte order mark is skipped. Raises UnreadableMessage `fhir.not_json` (where: the offset),
    `fhir.too_deep` or `fhir.duplicate_name` (where: the name)."""
    text = raw.removeprefix(_MARK)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UnreadableMessage("fhir.not_json", _place_of(error, raw), "not valid JSON in UTF-8") from None
    names = _count_names(value)
    if names != sum(map(bool, _STRINGS.findall(text))):
        name = _find_duplicate(text)
        raise UnreadableMessage("fhir.duplicate_name", name, "an object has two members of one name", "102")
    return value


def _place_of(error: orjson.JSONDecodeError, raw: bytes) -> str:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as undecodable:
        return f"offset {undecodable.start}"
    return f"offset {error.pos}"


def _count_names(root: Any) -> int:
    """How many members all objects have together. Raises UnreadableMessage when nested too deep."""
    level, depth, names = [root], 0, 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadableMessage("fhir.too_deep", f"depth {MAX_DEPTH}", f"nested deeper than {MAX_DEPTH} levels")
        below = []
        for item in level:
            if isinstance(item, dict):
                names += len(item)
                below += [inner for inner in item.values() if isinstance(inner, dict | list)]
            elif isinstance(item, list):
                below += [inner for inner in item if isinstance(inner, dict | list)]
        level = below
    return names


def _find_duplicate(text: bytes) -> str:
    """The first name that occurs twice, when it looks like an element's name: anything else might be data."""
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        found.extend(name for name in names if names.count(name) > 1)

    json.loads(text, object_pairs_hook=look)
    return next((name for name in found if _NAME.fullmatch(name)), "")
