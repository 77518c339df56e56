"""receive: formats that number their messages, answer batches in their own way or meet bytes they cannot read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.errors import UnreadableMessage
from gateway.messagelog.audit import verify_store
from gateway.ports.hospital import Answer, Feed, Header
from tests.receive_world import FEEDS, NAME, Desk, PlainReader, TornStore, codes, plain


class NumberingReader(PlainReader):
    """`PLAIN|<control id>|<sender>|<number>`: a format that numbers its messages; "bad" bytes cannot be read."""

    def decide_sequence(self, header: Header, last: int | None) -> tuple[str, int]:
        number = int(re.match(r"-?\d+", header.control_id)[0])  # type: ignore[index]
        if number == -1:
            return "start", -1
        if number == 0 or last is None or number == last + 1:
            return ("take", number + 1) if number else ("start", -1 if last is None else last + 1)
        if number == last:
            return "repeat", last + 1
        raise UnreadableMessage("plain.sequence", "part 2", f"expected {last + 1}", "207")

    def unusable(self, raw: bytes, feed: Feed) -> UnreadableMessage | None:
        return UnreadableMessage("plain.bytes", "part 4", "unreadable", "102") if b"bad" in raw else None

    def answer(self, header: Header | None, code: str, error: Any, feed: Feed, message_id: str) -> Answer:
        return replace(super().answer(header, "AR" if code == "AE" else code, error, feed, message_id), code=code)

    def answer_batch(self, raw: bytes, answers: Sequence[Answer], feed: Feed, message_id: str) -> Answer:
        if b"odd" in raw:
            raise KeyError(NAME)
        return replace(answers[-1], body=b"BATCH " + message_id.encode() + b"\n" + b"".join(a.body for a in answers))


@pytest.fixture
def numbering(desk: Desk) -> Desk:
    desk.services.readers["plain"] = NumberingReader()
    numbered = Feed("birth", senders=("HIS",), formats=("plain",), sequence_numbers=True)
    desk.services.feeds = {feed.name: feed for feed in (numbered, *FEEDS[1:])}
    return desk


async def test_bytes_that_cannot_be_read_are_stored_and_answered_ae_with_their_place(numbering: Desk) -> None:
    (answer,) = await numbering.send(plain("1", body="bad"))
    assert codes([answer]) == ["AE plain.bytes"]
    assert numbering.rows("SELECT id, ack FROM message") == [("gw.1", "AE")]
    assert numbering.stored["work"] == 1
    assert [again.body for again in await numbering.send(plain("1", body="bad"))] == [answer.body]


async def test_a_batch_is_answered_in_the_formats_own_way_even_when_its_first_message_is_unreadable(
    numbering: Desk,
) -> None:
    (answer,) = await numbering.send(b"PLAIN|1\n" + plain("1", "OLD"))
    assert answer.body == b"BATCH gw.1\nAR||gw.1|plain.short\nAA|1|gw.2|\n"
    (single,) = await numbering.send(plain("2", "OLD"))
    assert single.body == b"AA|2|gw.3|\n"


async def test_a_batch_its_format_cannot_answer_is_answered_message_by_message(numbering: Desk) -> None:
    with capture_logs() as logs:
        (answer,) = await numbering.send(plain("1", "OLD", "odd") + b"\n" + plain("2", "OLD"))
    assert answer.body == b"AA|1|gw.1|\nAA|2|gw.2|\n"
    assert [log["event"] for log in logs] == ["receive.batch_answer_failed"]
    assert NAME not in str(logs)


async def test_numbered_messages_are_taken_in_turn_within_and_across_groups(numbering: Desk) -> None:
    assert codes(await numbering.send(plain("7"), plain("8"), plain("10"), plain("9"))) == [
        "AA",
        "AA",
        "AR plain.sequence",
        "AA",
    ]
    assert codes(await numbering.send(plain("11"), plain("10"), plain("11"))) == ["AR plain.sequence", "AA", "AA"]
    assert numbering.rows("SELECT feed, last FROM feed_sequence") == [("birth", 11)]
    assert verify_store(numbering.services.store, numbering.services.vault).intact


async def test_a_message_out_of_turn_and_in_turn_within_one_batch_is_stored_before_it_is_acknowledged(
    numbering: Desk,
) -> None:
    await numbering.send(plain("9"))
    (answer,) = await numbering.send(b"\n".join(plain(number) for number in ("11", "10", "11", "11")))
    assert [line.split(b"|")[0] for line in answer.body.splitlines()[1:]] == [b"AR", b"AA", b"AA", b"AA"]
    assert sorted(numbering.rows("SELECT control_key FROM message")) == [("10",), ("11",), ("9",)]
    assert numbering.rows("SELECT last FROM feed_sequence") == [(11,)]


async def test_a_numbered_message_sent_again_is_known_whatever_came_since(numbering: Desk) -> None:
    first = await numbering.send(plain("1"), plain("2"), plain("3"))
    again = await numbering.send(plain("3"), plain("1"), plain("4"))
    assert [answer.body for answer in again[:2]] == [first[2].body, first[0].body]
    assert codes(again) == ["AA", "AA", "AA"]


async def test_a_number_used_again_for_another_message_is_refused(numbering: Desk) -> None:
    answers = await numbering.send(plain("1"), plain("1-other"), plain("2"))
    assert codes(answers) == ["AA", "AR receive.sequence_repeated", "AA"]


async def test_a_start_keeps_the_number_and_a_resynchronisation_forgets_it(numbering: Desk) -> None:
    assert codes(await numbering.send(plain("0-a"), plain("5"), plain("0-b"), plain("6"))) == ["AA"] * 4
    assert numbering.rows("SELECT last FROM feed_sequence") == [(6,)]
    assert codes(await numbering.send(plain("-1"), plain("40"), plain("41"))) == ["AA", "AA", "AA"]


async def test_a_number_is_not_taken_when_the_group_could_not_be_stored(numbering: Desk) -> None:
    whole = numbering.services.store
    for fail_at in range(3, 12):
        numbering.services.store = TornStore(whole, fail_at)
        answers = await numbering.send(plain("1"))
        failed, numbering.services.store = numbering.services.store.failed, whole
        if failed:
            assert [answer.status for answer in answers] == [503]
            assert numbering.rows("SELECT last FROM feed_sequence WHERE last IS NOT NULL") == []
    assert codes(await numbering.send(plain("1"), plain("2"))) == ["AA", "AA"]


async def test_feeds_without_numbers_keep_none(numbering: Desk) -> None:
    assert codes(await numbering.send(plain("9", "OLD"), plain("3", "OLD"))) == ["AA", "AA"]
    assert numbering.rows("SELECT * FROM feed_sequence") == []
