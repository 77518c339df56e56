"""POST /api/callbacks/{system}: a commune's system says what became of a dossier.

There is no token: each call is signed, and the system's adapter checks the signature and the age of the call.
"""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request

from gateway.errors import Refused, UnreadableMessage
from gateway.pipeline.callback import take_callback
from gateway.web.api.handing_in import body_of
from gateway.web.problems import Problem
from gateway.web.site import SiteDep

router = APIRouter(prefix="/api", tags=["commune systems"])
_RESPONSES: dict[int | str, dict[str, str]] = {
    401: {"description": "The signature is missing, wrong or too old"},
    404: {"description": "No such system, or no dossier of this code was sent to it"},
    422: {"description": "The call cannot be read"},
}


@router.post("/callbacks/{system}", responses=_RESPONSES)
async def take_call(system: str, request: Request, site: SiteDep) -> dict[str, str]:
    """Take one call. `result` is `taken`, or `repeated` for a call that was taken before and changes nothing."""
    body, headers = await body_of(request), dict(request.headers)
    try:
        return {"result": await asyncio.to_thread(take_callback, site.services, system, headers, body)}
    except Refused as error:
        unknown = error.code in ("callback.no_such_system", "callback.no_such_dossier")
        raise Problem(404 if unknown else 401, error.code, error.message) from error
    except UnreadableMessage as error:
        raise Problem(422, error.code, error.message, error.where) from error
