"""The administrator's page, /nguoi-dung: who may come in. Nothing about anybody's birth or death is reachable from
here."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.web.access import SignedInDep, require_role
from gateway.web.accounts import list_users
from gateway.web.site import SiteDep

router = APIRouter()


@router.get("/nguoi-dung")
def show_users(site: SiteDep, session: SignedInDep) -> Response:
    """Every user with role, reach and whether the account is open."""
    require_role(session.principal, "admin")
    with site.services.store.read() as conn:
        users = list_users(conn)
    return site.renderer.page("users.html", session.principal, session.csrf, {"users": users, "now": site.now})
