"""POST /moh: the Ministry of Health's XML (HSDLGCS, HSDLGBT, and XML9 in its GIAMDINHHS envelope)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.web.access import SenderDep
from gateway.web.api.handing_in import body_of, hand_in
from gateway.web.site import SiteDep

router = APIRouter(tags=["intake"])
_BODY = {"requestBody": {"required": True, "content": {"application/xml": {"schema": {"type": "string"}}}}}


@router.post("/moh", response_class=Response, openapi_extra=_BODY)
async def take_moh_xml(request: Request, site: SiteDep, who: SenderDep) -> Response:
    """Take one document of the Ministry of Health."""
    return await hand_in(site, await body_of(request), "moh", who)
