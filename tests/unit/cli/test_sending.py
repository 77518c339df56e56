"""The sender of `hotich send` and the demo: MLLP framing and the paths of the HTTP interface."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from gateway.cli.sending import ack_code, send_http, send_mllp, target
from gateway.errors import Misunderstood, SettingsError, Unreachable

ACK = b"MSH|^~\\&|G|G|H|H|20261123||ACK^A01^ACK|1|P|2.5\rMSA|AA|77\r"


@contextmanager
def listening(answers: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """A receiver on a free port: reads one frame, gives the next answer in two pieces, and so on."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def receive() -> None:
            line, _ = door.accept()
            with line:
                for answer in answers:
                    frame = b""
                    while not frame.endswith(b"\x1c\r"):
                        frame += line.recv(10)
                    heard.append(frame)
                    line.sendall(answer[:5])
                    line.sendall(answer[5:])

        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        yield door.getsockname()[1], heard
        thread.join(5)


def test_messages_are_framed_and_each_waits_for_its_answer() -> None:
    with listening([b"\x0b" + ACK + b"\x1c\r", b"\x0b" + ACK.replace(b"|AA|", b"|AR|") + b"\x1c\r"]) as (port, heard):
        receipts = send_mllp("127.0.0.1", port, [b"one", "hai ế".encode()])
    assert heard == [b"\x0bone\x1c\r", b"\x0b" + "hai ế".encode() + b"\x1c\r"]
    assert [(receipt.code, receipt.taken) for receipt in receipts] == [("AA", True), ("AR", False)]
    assert receipts[0].body == ACK


def test_a_connection_closed_without_an_answer_is_no_acknowledgement() -> None:
    with listening([b""]) as (port, _heard), pytest.raises(Unreachable):
        send_mllp("127.0.0.1", port, [b"one"])


def test_nobody_listening_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    with pytest.raises(Unreachable):
        send_mllp("127.0.0.1", port, [b"one"])


def test_the_code_is_read_with_the_separator_of_the_answer() -> None:
    assert ack_code(b"MSH#^~\\&\nMSA#CE#9\n") == "CE"
    with pytest.raises(Misunderstood):
        ack_code(b"MSH|^~\\&|\r")


@pytest.mark.parametrize(
    ("format", "message", "path"),
    [
        ("hl7v2", b"MSH|", "/hl7v2"),
        ("moh", b"<HSDLGCS/>", "/moh"),
        ("fhir", b'{"resourceType":"Bundle"}', "/fhir"),
        ("fhir", b'\xef\xbb\xbf{"resourceType":"Patient"}', "/fhir/Patient"),
        ("fhir", b"{", "/fhir"),
    ],
)
def test_a_bare_address_gets_the_path_of_the_format(format: str, message: bytes, path: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(422, content=b"no")

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        receipt = send_http("http://gateway:8080", format, message, "secret", client)
    assert (asked[0].url.path, asked[0].headers["Authorization"]) == (path, "Bearer secret")
    assert (receipt.code, receipt.taken, receipt.body) == ("422", False, b"no")


@pytest.mark.parametrize("address", ["gateway:2575", "mllp://gateway", "ftp://gateway:21", "http://"])
def test_an_address_that_makes_no_sense_is_refused(address: str) -> None:
    with pytest.raises(SettingsError):
        target(address)
