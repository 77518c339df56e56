"""Letters and registration papers for people: the PDFs of a case, and /thu: whether every registered case of the own
communes has its letter, in time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.domain.office import OFFICE_ZONE
from gateway.pipeline.letter_wording import review_letters
from gateway.views.letters import list_letters
from gateway.web.access import SignedInDep, require_role
from gateway.web.pages import words
from gateway.web.pages.handover import get_handover
from gateway.web.problems import Problem
from gateway.web.reads import note_read
from gateway.web.site import SiteDep

router = APIRouter()
PERIOD_DAYS = 30


@router.get("/thu")
def show_letters(site: SiteDep, session: SignedInDep, tu: str = "", den: str = "") -> Response:
    """Registered cases from day `tu` to day `den` (ISO dates, both included; the last thirty days by default): those
    without a letter, those whose letter came late, and how many are in order. Ids only."""
    who = session.principal
    require_role(who, "officer", "auditor")
    services = site.services
    today = services.clock.now().astimezone(OFFICE_ZONE).date()
    last = _parsed(den) or today
    first = min(_parsed(tu) or last - timedelta(PERIOD_DAYS), last)
    with services.store.read() as conn:
        lines = list_letters(conn, who.reach(services.feeds), _start(first), _start(last + timedelta(1)))
    review = review_letters(services.catalogue, lines, site.now, today)
    places = {line.commune_code: services.catalogue.units.today(line.commune_code) for line in lines}
    values = {"review": review, "first": first.isoformat(), "last": last.isoformat(), "places": places, "now": site.now}
    return site.renderer.page("letters.html", who, session.csrf, {**values, "w": words})


@router.get("/trao-giay/{case_id}/thu.pdf")
def download_letter(case_id: str, site: SiteDep, session: SignedInDep) -> Response:
    """The letter of a case."""
    found = get_handover(site, session.principal, case_id)
    note_read(site, session.principal, [case_id], "download")
    return pdf_answer(found.pdf, f"thu-{case_id}.pdf", "case.no_letter")


@router.get("/trao-giay/{case_id}/giay-dang-ky.pdf")
def download_paper(case_id: str, site: SiteDep, session: SignedInDep) -> Response:
    """The registration's paper as the commune's system sent it."""
    found = get_handover(site, session.principal, case_id)
    note_read(site, session.principal, [case_id], "download")
    return pdf_answer(found.paper, f"dang-ky-{case_id}.pdf", "case.no_paper")


def pdf_answer(content: bytes, name: str, code: str) -> Response:
    """A PDF to be saved; 404 with `code` when there is none. What a partner sent is called a PDF only if it is one."""
    if not content:
        raise Problem(404, code, "the case has no such document")
    kind = "application/pdf" if content.startswith(b"%PDF-") else "application/octet-stream"
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _start(day: date) -> int:
    """Midnight at the office, in microseconds since 1970 UTC."""
    at = datetime.combine(day, time(), OFFICE_ZONE).astimezone(UTC)
    return int(at.timestamp()) * 1_000_000


def _parsed(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
