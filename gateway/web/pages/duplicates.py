"""Possible duplicates, /trung-lap: two cases side by side, and whether they are one person's.

Who may see both cases decides: a coordinator (an officer of all communes), or an officer of both communes. An officer
of one of them learns that the other exists and where, no more. The auditor looks and decides nothing; administrators
see no persons' data and so not this page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Form as FormField
from fastapi.responses import RedirectResponse, Response

from gateway.domain.case import agree
from gateway.domain.dates import PartialDate
from gateway.domain.duplicates import Evidence, evidence_of
from gateway.domain.finding import FINDINGS
from gateway.domain.notification import Notification, flatten
from gateway.domain.person import Address, PersonName, Sex
from gateway.pipeline.cases import find_case
from gateway.pipeline.duplicates import decide_duplicate
from gateway.pipeline.services import Services
from gateway.views.duplicates import (
    DuplicateLine,
    DuplicateSide,
    count_duplicates,
    find_duplicate,
    list_duplicates,
    list_duplicates_of,
)
from gateway.web.access import CheckedFormDep, SignedInDep, require_role
from gateway.web.pages import words
from gateway.web.pages.duplicate_words import DIFFERING, EVIDENCE, FACTS, SEXES
from gateway.web.principal import Principal
from gateway.web.problems import Problem
from gateway.web.reads import note_read
from gateway.web.rendering import day
from gateway.web.sessions import SignedIn
from gateway.web.site import Site, SiteDep

router = APIRouter(prefix="/trung-lap")
_Text = Annotated[str, FormField()]


@dataclass(frozen=True, slots=True)
class SideShown:
    """Whose case it is. `id` and `sender` are "" for one that the reader may not see."""

    id: str
    commune: str
    sender: str = ""
    state: str = ""
    opened_at: int = 0


@dataclass(frozen=True, slots=True)
class FactShown:
    """One fact of both cases in words; `mark`: agree | differ | missing (one of them does not know it)."""

    label: str
    values: tuple[str, str]
    mark: str


@dataclass(frozen=True, slots=True)
class PairShown:
    """One pair. `facts` only for who may see both cases; `agree` and `differ` are the evidence in words; `seen` the
    versions that a decision is about."""

    id: str
    kind: str
    proposed_at: int
    sides: tuple[SideShown, SideShown]
    whole: bool
    agree: list[str]
    differ: list[str]
    facts: list[FactShown] = field(default_factory=list)
    seen: str = ""


@dataclass(frozen=True, slots=True)
class OtherShown:
    """On a case's own page: another case that may be the same person's. `pair` leads to both."""

    pair: str
    words: str
    commune: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """A decision that was not recorded: what was typed and what is wrong, field → sentence ("pair" for the whole)."""

    pair: str = ""
    why: str = ""
    wrong: Mapping[str, str] = field(default_factory=dict)


def count_for(services: Services, who: Principal) -> int:
    """How many open pairs the person sees in whole, for the link at the top of every page; 0 for other roles."""
    if who.role not in ("officer", "auditor"):
        return 0
    with services.store.read() as conn:
        return count_duplicates(conn, who.reach(services.feeds))


def others_of(site: Site, who: Principal, case_id: str) -> list[OtherShown]:
    """What a case's own page says about possible duplicates; no personal data of the other."""
    services = site.services
    with services.store.read() as conn:
        lines = list_duplicates_of(conn, who.reach(services.feeds), case_id)
    return [
        OtherShown(
            line.id,
            FINDINGS[f"{line.kind}.possible_duplicate"].vi,
            _commune(site, line.other(case_id)),
            line.whole,
        )
        for line in lines
    ]


@router.get("")
def show_duplicates(site: SiteDep, session: SignedInDep, sau: str | None = None, xong: str = "") -> Response:
    """The open pairs; `sau` is the cursor of the page before, `xong` set when a decision was just recorded."""
    services, who = site.services, session.principal
    require_role(who, "officer", "auditor")
    with services.store.read() as conn:
        page = list_duplicates(conn, who.reach(services.feeds), sau)
    return _page(site, session, page.rows, page.next, first=sau is None, done=bool(xong))


@router.get("/{pair_id}")
def show_duplicate(pair_id: str, site: SiteDep, session: SignedInDep) -> Response:
    """One pair; 404 when it is decided or concerns none of the reader's communes."""
    return _page(site, session, [_get(site, session.principal, pair_id)], None, first=False)


@router.post("/{pair_id}")
def decide(
    pair_id: str, site: SiteDep, session: CheckedFormDep, same: _Text = "", why: _Text = "", seen: _Text = ""
) -> Response:
    """Record a decision: `same` is "1" for one person, "0" for two."""
    who = session.principal
    line = _get(site, who, pair_id)
    require_role(who, "officer")
    if not line.whole:
        raise Problem(403, "duplicate.not_both", "only who may see both cases decides")
    if same not in ("0", "1"):
        wrong = {"pair": "Hãy chọn một trong hai nút."}
    else:
        versions = [int(part) if part.isdecimal() else 0 for part in seen.split(".")]
        wrong = decide_duplicate(site.services, pair_id, same == "1", who.name, why, versions)
    if not wrong:
        return RedirectResponse("/trung-lap?xong=1", 303)
    with site.services.store.read() as conn:
        again = find_duplicate(conn, who.reach(site.services.feeds), pair_id)  # it may have moved on meanwhile
    return _page(
        site, session, [again] if again else [], None, first=False, attempt=Attempt(pair_id, why, wrong), status=422
    )


def _get(site: Site, who: Principal, pair_id: str) -> DuplicateLine:
    require_role(who, "officer", "auditor")
    with site.services.store.read() as conn:
        line = find_duplicate(conn, who.reach(site.services.feeds), pair_id)
    if line is None:
        raise Problem(404, "duplicate.unknown", "there is no such open pair, or it does not concern the own communes")
    return line


def _page(
    site: Site,
    session: SignedIn,
    lines: list[DuplicateLine],
    onward: str | None,
    *,
    first: bool,
    done: bool = False,
    attempt: Attempt | None = None,
    status: int = 200,
) -> Response:
    who = session.principal
    note_read(site, who, [side.id for line in lines if line.whole for side in line.sides], "duplicate")
    values = {
        "pairs": [_shown(site, line) for line in lines],
        "next": onward,
        "first": first,
        "done": done,
        "officer": who.role == "officer",
        "coordinator": who.communes is None,
        "attempt": attempt or Attempt(),
        "w": words,
    }
    return site.renderer.page("duplicates.html", who, session.csrf, values, status)


def _shown(site: Site, line: DuplicateLine) -> PairShown:
    told = _notifications(site, line) if line.whole else None
    # What is shown beside the facts is weighed anew from them; without them there is what was written down.
    evidence = evidence_of(*told) if told else Evidence(line.agree, line.differ)
    return PairShown(
        id=line.id,
        kind=line.kind,
        proposed_at=line.proposed_at,
        sides=(_side(site, line.sides[0]), _side(site, line.sides[1])),
        whole=line.whole,
        agree=[EVIDENCE.get(code, code) for code in evidence.agree],
        differ=[DIFFERING.get(code) or EVIDENCE.get(code, code) for code in evidence.differ],
        facts=facts_of(line.kind, *told, evidence) if told else [],
        seen=".".join(str(side.version) for side in line.sides),
    )


def _notifications(site: Site, line: DuplicateLine) -> tuple[Notification, Notification] | None:
    services = site.services
    with services.store.read() as conn:
        one, two = (find_case(conn, services.vault, side.id) for side in line.sides)
    return (one.fold().notification, two.fold().notification) if one and two else None


def facts_of(kind: str, one: Notification, other: Notification, evidence: Evidence) -> list[FactShown]:
    """The facts that help to decide, in words, each side by side; facts that neither knows are left out. Pure."""
    left, right = flatten(one), flatten(other)
    return [
        FactShown(label, (_words(left.get(path)), _words(right.get(path))), _mark(path, left, right, evidence))
        for path, label in FACTS[kind].items()
        if path in left or path in right
    ]


def _mark(path: str, left: Mapping[str, Any], right: Mapping[str, Any], evidence: Evidence) -> str:
    if path not in left or path not in right:
        return "missing"
    moment = {"child.born": "born", "death.at": "death"}.get(path)
    if moment:  # as far apart as clocks may be is no difference
        return "differ" if {f"{moment}.day", f"{moment}.instant"} & set(evidence.differ) else "agree"
    return "agree" if agree(left[path], right[path]) else "differ"


def _words(value: Any) -> str:
    match value:
        case None:
            return ""
        case PersonName():
            return value.full
        case Address():
            return value.text or value.commune_code
        case Sex():
            return SEXES[value]
        case PartialDate():
            return day(str(value.local()))
        case _:
            return str(value)


def _side(site: Site, side: DuplicateSide) -> SideShown:
    commune = _commune(site, side)
    if not side.reachable:
        return SideShown("", commune)
    sender = site.services.feed(side.feed).facility_name or side.facility
    return SideShown(side.id, commune, sender, words.CASE_STATES.get(side.status, side.status), side.opened_at)


def _commune(site: Site, side: DuplicateSide) -> str:
    if not side.commune_code:
        return "chưa xác định xã"
    place = site.services.catalogue.units.today(side.commune_code)
    return f"{place.name}, {place.province}" if place else side.commune_code
