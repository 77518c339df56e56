"""GET /api/duplicates: cases that may be one person's, as ids and codes. POST decides, by the same rules as the page
/trung-lap."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from gateway.pipeline.duplicates import decide_duplicate
from gateway.views.duplicates import DuplicateLine, DuplicateSide, find_duplicate, list_duplicates
from gateway.web.access import ApiPrincipalDep, require_role
from gateway.web.api.cases import Limit
from gateway.web.principal import Principal
from gateway.web.problems import Problem
from gateway.web.site import SiteDep

router = APIRouter(prefix="/api/duplicates", tags=["reading"])


class Decision(BaseModel):
    """`same`: one person, the cases are merged; else two, never proposed again. `seen`: the versions of both cases that
    the decision is about, in the order of the list."""

    model_config = ConfigDict(extra="forbid")
    same: bool
    why: str = Field(max_length=2000)
    seen: tuple[int, int] | None = None


def reader(who: ApiPrincipalDep) -> Principal:
    """An officer or an auditor."""
    require_role(who, "officer", "auditor")
    return who


def decider(request: Request, who: ApiPrincipalDep) -> Principal:
    """An officer's token. Sessions do not count, so that no page of another site can decide through a browser."""
    if "authorization" not in request.headers:
        raise Problem(401, "auth.missing", "send an officer's bearer token")
    require_role(who, "officer")
    return who


@router.get("")
def read_duplicates(
    site: SiteDep, who: Annotated[Principal, Depends(reader)], after: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """Open pairs with a case within reach, the longest waiting first. Of a case out of reach only the commune."""
    with site.services.store.read() as conn:
        page = list_duplicates(conn, who.reach(site.services.feeds), after, limit)
    return {"items": [_told(line) for line in page.rows], "next": page.next}


@router.post("/{pair_id}")
def decide(
    pair_id: str, decision: Decision, site: SiteDep, who: Annotated[Principal, Depends(decider)]
) -> dict[str, Any]:
    """Say whether the two cases are one person's. Needs both within reach."""
    services = site.services
    with services.store.read() as conn:
        line = find_duplicate(conn, who.reach(services.feeds), pair_id)
    if line is None:
        raise Problem(404, "duplicate.unknown", "there is no such open pair, or it is another's")
    if not line.whole:
        raise Problem(403, "duplicate.not_both", "only who may see both cases decides")
    wrong = decide_duplicate(services, pair_id, decision.same, who.name, decision.why, decision.seen)
    if wrong:
        where, words = next(iter(wrong.items()))
        raise Problem(422 if where == "why" else 409, "duplicate.not_decided", words, f"body.{where}")
    return {"id": pair_id, "state": "same" if decision.same else "different"}


def _told(line: DuplicateLine) -> dict[str, Any]:
    plain = {name: getattr(line, name) for name in ("id", "kind", "agree", "differ", "proposed_at")}
    return {**plain, "cases": [_side(side) for side in line.sides]}


def _side(side: DuplicateSide) -> dict[str, Any]:
    told = asdict(side)
    return told if side.reachable else {"commune_code": side.commune_code, "reachable": False}
