"""GET /api/cases/{id}/letter.pdf and /paper.pdf: what a family gets, for the systems of commune and hospital."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.views.handovers import HandoverCase, find_handover
from gateway.web.access import PersonReaderDep
from gateway.web.pages.letters import pdf_answer
from gateway.web.principal import Principal
from gateway.web.problems import Problem
from gateway.web.reads import note_read
from gateway.web.site import Site, SiteDep

router = APIRouter(prefix="/api", tags=["reading"])


@router.get("/cases/{case_id}/letter.pdf", response_class=Response)
def read_letter(case_id: str, site: SiteDep, who: PersonReaderDep) -> Response:
    """The thư chúc mừng or thư chia buồn of a registered case."""
    return pdf_answer(_get(site, who, case_id).pdf, f"letter-{case_id}.pdf", "case.no_letter")


@router.get("/cases/{case_id}/paper.pdf", response_class=Response)
def read_paper(case_id: str, site: SiteDep, who: PersonReaderDep) -> Response:
    """The registration's paper as the commune's system sent it."""
    return pdf_answer(_get(site, who, case_id).paper, f"paper-{case_id}.pdf", "case.no_paper")


def _get(site: Site, who: Principal, case_id: str) -> HandoverCase:
    services = site.services
    with services.store.read() as conn:
        found = find_handover(conn, services.vault, who.reach(services.feeds), case_id)
    if found is None:
        raise Problem(404, "case.unknown", "there is no such case, or it is another's")
    note_read(site, who, [case_id], "download")
    return found
