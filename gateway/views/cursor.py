"""Opaque cursors: where the last page ended, as base64url JSON. A cursor names a place, never a permission: scope is
applied anew on every page, so a forged cursor shows nothing its bearer may not see."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from gateway.errors import GatewayError

Row = TypeVar("Row")


class BadCursor(GatewayError):
    """The cursor was not made by us."""

    def __init__(self) -> None:
        super().__init__("page.bad_cursor", "the cursor is not one this service gave out")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page; `next` is the cursor of the following one, or None at the end."""

    rows: list[Row]
    next: str | None = None


def encode(*place: str | int) -> str:
    """A place (the sort key's values) as a cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def decode(cursor: str | None, *types: type) -> tuple[str | int, ...] | None:
    """The place, None for no cursor. Raises BadCursor when it does not hold exactly values of `types`."""
    if not cursor:
        return None
    try:
        place = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error
    if not isinstance(place, list) or [type(value) for value in place] != list(types):
        raise BadCursor
    return tuple(place)
