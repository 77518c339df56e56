"""The HTTP server over real sockets: TLS, certificates and addresses for the application, limits on connections."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from structlog.testing import capture_logs

from gateway.tls import server_context
from gateway.web.access import connection_of
from gateway.web.server import HttpLimits, HttpServer, make_server
from tests.certificates import Authority, client_context

Start = Callable[..., object]
NO_PROXY = HttpLimits(proxies=())


def asking() -> FastAPI:
    """An application that tells where a request comes from."""
    app = FastAPI()

    @app.post("/")
    async def tell(request: Request) -> dict[str, str]:
        await request.body()
        origin = connection_of(request)
        return {"address": origin.address, "fingerprint": origin.fingerprint, "subject": origin.subject}

    return app


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    running: list[tuple[HttpServer, asyncio.Task[None]]] = []

    async def make(limits: HttpLimits = NO_PROXY, tls: ssl.SSLContext | None = None) -> int:
        door = socket.create_server(("127.0.0.1", 0))
        server = make_server(asking(), limits, tls)
        running.append((server, asyncio.create_task(server.serve(sockets=[door]))))
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.005)
        return int(door.getsockname()[1])

    yield make
    for server, task in running:
        server.should_exit = True
        await task


async def ask(port: int, context: ssl.SSLContext | None = None, **headers: str) -> dict[str, str]:
    scheme = "https" if context else "http"
    async with httpx.AsyncClient(verify=context or True, headers=headers) as client:
        told: dict[str, str] = (await client.post(f"{scheme}://127.0.0.1:{port}/", content=b"x")).json()
    return told


async def test_the_certificate_and_the_address_reach_the_application(start: Start, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    tls = server_context("http", authority.issue("gateway").file, None, authority.file, required=False)
    port = await start(tls=tls)  # type: ignore[misc]
    shown = authority.issue("his.bv-a.vn")
    told = await ask(port, client_context(authority, shown))
    plain = shown.fingerprint.replace(":", "").lower()
    assert told == {"address": "127.0.0.1", "fingerprint": plain, "subject": "his.bv-a.vn"}
    assert await ask(port, client_context(authority)) == {"address": "127.0.0.1", "fingerprint": "", "subject": ""}


async def test_an_expired_certificate_or_anothers_is_not_taken(start: Start, tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path, "ca"), Authority(tmp_path, "stranger")
    tls = server_context("http", authority.issue("gateway").file, None, authority.file, required=False)
    port = await start(tls=tls)  # type: ignore[misc]
    for shown in (authority.issue("his.bv-a.vn", days=-1), stranger.issue("his.bv-a.vn")):
        with pytest.raises(httpx.TransportError):
            await ask(port, client_context(authority, shown))
    with pytest.raises(httpx.TransportError):
        await ask(port)  # in the clear


async def test_a_forwarded_address_is_believed_from_a_trusted_proxy_only(start: Start) -> None:
    trusting = await start(HttpLimits(proxies=("127.0.0.1",)))  # type: ignore[misc]
    careful = await start()  # type: ignore[misc]
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    assert (await ask(trusting, **forwarded))["address"] == "192.0.2.7"
    assert (await ask(careful, **forwarded))["address"] == "127.0.0.1"


async def test_one_connection_too_many_from_an_address_is_told_so_and_the_others_go_on(start: Start) -> None:
    port = await start(HttpLimits(connections_per_address=2, proxies=()))  # type: ignore[misc]
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    await asyncio.sleep(0.05)
    with capture_logs() as logs:
        for _ in range(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            told = await asyncio.wait_for(reader.read(), 10)
            assert told.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: " in told
            writer.close()
    assert {log["event"] for log in logs} == {"http.too_many_connections"}
    for _, writer in held:
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(10):
        while True:
            try:
                assert (await ask(port))["address"] == "127.0.0.1"
            except ValueError:  # the 503 is no JSON: the server has not seen the ends yet
                await asyncio.sleep(0.01)
            else:
                return


async def test_a_trusted_proxy_has_no_limit_of_its_own(start: Start) -> None:
    port = await start(HttpLimits(connections_per_address=1))  # type: ignore[misc]
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
    assert (await ask(port))["address"] == "127.0.0.1"
    for _, writer in held:
        writer.close()


async def test_too_many_connections_in_all_are_told_so(start: Start) -> None:
    port = await start(HttpLimits(connections=2))  # type: ignore[misc]
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    await asyncio.sleep(0.05)
    async with httpx.AsyncClient() as client:
        assert (await client.post(f"http://127.0.0.1:{port}/", content=b"x")).status_code == 503
    for _, writer in held:
        writer.close()


@pytest.mark.parametrize("begun", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"])
async def test_a_request_that_does_not_arrive_is_given_up_while_one_beside_it_is_answered(
    start: Start, begun: bytes
) -> None:
    port = await start(HttpLimits(request_seconds=0.2))  # type: ignore[misc]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    assert (await ask(port))["address"] == "127.0.0.1"
    try:
        rest = await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        rest = b""
    assert rest == b""
    writer.close()


async def test_a_connection_used_again_has_its_time_anew(start: Start) -> None:
    port = await start(HttpLimits(request_seconds=0.3))  # type: ignore[misc]
    async with httpx.AsyncClient() as client:
        for _ in range(4):
            assert (await client.post(f"http://127.0.0.1:{port}/", content=b"x")).status_code == 200
            await asyncio.sleep(0.12)
