"""One case in three legs, /truong-hop/{id}: answered to the hospital, checked with the population database, delivered.

For the hospital whose case it is, officers of its commune, coordinators and auditors. The page shows ids and states;
what the commune said is shown too and may name people, so looking is logged.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.views.cases import find_case_detail
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
        legs, outcome = legs_of(conn, case_id), find_outcome(conn, services.vault, case_id)
        resting = {partner.name: partner for partner in list_resting(conn)}
    note_read(site, who, [case_id], "legs")
    commune = services.catalogue.units.today(found.line.commune_code) if found.line.commune_code else None
    system = next((version.system for version in reversed(legs.versions) if version.system), "")
    values = {
        "line": found.line,
        "legs": legs,
        "outcome": outcome,
        "commune": commune,
        "resting": resting.get(system),
        "w": words,
    }
    return site.renderer.page("legs.html", who, session.csrf, values)
