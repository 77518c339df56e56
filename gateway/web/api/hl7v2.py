"""POST /hl7v2: HL7 v2 over HTTP, one message or a batch; the answer is the ACK."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.web.access import SenderDep
from gateway.web.api.handing_in import body_of, hand_in
from gateway.web.site import SiteDep

router = APIRouter(tags=["intake"])
_BODY = {"requestBody": {"required": True, "content": {"application/hl7-v2": {"schema": {"type": "string"}}}}}


@router.post("/hl7v2", response_class=Response, openapi_extra=_BODY)
async def take_hl7v2(request: Request, site: SiteDep, who: SenderDep) -> Response:
    """Take one HL7 v2 message or batch. AA: safely stored; AE: stored, content unusable; AR: refused."""
    return await hand_in(site, await body_of(request), "hl7v2", who)
