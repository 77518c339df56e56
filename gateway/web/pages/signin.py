"""Signing in and out: /dang-nhap, /dang-xuat.

The sign-in form cannot carry a session's token, as there is no session yet. It carries a random value that also lies
in a short-lived cookie (double submit): another site can neither read nor set it. Signing in always makes a new
session.
"""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from gateway.messagelog.chain import NewEntry, append
from gateway.web.access import CheckedFormDep, cookie_name
from gateway.web.accounts import authenticate
from gateway.web.sessions import close_session, open_session
from gateway.web.site import Site, SiteDep

router = APIRouter()
_FORM_COOKIE = "hotich_form"
_WRONG = "Tên đăng nhập hoặc mật khẩu không đúng, hoặc tài khoản đang bị khóa."
_AGAIN = "Trang đăng nhập đã hết hạn. Xin đăng nhập lại."


@router.get("/dang-nhap")
def sign_in_page(site: SiteDep, tiep: str = "/") -> Response:
    """The form. `tiep` is the page to go on to."""
    return _page(site, "", _inside(tiep), "", 200)


@router.post("/dang-nhap")
def sign_in(
    request: Request,
    site: SiteDep,
    ten: Annotated[str, Form()] = "",
    mat_khau: Annotated[str, Form()] = "",
    tiep: Annotated[str, Form()] = "/",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Check the password; on success a fresh session, whatever cookie the browser brought."""
    cookie = request.cookies.get(_FORM_COOKIE, "")
    if not cookie or not secrets.compare_digest(cookie.encode(), csrf.encode()):
        return _page(site, ten, _inside(tiep), _AGAIN, 403)
    services, now = site.services, site.now
    person = authenticate(services.store, ten.strip(), mat_khau, now)
    if person is None:
        return _page(site, ten, _inside(tiep), _WRONG, 401)
    with services.store.write() as conn:
        session = open_session(conn, person.name, now, site.options.session_hours)
        entry = NewEntry("signed_in", person.name, {"role": person.role})
        append(conn, services.vault, services.chain, now, [entry])
    response = RedirectResponse(_inside(tiep), 303)
    seconds = int(site.options.session_hours * 3600)
    response.set_cookie(
        cookie_name(site), session, seconds, httponly=True, secure=site.options.secure_cookies, samesite="lax"
    )
    response.delete_cookie(_FORM_COOKIE, path="/dang-nhap")
    return response


@router.post("/dang-xuat")
def sign_out(request: Request, site: SiteDep, session: CheckedFormDep) -> Response:
    """End the session on the server, not only in the browser."""
    with site.services.store.write() as conn:
        close_session(conn, request.cookies.get(cookie_name(site), ""))
    response = RedirectResponse("/dang-nhap", 303)
    response.delete_cookie(cookie_name(site), secure=site.options.secure_cookies, httponly=True, samesite="lax")
    return response


def _page(site: Site, name: str, onward: str, error: str, status: int) -> Response:
    token = secrets.token_urlsafe(32)
    values = {"ten": name, "tiep": onward, "error": error}
    response = site.renderer.page("signin.html", None, token, values, status)
    response.set_cookie(
        _FORM_COOKIE,
        token,
        3600,
        path="/dang-nhap",
        httponly=True,
        secure=site.options.secure_cookies,
        samesite="strict",
    )
    return response


def _inside(path: str) -> str:
    """Only a path of this site: "//elsewhere" and "/\\elsewhere" lead browsers away."""
    return path if path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() else "/"
