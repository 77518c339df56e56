"""A limit on request bodies: nobody fills the memory."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.problems import Problem


class LimitedBody:
    """Middleware: refuses a body over `limit` bytes, declared or counted, before more of it is read."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        over = declared.isdigit() and int(declared) > self.limit
        counted = 0

        async def count() -> Message:
            nonlocal counted
            message = {} if over else await receive()
            counted += len(message.get("body", b""))
            if over or counted > self.limit:
                raise Problem(413, "request.too_large", f"a request holds at most {self.limit} bytes")
            return message

        await self.app(scope, count, send)
