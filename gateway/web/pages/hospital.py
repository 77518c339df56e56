"""The hospital's page, /benh-vien: the own facility's messages and what became of its cases. Ids and states, no
names."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.domain.finding import FINDINGS
from gateway.views.cases import list_cases
from gateway.views.drop_folders import look_at
from gateway.views.feed_report import report_feed
from gateway.views.messages import list_messages
from gateway.web.access import SignedInDep, require_role
from gateway.web.pages import words
from gateway.web.site import SiteDep

router = APIRouter()
_LOOKED_AT = 200
"""So many of a feed's newest messages are looked into for what nobody reads: the page costs the same every year."""


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
        feeds = sorted(reach.feeds or ())
        reports = [report_feed(conn, site.services.vault, feed, newest=_LOOKED_AT) for feed in feeds]
    units = site.services.catalogue.units
    places = {line.commune_code: units.today(line.commune_code) for line in cases.rows if line.commune_code}
    values = {
        "cases": cases,
        "messages": messages,
        "places": places,
        "reports": reports,
        "folders": [(name, look_at(Path(feed.folder))) for name in feeds if (feed := site.services.feed(name)).folder],
        "findings": FINDINGS,
        "w": words,
    }
    return site.renderer.page("hospital.html", session.principal, session.csrf, values)
