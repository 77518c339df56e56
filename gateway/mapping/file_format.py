"""What may stand in a TOML mapping file, told once: the loader checks by it, the JSON Schemas are made of it.

A `Key` is a key of a file or of one of its tables; its `Shape` says what the value may be, in words for people, as a
test for the loader and as JSON Schema (draft 2020-12) for editors. TOML dates reach a schema as text.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

_LARGEST = 2**53 - 1  # what every JSON reader takes exactly


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value may be. `words` completes the sentence "`key` must be …"."""

    words: str
    holds: Callable[[Any], bool]
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `needs` names a key that must stand beside it."""

    name: str
    shape: Shape
    help: str
    required: bool = False
    needs: str = ""


Keys = Sequence[Key]
Say = Callable[[str, str, str], None]
"""Reports a mistake: the key it is about ("" for none), the problem, the remedy."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value)) and len(set(value)) == len(value)


def _is_constant(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(isinstance(part, str) for part in value.values())
    return isinstance(value, bool | str) or isinstance(value, int) and abs(value) <= _LARGEST


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


_FILLED: Mapping[str, Any] = {"type": "string", "pattern": r"\S"}
_LIST: Mapping[str, Any] = {"type": "array", "items": _FILLED, "minItems": 1, "uniqueItems": True}

ANY_TEXT = Shape("text", lambda value: isinstance(value, str), {"type": "string"})
TEXT = Shape("text that is not empty", _is_text, _FILLED)
TEXTS = Shape("a list of different texts, at least one", _are_texts, _LIST)
PATHS = Shape(
    "text or a list of different texts, none empty",
    lambda value: _is_text(value) or _are_texts(value),
    {"anyOf": [_FILLED, _LIST]},
)
FLAG = Shape("true or false", lambda value: isinstance(value, bool), {"type": "boolean"})
DAY = Shape(
    "a date (yyyy-mm-dd, no quotes)",
    lambda value: type(value) is date,
    {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
)
CONSTANT = Shape(
    "text, a whole number, true, false or a table of texts",
    _is_constant,
    {
        "anyOf": [
            {"type": "string"},
            {"type": "integer", "minimum": -_LARGEST, "maximum": _LARGEST},
            {"type": "boolean"},
            {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
        ]
    },
)


def one_of(names: Iterable[str]) -> Shape:
    """A text out of a closed list."""
    known = tuple(names)
    return Shape(f"one of {', '.join(known)}", lambda value: isinstance(value, str) and value in known, _enum(known))


def rows_of(keys: Keys) -> Shape:
    """Tables in brackets, at least one; `keys` are theirs."""
    return Shape("rows in double brackets, at least one", _is_rows, _rows_schema(keys))


def _enum(names: Sequence[str]) -> Mapping[str, Any]:
    return {"type": "string", "enum": list(names)}


def _rows_schema(keys: Keys) -> Mapping[str, Any]:
    return {"type": "array", "minItems": 1, "items": table_schema(keys)}


def table_schema(keys: Keys) -> dict[str, Any]:
    """JSON Schema of a table with exactly these keys."""
    needs = {key.name: [key.needs] for key in keys if key.needs}
    return {
        "type": "object",
        "properties": {key.name: {"description": key.help, **key.shape.schema} for key in keys},
        "required": [key.name for key in keys if key.required],
        "additionalProperties": False,
        **({"dependentRequired": needs} if needs else {}),
    }


def check_keys(told: Mapping[str, Any], keys: Keys, say: Say) -> dict[str, Any]:
    """The part of a table that is as it should be; everything else is said."""
    known = {key.name: key for key in keys}
    good = {}
    for name, value in told.items():
        key = known.get(name)
        if key is None:
            say(name, f"unknown key `{name}`", f"{nearest(name, known)}Known keys are {', '.join(known)}")
        elif not key.shape.holds(value):
            say(name, f"`{name}` must be {key.shape.words}", f"{_near_value(value, key)}{_sentence(key.help)}")
        else:
            good[name] = value
    for key in keys:
        if key.required and key.name not in told:
            say("", f"`{key.name}` is missing", f"Add it: {key.help}")
        if key.needs and key.name in told and key.needs not in told:
            say(key.name, f"`{key.name}` without `{key.needs}`", f"Add `{key.needs}` or delete `{key.name}`")
    return good


def _sentence(help: str) -> str:
    return help[:1].upper() + help[1:]


def _near_value(value: Any, key: Key) -> str:
    return nearest(value, key.shape.schema.get("enum", ())) if isinstance(value, str) else ""


def choose(name: str, known: Iterable[str]) -> str:
    """A remedy for a name that is not known: the one that is much like it, else all."""
    names = list(known)
    return nearest(name, names).strip() or f"Use one of {', '.join(names)}"


def nearest(name: str, known: Iterable[str]) -> str:
    """ "Did you mean `x`? " when a known name is much like `name`, else ""."""
    close = difflib.get_close_matches(name[:200], list(known), 1)
    return f"Did you mean `{close[0]}`? " if close else ""
