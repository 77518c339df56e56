"""One dossier, /ho-so/{code}: what the tờ khai says, where each value came from, and what the officer decides about
it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi import Form as FormField
from fastapi.responses import RedirectResponse, Response

from gateway.domain.handover import CHOICES, CLOSED
from gateway.domain.registration import RESULT_FIELDS, WITHDRAWING, actions_of
from gateway.pipeline.cases import StoredCase, find_case
from gateway.pipeline.desk import decide
from gateway.pipeline.merging import MERGED_INTO
from gateway.views.desk import DeskDossier, find_on_desk
from gateway.views.handovers import HandoverCase, find_handover
from gateway.web.access import CheckedFormDep, SignedInDep, require_role
from gateway.web.accounts import find_user
from gateway.web.pages import words
from gateway.web.pages.deadlines import Happened, deadlines_of, on_the_desk
from gateway.web.pages.declaration import (
    corrections_shown,
    findings_of,
    labels_of,
    lay_out,
    owed_of,
    reasons_of,
    subject_of,
    verdicts_of,
)
from gateway.web.pages.duplicates import others_of
from gateway.web.principal import Principal
from gateway.web.problems import Problem
from gateway.web.reads import note_read
from gateway.web.rendering import VIETNAM
from gateway.web.sessions import SignedIn
from gateway.web.site import Site, SiteDep

router = APIRouter(prefix="/ho-so/{code}")
_Text = Annotated[str, FormField()]


@router.get("")
def show_dossier(code: str, site: SiteDep, session: SignedInDep) -> Response:
    """The dossier; 404 when it is another commune's."""
    return _page(site, session, _get(site, session.principal, code))


@router.get("/dossier.xml")
def download(code: str, site: SiteDep, session: SignedInDep, ban: int | None = None) -> Response:
    """The signed XML as it came: the newest, or version `ban`."""
    found = _get(site, session.principal, code)
    version = found.line.version if ban is None else ban
    xml = found.xml if version == found.line.version else found.versions.get(version)
    if xml is None:
        raise Problem(404, "dossier.unknown", "the dossier has no such version")
    note_read(site, session.principal, [found.line.case_id], "download")
    disposition = f'attachment; filename="ho-so-{found.line.case_id}-{version}.xml"'
    return Response(xml.encode(), media_type="application/xml", headers={"Content-Disposition": disposition})


@router.post("/quyet-dinh")
def decide_dossier(
    code: str,
    site: SiteDep,
    session: CheckedFormDep,
    action: _Text = "",
    version: _Text = "",
    words_: Annotated[str, FormField(alias="words")] = "",
    so: _Text = "",
    quyenSo: _Text = "",  # noqa: N803 — the register's own field names
    trangSo: _Text = "",  # noqa: N803
    ngayDangKy: _Text = "",  # noqa: N803
    soDinhDanh: _Text = "",  # noqa: N803
) -> Response:
    """Record a decision or an answer to the facility's news; what is wrong comes back beside its field with everything
    typed still there."""
    require_role(session.principal, "officer")
    _get(site, session.principal, code)
    texts = zip(RESULT_FIELDS, (so, quyenSo, trangSo, ngayDangKy, soDinhDanh), strict=True)
    result = {name: text.strip() for name, text in texts}
    seen = int(version) if version.isdecimal() else 0
    wrong = decide(site.services, code, action, session.principal.name, words_, result, seen)
    if wrong:
        found = _get(site, session.principal, code)  # it may have moved on meanwhile
        return _page(site, session, found, Attempt(action, words_, result, wrong), 422)
    return RedirectResponse(f"/ho-so/{code}", 303)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A decision that was not recorded: what was typed and what is wrong, field → sentence."""

    action: str = ""
    typed: str = ""
    result: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)


def _get(site: Site, who: Principal, code: str) -> DeskDossier:
    require_role(who, "officer", "auditor")
    services = site.services
    with services.store.read() as conn:
        found = find_on_desk(conn, services.vault, who.reach(services.feeds), code)
    if found is None:
        raise Problem(404, "dossier.unknown", "there is no such dossier, or it is another commune's")
    return found


def _page(
    site: Site, session: SignedIn, found: DeskDossier, attempt: Attempt | None = None, status: int = 200
) -> Response:
    services, who, line = site.services, session.principal, found.line
    note_read(site, who, [line.case_id], "dossier")
    now = services.clock.now()
    today = now.astimezone(VIETNAM).date()
    form = site.forms[line.kind]
    left, pressing = words.days_left(line.register_by, today)
    actions = actions_of(line.state, line.news) if who.role == "officer" else ()
    case = _case(site, line.case_id)
    fields = line.fields
    values = {
        "found": found,
        "form": form,
        "line": line,
        "subject": subject_of(form, fields),
        "corrections": corrections_shown(form, found.corrections, fields, services.catalogue, today),
        "reasons": reasons_of(found.dossier) if line.news == WITHDRAWING else [],
        "merged_into": case.edits[MERGED_INTO].value if case and MERGED_INTO in case.edits else "",
        "sections": lay_out(form, found.dossier, services.catalogue, today) if found.dossier else [],
        "labels": labels_of(form),
        "identity": verdicts_of(case.identity) if case else [],
        "owed": owed_of(found.dossier),
        "findings": findings_of(found.dossier),
        "duplicates": others_of(site, who, line.case_id),
        "deadlines": deadlines_of(found.dossier, line.register_by, services.catalogue, now, happened(found)),
        "history": _history(site, found),
        "left": left if actions else "",
        "pressing": pressing if actions else "",
        "actions": actions,
        "handover": _handover(site, who, line.case_id),
        "handover_choices": CHOICES,
        "attempt": attempt or Attempt(),
        "w": words,
    }
    return site.renderer.page("dossier.html", who, session.csrf, values, status)


def _handover(site: Site, who: Principal, case_id: str) -> HandoverCase | None:
    services = site.services
    with services.store.read() as conn:
        found = find_handover(conn, services.vault, who.reach(services.feeds), case_id)
    return None if found is None or found.status in CLOSED else found


def _case(site: Site, case_id: str) -> StoredCase | None:
    with site.services.store.read() as conn:
        return find_case(conn, site.services.vault, case_id)


def happened(found: DeskDossier) -> Happened:
    """What clocks run by; none runs for a dossier that was taken back."""
    happened = on_the_desk(found)
    stopped = {"register_by", "supplement_by", "decide_by"} if found.line.state == "cancelled" else set()
    return replace(happened, stopped=happened.stopped | stopped)


def _history(site: Site, found: DeskDossier) -> list[dict[str, str]]:
    """What happened on the desk, oldest first, with people by the name shown."""
    received = datetime.fromtimestamp(found.line.received_at / 1_000_000, VIETNAM).isoformat(timespec="seconds")
    events = [{"at": received, "who": "", "action": "Hồ sơ đến bàn làm việc", "words": ""}]
    with site.services.store.read() as conn:
        for event in found.history:
            person = find_user(conn, event["who"])
            shown = person.shown_as if person else "" if event["who"] == "gateway" else event["who"]
            action = words.ACTIONS.get(event["action"], event["action"])
            events.append({"at": event["at"], "who": shown, "action": action, "words": event.get("words", "")})
    return events
