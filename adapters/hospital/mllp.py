"""MLLP: HL7 v2 messages over a socket (HL7 Version 3 Standard: Transport Specification - MLLP, Release 1).

A message travels as <0x0B> message <0x1C><0x0D>; the acknowledgement comes back framed the same way, in the order of
the messages. Robust where senders are not: bytes may be split anywhere, several frames may come at once, a missing CR
after 0x1C is tolerated, bytes between frames are dropped and logged by count. A frame that begins anew in the
middle of another means the sender gave the first one up; it was never acknowledged, so it is dropped too.

Memory stays bounded: a connection with many unanswered messages, or that does not take its answers, is not read from
until it catches up; a frame above the size limit is refused and the connection closed, because where the next frame
begins is not known. Time is bounded too: a silent connection is closed, and so is one whose frame does not end in time,
however steadily it drips. Connections are bounded in all and by address: one too many hears AR and is closed at once.

One listener has the shared port, whose senders are told by certificate, address and message, and ports of single feeds.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

import structlog

from adapters.hospital.hl7v2 import Hl7v2Reader
from adapters.hospital.hl7v2_ack import UnreadableEnvelope
from adapters.hospital.hl7v2_charset import configured_codec
from gateway.errors import SettingsError, UnreadableMessage
from gateway.ports.hospital import Answer, Feed, Header, Intake, Origin
from gateway.tls import origin_of

START, END, CR = b"\x0b", b"\x1c", b"\x0d"
BETWEEN_FRAMES = b"\r\n"
RESTART = b"\x0bMSH"
MAX_BYTES = 4 * 1024 * 1024
MAX_WAITING = 64
"""Unanswered messages of one connection above which it is not read from."""

MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS = 1000, 256

LINGER_SECONDS = 1.0
"""How long a closed connection still takes bytes, to drop them. Closing a socket that holds unread bytes resets it, and
a reset may destroy an answer on its way."""

log = structlog.get_logger("hotich.mllp")


class MllpListener:
    """ports.hospital.Listener. `port` 0 takes a free one, and so does a 0 among `feed_ports`, ports by the name of the
    feed whose messages alone come there; `addresses` says where each feed may send, once started. `tls` is a
    server-side context for all ports (client certificates are its business). A connection is closed after
    `idle_seconds` without a byte or a waiting answer, and when a frame takes more than `frame_seconds`; `drain_seconds`
    is how long `stop` waits for answers."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 2575,
        *,
        feed_ports: Mapping[str, tuple[int, ...]] | None = None,
        max_bytes: int = MAX_BYTES,
        max_connections: int = MAX_CONNECTIONS,
        max_connections_per_address: int = MAX_CONNECTIONS_PER_ADDRESS,
        idle_seconds: float = 3600.0,
        frame_seconds: float = 300.0,
        drain_seconds: float = 10.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host, self.port, self.tls = host, port, tls
        self.feed_ports = feed_ports or {}
        self.drain_seconds = drain_seconds
        self.idle_seconds, self.frame_seconds = idle_seconds, frame_seconds
        self.addresses: dict[str, list[str]] = {}
        self._servers: list[asyncio.Server] = []
        self._hall = Hall(max_bytes, max_connections, max_connections_per_address)
        self._sweeper: asyncio.Task[None] | None = None

    @staticmethod
    def check_feed(feed: Feed) -> None:
        """Raises SettingsError when HL7 v2 cannot be read with the feed's character set."""
        if feed.encoding and "hl7v2" in feed.formats:
            try:
                configured_codec(feed.encoding)
            except SettingsError as error:
                raise SettingsError(error.code, f"feeds.{feed.name}.encoding: {error.message}") from error

    async def start(self, intake: Intake) -> str:
        """Listen; returns "host:port" of the shared port. Raises OSError, with the setting and the port as its file
        name, when an address is taken; then nothing is left open."""
        wanted = [(None, self.port), *((name, port) for name, ports in self.feed_ports.items() for port in ports)]
        try:
            bound = [await self._open(intake, name, port) for name, port in wanted]
        except OSError:
            for server in self._servers:
                server.close()
            self._servers.clear()
            raise
        for (name, _port), address in zip(wanted, bound, strict=True):
            if name is not None:
                self.addresses.setdefault(name, []).append(address)
        self._sweeper = asyncio.get_running_loop().create_task(self._close_idle())
        return bound[0]

    async def _open(self, intake: Intake, feed: str | None, port: int) -> str:
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: MllpConnection(intake, self._hall, feed), self.host, port, ssl=self.tls, backlog=512
            )
        except OSError as error:
            setting = "mllp_port" if feed is None else f"feeds.{feed}.ports"
            words = error.strerror or os.strerror(error.errno or 0)
            raise OSError(error.errno, words, f"{setting} {port}") from error
        self._servers.append(server)
        host, bound = server.sockets[0].getsockname()[:2]
        return f"{host}:{bound}"

    async def stop(self) -> None:
        """Stop accepting and reading, let waiting answers go out, close. Messages not answered by then were not
        acknowledged: their senders send them again."""
        if not self._servers:
            return
        for server in self._servers:
            server.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in self._hall.connections:
            connection.stop_reading()
        deadline = asyncio.get_running_loop().time() + self.drain_seconds
        while any(connection.waiting for connection in self._hall.connections):
            if asyncio.get_running_loop().time() > deadline:
                log.warning("mllp.stopped_with_unanswered", connections=len(self._hall.connections))
                break
            await asyncio.sleep(0.01)
        for connection in list(self._hall.connections):
            connection.close()
        while self._hall.connections:  # each is gone after LINGER_SECONDS at the latest
            await asyncio.sleep(0.01)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    async def _close_idle(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(self.idle_seconds / 4, self.frame_seconds / 4, 30.0))
            for connection in list(self._hall.connections):
                begun = connection.frame_begun_at
                if begun is not None and loop.time() - begun > self.frame_seconds:
                    log.warning("mllp.frame_too_slow", peer=connection.peer)
                    connection.close()
                if not connection.waiting and loop.time() - connection.heard_at > self.idle_seconds:
                    log.info("mllp.idle_closed", peer=connection.peer)
                    connection.close()


class Hall:
    """All connections of a listener, and how many there may be."""

    def __init__(self, max_bytes: int, most: int, most_per_address: int) -> None:
        self.max_bytes, self.most, self.most_per_address = max_bytes, most, most_per_address
        self.connections: set[MllpConnection] = set()
        self._by_address: Counter[str] = Counter()

    def enter(self, connection: MllpConnection) -> str:
        """Count a connection in; or why it is one too many: then it does not count, as it leaves at once."""
        if len(self.connections) >= self.most:
            return f"more than {self.most} connections at once"
        if self._by_address.get(connection.peer, 0) >= self.most_per_address:
            return f"more than {self.most_per_address} connections at once from one address"
        self.connections.add(connection)
        self._by_address[connection.peer] += 1
        return ""

    def leave(self, connection: MllpConnection) -> None:
        """Count a connection out."""
        if connection in self.connections:
            self.connections.discard(connection)
            self._by_address[connection.peer] -= 1
            if not self._by_address[connection.peer]:
                del self._by_address[connection.peer]


def _is_one_frame(data: bytes) -> bool:
    return data[-2:] == END + CR and data.rfind(START) == 0 and data.find(END) == len(data) - 2


class MllpConnection(asyncio.Protocol):
    """One sender. `feed` is the one whose port this is; `waiting` counts messages handed to the intake and not yet
    answered."""

    def __init__(self, intake: Intake, hall: Hall, feed: str | None) -> None:
        self._intake = intake
        self._hall = hall
        self._feed = feed
        self._max_bytes = hall.max_bytes
        self._origin = Origin()
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer known to hold no END
        self._transport: asyncio.Transport | None = None
        self._paused = self._writing_paused = self._reading_stopped = False
        self._ended = self._closing = self._over_tls = False
        self._leaving = False  # once everything before it is answered, say farewell and close
        self._farewell = b""
        self._loop = asyncio.get_running_loop()
        self.waiting = 0
        self.heard_at = self._loop.time()
        self.frame_begun_at: float | None = None  # when the frame began that has not ended yet
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._over_tls = transport.get_extra_info("sslcontext") is not None
        address: Any = transport.get_extra_info("peername")
        self.peer = str(address[0]) if address else ""
        self._origin = origin_of(self.peer, transport.get_extra_info("ssl_object"))
        if too_many := self._hall.enter(self):
            log.warning("mllp.too_many_connections", peer=self.peer)
            error = UnreadableMessage("mllp.too_many_connections", "connection", f"{too_many}; try again later")
            self._refuse(None, error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hall.leave(self)
        self._transport = None
        if self._buffer.strip(BETWEEN_FRAMES):
            log.warning("mllp.lost_mid_frame", peer=self.peer, bytes=len(self._buffer))

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        self.heard_at = self._loop.time()
        if not self._buffer and len(data) <= self._max_bytes and _is_one_frame(data):
            self._submit(data[1:-2])  # how nearly every message arrives
        else:
            self._buffer += data
            self._take_frames()
            if not self._buffer:
                self.frame_begun_at = None
            elif self.frame_begun_at is None:
                self.frame_begun_at = self.heard_at
        self._balance()

    def eof_received(self) -> bool:
        """The sender has nothing more to say, but may still wait for its answers."""
        self._ended = True
        return bool(self.waiting) and not self._closing and not self._over_tls  # TLS has no half-closed state

    def pause_writing(self) -> None:
        self._writing_paused = True
        self._balance()

    def resume_writing(self) -> None:
        self._writing_paused = False
        self._balance()

    def stop_reading(self) -> None:
        """Take nothing more from this sender."""
        self._reading_stopped = True
        self._balance()

    def close(self) -> None:
        """Close after what was written has gone out, dropping what still comes in."""
        transport = self._transport
        if transport is None or self._closing:
            return
        self._closing = True
        if self._ended or not transport.can_write_eof():
            transport.close()
            return
        transport.write_eof()
        if self._paused:
            self._paused = False
            transport.resume_reading()
        self._loop.call_later(LINGER_SECONDS, transport.abort)

    def _take_frames(self) -> None:
        buffer = self._buffer
        while buffer:
            if buffer[:1] != START:
                self._skip_to_start()
                continue
            end = buffer.find(END, self._searched)
            if end < 0 or end > self._max_bytes:
                self._searched = len(buffer)
                if len(buffer) > self._max_bytes:
                    self._refuse_oversized()
                return
            frame = bytes(buffer[1:end])
            del buffer[: end + 1]
            self._searched, self.frame_begun_at = 0, None
            if (again := frame.rfind(RESTART)) >= 0:
                log.warning("mllp.frame_abandoned", peer=self.peer, bytes=again)
                frame = frame[again + 1 :]
            self._submit(frame)

    def _skip_to_start(self) -> None:
        """Drop what stands before the next frame; the CR that ends a frame is no garbage."""
        start = self._buffer.find(START)
        skipped = self._buffer[: start if start >= 0 else len(self._buffer)]
        if garbage := skipped.strip(BETWEEN_FRAMES):
            log.warning("mllp.garbage_skipped", peer=self.peer, bytes=len(garbage))
        del self._buffer[: len(skipped)]
        self._searched = 0

    def _submit(self, frame: bytes) -> None:
        self.waiting += 1
        self._intake.submit(frame, "hl7v2", self._feed, self._reply, self._origin)

    def _reply(self, answer: Answer) -> None:
        """Called by the intake after the commit, in the order of submission."""
        self.waiting -= 1
        if self._transport is None or self._closing:
            return  # the sender hung up, or was too slow to be waited for; it sends again and gets the same answer
        if answer.body:  # a sender in enhanced mode may want no answer
            self._transport.write(START + answer.body + END + CR)
        if not self.waiting and (self._ended or self._leaving):
            self._say_farewell()
        elif self._paused:
            self._balance()

    def _refuse_oversized(self) -> None:
        """AR, after the answers that are still due, and the end of the connection."""
        log.warning("mllp.too_large", peer=self.peer, limit=self._max_bytes)
        reader = Hl7v2Reader()
        place, words = f"offset {self._max_bytes}", f"the message exceeds {self._max_bytes} bytes"
        error = UnreadableMessage("mllp.too_large", place, words, "102")
        header: Header | None = None
        try:
            header = reader.header(bytes(self._buffer[1:4096]))
        except UnreadableEnvelope as unreadable:
            error = UnreadableEnvelope("mllp.too_large", place, words, "102", unreadable.envelope)
        except UnreadableMessage:
            log.info("mllp.nothing_salvaged", peer=self.peer)
        self._buffer.clear()
        self._refuse(header, error)

    def _refuse(self, header: Header | None, error: UnreadableMessage) -> None:
        body = Hl7v2Reader().answer(header, "AR", error, Feed(), "").body
        self._farewell, self._leaving = START + body + END + CR if body else b"", True
        self.stop_reading()
        if not self.waiting:
            self._say_farewell()

    def _say_farewell(self) -> None:
        if self._transport is not None and self._farewell:
            self._transport.write(self._farewell)
        self.close()

    def _balance(self) -> None:
        """Read only as fast as answers go out."""
        if self._transport is None or self._closing or self._transport.is_closing():
            return
        limit = MAX_WAITING // 2 if self._paused else MAX_WAITING
        wanted = self._reading_stopped or self._writing_paused or self.waiting > limit
        if wanted and not self._paused:
            self._transport.pause_reading()
        elif self._paused and not wanted:
            self._transport.resume_reading()
            self.frame_begun_at = self._loop.time() if self._buffer else None
        if wanted:
            self.frame_begun_at = None  # the wait is ours, not the sender's
        self._paused = wanted
