"""Cases that wait for a person: /cho-xu-ly lists them, /cho-xu-ly/{case_id} shows one and takes the decision. The list
also names the cases that stopped on their way to the commune (views.halted); their page is /truong-hop/{case_id}.

Least privilege: a coordinator (an officer of all communes) sees every waiting case and gives it to any commune. An
officer of single communes sees those that may concern the own commune and takes them there, nowhere else, and lets go
on only what is the own commune's already. The auditor looks and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter
from fastapi import Form as FormField
from fastapi.responses import RedirectResponse, Response

from gateway.domain.case import Edit
from gateway.domain.commune import Commune
from gateway.domain.notification import flatten
from gateway.domain.person import Address
from gateway.pipeline.cases import StoredCase, find_case
from gateway.pipeline.desk import choose_commune, complete, release
from gateway.pipeline.services import Services
from gateway.views.cases import find_case_detail
from gateway.views.desk import find_on_desk
from gateway.views.halted import HaltedCase, count_halted, list_halted
from gateway.views.partners import list_resting
from gateway.views.waiting import WaitingCase, WaitingCount, count_waiting, find_waiting, list_waiting
from gateway.web.access import CheckedFormDep, SignedInDep, require_role
from gateway.web.accounts import find_user
from gateway.web.pages import words
from gateway.web.pages.commune_search import Found, search_communes
from gateway.web.pages.deadlines import deadlines_of, while_waiting
from gateway.web.pages.declaration import (
    findings_of,
    labels_of,
    lay_out,
    owed_of,
    subject_of,
    verdicts_of,
)
from gateway.web.pages.duplicates import others_of
from gateway.web.principal import Principal
from gateway.web.problems import Problem
from gateway.web.reads import note_read
from gateway.web.rendering import VIETNAM, inline
from gateway.web.sessions import SignedIn
from gateway.web.site import Site, SiteDep

router = APIRouter(prefix="/cho-xu-ly")
_Text = Annotated[str, FormField()]
_NOT_YOURS = "Bạn chỉ nhận được hồ sơ về xã của mình khi xã đó nằm trong các xã có thể có thẩm quyền."


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One line of the list as shown. `why` are the reasons in a few words each."""

    case: WaitingCase
    subject: str
    why: list[str]
    left: str
    pressing: str


@dataclass(frozen=True, slots=True)
class HaltedRow:
    """One line of the list of cases that stopped, as shown."""

    case: HaltedCase
    subject: str
    place: str
    left: str
    pressing: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on record: `about` is "commune" or a hold's code, `words` say what was decided. `again`: the dossier
    is not made anew with it yet."""

    about: str
    words: str
    edit: Edit
    who: str
    again: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was typed in a form that is shown again: `about` is "commune", a hold's code or the path of a fact; `wrong`
    is field → sentence, "case" for the whole."""

    about: str = ""
    commune: str = ""
    search: str = ""
    why: str = ""
    found: Found | None = None
    wrong: Mapping[str, str] = field(default_factory=dict)
    typed: str = ""


def count_for(services: Services, who: Principal) -> WaitingCount | None:
    """How many cases wait or stopped within the person's reach; None for roles that do not see them."""
    if who.role not in ("officer", "auditor"):
        return None
    with services.store.read() as conn:
        waiting = count_waiting(conn, services.vault, who.reach(services.feeds))
        return replace(waiting, number=waiting.number + count_halted(conn, who.reach(services.feeds)))


@router.get("")
def show_waiting(site: SiteDep, session: SignedInDep, sau: str | None = None, xong: str = "") -> Response:
    """The list; `sau` is the cursor of the page before, `xong` set when the case just asked for waits no more."""
    services, who = site.services, session.principal
    require_role(who, "officer", "auditor")
    with services.store.read() as conn:
        page = list_waiting(conn, services.vault, who.reach(services.feeds), sau)
        halted = list_halted(conn, services.vault, who.reach(services.feeds)) if sau is None else []
        resting = list_resting(conn) if who.communes is None else []
    note_read(site, who, [*(case.case_id for case in halted), *(case.case_id for case in page.rows)], "waiting")
    today = services.clock.now().astimezone(VIETNAM).date()
    values = {
        "rows": [_row(site, case, today) for case in page.rows],
        "next": page.next,
        "first": sau is None,
        "halted": [_halted_row(site, case, today) for case in halted],
        "resting": resting,
        "settled": bool(xong),
        "coordinator": who.communes is None,
        "w": words,
    }
    return site.renderer.page("waiting.html", who, session.csrf, values)


@router.get("/{case_id}")
def show_case(case_id: str, site: SiteDep, session: SignedInDep) -> Response:
    """One case; on to its dossier when it waits no more; 404 when it may not be seen."""
    services, who = site.services, session.principal
    found = _find(site, who, case_id)
    if found is not None:
        return _page(site, session, found)
    reach = who.reach(services.feeds)
    with services.store.read() as conn:
        gone = find_case_detail(conn, services.vault, reach, case_id)
        if gone is None or gone.xml is None:
            raise _unknown()
        on_desk = find_on_desk(conn, services.vault, reach, gone.dossier_code)
    return RedirectResponse(f"/ho-so/{gone.dossier_code}" if on_desk else "/cho-xu-ly?xong=1", 303)


@router.post("/{case_id}/xa")
def settle_commune(
    case_id: str,
    site: SiteDep,
    session: CheckedFormDep,
    version: _Text = "",
    commune: _Text = "",
    search: _Text = "",
    why: _Text = "",
    task: _Text = "",
) -> Response:
    """Give the case to a commune; `task` "search" only looks for one, and keeps what is typed."""
    who = session.principal
    found = _get_to_settle(site, who, case_id)
    matches = search_communes(site.services.catalogue.units.communes(), search) if search.strip() else None
    if task == "search":
        return _page(site, session, found, Attempt("commune", commune, search, why, matches))
    wrong = _refused_commune(who, found, commune)
    if not wrong:
        wrong = choose_commune(site.services, case_id, commune, who.name, why, _number(version))
    if not wrong:
        return RedirectResponse(f"/cho-xu-ly/{case_id}", 303)
    return _page(site, session, found, Attempt("commune", commune, search, why, matches, wrong), 422)


@router.post("/{case_id}/cho-di-tiep")
def let_go_on(
    case_id: str, site: SiteDep, session: CheckedFormDep, version: _Text = "", code: _Text = "", why: _Text = ""
) -> Response:
    """Let a case go on that a finding held back."""
    who = session.principal
    found = _get_to_settle(site, who, case_id)
    if not _may_release(who, found) or code not in found.dossier["holds"]:
        wrong = {"case": "Bạn không được quyết định việc này, hoặc hồ sơ không còn bị giữ vì lý do này."}
    else:
        wrong = release(site.services, case_id, code, who.name, why, _number(version))
    if not wrong:
        return RedirectResponse(f"/cho-xu-ly/{case_id}", 303)
    return _page(site, session, found, Attempt(code, why=why, wrong=wrong), 422)


@router.post("/{case_id}/bo-sung")
def fill_in(
    case_id: str,
    site: SiteDep,
    session: CheckedFormDep,
    version: _Text = "",
    path: _Text = "",
    value: _Text = "",
    why: _Text = "",
) -> Response:
    """Write down a required fact that no message brought."""
    who = session.principal
    found = _get_to_settle(site, who, case_id)
    if not _may_release(who, found) or path not in _facts_missing(site, found).values():
        wrong = {"case": "Bạn không được ghi mục này, hoặc hồ sơ không còn thiếu mục này."}
    else:
        wrong = complete(site.services, case_id, path, value, who.name, why, _number(version))
    if not wrong:
        return RedirectResponse(f"/cho-xu-ly/{case_id}", 303)
    return _page(site, session, found, Attempt(path, typed=value, why=why, wrong=wrong), 422)


# What may be done


def _facts_missing(site: Site, found: WaitingCase) -> dict[str, str]:
    """Required field of the form → the fact of the notification that would fill it."""
    catalogue = site.services.catalogue
    place = catalogue.units.today(found.commune_code) if found.commune_code else None
    rules = catalogue.outbound(found.kind, site.services.clock.now().astimezone(VIETNAM).date(), place)
    sources = {row.field: row.sources[0].path.unit for row in reversed(rules.rows) if row.required and row.sources}
    return {name: sources[name] for name in found.dossier["missing"] if name in sources}


def _find(site: Site, who: Principal, case_id: str) -> WaitingCase | None:
    require_role(who, "officer", "auditor")
    services = site.services
    with services.store.read() as conn:
        return find_waiting(conn, services.vault, who.reach(services.feeds), case_id)


def _get_to_settle(site: Site, who: Principal, case_id: str) -> WaitingCase:
    require_role(who, "officer")
    found = _find(site, who, case_id)
    if found is None:
        raise _unknown()
    return found


def _unknown() -> Problem:
    return Problem(404, "case.unknown", "there is no such waiting case, or it does not concern the own commune")


def _number(version: str) -> int:
    return int(version) if version.isdecimal() else 0


def _refused_commune(who: Principal, found: WaitingCase, code: str) -> dict[str, str]:
    if found.commune_code:
        return {"case": "Xã có thẩm quyền của hồ sơ này đã xác định."}
    if not code:
        return {"commune": "Hãy chọn một xã, phường hoặc đặc khu."}
    if who.communes is not None and code not in who.communes & set(found.candidates):
        return {"commune": _NOT_YOURS}
    return {}


def _may_release(who: Principal, found: WaitingCase) -> bool:
    """A coordinator; an officer only once the case is the own commune's."""
    return who.role == "officer" and (who.communes is None or found.commune_code in who.communes)


# What is shown


def _row(site: Site, case: WaitingCase, today: date) -> WaitingRow:
    left, pressing = words.days_left(case.register_by, today)
    return WaitingRow(case, subject_of(site.forms[case.kind], case.fields), _short_reasons(case), left, pressing)


def _halted_row(site: Site, case: HaltedCase, today: date) -> HaltedRow:
    left, pressing = words.days_left(case.register_by, today)
    place = site.services.catalogue.units.today(case.commune_code)
    subject = subject_of(site.forms[case.kind], case.fields)
    return HaltedRow(case, subject, place.name if place else case.commune_code, left, pressing)


def _short_reasons(case: WaitingCase) -> list[str]:
    commune = [] if case.commune_code else ["Phải chọn xã" if case.candidates else "Chưa rõ xã"]
    missing = ["Thiếu thông tin bắt buộc"] if case.dossier["missing"] else []
    return [*commune, *(words.HOLDS.get(code, code) for code in case.dossier["holds"]), *missing]


def _page(
    site: Site, session: SignedIn, found: WaitingCase, attempt: Attempt | None = None, status: int = 200
) -> Response:
    services, who = site.services, session.principal
    note_read(site, who, [found.case_id], "waiting_case")
    now = services.clock.now()
    today = now.astimezone(VIETNAM).date()
    form = site.forms[found.kind]
    with services.store.read() as conn:
        case = find_case(conn, services.vault, found.case_id)
    left, pressing = words.days_left(found.register_by, today)
    decided = _decided(site, case) if case else []
    attempt = attempt or Attempt()
    values = {
        "case": found,
        "form": form,
        "subject": subject_of(form, found.fields),
        "sections": lay_out(form, found.dossier, services.catalogue, today),
        "labels": labels_of(form),
        "identity": verdicts_of(case.identity) if case else [],
        "owed": owed_of(found.dossier),
        "duplicates": others_of(site, who, found.case_id),
        # Why the commune is unknown stands above, in more words than the findings have.
        "findings": [item for item in findings_of(found.dossier) if not item["code"].startswith("commune.")],
        "written": _written_address(case, found.dossier["commune"]["basis"]) if case else "",
        "deadlines": deadlines_of(found.dossier, found.register_by, services.catalogue, now, while_waiting(found)),
        "left": left,
        "pressing": pressing,
        "decided": decided,
        "again": {one.about for one in decided if one.again},
        "choices": _choices(site, who, found, attempt),
        "facts": _facts_missing(site, found),
        "coordinator": who.communes is None,
        "officer": who.role == "officer",
        "may_release": _may_release(who, found),
        "attempt": attempt,
        "w": words,
    }
    return site.renderer.page("waiting_case.html", who, session.csrf, values, status)


def _choices(site: Site, who: Principal, found: WaitingCase, attempt: Attempt) -> list[Commune]:
    """Communes to choose from: the candidates the person may choose, then what a coordinator's search found, and a
    choice made before is never lost."""
    units = site.services.catalogue.units
    codes = [code for code in found.candidates if who.communes is None or code in who.communes]
    if who.communes is None:
        codes += [place.code for place in attempt.found.places] if attempt.found else []
        codes += [attempt.commune]
    return [place for code in dict.fromkeys(codes) if (place := units.today(code))]


def _written_address(case: StoredCase, basis: str) -> str:
    """The address that was to decide, as the hospital or the population database wrote it; "" without one."""
    address = flatten(case.fold().notification).get(basis)
    if not isinstance(address, Address):
        return ""
    codes = [f"mã {code}" for code in (address.commune_code, address.district_code, address.province_code) if code]
    return ", ".join(filter(None, (address.text, *codes)))


def _decided(site: Site, case: StoredCase) -> list[Decided]:
    """Decisions on record about why the case waits, in the order they were taken."""
    again = case.prepared < case.version
    shown = []
    with site.services.store.read() as conn:
        for path, edit in sorted(case.edits.items(), key=lambda item: item[1].at):
            about = "commune" if path == "commune.code" else path.removeprefix("hold.")
            person = find_user(conn, edit.who)
            # What was written down is shown with its field.
            words_ = "Bổ sung thông tin còn thiếu" if about == path else _words_of(site, about, str(edit.value))
            shown.append(Decided(about, words_, edit, person.shown_as if person else edit.who, again))
    return shown


def _words_of(site: Site, about: str, value: str) -> str:
    if about != "commune":
        return f"Cho đi tiếp: {inline(words.HOLDS.get(about, about))}"
    place = site.services.catalogue.units.today(value)
    return f"Giao cho {place.name}, {place.province}" if place else f"Giao cho xã {value}"
