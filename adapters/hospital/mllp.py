"""MLLP: HL7 v2 messages over a socket (HL7 Version 3 Standard: Transport Specification - MLLP, Release 1).

A message travels as <0x0B> message <0x1C><0x0D>; the acknowledgement comes back framed the same way, in the order of
the messages. Robust where senders are not: bytes may be split anywhere, several frames may come at once, a missing CR
after 0x1C is tolerated, bytes between frames are dropped and logged by count. A frame that begins anew in the
middle of another means the sender gave the first one up; it was never acknowledged, so it is dropped too.

Memory stays bounded: a connection with many unanswered messages, or that does not take its answers, is not read from
until it catches up; a frame above the size limit is refused and the connection closed, because where the next frame
begins is not known.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, cast

import structlog

from adapters.hospital.hl7v2 import Hl7v2Reader
from adapters.hospital.hl7v2_ack import UnreadableEnvelope
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Answer, Feed, Header, Intake

START, END, CR = b"\x0b", b"\x1c", b"\x0d"
BETWEEN_FRAMES = b"\r\n"
RESTART = b"\x0bMSH"
MAX_BYTES = 4 * 1024 * 1024
MAX_WAITING = 64
"""Unanswered messages of one connection above which it is not read from."""

LINGER_SECONDS = 1.0
"""How long a closed connection still takes bytes, to drop them. Closing a socket that holds unread bytes resets it, and
a reset may destroy an answer on its way."""

log = structlog.get_logger("hotich.mllp")


class MllpListener:
    """ports.hospital.Listener. `port` 0 takes a free one; `tls` a server-side context (client certificates are its
    business). `idle_seconds` without a byte or a waiting answer closes a connection; `drain_seconds` is how long `stop`
    waits for answers."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 2575,
        *,
        max_bytes: int = MAX_BYTES,
        idle_seconds: float = 3600.0,
        drain_seconds: float = 10.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host, self.port, self.tls = host, port, tls
        self.max_bytes, self.idle_seconds, self.drain_seconds = max_bytes, idle_seconds, drain_seconds
        self._server: asyncio.Server | None = None
        self._connections: set[MllpConnection] = set()
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self, intake: Intake) -> str:
        """Listen; returns "host:port". Raises OSError when the address is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: MllpConnection(intake, self._connections, self.max_bytes),
            self.host,
            self.port,
            ssl=self.tls,
            backlog=512,
        )
        self._sweeper = loop.create_task(self._close_idle())
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def stop(self) -> None:
        """Stop accepting and reading, let waiting answers go out, close. Messages not answered by then were not
        acknowledged: their senders send them again."""
        if self._server is None:
            return
        self._server.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in self._connections:
            connection.stop_reading()
        deadline = asyncio.get_running_loop().time() + self.drain_seconds
        while any(connection.waiting for connection in self._connections):
            if asyncio.get_running_loop().time() > deadline:
                log.warning("mllp.stopped_with_unanswered", connections=len(self._connections))
                break
            await asyncio.sleep(0.01)
        for connection in list(self._connections):
            connection.close()
        while self._connections:  # each is gone after LINGER_SECONDS at the latest
            await asyncio.sleep(0.01)
        await self._server.wait_closed()
        self._server = None

    async def _close_idle(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(self.idle_seconds / 4, 30.0))
            for connection in list(self._connections):
                if not connection.waiting and loop.time() - connection.heard_at > self.idle_seconds:
                    log.info("mllp.idle_closed", peer=connection.peer)
                    connection.close()


def _is_one_frame(data: bytes) -> bool:
    return data[-2:] == END + CR and data.rfind(START) == 0 and data.find(END) == len(data) - 2


class MllpConnection(asyncio.Protocol):
    """One sender. `waiting` counts messages handed to the intake and not yet answered."""

    def __init__(self, intake: Intake, connections: set[MllpConnection], max_bytes: int) -> None:
        self._intake = intake
        self._connections = connections
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer known to hold no END
        self._transport: asyncio.Transport | None = None
        self._paused = self._writing_paused = self._reading_stopped = False
        self._ended = self._closing = self._over_tls = False
        self._farewell = b""  # what to say once everything before it is answered, then close
        self._loop = asyncio.get_running_loop()
        self.waiting = 0
        self.heard_at = self._loop.time()
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._over_tls = transport.get_extra_info("sslcontext") is not None
        address: Any = transport.get_extra_info("peername")
        self.peer = str(address[0]) if address else ""
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
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
            self._searched = 0
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
        self._intake.submit(frame, "hl7v2", None, self._reply)

    def _reply(self, answer: Answer) -> None:
        """Called by the intake after the commit, in the order of submission."""
        self.waiting -= 1
        if self._transport is None or self._closing:
            return  # the sender hung up, or was too slow to be waited for; it sends again and gets the same answer
        self._transport.write(START + answer.body + END + CR)
        if not self.waiting and (self._ended or self._farewell):
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
        self._farewell = START + reader.answer(header, "AR", error, Feed(), "").body + END + CR
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
        self._paused = wanted
