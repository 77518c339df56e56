"""An HTTP server that misbehaves as told: what a client has to survive before it may speak to a partner outside.

Bare sockets of the standard library, a thread a connection, so that nothing repairs what is sent. Without a fault it is
an ordinary HTTP/1.1 server whose answers come from a function:

    with HostileServer(lambda request: Response(200, b"...", "text/xml")) as server:
        server.script.append("reset_unanswered")  # the next request suffers this, the one after is answered
        server.always = "status_500"              # every request after the script does
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HTML = b"<!DOCTYPE html><html><body><h1>Bad Gateway</h1></body></html>"
HUGE_BYTES = 256 * 1024 * 1024
RETRY_AFTER = 7
"""Seconds that `status_429` asks for."""
_PIECE = 64 * 1024
_TRICKLES = 40
_TRICKLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent; names of `headers` are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """What the server answers when nothing is wrong with it."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)

    def head(self, length: int | None = None) -> bytes:
        """The status line and headers; `length` is a lie about the body's length."""
        stated = {"Content-Type": self.media_type, "Content-Length": str(len(self.body) if length is None else length)}
        stated.update(self.headers)
        lines = [f"HTTP/1.1 {self.status} Said", *(f"{name}: {text}" for name, text in stated.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


Answer = Callable[[Request], Response]


class HostileServer:
    """Listens on 127.0.0.1 while it is open. `requests` are those read in full, in order; `sent` counts bytes of bodies
    given to the network. `certificate` is a PEM file with key and certificate: HTTPS then."""

    def __init__(self, answer: Answer, certificate: Path | None = None) -> None:
        self.answer = answer
        self.script: deque[str] = deque()
        self.always = ""
        self.requests: list[Request] = []
        self.sent = 0
        self._closing = threading.Event()
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"{'http' if self._context is None else 'https'}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, cut what is open, wait for the threads."""
        self._closing.set()
        for open_socket in (self._listener, *tuple(self._open)):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        # A client that goes away early is what this server is for.
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self._open.add(connection)
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            with connection.makefile("rb") as stream:
                while not self._closing.is_set() and self._exchange(connection, stream):
                    pass
        self._open.discard(connection)
        connection.close()

    def _exchange(self, connection: socket.socket, stream: BinaryIO) -> bool:
        """One request and what it meets; whether the connection stays open."""
        request = _read_request(stream)
        if request is None:
            return False
        self.requests.append(request)
        fault = self.script.popleft() if self.script else self.always
        if not fault:
            self._send(connection, self.answer(request))
            return True
        FAULTS[fault](self, connection, request)
        return False

    def _send(self, connection: socket.socket, response: Response) -> None:
        self.send_piece(connection, response.head() + response.body)

    def send_piece(self, connection: socket.socket, piece: bytes) -> None:
        """Give bytes to the network, as they are, and count them."""
        connection.sendall(piece)
        self.sent += len(piece)

    def wait(self, seconds: float) -> bool:
        """Let time pass, or less when the server is closed; whether it is."""
        return self._closing.wait(seconds)


def _read_request(stream: BinaryIO) -> Request | None:
    """The next request of a connection; None when the client closed it. Bodies need a Content-Length."""
    start = stream.readline().decode("latin-1").split()
    if len(start) != 3:
        return None
    headers = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, text = line.partition(":")
        headers[name.strip().lower()] = text.strip()
    return Request(start[0], start[1], headers, stream.read(int(headers.get("content-length", "0"))))


# Faults. Those of the connection come after the request was answered in spirit (`answer` was called, the far side did
# its work): the client cannot know. Those with a status come instead.

Fault = Callable[[HostileServer, socket.socket, Request], None]


def _time_out(server: HostileServer, _connection: socket.socket, request: Request) -> None:
    server.answer(request)
    server.wait(60)


def _reset_unanswered(server: HostileServer, connection: socket.socket, request: Request) -> None:
    server.answer(request)
    _reset(connection)


def _reset_in_answer(server: HostileServer, connection: socket.socket, request: Request) -> None:
    response = server.answer(request)
    server.send_piece(connection, response.head() + response.body[: len(response.body) // 2])
    _reset(connection)


def _short_answer(server: HostileServer, connection: socket.socket, request: Request) -> None:
    """Fewer bytes than Content-Length says, and an orderly end."""
    response = server.answer(request)
    server.send_piece(connection, response.head() + response.body[: len(response.body) // 2])


def _trickle(server: HostileServer, connection: socket.socket, request: Request) -> None:
    """The whole answer, but in drops: no single read takes long, all of them take four seconds."""
    response = server.answer(request)
    server.send_piece(connection, response.head())
    step = max(1, len(response.body) // _TRICKLES)
    for start in range(0, len(response.body), step):
        if server.wait(_TRICKLE_SECONDS):
            return
        server.send_piece(connection, response.body[start : start + step])


def _huge(server: HostileServer, connection: socket.socket, _request: Request) -> None:
    server.send_piece(connection, Response(200, media_type="text/xml").head(HUGE_BYTES))
    for _ in range(HUGE_BYTES // _PIECE):
        server.send_piece(connection, b" " * _PIECE)


def _zipped_huge(server: HostileServer, connection: socket.socket, _request: Request) -> None:
    """A quarter of a megabyte on the wire that a client who unzips it all has no room for."""
    body = _bomb()
    server.send_piece(connection, Response(200, body, "text/xml", {"Content-Encoding": "gzip"}).head() + body)


def _bomb() -> bytes:
    """One gzip stream of HUGE_BYTES zeros. A flushed block does not lean on what came before it, so that it can be
    repeated; only the checksum at the end is wrong, and nobody should read so far."""
    zeros, zipper = bytes(1024 * 1024), zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    first = zipper.compress(zeros) + zipper.flush(zlib.Z_FULL_FLUSH)
    block = zipper.compress(zeros) + zipper.flush(zlib.Z_FULL_FLUSH)
    return first + block * (HUGE_BYTES // len(zeros) - 1) + zipper.flush()


def _said(response: Response) -> Fault:
    """An answer that says that it is the connection's last: nobody is to ask again on it."""
    last = replace(response, headers={**response.headers, "Connection": "close"})
    return lambda server, connection, _request: server.send_piece(connection, last.head() + last.body)


def _reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


FAULTS: Mapping[str, Fault] = {
    "time_out": _time_out,
    "reset_unanswered": _reset_unanswered,
    "reset_in_answer": _reset_in_answer,
    "short_answer": _short_answer,
    "trickle": _trickle,
    "huge": _huge,
    "zipped_huge": _zipped_huge,
    "empty": _said(Response(200, b"", "text/xml")),
    "html_200": _said(Response(200, HTML, "text/html")),
    "html_502": _said(Response(502, HTML, "text/html")),
    "status_401": _said(Response(401, b"who are you", headers={"WWW-Authenticate": "Bearer"})),
    "status_403": _said(Response(403, b"not you")),
    "status_429": _said(Response(429, b"too often", headers={"Retry-After": str(RETRY_AFTER)})),
    "status_500": _said(Response(500, b"out of order")),
    "redirect": _said(Response(307, headers={"Location": "http://127.0.0.1:9/elsewhere"})),
}
"""What can be put into `script` or `always`, by name."""


def make_certificate(directory: Path, days: int = 10) -> Path:
    """A PEM file with a new key and a self-signed certificate for 127.0.0.1: to serve with, and to trust. Negative
    `days`: it expired so long ago."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hostile")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain, pem = serialization.NoEncryption(), serialization.Encoding.PEM
    file = directory / f"hostile-{days}.pem"
    file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(pem))
    return file
