"""Two hospitals on real sockets before the real receive step: what one does wrong is not the other's loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.hospital.hl7v2 import Hl7v2Reader
from adapters.hospital.mllp import MllpListener
from gateway.pipeline.receive import Receiver
from gateway.ports.hospital import Feed
from gateway.store.session import Store, execute
from gateway.store.vault import Vault
from gateway.views.unknown_senders import list_unknown_senders
from tests.conftest import StillClock
from tests.hl7v2_messages import message

CALM = Feed("calm", senders=("CALM|A",), formats=("hl7v2",))
BUSY = Feed("busy", senders=("BUSY|B",), formats=("hl7v2",), messages_per_second=0.001, burst_messages=5)


class House:
    """A listener with a receiver, and clients of it."""

    def __init__(self, services: Any) -> None:
        self.services = services
        self.receiver = Receiver(services, asyncio.get_running_loop())
        self.listener = MllpListener(port=0, feed_ports={f.name: f.ports for f in services.feeds.values()})
        self.shared = 0

    async def open(self) -> None:
        self.shared = int((await self.listener.start(self.receiver)).rsplit(":", 1)[1])

    async def close(self) -> None:
        await self.listener.stop()
        await self.receiver.close()

    def stored(self) -> dict[str, int]:
        with self.services.store.read() as conn:
            return dict(execute(conn, "SELECT feed, COUNT(*) FROM message GROUP BY feed").fetchall())


@pytest.fixture
async def house(store: Store, vault: Vault, clock: StillClock) -> AsyncIterator[Any]:
    houses: list[House] = []

    async def make(*feeds: Feed) -> House:
        by_name = {feed.name: feed for feed in feeds}
        readers = {"hl7v2": Hl7v2Reader()}
        services = SimpleNamespace(store=store, vault=vault, clock=clock, readers=readers, feeds=by_name, writer="gw")
        houses.append(House(services))
        await houses[-1].open()
        return houses[-1]

    yield make
    for made in houses:
        await made.close()


def admission(sender: str, number: int, **fields: str) -> bytes:
    system, _, facility = sender.partition("|")
    return message({"MSH-3": system, "MSH-4": facility, "MSH-10": f"{system}{number}", **fields})


async def talk(port: int, messages: list[bytes]) -> list[tuple[str, str]]:
    """All at once over one connection; the code and the control id of each answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(b"\x0b" + raw + b"\x1c\r" for raw in messages))
    answers = []
    for _ in messages:
        frame = (await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 30)).decode()
        msa = next(line for line in frame.split("\r") if line.startswith("MSA")).split("|")
        answers.append((msa[1], msa[2]))
    writer.close()
    return answers


async def test_a_feed_over_its_rate_hears_ar_while_the_other_feeds_messages_are_all_taken(house: Any) -> None:
    made = await house(CALM, BUSY)
    floods = [talk(made.shared, [admission("BUSY|B", 1000 * n + m) for m in range(300)]) for n in range(4)]
    calm = talk(made.shared, [admission("CALM|A", number) for number in range(200)])
    calm_answers, *flood_answers = await asyncio.gather(calm, *floods)
    assert calm_answers == [("AA", f"CALM{number}") for number in range(200)]
    codes = [code for answers in flood_answers for code, _ in answers]
    assert (codes.count("AA"), codes.count("AR")) == (5, 1195)
    assert [control for _, control in flood_answers[1]] == [f"BUSY{1000 + m}" for m in range(300)]
    assert made.stored() == {"calm": 200, "busy": 5}


async def test_a_refusal_for_the_rate_says_so_in_words(house: Any) -> None:
    made = await house(replace(BUSY, burst_messages=1, language="en"))
    reader, writer = await asyncio.open_connection("127.0.0.1", made.shared)
    writer.write(b"".join(b"\x0b" + admission("BUSY|B", n) + b"\x1c\r" for n in range(2)))
    await reader.readuntil(b"\x1c\r")
    told = (await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 10)).decode()
    assert "MSA|AR|BUSY1" in told
    assert "more than 0.001 messages a second" in told
    assert "send it again in" in told
    writer.close()


async def test_a_feeds_own_port_takes_what_the_shared_one_refuses_and_strangers_are_shown(house: Any) -> None:
    made = await house(CALM, Feed("door", ports=(0,), formats=("hl7v2",)))
    own = int(made.listener.addresses["door"][0].rsplit(":", 1)[1])
    assert await talk(made.shared, [admission("WHO|C", 1)]) == [("AR", "WHO1")]
    assert await talk(own, [admission("WHO|C", 1), admission("CALM|A", 2)]) == [("AA", "WHO1"), ("AR", "CALM2")]
    assert made.stored() == {"door": 1}
    with made.services.store.read() as conn:
        shown = {(line.sender, line.address, line.code) for line in list_unknown_senders(conn)}
    assert shown == {
        ("WHO|C", "127.0.0.1", "receive.unknown_sender"),
        ("CALM|A", "127.0.0.1", "receive.sender_refused"),
    }


async def test_a_feed_with_addresses_is_refused_from_elsewhere_and_the_other_goes_on(house: Any) -> None:
    made = await house(CALM, replace(BUSY, addresses=("192.0.2.0/24",)), Feed("near", senders=("NEAR|C",)))
    assert await talk(made.shared, [admission("BUSY|B", 1), admission("CALM|A", 2), admission("NEAR|C", 3)]) == [
        ("AR", "BUSY1"),
        ("AA", "CALM2"),
        ("AA", "NEAR3"),
    ]


async def test_sequence_numbers_hold_over_connections_and_restarts_of_the_receiver(house: Any) -> None:
    numbered = Feed("counted", senders=("CNT|D",), sequence_numbers=True)
    made = await house(numbered)

    def counted(number: int) -> bytes:
        return admission("CNT|D", number, **{"MSH-13": str(number)})

    assert await talk(made.shared, [counted(5), counted(6), counted(8)]) == [
        ("AA", "CNT5"),
        ("AA", "CNT6"),
        ("AR", "CNT8"),
    ]
    again = await house(numbered)
    reader, writer = await asyncio.open_connection("127.0.0.1", again.shared)
    writer.write(b"\x0b" + counted(9) + b"\x1c\r")
    assert b"MSA|AR|CNT9||7" in await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 10)  # MSA-4: expected is 7
    writer.close()
    assert await talk(again.shared, [counted(7), counted(6), counted(8)]) == [
        ("AA", "CNT7"),
        ("AA", "CNT6"),
        ("AA", "CNT8"),
    ]


async def test_bytes_outside_the_character_set_are_stored_and_answered_ae_with_segment_field_and_offset(
    house: Any,
) -> None:
    made = await house(replace(CALM, language="en"))
    raw = admission("CALM|A", 1, **{"PID-5": "NGUYEN^TH\u00fd"}).replace("\u00fd".encode(), b"\xfd")
    reader, writer = await asyncio.open_connection("127.0.0.1", made.shared)
    writer.write(b"\x0b" + raw + b"\x1c\r")
    told = (await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 10)).decode()
    assert "MSA|AE|CALM1" in told
    assert "ERR||PID^1^5" in told
    assert f"byte {raw.index(0xFD)} " in told
    assert made.stored() == {"calm": 1}
    writer.close()


async def test_a_batch_is_answered_by_a_batch_with_an_acknowledgement_of_each(house: Any) -> None:
    made = await house(CALM)
    parts = [admission("CALM|A", 1), admission("WHO|C", 2), admission("CALM|A", 3)]
    batch = b"BHS|^~\\&|CALM|A|HOTICH|XA|20261123||||B1\r" + b"".join(parts) + b"BTS|3\r"
    reader, writer = await asyncio.open_connection("127.0.0.1", made.shared)
    writer.write(b"\x0b" + batch + b"\x1c\r")
    frame = (await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 10)).decode()
    lines = [line for line in frame.strip("\x0b\x1c\r").split("\r") if line]
    assert [line[:3] for line in (lines[0], lines[-1])] == ["BHS", "BTS"]
    assert [line.split("|")[1:3] for line in lines if line.startswith("MSA")] == [
        ["AA", "CALM1"],
        ["AR", "WHO2"],
        ["AA", "CALM3"],
    ]
    assert lines[-1].split("|")[1] == "3"
    writer.close()


async def test_a_sender_that_wants_no_answer_gets_none_and_is_stored(house: Any) -> None:
    made = await house(CALM)
    silent = admission("CALM|A", 1, **{"MSH-15": "NE", "MSH-16": "NE"})
    reader, writer = await asyncio.open_connection("127.0.0.1", made.shared)
    writer.write(b"\x0b" + silent + b"\x1c\r\x0b" + admission("CALM|A", 2) + b"\x1c\r")
    told = await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 10)
    assert b"MSA|AA|CALM2" in told
    assert made.stored() == {"calm": 2}
    writer.close()
