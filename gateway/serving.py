"""The running gateway: listener, pages, workers in one process, started together and drained together."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
import uvloop

from gateway.bootstrap import build, build_folders, build_listener, tls_of
from gateway.errors import GatewayError, SettingsError
from gateway.lanes.worker import Worker
from gateway.logs import configure_logging
from gateway.mapping.forms import load_forms
from gateway.pipeline.receive import Receiver
from gateway.pipeline.services import Services
from gateway.pipeline.steps import handlers
from gateway.plugins import load_plugins
from gateway.ports.hospital import Listener
from gateway.settings import Settings
from gateway.web.app import create_app
from gateway.web.server import HttpLimits, HttpServer, make_server
from gateway.web.site import WebOptions

log = structlog.get_logger()
_LEASE_SECONDS = 15.0
"""How long after a crash its work is taken up again. Live workers renew every third of it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Where a running gateway takes traffic. `feeds`: the MLLP addresses that are one feed's alone."""

    mllp: str  # host:port
    http: str  # http://host:port, https with TLS
    feeds: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The line scripts wait for."""
        feeds = {"feeds": self.feeds} if self.feeds else {}
        return {"event": "ready", "mllp": self.mllp, "http": self.http, **feeds}


WhenReady = Callable[[Ready, Services], Coroutine[Any, Any, bool]]


def serve(settings: Settings, when_ready: WhenReady) -> None:
    """Run until SIGTERM or SIGINT, then drain. `when_ready` runs once everything accepts traffic; it returns whether to
    go on serving. When it raises, the gateway drains and the exception goes on."""
    configure_logging(settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, when_ready))


def run_worker(settings: Settings) -> None:
    """Only work on cases: one of several stateless workers on a shared PostgreSQL. Runs until SIGTERM or SIGINT."""
    configure_logging(settings.log_level)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    services = build(settings)
    worker = Worker(services.store, handlers(services), threads=settings.workers, lease_seconds=_LEASE_SECONDS)
    worker.start()
    stopped.wait()
    worker.stop()
    services.store.close()


async def _serve(settings: Settings, when_ready: WhenReady) -> None:
    plugins = load_plugins()
    services = build(settings, plugins)
    _say_stand_ins(services)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    died = _watch_threads(loop)
    receiver = Receiver(services, loop, settings.max_message_bytes)
    listener = build_listener(settings, plugins)
    folders = build_folders(settings, plugins)
    worker = Worker(services.store, handlers(services), threads=settings.workers, lease_seconds=_LEASE_SECONDS)
    door = _bind(settings.http_host, settings.http_port)
    tables = {table.name for table in services.catalogue.tables()}
    forms = load_forms(plugins.mappings["default"] / "forms", tables)
    tls = tls_of(settings, "http")
    http = make_server(create_app(services, receiver, forms, web_options(settings)), http_limits(settings), tls)
    async with contextlib.AsyncExitStack() as running:
        # Left in the reverse order: no new messages, no pages, then what was taken is stored, then workers finish.
        running.callback(services.store.close)
        worker.start()
        running.push_async_callback(asyncio.to_thread, worker.stop)
        running.push_async_callback(receiver.close)
        pages = asyncio.create_task(http.serve(sockets=[door]))
        running.push_async_callback(_close, http, pages)
        address = await _listen(listener, receiver, settings)
        running.push_async_callback(listener.stop)
        if folders is not None:
            await folders.start(receiver)
            running.push_async_callback(folders.stop)
        await _started(http, pages)
        ready = Ready(address, _url(door, "https" if tls else "http"), getattr(listener, "addresses", {}))
        await _until_stopped(stop, died, pages, when_ready(ready, services))
        log.info("draining")
    log.info("stopped")


def _say_stand_ins(services: Services) -> None:
    """Whoever starts a development gateway is told so, every time."""
    for part in ("signing", "population"):
        if getattr(getattr(services, part), "development_only", False):
            log.warning("development_stand_in", part=part, words="has no legal value; refused in production")


def _watch_threads(loop: asyncio.AbstractEventLoop) -> asyncio.Event:
    """A thread that dies would leave a gateway that looks alive; the event lets the whole process end instead."""
    died = asyncio.Event()

    def tell(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "unknown"
        log.error("thread.died", thread=name, error=args.exc_type.__name__)
        loop.call_soon_threadsafe(died.set)

    threading.excepthook = tell
    return died


async def _until_stopped(
    stop: asyncio.Event, died: asyncio.Event, pages: asyncio.Task[None], ready: Coroutine[Any, Any, bool]
) -> None:
    """Wait for the signal. Ends early when `ready` says enough; raises when it, the pages or a thread failed."""
    doing = asyncio.create_task(ready)
    signalled, dead = asyncio.create_task(stop.wait()), asyncio.create_task(died.wait())
    waiting: set[asyncio.Task[Any]] = {signalled, dead, pages, doing}
    try:
        while True:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if dead in done:
                raise GatewayError("serve.thread_died", "a thread of the gateway died; its log says which")
            if pages in done:
                await pages
                raise GatewayError("serve.pages_ended", "the HTTP server ended by itself; its log says why")
            if signalled in done or not doing.result():
                return
            waiting.discard(doing)
    finally:
        for task in (signalled, dead, doing):
            task.cancel()


def web_options(settings: Settings) -> WebOptions:
    """What the pages need to know of the settings."""
    return WebOptions(
        secure_cookies=settings.secure_cookies,
        session_hours=settings.session_hours,
        environment=settings.environment.value,
        max_body=settings.max_message_bytes,
        open_intake=settings.open_intake,
    )


def http_limits(settings: Settings) -> HttpLimits:
    """What one sender may not exceed over HTTP."""
    return HttpLimits(
        settings.http_max_connections,
        settings.http_max_connections_per_address,
        settings.http_request_seconds,
        settings.trusted_proxies,
    )


async def _listen(listener: Listener, receiver: Receiver, settings: Settings) -> str:
    try:
        return await listener.start(receiver)
    except OSError as error:
        named = error.filename or f"mllp_port {settings.mllp_port}"
        words = f"{named} on {settings.mllp_host}: {error.strerror}"
        raise SettingsError("settings.port_taken", words) from error


def _bind(host: str, port: int) -> socket.socket:
    """The HTTP socket, bound before anything starts, so that a taken port is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise SettingsError("settings.port_taken", f"http_port {port} on {host}: {error.strerror}") from error
    return door


def _url(door: socket.socket, scheme: str) -> str:
    host, port = door.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


async def _started(http: HttpServer, pages: asyncio.Task[None]) -> None:
    while not http.started:
        if pages.done():
            await pages
            raise GatewayError("serve.pages_ended", "the HTTP server did not start; its log says why")
        await asyncio.sleep(0.01)


async def _close(http: HttpServer, pages: asyncio.Task[None]) -> None:
    http.should_exit = True
    await asyncio.wait([pages])
