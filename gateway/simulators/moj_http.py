"""The simulated exchange over HTTP: a plain ASGI application, quick enough not to be what a benchmark measures.

Besides the exchange's own operations: `POST /token`; `GET /` with counts; `GET /book`, `/book.csv`, `/book/<code>` and
`POST /book/<code>/state` for tests and people. Every answer has the header `X-Simulator`.
"""

from __future__ import annotations

import asyncio
import csv
import io
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import partial
from sqlite3 import Connection
from typing import Any

import orjson

from gateway.simulators import book
from gateway.simulators.moj import OPERATIONS, Moj, code_in
from gateway.simulators.moj_answers import UNKNOWN_CODE, error, unauthorised
from gateway.simulators.moj_page import page

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TRANSPORT = "hotich.transport"
"""Key of a connection's transport among the ASGI scope's extensions (moj_server puts it there)."""
MARK = (b"x-simulator", b"hotich simulate moj")
JSON, TEXT, HTML = "application/json", "text/plain; charset=utf-8", "text/html; charset=utf-8"
NOT_KEPT = {"status_500": 500, "status_502": 502, "status_503": 503, "too_many": 429}
PROXY = "<!doctype html><title>Đăng nhập</title><p>Vui lòng đăng nhập mạng (mô phỏng lỗi)</p>"
CSV_COLUMNS = ("code", "arrival", "operation", "module", "agency", "accepted", "repeats", "clashes", "refused", "state",
               "digest")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class MojHttp:
    """The ASGI application."""

    moj: Moj

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive, self.moj.facts.limits["body"])
        method, path = scope["method"], scope["path"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        authorization = headers.get("authorization", "")
        if body is None:
            await _send(send, _json({"error": "too large"}, 413))
        elif method == "POST" and path[1:] in OPERATIONS:
            await self._operation(path[1:], body, authorization, scope, receive, send)
        elif method == "POST" and path == "/token":
            status, told = self.moj.access.give(authorization, body)
            await _send(send, _json(told, status))
        else:
            await _send(send, await self._look(method, path, body))

    async def _operation(
        self, operation: str, body: bytes, authorization: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        moj, told = self.moj, _object(body)
        fault = moj.attempts.next_fault(moj.faults, operation, code_in(told or {}))
        if fault == "reset_before":
            await _reset(scope, receive)
            return
        if fault == "slow":
            await asyncio.sleep(moj.faults.seconds_of(operation, "slow_seconds"))
        response = self._refusal(operation, told, fault, authorization)
        if response is None:
            response = _json(await moj.do(operation, told or {}, fault))
        if fault == "reset_after":
            await _reset(scope, receive)
        elif fault == "half":
            await _send_half(scope, receive, send, response)
        else:
            await _send(send, response)

    def _refusal(
        self, operation: str, told: Mapping[str, Any] | None, fault: str, authorization: str
    ) -> Response | None:
        """The answer to a request of which nothing is kept; None for one that is done."""
        moj = self.moj
        if fault in NOT_KEPT:
            seconds = moj.faults.seconds_of(operation, "retry_after_seconds")
            wait = ((b"retry-after", str(round(seconds)).encode()),) if fault == "too_many" else ()
            return Response(NOT_KEPT[fault], f"{fault} (simulated fault)\n".encode(), TEXT, wait)
        if fault == "html":
            return Response(200, PROXY.encode(), HTML)
        expired = fault == "token_expired" and bool(moj.access.secret)
        if expired:
            moj.access.forget()
        if expired or not moj.access.allows(authorization):
            return _json(unauthorised(moj.facts), 401, ((b"www-authenticate", b"Bearer"),))
        if fault == "wrong_code":
            return _json(error("0", UNKNOWN_CODE, "Lỗi chưa xác định"))
        if told is None:
            return _json(error("0", "500", f"{moj.facts.errors['500']}: không phải một đối tượng JSON"))
        return None

    async def _look(self, method: str, path: str, body: bytes) -> Response:
        """Pages for people and the book for tests."""
        moj = self.moj
        if (method, path) == ("GET", "/"):
            told = page(await moj.writer.run(book.counts), moj.attempts.played)
            return Response(200, told.encode(), HTML)
        if (method, path) == ("GET", "/book"):
            dossiers = await moj.writer.run(book.listing)
            counts = await moj.writer.run(book.counts)
            return _json({"simulator": "hotich simulate moj", "dossiers": dossiers, "counts": counts,
                          "faults": dict(moj.attempts.played)})  # fmt: skip
        if (method, path) == ("GET", "/book.csv"):
            return _csv(await moj.writer.run(book.listing))
        if path.startswith("/book/"):
            return await self._one(method, path.removeprefix("/book/"), body)
        return _json({"error": "no such operation"}, 404)

    async def _one(self, method: str, rest: str, body: bytes) -> Response:
        code, _, below = rest.partition("/")
        if method == "GET" and not below:
            told = await self.moj.writer.run(partial(book.whole, code=code))
            return _json(told or {"error": "no such dossier"}, 200 if told else 404)
        if method == "POST" and below == "state":
            return await self._set_state(code, _object(body) or {})
        return _json({"error": "no such operation"}, 404)

    async def _set_state(self, code: str, told: Mapping[str, Any]) -> Response:
        """A person, or a test, decides: {"state": 2, "words": "…", "supplement_by": "dd/MM/yyyy HH:mm:ss"}."""
        state, words, by = told.get("state"), told.get("words", ""), told.get("supplement_by", "")
        known = [int(text) for text in self.moj.facts.states]
        if isinstance(state, bool) or state not in known or not isinstance(words, str) or not isinstance(by, str):
            return _json({"error": f"state must be one of {known}, words and supplement_by texts"}, 422)
        found = await self.moj.writer.run(partial(self._moved, code=code, state=state, words=words, by=by))
        return _json({"code": code, "state": state} if found else {"error": "no such dossier"}, 200 if found else 404)

    def _moved(self, conn: Connection, code: str, state: int, words: str, by: str) -> bool:
        dossier = book.find(conn, code)
        if dossier is not None:
            self.moj.move(conn, dossier, state, words, by)
        return dossier is not None


def _json(told: Any, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Response:
    return Response(status, orjson.dumps(told), JSON, headers)


def _csv(dossiers: list[dict[str, Any]]) -> Response:
    text = io.StringIO(newline="")
    lines = csv.DictWriter(text, CSV_COLUMNS, extrasaction="ignore", lineterminator="\n")
    lines.writeheader()
    lines.writerows(dossiers)
    return Response(200, text.getvalue().encode(), "text/csv; charset=utf-8")


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The body; None when it is larger than `limit` bytes."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            return None
    return body


async def _send(send: Send, response: Response) -> None:
    await send(_start(response))
    await send({"type": "http.response.body", "body": response.body})


def _start(response: Response) -> dict[str, Any]:
    headers = [
        (b"content-type", response.media_type.encode()),
        (b"content-length", str(len(response.body)).encode()),
        MARK,
        *response.headers,
    ]
    return {"type": "http.response.start", "status": response.status, "headers": headers}


async def _send_half(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    """The head promises the whole, half of it comes, the connection ends."""
    await send(_start(response))
    await send({"type": "http.response.body", "body": response.body[: len(response.body) // 2], "more_body": True})
    scope["extensions"][TRANSPORT].close()
    await _until_gone(receive)


async def _reset(scope: Scope, receive: Receive) -> None:
    """End the connection as a crash does: RST, no FIN."""
    transport = scope["extensions"][TRANSPORT]
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    """Until the server has seen the connection's end; it would answer 500 in our place before."""
    while (await receive())["type"] != "http.disconnect":
        pass
