"""The auditor's page, /nhat-ky: the evidence log by number, or everything about one message or case. No content."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.views.cursor import Page
from gateway.views.entries import EntryLine, list_entries, list_entries_about, list_writers
from gateway.web.access import SignedInDep, require_role
from gateway.web.pages import words
from gateway.web.site import SiteDep

router = APIRouter()


@router.get("/nhat-ky")
def show_log(site: SiteDep, session: SignedInDep, chuoi: str = "", ma: str = "", sau: str | None = None) -> Response:
    """`chuoi` names a chain (the first by default); `ma` an id: then every entry about it, in order of time."""
    require_role(session.principal, "auditor")
    with site.services.store.read() as conn:
        writers = list_writers(conn)
        chain = chuoi or (writers[0][0] if writers else "")
        about = ma.strip()
        page: Page[EntryLine] = Page(list_entries_about(conn, about)) if about else list_entries(conn, chain, sau)
    values = {"writers": writers, "chain": chain, "about": about, "page": page, "w": words}
    return site.renderer.page("log.html", session.principal, session.csrf, values)
