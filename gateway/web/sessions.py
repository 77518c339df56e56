"""Signed-in browsers. The cookie is 256 random bits; the server keeps its SHA-256, the person and a form token.

A session ends after `session_hours` since sign-in, after an hour without a page, at sign-out, or when the account is
closed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, or_, select, update

from gateway.store.tables import Session
from gateway.web.accounts import digest, find_user
from gateway.web.principal import Principal

_SESSION = Session.__table__  # type: ignore[attr-defined]
IDLE_US = 60 * 60 * 1_000_000
_SEEN_EVERY_US = 60 * 1_000_000  # do not write on every page


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with its person; `csrf` is what every form must send back."""

    id: str
    principal: Principal
    csrf: str
    seen_at: int


def open_session(conn: Connection, person: str, now: int, hours: float) -> str:
    """Make a session and return the cookie's value. Sweeps sessions that have ended, so the table stays small."""
    ended = or_(_SESSION.c.made_at < now - _lifetime(hours), _SESSION.c.seen_at < now - IDLE_US)
    conn.execute(delete(_SESSION).where(ended))
    cookie = secrets.token_urlsafe(32)
    conn.execute(
        insert(_SESSION).values(
            id=digest(cookie), person=person, csrf=secrets.token_urlsafe(32), made_at=now, seen_at=now
        )
    )
    return cookie


def find_session(conn: Connection, cookie: str, now: int, hours: float) -> SignedIn | None:
    """The session of a cookie; None when it is unknown or over, or its person may no longer come in."""
    row = conn.execute(
        select(_SESSION).where(
            _SESSION.c.id == digest(cookie),
            _SESSION.c.made_at >= now - _lifetime(hours),
            _SESSION.c.seen_at >= now - IDLE_US,
        )
    ).first()
    principal = find_user(conn, row.person) if row else None
    return SignedIn(row.id, principal, row.csrf, row.seen_at) if row and principal else None


def is_stale(session: SignedIn, now: int) -> bool:
    """Whether `touch` is due."""
    return session.seen_at < now - _SEEN_EVERY_US


def touch(conn: Connection, session: SignedIn, now: int) -> None:
    """Note that the person is still there."""
    conn.execute(update(_SESSION).where(_SESSION.c.id == session.id).values(seen_at=now))


def close_session(conn: Connection, cookie: str) -> None:
    """Sign out."""
    conn.execute(delete(_SESSION).where(_SESSION.c.id == digest(cookie)))


def _lifetime(hours: float) -> int:
    return int(hours * 3600 * 1_000_000)
