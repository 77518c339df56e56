"""GET /api/messages: envelopes of received messages, no content."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from gateway.views.messages import list_messages
from gateway.web.access import ApiPrincipalDep, require_role
from gateway.web.api.cases import Limit
from gateway.web.site import SiteDep

router = APIRouter(prefix="/api", tags=["reading"])


@router.get("/messages")
def read_messages(site: SiteDep, who: ApiPrincipalDep, after: str | None = None, limit: Limit = 50) -> dict[str, Any]:
    """Messages of the own feeds (hospital) or all (auditor, admin), the newest first."""
    require_role(who, "hospital", "auditor", "admin")
    with site.services.store.read() as conn:
        page = list_messages(conn, who.reach(site.services.feeds), after, limit)
    return {"items": [asdict(line) for line in page.rows], "next": page.next}
