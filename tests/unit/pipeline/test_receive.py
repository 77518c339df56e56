"""receive: nothing is acknowledged that is not stored, nothing is stored twice, and answers keep their order."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import orjson
import pytest

from gateway.messagelog.audit import verify_store
from gateway.messagelog.chain import entries_of, payload_of
from gateway.ports.hospital import Feed
from gateway.store.vault import Vault
from tests.receive_world import Desk, fields, plain


async def test_an_accepted_message_is_stored_whole(desk: Desk) -> None:
    raw = plain("1")
    (answer,) = await desk.send(raw)
    assert fields(answer) == ["AA", "1", "gw.1", ""]
    store, vault = desk.services.store, desk.services.vault
    with store.read() as conn:
        assert payload_of(conn, vault, "gw.1") == raw
        (entry,) = entries_of(conn, "gw.1")
    assert (entry.kind, entry.meta) == ("received", {"feed": "birth", "format": "plain", "type": "TEXT"})
    (message,) = desk.rows("SELECT id, feed, format, type, control_key, content_key, ack, relevance FROM message")
    assert message[:5] == ("gw.1", "birth", "plain", "TEXT", "1")
    assert (bytes(message[5]), *message[6:]) == (vault.key(raw), "AA", None)


async def test_a_group_is_one_piece_of_work(desk: Desk) -> None:
    await desk.send(*(plain(str(number)) for number in range(20)))
    work = [
        (key, kind, orjson.loads(args)) for key, kind, args in desk.rows("SELECT key, kind, args FROM work ORDER BY id")
    ]
    assert {(key, kind) for key, kind, _ in work} == {("rx:gw", "interpret")}
    covered = [seq for *_, args in work for seq in range(args["first"], args["last"] + 1)]
    assert covered == list(range(1, 21))
    assert {args["writer"] for *_, args in work} == {"gw"}
    assert len(work) < 20


async def test_answers_come_in_the_order_of_submission(desk: Desk) -> None:
    answers = await desk.send(*(plain(str(number), "HIS" if number % 3 else "nobody") for number in range(100)))
    assert [fields(answer)[1] for answer in answers] == [str(number) for number in range(100)]


async def test_the_log_of_what_was_received_verifies(desk: Desk) -> None:
    await desk.send(*(plain(str(number), "HIS" if number % 3 else "nobody") for number in range(50)), b"junk")
    report = verify_store(desk.services.store, desk.services.vault)
    assert (report.intact, report.entries) == (True, 51)


async def test_a_resend_gets_the_same_answer_and_nothing_new_is_stored(desk: Desk) -> None:
    first = await desk.send(plain("1"), plain("2"))
    before = desk.stored
    again = await desk.send(plain("2"), plain("1"))
    assert [answer.body for answer in again] == [first[1].body, first[0].body]
    assert desk.stored == before


async def test_a_resend_beside_new_messages_is_told_apart(desk: Desk) -> None:
    await desk.send(plain("1"))
    answers = await desk.send(plain("2"), plain("1"), plain("3"))
    assert [fields(answer)[2] for answer in answers] == ["gw.2", "gw.1", "gw.3"]
    assert desk.stored["message"] == 3


async def test_a_resend_within_the_same_group_is_one_message(desk: Desk) -> None:
    answers = await desk.send(plain("1"), plain("1"), plain("1"))
    assert {answer.body for answer in answers} == {b"AA|1|gw.1|\n"}
    assert desk.stored["message"] == 1


async def test_a_control_id_used_for_other_content_is_refused_and_nothing_overwritten(desk: Desk) -> None:
    await desk.send(plain("1"))
    (answer,) = await desk.send(plain("1", body="another person"))
    assert fields(answer) == ["AR", "1", "gw.2", "receive.control_id_reused"]
    assert desk.stored["message"] == 1
    with desk.services.store.read() as conn:
        assert payload_of(conn, desk.services.vault, "gw.1") == plain("1")
        (refused,) = entries_of(conn, "gw.2")
        assert (refused.kind, refused.meta["code"]) == ("refused", "receive.control_id_reused")
        assert payload_of(conn, desk.services.vault, "gw.2") == plain("1", body="another person")


async def test_other_content_within_the_same_group_is_refused_too(desk: Desk) -> None:
    answers = await desk.send(plain("1"), plain("1", body="another person"), plain("1"))
    assert [fields(answer)[0] for answer in answers] == ["AA", "AR", "AA"]


async def test_a_feed_that_reuses_control_ids_is_known_by_content(desk: Desk) -> None:
    answers = await desk.send(plain("1", "OLD"), plain("1", "OLD", "another person"), plain("1", "OLD"))
    assert [fields(answer)[2] for answer in answers] == ["gw.1", "gw.2", "gw.1"]


async def test_messages_without_a_control_id_are_known_by_content(desk: Desk) -> None:
    answers = await desk.send(plain(""), plain("", body="another person"), plain(""))
    assert [fields(answer)[2] for answer in answers] == ["gw.1", "gw.2", "gw.1"]


@pytest.mark.parametrize(
    "control_id", ["x" * 10_000, "a\x00b", "\x7f", "ngày 1"], ids=["long", "NUL", "control", "text"]
)
async def test_a_strange_control_id_is_still_one(desk: Desk, control_id: str) -> None:
    desk.max_bytes = 100_000
    (first,) = await desk.send(plain(control_id))
    (again,) = await desk.send(plain(control_id))
    (clash,) = await desk.send(plain(control_id, body="another person"))
    assert (first.code, again.body, clash.code) == ("AA", first.body, "AR")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (plain("1", "nobody"), "receive.unknown_sender"),
        (plain("1", "FHIR"), "receive.format_not_taken"),
        (b"PLAIN|1", "plain.short"),
        (b"", "plain.short"),
        (b"x" * 10_001, "receive.too_large"),
    ],
    ids=["unknown sender", "format of another feed", "unreadable", "empty", "too large"],
)
async def test_what_is_refused_is_logged_with_its_reason(desk: Desk, raw: bytes, code: str) -> None:
    (answer,) = await desk.send(raw)
    assert fields(answer)[0] == "AR"
    assert fields(answer)[2:] == ["gw.1", code]
    with desk.services.store.read() as conn:
        (entry,) = entries_of(conn, "gw.1")
        assert (entry.kind, entry.meta["code"], entry.meta["size"]) == ("refused", code, len(raw))
        if len(raw) <= desk.max_bytes:
            assert payload_of(conn, desk.services.vault, "gw.1") == raw
    assert (desk.stored["message"], desk.stored["work"]) == (0, 0)


async def test_the_format_is_recognised_when_not_given(desk: Desk) -> None:
    answers = await desk.send(plain("1"), b"%PDF-1.7", format=None)
    assert [fields(answer)[3] for answer in answers] == ["", "receive.unrecognised"]


async def test_a_feed_that_is_given_counts_and_not_the_sender(desk: Desk) -> None:
    answers = [*await desk.send(plain("1", "nobody"), feed="birth"), *await desk.send(plain("2"), feed="gone")]
    assert [fields(answer)[3] for answer in answers] == ["", "receive.unknown_sender"]


async def test_any_sender_suits_a_feed_that_says_so(desk: Desk) -> None:
    desk.services.feeds["any"] = Feed("any", senders=("*",), formats=("plain",))
    await desk.send(plain("1", "nobody"), plain("2"))
    assert desk.rows("SELECT feed FROM message ORDER BY id") == [("any",), ("birth",)]


async def test_a_batch_gets_one_answer_with_every_acknowledgement(desk: Desk) -> None:
    batch = b"\n".join([plain("1"), plain("2", "nobody"), plain("3")])
    (answer,) = await desk.send(batch)
    assert (answer.code, answer.status) == ("AR", 403)
    assert [line.split(b"|")[0] for line in answer.body.splitlines()] == [b"AA", b"AR", b"AA"]
    assert desk.stored["message"] == 2


async def test_two_receivers_of_one_database_know_each_others_messages(desk: Desk, vault: Vault) -> None:
    other = Desk(SimpleNamespace(**{**vars(desk.services), "writer": "gw2"}))
    messages = [plain(str(number)) for number in range(100)]
    mine, others = await asyncio.gather(desk.send(*messages), other.send(*reversed(messages)))
    assert [answer.body for answer in mine] == [answer.body for answer in reversed(others)]
    assert desk.stored["message"] == 100
    assert verify_store(desk.services.store, vault).intact
