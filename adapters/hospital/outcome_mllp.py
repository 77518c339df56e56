"""One message to a hospital's MLLP receiver and its answer back (Minimal Lower Layer Protocol, HL7 v2 chapter 2
appendix C): a connection for each, so that nothing of an earlier exchange can be taken for this one's answer.

A receiver gets one message at a time. After some failures in a row it is left alone for a while, and then one message
tries: those that wait for a receiver that is down do not hold the worker's threads.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from adapters.http_partner import EVIDENCE_BYTES, tls_context
from gateway.errors import Misconfigured, Misunderstood, SettingsError, Unreachable

START, END = b"\x0b", b"\x1c\r"
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
FAILURES = 3
REST_SECONDS = 30.0
MAX_BYTES = 1_000_000


class MllpReceiver:
    """A receiver at `mllp://host:port` or, over TLS with its name checked, `mllps://host:port`; `ca` is a PEM file of
    authorities, "" for the machine's own. Safe to use from many threads."""

    def __init__(
        self, address: str, ca: str = "", *, answer_seconds: float = ANSWER_SECONDS, rest_seconds: float = REST_SECONDS
    ) -> None:
        to = urlsplit(address)
        self._host, self._port = to.hostname or "", to.port or 0
        self._tls = _context(ca) if to.scheme == "mllps" else None
        self._answer_seconds, self._rest_seconds = answer_seconds, rest_seconds
        self._turn = threading.Lock()
        self._failures, self._rests_until = 0, 0.0  # in a row; monotonic

    def exchange(self, message: bytes) -> bytes:
        """Send one message; its answer without the frame. Raises Unreachable (no connection, no answer in time, closed
        before the answer) or Misunderstood (what came is not framed, or too long)."""
        with self._in_turn():
            try:
                with self._connected() as line:
                    line.sendall(START + message + END)
                    return _read_frame(line, time.monotonic() + self._answer_seconds)
            except TimeoutError as error:
                raise Unreachable("answer.timeout", "the hospital's receiver does not answer in time") from error
            except OSError as error:  # that of TLS, too
                words = f"the hospital's receiver cannot be reached: {type(error).__name__}"
                raise Unreachable("answer.unreachable", words) from error

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        # Whoever waits behind one that fails would fail as well.
        patience = 0.0 if self._failures else CONNECT_SECONDS + self._answer_seconds
        if self._rests() or not self._turn.acquire(timeout=patience):
            raise self._left_alone()
        try:
            yield
            self._failures = 0
        except Unreachable:
            self._failures += 1
            if self._failures >= FAILURES:
                self._rests_until = time.monotonic() + self._rest_seconds
            raise
        finally:
            self._turn.release()

    def _rests(self) -> bool:
        return time.monotonic() < self._rests_until

    def _left_alone(self) -> Unreachable:
        words = "the hospital's receiver failed just now and is left alone for a while"
        return Unreachable("answer.rests", words, retry_after=max(self._rests_until - time.monotonic(), 1.0))

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        with socket.create_connection((self._host, self._port), CONNECT_SECONDS) as plain:
            if self._tls is None:
                yield plain
                return
            with self._tls.wrap_socket(plain, server_hostname=self._host) as line:
                yield line


def _context(ca: str) -> ssl.SSLContext:
    try:
        return tls_context(Path(ca) if ca else None, None, None)
    except SettingsError as error:
        raise Misconfigured("answer.settings", error.message) from error


def _read_frame(line: socket.socket, end: float) -> bytes:
    """The first frame, by `end` (monotonic) however slowly it trickles in."""
    answer = bytearray()
    while END not in answer:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        line.settimeout(left)
        part = line.recv(65_536)
        if not part:
            raise Unreachable("answer.closed", "the hospital's receiver closed before it answered", bytes(answer))
        answer += part
        if len(answer) > MAX_BYTES or not answer.startswith(START):
            words = "what the hospital's receiver answered is not one MLLP frame"
            raise Misunderstood("answer.not_framed", words, bytes(answer[:EVIDENCE_BYTES]))
    return bytes(answer[len(START) : answer.index(END)])
