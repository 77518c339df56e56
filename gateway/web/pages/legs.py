"""One case in three legs, /truong-hop/{id}: answered to the hospital, checked with the population database, delivered.

For the hospital whose case it is, officers of its commune, coordinators and auditors. The page shows ids and states;
what the commune said is shown too and may name people, so looking is logged.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.domain.office import OFFICE_ZONE
from gateway.pipeline.systems import system_name_of
from gateway.views.cases import find_case_detail
from gateway.views.desk import find_on_desk
from gateway.views.legs import legs_of
from gateway.views.outcomes import find_outcome
from gateway.views.partners import list_resting
from gateway.web.access import SignedInDep, require_role
from gateway.web.pages import words
from gateway.web.problems import Problem
from gateway.web.reads import note_read
from gateway.web.site import SiteDep

router = APIRouter(prefix="/truong-hop")


@router.get("/{case_id}")
def show_legs(case_id: str, site: SiteDep, session: SignedInDep) -> Response:
    """The legs of a case; 404 when it is another's."""
    who, services = session.principal, site.services
    require_role(who, "hospital", "officer", "auditor")
    with services.store.read() as conn:
        found = find_case_detail(conn, services.vault, who.reach(services.feeds), case_id)
        if found is None:
            raise Problem(404, "case.unknown", "there is no such case, or it is another's")
        legs = legs_of(conn, case_id, who.shown_feeds(services.feeds))
        outcome = find_outcome(conn, services.vault, case_id)
        on_desk = who.role != "hospital" and find_on_desk(
            conn, services.vault, who.reach(services.feeds), found.dossier_code
        )
        resting = {partner.name: partner for partner in list_resting(conn)}
    note_read(site, who, [case_id], "legs")
    commune = services.catalogue.units.today(found.line.commune_code) if found.line.commune_code else None
    system = next((version.system for version in reversed(legs.versions) if version.system), "")
    if commune and not system:  # nobody took it yet: where it is about to go
        today = services.clock.now().astimezone(OFFICE_ZONE).date()
        system = system_name_of(services.catalogue, commune.code, commune.province_code, today)
    values = {
        "line": found.line,
        "legs": legs,
        "outcome": outcome,
        "commune": commune,
        "resting": resting.get(system),
        "desk_code": found.dossier_code if on_desk else "",
        "waits": who.role != "hospital" and found.line.status == "waiting",
        "w": words,
    }
    return site.renderer.page("legs.html", who, session.csrf, values)
