"""A hospital's MLLP receiver for tests: threads of the standard library, and the `hl7` package to read with."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections import deque
from pathlib import Path
from typing import Self

import hl7

START, END = b"\x0b", b"\x1c\r"


class MllpPeer:
    """Listens on a free port while it is open. `received` has every message, `effective` by MSH-10 those it accepted,
    once each, as a system that knows resends. `script` says what the next messages meet: an acknowledgement code, with
    an ERR-3 code behind a blank ("AE 207"); "other" (acknowledges another message), "garbage", "not_hl7", "drop" (it
    closes after reading), "silent"."""

    def __init__(self, port: int = 0, certificate: Path | None = None) -> None:
        self.received: list[bytes] = []
        self.effective: dict[str, str] = {}
        self.script: deque[str] = deque()
        self.always = "AA"
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"{'mllps' if self._context else 'mllp'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and wait for the threads."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while raw := _read_frame(stream):
                    self.received.append(raw)
                    if not self._answer(connection, raw):
                        return
        connection.close()

    def _answer(self, connection: socket.socket, raw: bytes) -> bool:
        said = self.script.popleft() if self.script else self.always
        if said == "silent":
            self._closing.wait(30)
        if said in ("silent", "drop"):
            return False
        number = str(hl7.parse(raw.decode("utf-8"))["MSH"][0][10])
        code, _, error = said.partition(" ")
        text = {"garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n", "not_hl7": START + b"hello" + END}.get(said)
        if said == "other":
            code, number = "AA", "SOMETHING-ELSE"
        if code == "AA" and said != "other":
            self.effective.setdefault(number, raw.decode("utf-8"))
        lines = ["MSH|^~\\&|HIS|BV|HOTICH|HOTICH|20261123100000||ACK^A31^ACK|1|P|2.5.1", f"MSA|{code}|{number}"]
        lines += [f"ERR|||{error}^Application^HL70357|E"] if error else []
        connection.sendall(text or START + "\r".join([*lines, ""]).encode() + END)
        return True


def _read_frame(stream: object) -> bytes:
    """The next message without its frame; b"" at the end of the connection."""
    raw = bytearray()
    while not raw.endswith(END):
        byte = stream.read(1)  # type: ignore[attr-defined]
        if not byte:
            return b""
        raw += byte
    return bytes(raw[len(START) : -len(END)])
