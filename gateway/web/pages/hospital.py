"""The hospital's page, /benh-vien: the own facility's messages and what became of its cases. Ids and states, no
names."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.views.cases import list_cases
from gateway.views.messages import list_messages
from gateway.web.access import SignedInDep, require_role
from gateway.web.pages import words
from gateway.web.site import SiteDep

router = APIRouter()


@router.get("/benh-vien")
def show_hospital(
    site: SiteDep, session: SignedInDep, sau: str | None = None, thong_diep_sau: str | None = None
) -> Response:
    """Cases (`sau` pages them) and messages (`thong_diep_sau` pages them) of the own facilities."""
    require_role(session.principal, "hospital")
    reach = session.principal.reach(site.services.feeds)
    with site.services.store.read() as conn:
        cases = list_cases(conn, reach, sau, 25)
        messages = list_messages(conn, reach, thong_diep_sau, 25)
    units = site.services.catalogue.units
    places = {line.commune_code: units.today(line.commune_code) for line in cases.rows if line.commune_code}
    values = {"cases": cases, "messages": messages, "places": places, "w": words}
    return site.renderer.page("hospital.html", session.principal, session.csrf, values)
