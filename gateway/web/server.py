"""The HTTP server: uvicorn with what it leaves open. A client certificate reaches the application, connections are
limited by address as well as in all, and a request that does not arrive in time is given up."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.ports.hospital import Origin
from gateway.tls import origin_of

log = structlog.get_logger(__name__)
ORIGIN = "hotich.origin"
"""Where a request's connection comes from (ports.hospital.Origin), in the ASGI scope's `extensions`."""

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 21\r\nConnection: close\r\n\r\ntoo many connections\n"
)


class HttpServer(uvicorn.Server):
    """uvicorn without its own signal handlers: the process drains as a whole."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """`proxies` are the addresses whose `X-Forwarded-For` is believed, and which may open connections without limit."""

    connections: int = 1_000
    connections_per_address: int = 256
    request_seconds: float = 60.0
    proxies: tuple[str, ...] = ("127.0.0.1",)


def make_server(app: FastAPI, limits: HttpLimits, tls: ssl.SSLContext | None) -> HttpServer:
    """The server, not yet listening. `tls` None: in the clear, for a proxy that speaks TLS in front."""
    by_address: Counter[str] = Counter()

    class Connection(_Connection):
        """A connection under these limits; uvicorn wants a class."""

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.limits, self.by_address = limits, by_address

    # No access log: addresses and query strings are none of the log's business; the evidence log knows who read what.
    config = uvicorn.Config(
        app, loop="none", http=Connection, ws="none", log_config=None, access_log=False, lifespan="on",
        server_header=False, timeout_graceful_shutdown=10, limit_concurrency=limits.connections,
        forwarded_allow_ips=list(limits.proxies), ssl_context_factory=(lambda *_: tls) if tls is not None else None,
    )  # fmt: skip
    return HttpServer(config)


class _Connection(HttpToolsProtocol):
    """One connection. `limits` and `by_address` are the server's."""

    limits: HttpLimits
    by_address: Counter[str]
    _origin = Origin()
    _counted = False
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        self._origin = origin_of(address, transport.get_extra_info("ssl_object"))
        limited = address not in self.limits.proxies
        if limited and self.by_address[address] >= self.limits.connections_per_address:
            log.warning("http.too_many_connections", peer=address)
            transport.write(_BUSY)
            transport.close()
            return
        self.by_address[address] += 1
        self._counted = True
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_arrived()
        if self._counted:
            self.by_address[self._origin.address] -= 1
            if not self.by_address[self._origin.address]:
                del self.by_address[self._origin.address]
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {ORIGIN: self._origin}
        self.scope["extensions"] = extensions
        if self._late is None:
            self._await_request()

    def on_message_complete(self) -> None:
        self._request_arrived()
        super().on_message_complete()

    def _await_request(self) -> None:
        self._late = self.loop.call_later(self.limits.request_seconds, self._give_up)

    def _request_arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        self._late = None
        log.warning("http.request_too_slow", peer=self._origin.address)
        self.transport.abort()
