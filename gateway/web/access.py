"""Who may come in: bearer tokens for machines, sessions for people, form tokens against forged posts."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Form, Request

from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.unknown_senders import Unknown, note_unknown
from gateway.ports.hospital import NOWHERE, Origin
from gateway.web.accounts import find_token
from gateway.web.principal import Principal
from gateway.web.problems import Problem, SignInFirst
from gateway.web.server import ORIGIN
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


@dataclass(frozen=True, slots=True)
class Sender(Principal):
    """Who hands messages in, and where from. With neither token nor certificate (open intake) it speaks for nobody, and
    messages name their sender themselves."""

    origin: Origin = NOWHERE


def sender(request: Request, site: SiteDep) -> Sender:
    """A hospital system handing in messages: a hospital's token, a client certificate that a feed names, or anybody
    where intake is open. Sessions do not count, so no page of another site can hand in messages through a browser."""
    origin = connection_of(request)
    try:
        principal = _bearer(request, site)
        if principal is None and not site.options.open_intake and not site.senders.knows_certificate(origin):
            raise Problem(401, "auth.missing", "send a hospital's bearer token")
        if principal is not None and principal.role != "hospital":
            raise Problem(403, "auth.role", "only hospital tokens hand in messages")
    except Problem as problem:
        _note_stranger(request, site, problem)
        raise
    if principal is None:
        return Sender("", "hospital", "", origin=origin)
    facilities = principal.facilities or frozenset()
    name, role, shown_as, feed = principal.name, principal.role, principal.shown_as, principal.feed
    return Sender(name, role, shown_as, feed=feed, origin=replace(origin, facilities=facilities))


SenderDep = Annotated[Sender, Depends(sender)]


def connection_of(request: Request) -> Origin:
    """Where a request comes from: the address (through a trusted proxy, the one it tells) and the certificate of the
    connection itself. A proxy that ends TLS leaves no certificate."""
    origin: Origin = request.scope.get("extensions", {}).get(ORIGIN, NOWHERE)
    return replace(origin, address=request.client.host if request.client else "")


def _note_stranger(request: Request, site: Site, problem: Problem) -> None:
    """Write down who was turned away, as evidence and for the technician; the body was not read."""
    if site.strangers.wait(time.monotonic()):
        return
    services = site.services
    known = (name for name in services.readers if f"/{name}" in request.url.path)
    stranger = Unknown(connection_of(request).address, "", next(known, ""), problem.code, "token")
    with services.store.write() as conn:
        entry = NewEntry("refused", "http", {"format": stranger.format, "code": problem.code}, None)
        append(conn, services.vault, services.chain, site.now, [entry])
        note_unknown(conn, site.now, [stranger])


def require_role(principal: Principal, *roles: str) -> None:
    """Raise 403 unless the person has one of the roles."""
    if principal.role not in roles:
        raise Problem(403, "auth.role", "the role does not allow this")
