"""The officer's desk, `/`: dossiers of the own communes, the most pressing first. Other roles are led to their own
page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from gateway.domain.registration import NEWS
from gateway.views.desk import OPEN, STATES, DeskLine, count_desk, find_on_desk, list_desk, with_news
from gateway.web.access import CheckedFormDep, SignedInDep, require_role
from gateway.web.pages import words
from gateway.web.pages.declaration import subject_of
from gateway.web.reads import note_read
from gateway.web.rendering import VIETNAM
from gateway.web.sessions import SignedIn
from gateway.web.site import Site, SiteDep

router = APIRouter()
NEWS_TAB = "thay-doi"
"""The list of everything with unanswered news, whatever its state."""
AT_THE_TOP = 25
"""So many dossiers with unanswered news stand above a list; the others are in the tab of their own."""
HOME = {"hospital": "/benh-vien", "auditor": "/nhat-ky", "admin": "/nguoi-dung"}


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One line as shown."""

    line: DeskLine
    subject: str
    left: str
    pressing: str


@router.get("/")
def show_desk(site: SiteDep, session: SignedInDep, trang_thai: str = "", sau: str | None = None) -> Response:
    """The desk; `trang_thai` one state or `thay-doi` (open ones by default), `sau` the cursor of the page before."""
    if session.principal.role in HOME:
        return RedirectResponse(HOME[session.principal.role], 303)
    return _page(site, session, trang_thai, sau, "", "", 200)


@router.post("/tim")
def search(site: SiteDep, session: CheckedFormDep, ma: Annotated[str, Form()] = "") -> Response:
    """Find a dossier by its whole code. Posted, so that what people type never stands in an address."""
    require_role(session.principal, "officer", "auditor")
    code = ma.strip()
    services, who = site.services, session.principal
    with services.store.read() as conn:
        found = find_on_desk(conn, services.vault, who.reach(services.feeds), code)
    if found is not None:
        return RedirectResponse(f"/ho-so/{found.line.code}", 303)
    return _page(site, session, "", None, code, "Không có hồ sơ nào mang mã này trong các xã của bạn.", 404)


def _page(
    site: Site, session: SignedIn, state: str, after: str | None, code: str, not_found: str, status: int
) -> Response:
    services, who = site.services, session.principal
    reach = who.reach(services.feeds)
    chosen = state if state in (*STATES, NEWS_TAB) else ""
    with services.store.read() as conn:
        counts = count_desk(conn, reach)
        page = list_desk(conn, services.vault, reach, _states(chosen), after)
        # What asks for an answer must not hide on a later page, or among the registered.
        above = with_news((chosen,) if chosen else STATES) if after is None and chosen != NEWS_TAB else ()
        news = list_desk(conn, services.vault, reach, above, limit=AT_THE_TOP).rows if above else []
    note_read(site, who, [line.case_id for line in (*news, *page.rows)], "desk")
    today = services.clock.now().astimezone(VIETNAM).date()
    values = {
        "rows": [_row(site, line, today) for line in (*news, *page.rows)],
        "next": page.next,
        "first": after is None,
        "chosen": chosen,
        "counts": counts,
        "open_count": sum(counts[name] for name in OPEN),
        "news_count": sum(counts[name] for name in NEWS if name),
        "news_tab": NEWS_TAB,
        "communes": _communes(site, who.communes),
        "today": today.isoformat(),
        "ma": code,
        "not_found": not_found,
        "w": words,
    }
    return site.renderer.page("desk.html", who, session.csrf, values, status)


def _states(chosen: str) -> tuple[str, ...]:
    if chosen == NEWS_TAB:
        return with_news()
    return (chosen,) if chosen else OPEN


def _row(site: Site, line: DeskLine, today: date) -> DeskRow:
    left, pressing = words.days_left(line.register_by, today)
    over = line.state not in OPEN
    return DeskRow(line, subject_of(site.forms[line.kind], line.fields), "" if over else left, "" if over else pressing)


def _communes(site: Site, codes: frozenset[str] | None) -> str:
    if codes is None:
        return "mọi xã"
    units = site.services.catalogue.units
    return ", ".join(place.name if (place := units.today(code)) else code for code in sorted(codes))
