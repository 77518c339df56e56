"""One way in for every format: raw bytes to the intake, the intake's answer back once it is durably stored."""

from __future__ import annotations

import asyncio

from fastapi import Request
from fastapi.responses import Response

from gateway.ports.hospital import Answer
from gateway.web.access import Sender
from gateway.web.problems import Problem
from gateway.web.site import Site

PATIENCE_SECONDS = 30.0
"""After this the sender hears 503 and sends again; a message stored meanwhile is recognised as a resend."""


async def hand_in(site: Site, raw: bytes, message_format: str, who: Sender) -> Response:
    """Submit and wait; the answer as it is."""
    answer = await submit(site, raw, message_format, who)
    return Response(answer.body, answer.status, headers_of(answer), answer.media_type)


async def submit(site: Site, raw: bytes, message_format: str, who: Sender) -> Answer:
    """Submit and wait. The feed is the token's; without one, messages name their sender themselves."""
    reply: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def take(answer: Answer) -> None:
        if not reply.done():  # the sender may have gone
            reply.set_result(answer)

    site.intake.submit(raw, message_format, who.feed or None, take, who.origin)
    try:
        answer = await asyncio.wait_for(reply, PATIENCE_SECONDS)
    except TimeoutError as error:
        raise Problem(503, "receive.no_answer", "storing takes too long; send the same message again") from error
    site.metrics.intake.labels(message_format, answer.code).inc()
    return answer


def headers_of(answer: Answer) -> dict[str, str]:
    """When to send again what was not taken now (RFC 9110 section 10.2.3)."""
    return {"Retry-After": str(answer.retry_after)} if answer.retry_after else {}


async def body_of(request: Request) -> bytes:
    """The raw body; an empty one is refused here, as there is nothing to log."""
    raw = await request.body()
    if not raw:
        raise Problem(400, "request.empty", "the body is empty")
    return raw
