"""The simulator as a running process: uvicorn on a socket of its own, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator
from typing import Any

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.errors import SettingsError
from gateway.simulators.moj import Moj
from gateway.simulators.moj_http import TRANSPORT, MojHttp

TICK_SECONDS = 0.1
"""Between looks whether a dossier is to walk on."""


def serve(moj: Moj, host: str, port: int, when_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `when_ready` gets the address once requests are taken."""
    try:
        door = _bind(host, port)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(moj, door, when_ready))
    finally:
        moj.writer.close()


class _Connection(HttpToolsProtocol):
    """Hands its transport to the application, which sometimes cuts it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {TRANSPORT: self.transport}
        self.scope["extensions"] = extensions


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers, which would end the process by the signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def _serve(moj: Moj, door: socket.socket, when_ready: Callable[[str], None]) -> None:
    config = uvicorn.Config(
        MojHttp(moj), loop="none", http=_Connection, ws="none", lifespan="off", log_config=None, access_log=False,
        server_header=False, timeout_graceful_shutdown=5, backlog=2_048,
    )  # fmt: skip
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    serving = asyncio.create_task(server.serve(sockets=[door]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    beside = [asyncio.create_task(_walk(moj))] if moj.walk.seconds else []
    beside += [asyncio.create_task(moj.caller.run(moj.writer))] if moj.caller else []
    host, port = door.getsockname()[:2]
    when_ready(f"http://{host}:{port}")
    # What runs beside never ends by itself: when it does, it has failed, and the process says so and ends.
    ended, _ = await asyncio.wait([serving, *beside], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    for task in ended:
        task.result()


async def _walk(moj: Moj) -> None:
    """Move dossiers on as time passes."""
    while True:
        moved = await moj.writer.run(moj.walk_due)
        if not moved:
            await asyncio.sleep(min(TICK_SECONDS, moj.walk.seconds))


def _bind(host: str, port: int) -> socket.socket:
    """The listening socket. Raises SettingsError when the port is taken."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise SettingsError("simulator.port", f"--host {host} --port {port}: {error.strerror}") from None
    return door
