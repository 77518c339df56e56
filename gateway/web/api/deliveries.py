"""GET /api/deliveries: how far each case's dossier got on its way to the commune. Ids and states only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from gateway.views.deliveries import list_deliveries
from gateway.web.access import ApiPrincipalDep
from gateway.web.api.cases import Limit
from gateway.web.site import SiteDep

router = APIRouter(prefix="/api", tags=["reading"])


@router.get("/deliveries")
def read_deliveries(site: SiteDep, who: ApiPrincipalDep, after: str | None = None, limit: Limit = 50) -> dict[str, Any]:
    """Deliveries of the cases within reach, by case id."""
    with site.services.store.read() as conn:
        page = list_deliveries(conn, who.reach(site.services.feeds), after, limit)
    return {"items": [asdict(line) for line in page.rows], "next": page.next}
