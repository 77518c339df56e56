"""Handing over papers, /trao-giay: a day's list to print and tick, and one case: how and when its papers reach the
family, and that they did. For officers of the commune, the hospital of the case, and, to look only, auditors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter
from fastapi import Form as FormField
from fastapi.responses import RedirectResponse, Response

from gateway.domain.form_values import address_of
from gateway.domain.handover import CHOICES, CLOSED, PAPERS, may_mark
from gateway.domain.office import OFFICE_ZONE
from gateway.pipeline.handover import mark_handover, plan_handover
from gateway.pipeline.typesetting import set_pdf
from gateway.views.handovers import (
    HandoverCase,
    HandoverLine,
    find_handover,
    list_day,
    list_left,
    list_unplanned,
)
from gateway.web.access import CheckedFormDep, SignedInDep, require_role
from gateway.web.accounts import find_user
from gateway.web.pages import words
from gateway.web.pages.declaration import subject_of
from gateway.web.principal import Principal
from gateway.web.problems import Problem
from gateway.web.reads import note_read
from gateway.web.sessions import SignedIn
from gateway.web.site import Site, SiteDep

router = APIRouter(prefix="/trao-giay")
UNPLANNED_DAYS = 30
"""So long a registered case without a plan is pointed out; later it is found by its page."""
LETTERS = {"birth": "Thư chúc mừng", "death": "Thư chia buồn"}
_PAPER_NAMES = {"birth": "Giấy khai sinh", "death": "Trích lục khai tử"}
_ADDRESSES = {"birth": ("meNoiCuTru", "chaNoiCuTru"), "death": ("nktNoiCuTru",)}
_Text = Annotated[str, FormField()]


@dataclass(frozen=True, slots=True)
class HandoverRow:
    """One case of a list as shown."""

    line: HandoverLine
    subject: str
    address: str
    papers: tuple[str, ...]
    markable: bool


@router.get("")
def show_list(site: SiteDep, session: SignedInDep, ngay: str = "") -> Response:
    """The list of a day, `ngay` as ISO date (today by default)."""
    return _list_page(site, session, _day(site, ngay), "", 200)


@router.get("/danh-sach.pdf")
def print_list(site: SiteDep, session: SignedInDep, ngay: str = "") -> Response:
    """The same as PDF, to take along."""
    who, on = session.principal, _day(site, ngay)
    require_role(who, "officer", "hospital", "auditor")
    rows = _rows(site, who, _read(site, who, on)[0])
    note_read(site, who, [row.line.case_id for row in rows], "handover")
    data = {
        "heading": f"Danh sách trao giấy tờ ngày {on:%d.%m.%Y}",
        "where": _places(site, who),
        "footer": f"In lúc {site.services.clock.now().astimezone(OFFICE_ZONE):%H:%M %d.%m.%Y}",
        "groups": [{"name": name, "rows": [_printed(row) for row in group]} for name, group in _groups(rows)],
    }
    made = set_pdf("handover", site.services.catalogue.template("handover"), data)
    disposition = f'attachment; filename="trao-giay-{on}.pdf"'
    return Response(made, media_type="application/pdf", headers={"Content-Disposition": disposition})


@router.get("/{case_id}")
def show_case(case_id: str, site: SiteDep, session: SignedInDep) -> Response:
    """One case; 404 when it is another's."""
    return _case_page(site, session, get_handover(site, session.principal, case_id), {}, 200)


@router.post("/{case_id}")
def plan(case_id: str, site: SiteDep, session: CheckedFormDep, cach: _Text = "", ngay: _Text = "") -> Response:
    """Record how and when the papers are to be handed over."""
    found = get_handover(site, session.principal, case_id)
    require_role(session.principal, "officer", "hospital")
    wrong = plan_handover(site.services, case_id, cach, ngay.strip(), session.principal.name)
    if wrong:
        return _case_page(site, session, found, {**wrong, "typed": ngay.strip(), "chosen": cach}, 422)
    return RedirectResponse(f"/trao-giay/{case_id}", 303)


@router.post("/{case_id}/da-trao")
def mark(case_id: str, site: SiteDep, session: CheckedFormDep, xong: _Text = "", ve: _Text = "") -> Response:
    """Record that papers were handed over (`xong` 1), or that this was a slip (0). `ve` is the list's day to go back
    to."""
    found = get_handover(site, session.principal, case_id)
    if not may_mark(session.principal.role, found.line.choice):
        raise Problem(403, "auth.role", "the role does not allow this")
    wrong = mark_handover(site.services, case_id, session.principal.name, done=xong == "1")
    if wrong:
        return _case_page(site, session, found, {"done": wrong}, 422)
    back = _parsed(ve)
    return RedirectResponse(f"/trao-giay?ngay={back}" if back else f"/trao-giay/{case_id}", 303)


def get_handover(site: Site, who: Principal, case_id: str) -> HandoverCase:
    """The case within reach, else 404."""
    require_role(who, "officer", "hospital", "auditor")
    services = site.services
    with services.store.read() as conn:
        found = find_handover(conn, services.vault, who.reach(services.feeds), case_id)
    if found is None:
        raise Problem(404, "case.unknown", "there is no such case, or it is another's")
    return found


def _list_page(site: Site, session: SignedIn, on: date, wrong: str, status: int) -> Response:
    who = session.principal
    require_role(who, "officer", "hospital", "auditor")
    planned, left, unplanned = (_rows(site, who, lines) for lines in _read(site, who, on))
    note_read(site, who, [row.line.case_id for row in (*planned, *left, *unplanned)], "handover")
    values = {
        "on": on.isoformat(),
        "today": _today(site).isoformat(),
        "before": (on - timedelta(1)).isoformat(),
        "after": (on + timedelta(1)).isoformat(),
        "groups": _groups(planned),
        "done": sum(row.line.done_at is not None for row in planned),
        "count": len(planned),
        "left": left,
        "unplanned": unplanned,
        "places": _places(site, who),
        "choices": CHOICES,
        "w": words,
    }
    return site.renderer.page("handover_list.html", who, session.csrf, values, status)


def _case_page(site: Site, session: SignedIn, found: HandoverCase, wrong: dict[str, str], status: int) -> Response:
    who, line = session.principal, found.line
    note_read(site, who, [line.case_id], "handover")
    with site.services.store.read() as conn:
        people = {name: find_user(conn, name) for name in filter(None, (line.who, line.done_by))}
    (row,) = _rows(site, who, [line])
    values = {
        "found": found,
        "line": line,
        "row": row,
        "people": {name: person.shown_as if person else name for name, person in people.items()},
        "choices": CHOICES,
        "letter": LETTERS.get(line.letter, ""),
        "plannable": who.role != "auditor" and found.status not in CLOSED and line.done_at is None,
        "chosen": wrong.get("chosen", line.choice),
        "typed": wrong.get("typed", line.day),
        "wrong": wrong,
        "today": _today(site).isoformat(),
        "w": words,
    }
    return site.renderer.page("handover.html", who, session.csrf, values, status)


def _read(site: Site, who: Principal, on: date) -> tuple[list[HandoverLine], ...]:
    """Planned for the day; and, on today's list, what is left from before and what nobody planned."""
    services, reach = site.services, who.reach(site.services.feeds)
    with services.store.read() as conn:
        planned = list_day(conn, services.vault, reach, on.isoformat())
        if on != _today(site):
            return planned, [], []
        since = site.now - UNPLANNED_DAYS * 86_400_000_000
        left = list_left(conn, services.vault, reach, on.isoformat())
        return planned, left, list_unplanned(conn, services.vault, reach, since)


def _rows(site: Site, who: Principal, lines: Sequence[HandoverLine]) -> list[HandoverRow]:
    units = site.services.catalogue.units
    rows = []
    for line in lines:
        addresses = (address_of(line.fields.get(name), units.today) for name in _ADDRESSES[line.kind])
        paper = _paper_name(site, line)
        papers = (paper, *filter(None, [LETTERS.get(line.letter)]))
        markable = line.registered and may_mark(who.role, line.choice)
        subject = subject_of(site.forms[line.kind], line.fields)
        rows.append(HandoverRow(line, subject, next(filter(None, addresses), ""), papers, markable))
    return rows


def _paper_name(site: Site, line: HandoverLine) -> str:
    """What the law calls the paper on the planned day (code table `labels`)."""
    on = _parsed(line.day) or _today(site)
    try:
        name = site.services.catalogue.table("labels", on).get(PAPERS[line.kind])
    except KeyError:
        name = None
    return name or _PAPER_NAMES[line.kind]


def _groups(rows: Sequence[HandoverRow]) -> list[tuple[str, list[HandoverRow]]]:
    """By way of handover, what is still to do first, then by address: one walk from door to door."""
    groups = []
    for choice, name in CHOICES.items():
        own = [row for row in rows if row.line.choice == choice]
        if own:
            groups.append((name, sorted(own, key=lambda row: (row.line.done_at is not None, row.address, row.subject))))
    return groups


def _printed(row: HandoverRow) -> dict[str, object]:
    kind = words.KINDS[row.line.kind]
    papers = list(row.papers if row.line.registered else [*row.papers, "(chưa đăng ký xong)"])
    done = row.line.done_at is not None
    return {"subject": row.subject, "kind": kind, "address": row.address, "papers": papers, "done": done}


def _places(site: Site, who: Principal) -> str:
    if who.role == "hospital":
        return f"Cơ sở y tế {', '.join(sorted(who.facilities or ())) or '(mọi cơ sở)'}"
    if who.communes is None or who.role != "officer":
        return "Mọi xã"
    units = site.services.catalogue.units
    return ", ".join(place.name if (place := units.today(code)) else code for code in sorted(who.communes))


def _today(site: Site) -> date:
    return site.services.clock.now().astimezone(OFFICE_ZONE).date()


def _day(site: Site, text: str) -> date:
    return _parsed(text) or _today(site)


def _parsed(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
