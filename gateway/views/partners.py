"""Commune systems that rest (pipeline.partners)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.store.session import execute

_ALL = "SELECT name, code, words, since, probe_at FROM partner ORDER BY name"


@dataclass(frozen=True, slots=True)
class Resting:
    """A system that rests: why, since when and when it is tried again (microseconds). Without personal data."""

    name: str
    code: str
    words: str
    since: int
    probe_at: int


def list_resting(conn: Connection) -> list[Resting]:
    """Every system that rests."""
    return [Resting(*row) for row in execute(conn, _ALL).fetchall()]
