"""MLLP over real loopback sockets, with the `hl7` package's client and with bytes sent by hand."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hl7.client import MLLPClient

from adapters.hospital.mllp import MllpListener
from tests.hl7v2_messages import message
from tests.mllp_world import HeldIntake, answers, framed, until


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_the_common_python_client_gets_its_acknowledgement(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def journey() -> bytes:
        listener, held = MllpListener(port=0), HeldIntake()
        host, port = (await listener.start(held)).rsplit(":", 1)
        client = await asyncio.to_thread(MLLPClient, host, int(port))
        answer: bytes = await asyncio.to_thread(client.send_message, message().decode("utf-8"))
        client.close()
        await listener.stop()
        assert held.received == [message()]
        return answer

    with asyncio.Runner(loop_factory=loop) as runner:
        answer = runner.run(journey())
    assert answer[:1] == b"\x0b"
    assert answer[-2:] == b"\x1c\r"
    assert b"MSA|AA|M1" in answer


async def test_a_message_split_at_every_byte_is_one_message(start: Callable[..., object], intake: HeldIntake) -> None:
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    for byte in framed("M1"):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)
    assert await answers(reader, 1) == ["M1"]
    assert intake.received == [message()]
    writer.close()


async def test_several_frames_at_once_are_answered_in_order(start: Callable[..., object], intake: HeldIntake) -> None:
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    names = [f"M{n}" for n in range(20)]
    writer.write(framed(*names))
    assert await answers(reader, 20) == names
    writer.close()


async def test_nothing_is_acknowledged_before_the_intake_replies(
    start: Callable[..., object], intake: HeldIntake
) -> None:
    intake.held = True
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    writer.write(framed("M1", "M2"))
    await until(lambda: len(intake.waiting) == 2)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.05)
    intake.release(1)
    assert await answers(reader, 1) == ["M1"]
    intake.release()
    assert await answers(reader, 1) == ["M2"]
    writer.close()


async def test_garbage_between_frames_is_dropped_and_logged_by_its_size_alone(start: Callable[..., object]) -> None:
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    with structlog.testing.capture_logs() as logs:
        writer.write(b"GET / Tr\xe1\xba\xa7n" + framed("M1") + b"\r\n\r\n" + framed("M2") + b"xyz")
        writer.write(framed("M3"))
        assert await answers(reader, 3) == ["M1", "M2", "M3"]
    assert [(log["event"], log["bytes"]) for log in logs] == [("mllp.garbage_skipped", 12), ("mllp.garbage_skipped", 3)]
    writer.close()


async def test_a_missing_carriage_return_after_the_end_is_tolerated(start: Callable[..., object]) -> None:
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    writer.write(framed("M1").rstrip(b"\r"))
    assert await answers(reader, 1) == ["M1"]
    writer.write(framed("M2").rstrip(b"\r") + framed("M3"))
    assert await answers(reader, 2) == ["M2", "M3"]
    writer.close()


async def test_a_frame_begun_anew_replaces_the_one_given_up(start: Callable[..., object], intake: HeldIntake) -> None:
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    writer.write(framed("M1")[:60])
    await writer.drain()
    writer.write(framed("M2"))
    assert await answers(reader, 1) == ["M2"]
    assert intake.received == [message({"MSH-10": "M2"})]
    writer.close()


async def test_a_vertical_tab_in_the_text_is_part_of_the_message(
    start: Callable[..., object], intake: HeldIntake
) -> None:
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    raw = message({"PID-23": "dòng\x0bhai"})
    writer.write(b"\x0b" + raw + b"\x1c\r")
    assert await answers(reader, 1) == ["M1"]
    assert intake.received == [raw]
    writer.close()


def make_contexts(directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Server and client contexts around a certificate made for this test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = directory / "server.pem"
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    file.write_bytes(key.private_bytes(pem, *private) + certificate.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))


async def test_messages_travel_over_tls(start: Callable[..., object], tmp_path: Path) -> None:
    server, client = make_contexts(tmp_path)
    host, port = await start(tls=server)  # type: ignore[misc]
    reader, writer = await asyncio.open_connection(host, port, ssl=client, server_hostname="localhost")
    writer.write(framed("M1", "M2"))
    assert await answers(reader, 2) == ["M1", "M2"]
    writer.close()
    await writer.wait_closed()


async def test_two_messages_in_one_frame_reach_the_intake_as_they_came(
    start: Callable[..., object], intake: HeldIntake
) -> None:
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    both = message({"MSH-10": "M1"}) + message({"MSH-10": "M2"})
    writer.write(b"\x0b" + both + b"\x1c\r" + framed("M3"))
    frame = await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 10)
    assert re.findall(rb"MSA\|AA\|(M\d)", frame) == [b"M1", b"M2"]
    assert await answers(reader, 1) == ["M3"]
    assert intake.received[0] == both
    writer.close()


async def test_half_a_frame_is_neither_taken_nor_answered_and_a_new_connection_is(
    start: Callable[..., object], intake: HeldIntake
) -> None:
    address = await start()  # type: ignore[misc]
    reader, writer = await asyncio.open_connection(*address)
    writer.write(framed("M1")[:-2])
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 10) == b""
    assert intake.received == []
    again_reader, again = await asyncio.open_connection(*address)
    again.write(framed("M1"))
    assert await answers(again_reader, 1) == ["M1"]
    writer.close()
    again.close()


async def test_carriage_returns_and_line_feeds_inside_a_frame_do_not_end_it(
    start: Callable[..., object], intake: HeldIntake
) -> None:
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    raw = message({"PID-23": "Bệnh viện\nđa khoa"}, end="\r\n") + b"\r\r\n"
    for line in (b"\x0b" + raw + b"\x1c\r").splitlines(keepends=True):
        writer.write(line)
        await writer.drain()
        await asyncio.sleep(0.001)
    assert await answers(reader, 1) == ["M1"]
    assert intake.received == [raw]
    writer.close()


async def test_a_sender_that_wants_no_answer_gets_no_frame_and_the_next_one_its_own(
    start: Callable[..., object],
) -> None:
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    silent = message({"MSH-10": "M1", "MSH-15": "NE", "MSH-16": "NE"})
    writer.write(b"\x0b" + silent + b"\x1c\r" + framed("M2"))
    assert await answers(reader, 1) == ["M2"]
    writer.close()
