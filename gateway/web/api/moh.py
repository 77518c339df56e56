"""POST /moh: the Ministry of Health's XML (HSDLGCS, HSDLGBT, and XML9 or XML1 in their GIAMDINHHS envelope).

The body is the document itself. Hospital systems send neither multipart forms nor compressed bodies here, and a
signature covers the document as it is, so both are refused with 415 instead of being half understood.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.web.access import SenderDep
from gateway.web.api.handing_in import body_of, hand_in
from gateway.web.problems import Problem
from gateway.web.site import SiteDep

router = APIRouter(tags=["intake"])
_BODY = {"requestBody": {"required": True, "content": {"application/xml": {"schema": {"type": "string"}}}}}
_RECEIPT: dict[int | str, dict[str, Any]] = {
    200: {"description": "Stored; a receipt with one line a paper", "content": {"application/xml": {}}},
    415: {"description": "A multipart or compressed body"},
    422: {"description": "Stored, but not all of it can be used: see the lines", "content": {"application/xml": {}}},
}


@router.post("/moh", response_class=Response, openapi_extra=_BODY, responses=_RECEIPT)
async def take_moh_xml(request: Request, site: SiteDep, who: SenderDep) -> Response:
    """Take one document of the Ministry of Health. The answer is an XML receipt: one line a paper."""
    headers = request.headers
    compressed = headers.get("content-encoding", "identity").strip().casefold() not in ("", "identity")
    if compressed or headers.get("content-type", "").casefold().startswith("multipart/"):
        raise Problem(415, "moh.body_wrapped", "send the XML document itself, neither compressed nor as a form")
    return await hand_in(site, await body_of(request), "moh", who)
