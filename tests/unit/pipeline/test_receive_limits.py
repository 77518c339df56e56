"""receive: rates, sizes and strangers of single feeds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

from gateway.messagelog.chain import entries_of
from gateway.pipeline.receive import Receiver
from gateway.ports.hospital import Answer, Origin
from gateway.views.unknown_senders import list_unknown_senders
from tests.receive_world import FEEDS, Desk, codes, fields, plain


async def test_a_feed_over_its_rate_is_told_when_to_come_again_and_leaves_no_trace(desk: Desk) -> None:
    fast = replace(FEEDS[0], messages_per_second=0.01, burst_messages=2)
    desk.services.feeds = {feed.name: feed for feed in (fast, *FEEDS[1:])}
    answers = await desk.send(*(plain(str(number), "HIS" if number % 2 else "OLD") for number in range(8)))
    assert [fields(answer)[1] for answer in answers] == [str(number) for number in range(8)]
    assert codes(answers) == ["AA", "AA", "AA", "AA", "AA", "AR receive.too_many", "AA", "AR receive.too_many"]
    refused = answers[5]
    assert (refused.status, 90 < refused.retry_after <= 100) == (429, True)
    assert desk.stored["message"] == desk.stored["entry"] == 6


async def test_a_message_above_its_feeds_own_limit_is_refused_and_logged(desk: Desk) -> None:
    small = replace(FEEDS[0], max_message_bytes=60)
    desk.services.feeds = {feed.name: feed for feed in (small, *FEEDS[1:])}
    answers = await desk.send(plain("1", body="x" * 100), plain("2", "OLD", "x" * 100), plain("3"))
    assert codes(answers) == ["AR receive.too_large", "AA", "AA"]


async def test_a_stranger_is_refused_with_403_logged_and_shown(desk: Desk) -> None:
    near = replace(FEEDS[0], addresses=("10.0.0.0/8",))
    desk.services.feeds = {feed.name: feed for feed in (near, *FEEDS[1:])}
    away, answers = Origin("192.0.2.1"), []
    receiver = Receiver(desk.services, asyncio.get_running_loop())
    for raw in (plain("1"), plain("2"), plain("3", "nobody")):
        receiver.submit(raw, "plain", None, answers.append, away)
    receiver.submit(plain("4"), "plain", None, answers.append, Origin("10.1.1.1"))
    await receiver.close()
    assert codes(answers) == [
        "AR receive.sender_refused",
        "AR receive.sender_refused",
        "AR receive.unknown_sender",
        "AA",
    ]
    assert [answer.status for answer in answers] == [403, 403, 403, 200]
    with desk.services.store.read() as conn:
        lines = list_unknown_senders(conn)
        refused = [entry for number in range(1, 4) for entry in entries_of(conn, f"gw.{number}")]
    assert sorted((line.sender, line.address, line.place, line.count) for line in lines) == [
        ("HIS", "192.0.2.1", "address", 2),
        ("nobody", "192.0.2.1", "sender", 1),
    ]
    assert {entry.kind for entry in refused} == {"refused"}


async def test_a_flood_over_the_rate_does_not_open_a_transaction(desk: Desk) -> None:
    desk.services.feeds["birth"] = replace(FEEDS[0], messages_per_second=0.001, burst_messages=1)
    receiver, answers, taken = Receiver(desk.services, asyncio.get_running_loop()), list[Answer](), desk.services.store
    receiver.submit(plain("0"), "plain", None, answers.append)
    await asyncio.sleep(0.05)
    desk.services.store = SimpleNamespace(is_sqlite=taken.is_sqlite)  # nothing can be written any more
    for number in range(1, 2000):
        receiver.submit(plain(str(number)), "plain", None, answers.append)
    await receiver.close()
    desk.services.store = taken
    assert codes(answers) == ["AA", *["AR receive.too_many"] * 1999]
