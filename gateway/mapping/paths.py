"""Paths into the typed middle, and the types a mapping row's target wants.

Outbound rows read `<section>.<field>` of the notification (`mother.address`), one part of a name or an address in it
(`mother.address.province_code`), and what the gateway adds: `commune.*`, `computed.*`, `identity.*`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gateway.domain.notification import FIELDS
from gateway.domain.person import Address

ADDED = ("commune.", "computed.", "identity.")
"""Sections of the outbound view that no message supplies."""

_DOTTED = re.compile(r"[a-z][a-z_0-9]*\.[a-z][a-z_0-9]*(\.[a-z][a-z_0-9]*)?")


@dataclass(frozen=True, slots=True)
class ViewPath:
    """`unit` is the two-part path, `leaf` an attribute of the value there."""

    unit: str
    leaf: str | None

    def select(self, view: Mapping[str, Any]) -> Any:
        """The value, or None when there is none."""
        value = view.get(self.unit)
        return value if value is None or self.leaf is None else getattr(value, self.leaf)


def compile_view_path(kind: str, text: str) -> ViewPath:
    """ValueError with the reason when the path is not one, or is no field of this kind of notification. A kind that is
    not a notification's own has whatever fields its view holds."""
    if not _DOTTED.fullmatch(text):
        raise ValueError("write section.field or section.field.part, in small letters")
    known = FIELDS.get(kind)
    if known is not None and text not in known and not text.startswith(ADDED):
        raise ValueError(f"no such field of a {kind}")
    parts = text.split(".")
    return ViewPath(".".join(parts[:2]), parts[2] if len(parts) > 2 else None)


def compile_place(kind: str, text: str) -> ViewPath:
    """As `compile_view_path`, for a path that must be a whole address of a notification."""
    path = compile_view_path(kind, text)
    known = FIELDS.get(kind)
    if known is not None and known.get(text) is not Address:
        raise ValueError(f"no address of a {kind}")
    return path


def held_at(kind: str, text: str) -> type | None:
    """The type of what a path of a notification holds; None when it is none of its fields."""
    held: type | None = FIELDS.get(kind, {}).get(text)
    return held


def convert(wanted: type, value: Any) -> Any:
    """A constant or a code table's value as the type a target wants. ValueError when it cannot be."""
    if type(value) is wanted:
        return value
    if isinstance(value, str):
        if issubclass(wanted, Enum):
            return wanted(value)
        if wanted is bool and value in ("true", "false"):
            return value == "true"
        if wanted is int:
            return int(value)
    raise ValueError(f"not {wanted.__name__}")


def fits(wanted: type, value: Any) -> bool:
    """Whether `convert` would succeed."""
    try:
        convert(wanted, value)
    except ValueError:
        return False
    return True
