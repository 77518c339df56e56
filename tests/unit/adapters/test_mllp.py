"""MLLP over real loopback sockets, with the `hl7` package's client and with bytes sent by hand."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hl7
import pytest
import structlog
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hl7.client import MLLPClient

from adapters.hospital.mllp import MAX_WAITING, MllpListener
from gateway.ports.hospital import Reply
from tests.hl7v2_messages import FEED, READER, message

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


class HeldIntake:
    """An intake that stores nothing: it answers when told to, or at once when `held` is False."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.waiting: list[tuple[bytes, Reply]] = []
        self.held = False

    def submit(self, raw: bytes, format: str | None, feed: str | None, reply: Reply) -> None:
        assert (format, feed) == ("hl7v2", None)
        self.received.append(raw)
        self.waiting.append((raw, reply))
        if not self.held:
            self.release()

    def release(self, count: int | None = None) -> None:
        now, self.waiting = self.waiting[:count], self.waiting[count:] if count else []
        for raw, reply in now:
            reply(READER.answer(READER.header(raw), "AA", None, FEED, "rx.1"))


@pytest.fixture
def intake() -> HeldIntake:
    return HeldIntake()


@pytest.fixture
async def start(intake: HeldIntake) -> AsyncIterator[Callable[..., object]]:
    started: list[MllpListener] = []

    async def start_listener(**options: object) -> tuple[str, int]:
        listener = MllpListener(port=0, **options)  # type: ignore[arg-type]
        started.append(listener)
        host, port = (await listener.start(intake)).rsplit(":", 1)
        return host, int(port)

    yield start_listener
    for listener in started:
        await listener.stop()


def framed(*controls: str) -> bytes:
    return b"".join(b"\x0b" + message({"MSH-10": control}) + b"\x1c\r" for control in controls)


async def answers(reader: Reader, count: int) -> list[str]:
    """MSA-2 of the next answers, in order."""
    found = []
    for _ in range(count):
        frame = await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 10)
        found.append(str(hl7.parse(frame.strip(b"\x0b\x1c\r").decode("utf-8"))["MSA"][0][2]))
    return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


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


@pytest.mark.parametrize("finished", [True, False])
async def test_an_oversized_message_is_refused_after_what_came_before_and_the_connection_closed(
    start: Callable[..., object], intake: HeldIntake, finished: bool
) -> None:
    reader, writer = await asyncio.open_connection(*await start(max_bytes=2000))  # type: ignore[misc]
    intake.held = True
    writer.write(framed("M1"))
    await until(lambda: len(intake.waiting) == 1)
    writer.write(framed("M2")[:-3] + b"x" * 2000 + (b"\x1c\r" if finished else b""))
    await asyncio.sleep(0.02)
    intake.release()
    text = await asyncio.wait_for(reader.read(), 10)
    assert [line[:9] for line in text.split(b"\r") if line.startswith(b"MSA")] == [b"MSA|AA|M1", b"MSA|AR|M2"]
    assert len(intake.received) == 1
    writer.close()


async def test_an_oversized_flood_without_a_header_is_refused_too(start: Callable[..., object]) -> None:
    reader, writer = await asyncio.open_connection(*await start(max_bytes=2000))  # type: ignore[misc]
    writer.write(b"\x0b" + b"x" * 5000)
    assert b"MSA|AR" in await asyncio.wait_for(reader.read(), 10)
    writer.close()


async def test_a_sender_that_does_not_wait_is_read_no_faster_than_it_is_answered(
    start: Callable[..., object], intake: HeldIntake
) -> None:
    intake.held = True
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    names = [f"M{n}" for n in range(20_000)]
    writer.write(framed(*names))
    await until(lambda: len(intake.received) > MAX_WAITING)
    await asyncio.sleep(0.05)
    held = len(intake.received)
    assert held < len(names) // 4  # one read beyond the mark, not the whole flood
    intake.held = False
    intake.release()
    assert await answers(reader, len(names)) == names
    writer.close()


async def test_a_sender_that_closes_its_side_still_gets_its_answers(
    start: Callable[..., object], intake: HeldIntake
) -> None:
    intake.held = True
    reader, writer = await asyncio.open_connection(*await start())  # type: ignore[misc]
    writer.write(framed("M1", "M2"))
    writer.write_eof()
    await until(lambda: len(intake.waiting) == 2)
    await asyncio.sleep(0.02)
    intake.release()
    assert await answers(reader, 2) == ["M1", "M2"]
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_an_answer_for_a_sender_that_hung_up_harms_nobody(
    start: Callable[..., object], intake: HeldIntake
) -> None:
    intake.held = True
    address = await start()  # type: ignore[misc]
    _, writer = await asyncio.open_connection(*address)
    writer.write(framed("M1"))
    await until(lambda: len(intake.waiting) == 1)
    writer.transport.abort()
    await asyncio.sleep(0.02)
    intake.held = False
    intake.release()
    reader, writer = await asyncio.open_connection(*address)
    writer.write(framed("M2"))
    assert await answers(reader, 1) == ["M2"]
    writer.close()


async def test_stopping_lets_waiting_answers_go_out_and_takes_nothing_new(intake: HeldIntake) -> None:
    intake.held = True
    listener = MllpListener(port=0)
    host, port = (await listener.start(intake)).rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(framed("M1"))
    await until(lambda: len(intake.waiting) == 1)
    stopping = asyncio.create_task(listener.stop())
    await asyncio.sleep(0.02)
    assert not stopping.done()
    writer.write(framed("M2"))
    intake.release()
    assert await answers(reader, 1) == ["M1"]
    await asyncio.wait_for(stopping, 10)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    assert len(intake.received) == 1
    with pytest.raises(OSError):
        await asyncio.open_connection(host, int(port))
    writer.close()


async def test_stopping_does_not_wait_for_ever(intake: HeldIntake) -> None:
    intake.held = True
    listener = MllpListener(port=0, drain_seconds=0.05)
    host, port = (await listener.start(intake)).rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(framed("M1"))
    await until(lambda: len(intake.waiting) == 1)
    await asyncio.wait_for(listener.stop(), 10)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_a_silent_connection_is_closed_and_a_waiting_one_is_not(
    start: Callable[..., object], intake: HeldIntake
) -> None:
    intake.held = True
    address = await start(idle_seconds=0.1)  # type: ignore[misc]
    silent, silent_writer = await asyncio.open_connection(*address)
    waiting, waiting_writer = await asyncio.open_connection(*address)
    waiting_writer.write(framed("M1"))
    assert await asyncio.wait_for(silent.read(), 10) == b""
    await asyncio.sleep(0.1)
    intake.release()
    assert await answers(waiting, 1) == ["M1"]
    silent_writer.close()
    waiting_writer.close()


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
