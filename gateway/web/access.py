"""Who may come in: bearer tokens for machines, sessions for people, form tokens against forged posts."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends, Form, Request

from gateway.web.accounts import find_token
from gateway.web.principal import Principal
from gateway.web.problems import Problem, SignInFirst
from gateway.web.sessions import SignedIn, find_session, is_stale, touch
from gateway.web.site import Site, SiteDep


def cookie_name(site: Site) -> str:
    """With HTTPS the name binds the cookie to this host and to secure transport (RFC 6265bis, section 4.1.3.2)."""
    return "__Host-hotich" if site.options.secure_cookies else "hotich"


def _bearer(request: Request, site: Site) -> Principal | None:
    """The token's principal, None without an Authorization header. A token that is not ours is refused, never
    ignored."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer" and token:
        with site.services.store.read() as conn:
            principal = find_token(conn, token.strip())
        if principal is not None:
            return principal
    raise Problem(401, "auth.token", "the bearer token is unknown or revoked")


def find_signed_in(request: Request, site: SiteDep) -> SignedIn | None:
    """The session of the request's cookie, or None."""
    cookie = request.cookies.get(cookie_name(site))
    if not cookie:
        return None
    store, now = site.services.store, site.now
    with store.read() as conn:
        session = find_session(conn, cookie, now, site.options.session_hours)
    if session is not None and is_stale(session, now):
        with store.write() as conn:
            touch(conn, session, now)
    return session


def signed_in(session: Annotated[SignedIn | None, Depends(find_signed_in)]) -> SignedIn:
    """The session; nobody signed in is led to the sign-in page."""
    if session is None:
        raise SignInFirst
    return session


SignedInDep = Annotated[SignedIn, Depends(signed_in)]


def checked_form(session: SignedInDep, csrf: Annotated[str, Form()] = "") -> SignedIn:
    """The session of a posted form whose hidden token is the session's own."""
    if not secrets.compare_digest(csrf.encode(), session.csrf.encode()):
        raise Problem(403, "auth.form", "the form was not made by this session")
    return session


CheckedFormDep = Annotated[SignedIn, Depends(checked_form)]


def api_principal(request: Request, site: SiteDep) -> Principal:
    """Whoever reads the API: a token, or a signed-in person."""
    principal = _bearer(request, site)
    if principal is None:
        session = find_signed_in(request, site)
        principal = session.principal if session else None
    if principal is None:
        raise Problem(401, "auth.missing", "send a bearer token or sign in")
    return principal


ApiPrincipalDep = Annotated[Principal, Depends(api_principal)]


def person_reader(principal: ApiPrincipalDep) -> Principal:
    """A reader whose role may see persons' data."""
    if not principal.sees_persons:
        raise Problem(403, "auth.role", "administrators do not see cases")
    return principal


PersonReaderDep = Annotated[Principal, Depends(person_reader)]


def sender(request: Request, site: SiteDep) -> Principal | None:
    """A hospital system handing in messages: a hospital's token, or nobody where intake is open. Sessions do not count,
    so no page of another site can hand in messages through a browser."""
    principal = _bearer(request, site)
    if principal is None and not site.options.open_intake:
        raise Problem(401, "auth.missing", "send a hospital's bearer token")
    if principal is not None and principal.role != "hospital":
        raise Problem(403, "auth.role", "only hospital tokens hand in messages")
    return principal


SenderDep = Annotated[Principal | None, Depends(sender)]


def require_role(principal: Principal, *roles: str) -> None:
    """Raise 403 unless the person has one of the roles."""
    if principal.role not in roles:
        raise Problem(403, "auth.role", "the role does not allow this")
