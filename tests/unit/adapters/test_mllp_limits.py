"""MLLP under load: sizes, floods, slow, silent and vanished senders, and stopping. Over real loopback sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import structlog

from adapters.hospital.mllp import MAX_WAITING, MllpListener
from tests.hl7v2_messages import message
from tests.mllp_world import HeldIntake, answers, framed, until

pytestmark = pytest.mark.slow


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


async def test_a_frame_that_drips_is_given_up_while_a_quick_one_beside_it_is_answered(
    start: Callable[..., object], intake: HeldIntake
) -> None:
    address = await start(frame_seconds=0.2)  # type: ignore[misc]
    slow, slow_writer = await asyncio.open_connection(*address)
    quick, quick_writer = await asyncio.open_connection(*address)
    quick_writer.write(framed("M0"))
    assert await answers(quick, 1) == ["M0"]
    with structlog.testing.capture_logs() as logs:
        for byte in framed("M1"):
            slow_writer.write(bytes([byte]))
            await asyncio.sleep(0.02)
            if slow.at_eof():
                break
    assert await asyncio.wait_for(slow.read(), 10) == b""
    assert [log["event"] for log in logs if log["log_level"] == "warning"][:1] == ["mllp.frame_too_slow"]
    quick_writer.write(framed("M2"))  # silent for longer than a frame may take, but between frames
    assert await answers(quick, 1) == ["M2"]
    assert intake.received == [message({"MSH-10": "M0"}), message({"MSH-10": "M2"})]
    slow_writer.close()
    quick_writer.close()


async def test_a_sender_held_back_by_us_is_not_taken_for_a_slow_one(
    start: Callable[..., object], intake: HeldIntake
) -> None:
    intake.held = True
    reader, writer = await asyncio.open_connection(*await start(frame_seconds=0.1))  # type: ignore[misc]
    names = [f"M{n}" for n in range(MAX_WAITING * 4)]
    writer.write(framed(*names)[:-2])
    await until(lambda: len(intake.received) > MAX_WAITING)
    await asyncio.sleep(0.3)
    intake.held = False
    intake.release()
    writer.write(b"\x1c\r")
    assert await answers(reader, len(names)) == names
    writer.close()


async def test_many_connections_are_answered_each_with_its_own_messages(start: Callable[..., object]) -> None:
    address = await start()  # type: ignore[misc]

    async def sender(number: int) -> list[str]:
        reader, writer = await asyncio.open_connection(*address)
        names = [f"C{number}M{n}" for n in range(5)]
        for piece in (framed(*names)[:333], framed(*names)[333:]):
            writer.write(piece)
            await writer.drain()
        told = await answers(reader, len(names))
        writer.close()
        return told

    told = await asyncio.gather(*(sender(number) for number in range(200)))
    assert told == [[f"C{number}M{n}" for n in range(5)] for number in range(200)]


async def test_an_oversized_message_that_wants_no_answer_still_ends_the_connection(
    start: Callable[..., object],
) -> None:
    reader, writer = await asyncio.open_connection(*await start(max_bytes=2000))  # type: ignore[misc]
    writer.write(b"\x0b" + message({"MSH-15": "NE"}) + b"x" * 5000)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
