"""GET /api/messages…: envelopes of received messages, and what became of one; no content."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from gateway.views.messages import list_messages
from gateway.views.notices import find_message_detail
from gateway.web.access import ApiPrincipalDep, require_role
from gateway.web.api.cases import Limit
from gateway.web.problems import Problem
from gateway.web.site import SiteDep

router = APIRouter(prefix="/api", tags=["reading"])


@router.get("/messages")
def read_messages(site: SiteDep, who: ApiPrincipalDep, after: str | None = None, limit: Limit = 50) -> dict[str, Any]:
    """Messages of the own feeds (hospital) or all (auditor, admin), the newest first."""
    require_role(who, "hospital", "auditor", "admin")
    with site.services.store.read() as conn:
        page = list_messages(conn, who.reach(site.services.feeds), after, limit)
    return {"items": [asdict(line) for line in page.rows], "next": page.next}


@router.get("/messages/{message_id:path}")
def read_message(message_id: str, site: SiteDep, who: ApiPrincipalDep) -> dict[str, Any]:
    """One message by the tracking id it was answered with, and the cases in which it speaks: ids and states."""
    require_role(who, "hospital", "auditor", "admin")
    with site.services.store.read() as conn:
        detail = find_message_detail(conn, who.reach(site.services.feeds), message_id)
    if detail is None:
        raise Problem(404, "message.unknown", "there is no such message, or it is another's")
    return detail.as_json()
