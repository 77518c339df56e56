"""People and machines that may come in: users with argon2id passwords, bearer tokens.

Passwords are hashed with argon2id at the library's RFC 9106 parameters. An unknown name costs the same work as a wrong
password and gets the same answer, so nobody can list names by timing. Five wrong passwords in a row close the account
for fifteen minutes. Tokens are 256 random bits; only their SHA-256 is stored, so they are shown once.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, insert, select, update

from gateway.errors import GatewayError
from gateway.store.session import Store
from gateway.store.tables import Session, Token, User
from gateway.web.principal import ROLES, Principal, codes

_USER = User.__table__  # type: ignore[attr-defined]
_TOKEN = Token.__table__  # type: ignore[attr-defined]
_SESSION = Session.__table__  # type: ignore[attr-defined]

WRONG_IN_A_ROW = 5
LOCKED_US = 15 * 60 * 1_000_000
SHORTEST_PASSWORD = 12
_HASHER = PasswordHasher()
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$iIPbFKTHViUaimX41vOc6Q$N5QprzhRlh0LHKHtp61OzmkcmJi5KJ1x4XbhjE4RQAg"
"""A hash of a password nobody knows, at the same cost: what an unknown name is checked against."""
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each check takes 64 MiB for some 50 ms; more than two at once would let a flood of sign-ins eat the memory."""


class AccountError(GatewayError):
    """An account cannot be made or changed as asked; the message says why and is safe to show."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user as administrators see it: no password, no personal data beyond the name shown."""

    name: str
    role: str
    shown_as: str
    communes: str
    facilities: str
    disabled: bool
    locked_until: int


def create_user(
    conn: Connection,
    name: str,
    role: str,
    shown_as: str,
    password: str,
    communes: Iterable[str] = (),
    facilities: Iterable[str] = (),
) -> None:
    """Add a user. Raises AccountError for an unknown role, a name in use, or a password shorter than twelve
    characters."""
    _check_role(role)
    if not name or name != name.strip() or len(name) > 64:
        raise AccountError("account.name", "a user name has 1 to 64 characters and no blanks around it")
    if conn.execute(select(_USER.c.name).where(_USER.c.name == name)).first() is not None:
        raise AccountError("account.exists", "there is a user of that name already")
    conn.execute(
        insert(_USER).values(
            name=name,
            role=role,
            shown_as=shown_as or name,
            password=_hash(password),
            communes=" ".join(communes),
            facilities=" ".join(facilities),
            disabled=False,
            failed=0,
            locked_until=0,
        )
    )


def set_password(conn: Connection, name: str, password: str) -> None:
    """Change a password, open a locked account and end its sessions."""
    changed = conn.execute(
        update(_USER).where(_USER.c.name == name).values(password=_hash(password), failed=0, locked_until=0)
    )
    _require_one(changed.rowcount)
    conn.execute(_SESSION.delete().where(_SESSION.c.person == name))


def disable_user(conn: Connection, name: str, disabled: bool = True) -> None:
    """Close (or open again) an account; closing ends its sessions."""
    _require_one(conn.execute(update(_USER).where(_USER.c.name == name).values(disabled=disabled)).rowcount)
    if disabled:
        conn.execute(_SESSION.delete().where(_SESSION.c.person == name))


def list_users(conn: Connection) -> list[Account]:
    """Every user, by name."""
    columns = [_USER.c[name] for name in Account.__slots__]
    return [Account(**row) for row in conn.execute(select(*columns).order_by(_USER.c.name)).mappings()]


def find_user(conn: Connection, name: str) -> Principal | None:
    """The person behind a session; None once disabled."""
    row = conn.execute(select(_USER).where(_USER.c.name == name, _USER.c.disabled.is_(False))).first()
    if row is None:
        return None
    return Principal(row.name, row.role, row.shown_as, codes(row.communes), codes(row.facilities))


def authenticate(store: Store, name: str, password: str, now: int) -> Principal | None:
    """The person, or None for any reason (unknown, wrong, disabled, locked). `now` is microseconds since 1970 UTC."""
    with store.read() as conn:
        row = conn.execute(select(_USER).where(_USER.c.name == name)).first()
    right = _verify(row.password if row else _NOBODY, password)
    if row is None or row.disabled or row.locked_until > now:
        return None
    with store.write() as conn:
        if not right:
            _count_failure(conn, name, now)
            return None
        values: dict[str, object] = {"failed": 0, "locked_until": 0}
        if _HASHER.check_needs_rehash(row.password):
            values["password"] = _HASHER.hash(password)
        conn.execute(update(_USER).where(_USER.c.name == name).values(**values))
        return find_user(conn, name)


def create_token(
    conn: Connection,
    name: str,
    role: str,
    now: int,
    feed: str = "",
    communes: Iterable[str] = (),
    facilities: Iterable[str] = (),
) -> str:
    """Make a bearer token and return it: the only time it can be read. `feed` "" lets messages name their sender."""
    _check_role(role)
    token = f"hotich_{secrets.token_urlsafe(32)}"
    conn.execute(
        insert(_TOKEN).values(
            id=digest(token),
            name=name,
            role=role,
            feed=feed,
            communes=" ".join(communes),
            facilities=" ".join(facilities),
            made_at=now,
            revoked_at=None,
        )
    )
    return token


def revoke_token(conn: Connection, name: str, now: int) -> int:
    """Revoke every token of that name; how many there were."""
    query = update(_TOKEN).where(_TOKEN.c.name == name, _TOKEN.c.revoked_at.is_(None)).values(revoked_at=now)
    return conn.execute(query).rowcount


def find_token(conn: Connection, token: str) -> Principal | None:
    """Who a bearer token speaks for; None when it is unknown or revoked."""
    row = conn.execute(select(_TOKEN).where(_TOKEN.c.id == digest(token), _TOKEN.c.revoked_at.is_(None))).first()
    if row is None:
        return None
    return Principal(f"token:{row.name}", row.role, row.name, codes(row.communes), codes(row.facilities), feed=row.feed)


def digest(secret: str) -> str:
    """What is stored in place of a random secret. It has 256 bits of its own, so no salt and no slow hash are
    needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _count_failure(conn: Connection, name: str, now: int) -> None:
    failed = conn.execute(
        update(_USER).where(_USER.c.name == name).values(failed=_USER.c.failed + 1).returning(_USER.c.failed)
    ).scalar_one()
    if failed >= WRONG_IN_A_ROW:
        conn.execute(update(_USER).where(_USER.c.name == name).values(failed=0, locked_until=now + LOCKED_US))


def _hash(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError("account.password", f"a password has at least {SHORTEST_PASSWORD} characters")
    return _HASHER.hash(password)


def _verify(hashed: str, password: str) -> bool:
    with _AT_ONCE:
        try:
            return _HASHER.verify(hashed, password)
        except VerificationError:
            return False


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise AccountError("account.role", f"a role is one of {', '.join(ROLES)}")


def _require_one(rows: int) -> None:
    if rows != 1:
        raise AccountError("account.unknown", "there is no user of that name")
