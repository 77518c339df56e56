"""receive: nothing is acknowledged that is not stored, nothing is stored twice, and answers keep their order."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from gateway.errors import UnreadableMessage
from gateway.messagelog.audit import verify_store
from gateway.messagelog.chain import entries_of, payload_of
from gateway.pipeline.receive import Receiver
from gateway.ports.hospital import Answer, Feed, Header
from gateway.store.session import Store, execute
from gateway.store.vault import Vault
from tests.conftest import StillClock

NAME = "Lê Thị Hương Giang"


class PlainReader:
    """A format for tests: `PLAIN|<control id>|<sender>|<anything>`, a batch has several lines."""

    format = "plain"

    def recognises(self, raw: bytes) -> bool:
        return raw.startswith(b"PLAIN|")

    def split(self, raw: bytes) -> list[bytes]:
        return raw.splitlines() or [raw]

    def header(self, raw: bytes) -> Header:
        if b"defect" in raw:
            raise KeyError(NAME)
        parts = raw.decode().split("|")
        if len(parts) < 4:
            raise UnreadableMessage("plain.short", "part 4", "a part is missing", "101")
        return Header("plain", "TEXT", parts[1], parts[2])

    def answer(self, header: Header | None, code: str, error: Any, feed: Feed, message_id: str) -> Answer:
        words = error.code if error else ""
        status = {"AA": 200, "AR": 400}[code]
        return Answer(
            code, f"{code}|{header.control_id if header else ''}|{message_id}|{words}\n".encode(), "text/plain", status
        )


def _plain(control_id: str, sender: str = "HIS", body: str = NAME) -> bytes:
    return f"PLAIN|{control_id}|{sender}|{body}".encode()


FEEDS = (
    Feed("birth", senders=("HIS",), formats=("plain",)),
    Feed("reuses", senders=("OLD",), formats=("plain",), control_id_reuse="accept"),
    Feed("others", senders=("FHIR",), formats=("fhir",)),
)


@dataclass
class Desk:
    """A receiver with what it needs, and what it answered, in order."""

    services: Any
    max_bytes: int = 10_000
    answers: list[Answer] = field(default_factory=list)

    async def send(self, *messages: bytes, format: str | None = "plain", feed: str | None = None) -> list[Answer]:
        """Hand messages in together and wait for all answers."""
        loop = asyncio.get_running_loop()
        receiver = Receiver(self.services, loop, self.max_bytes)
        begin, done = len(self.answers), asyncio.Event()

        def reply(answer: Answer) -> None:
            self.answers.append(answer)
            if len(self.answers) == begin + len(messages):
                done.set()

        for raw in messages:
            receiver.submit(raw, format, feed, reply)
        await asyncio.wait_for(done.wait(), 20)
        await receiver.close()
        return self.answers[begin:]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.services.store.read() as conn:
            return [tuple(row) for row in execute(conn, sql).fetchall()]

    @property
    def stored(self) -> dict[str, int]:
        counts = (
            (table, self.rows(f"SELECT COUNT(*) FROM {table}")[0][0])
            for table in ("entry", "payload", "message", "work")
        )
        return dict(counts)


@pytest.fixture
def desk(store: Store, vault: Vault, clock: StillClock) -> Desk:
    readers, feeds = {"plain": PlainReader()}, {feed.name: feed for feed in FEEDS}
    return Desk(SimpleNamespace(store=store, vault=vault, clock=clock, readers=readers, feeds=feeds, writer="gw"))


def _fields(answer: Answer) -> list[str]:
    return answer.body.decode().strip().split("|")


async def test_an_accepted_message_is_stored_whole(desk: Desk) -> None:
    raw = _plain("1")
    (answer,) = await desk.send(raw)
    assert _fields(answer) == ["AA", "1", "gw.1", ""]
    store, vault = desk.services.store, desk.services.vault
    with store.read() as conn:
        assert payload_of(conn, vault, "gw.1") == raw
        (entry,) = entries_of(conn, "gw.1")
    assert (entry.kind, entry.meta) == ("received", {"feed": "birth", "format": "plain", "type": "TEXT"})
    (message,) = desk.rows("SELECT id, feed, format, type, control_key, content_key, ack, relevance FROM message")
    assert message[:5] == ("gw.1", "birth", "plain", "TEXT", "1")
    assert (bytes(message[5]), *message[6:]) == (vault.key(raw), "AA", None)


async def test_a_group_is_one_piece_of_work(desk: Desk) -> None:
    await desk.send(*(_plain(str(number)) for number in range(20)))
    work = [
        (key, kind, orjson.loads(args)) for key, kind, args in desk.rows("SELECT key, kind, args FROM work ORDER BY id")
    ]
    assert {(key, kind) for key, kind, _ in work} == {("rx:gw", "interpret")}
    covered = [seq for *_, args in work for seq in range(args["first"], args["last"] + 1)]
    assert covered == list(range(1, 21))
    assert {args["writer"] for *_, args in work} == {"gw"}
    assert len(work) < 20


async def test_answers_come_in_the_order_of_submission(desk: Desk) -> None:
    answers = await desk.send(*(_plain(str(number), "HIS" if number % 3 else "nobody") for number in range(100)))
    assert [_fields(answer)[1] for answer in answers] == [str(number) for number in range(100)]


async def test_the_log_of_what_was_received_verifies(desk: Desk) -> None:
    await desk.send(*(_plain(str(number), "HIS" if number % 3 else "nobody") for number in range(50)), b"junk")
    report = verify_store(desk.services.store, desk.services.vault)
    assert (report.intact, report.entries) == (True, 51)


async def test_a_resend_gets_the_same_answer_and_nothing_new_is_stored(desk: Desk) -> None:
    first = await desk.send(_plain("1"), _plain("2"))
    before = desk.stored
    again = await desk.send(_plain("2"), _plain("1"))
    assert [answer.body for answer in again] == [first[1].body, first[0].body]
    assert desk.stored == before


async def test_a_resend_beside_new_messages_is_told_apart(desk: Desk) -> None:
    await desk.send(_plain("1"))
    answers = await desk.send(_plain("2"), _plain("1"), _plain("3"))
    assert [_fields(answer)[2] for answer in answers] == ["gw.2", "gw.1", "gw.3"]
    assert desk.stored["message"] == 3


async def test_a_resend_within_the_same_group_is_one_message(desk: Desk) -> None:
    answers = await desk.send(_plain("1"), _plain("1"), _plain("1"))
    assert {answer.body for answer in answers} == {b"AA|1|gw.1|\n"}
    assert desk.stored["message"] == 1


async def test_a_control_id_used_for_other_content_is_refused_and_nothing_overwritten(desk: Desk) -> None:
    await desk.send(_plain("1"))
    (answer,) = await desk.send(_plain("1", body="another person"))
    assert _fields(answer) == ["AR", "1", "gw.2", "receive.control_id_reused"]
    assert desk.stored["message"] == 1
    with desk.services.store.read() as conn:
        assert payload_of(conn, desk.services.vault, "gw.1") == _plain("1")
        (refused,) = entries_of(conn, "gw.2")
        assert (refused.kind, refused.meta["code"]) == ("refused", "receive.control_id_reused")
        assert payload_of(conn, desk.services.vault, "gw.2") == _plain("1", body="another person")


async def test_other_content_within_the_same_group_is_refused_too(desk: Desk) -> None:
    answers = await desk.send(_plain("1"), _plain("1", body="another person"), _plain("1"))
    assert [_fields(answer)[0] for answer in answers] == ["AA", "AR", "AA"]


async def test_a_feed_that_reuses_control_ids_is_known_by_content(desk: Desk) -> None:
    answers = await desk.send(_plain("1", "OLD"), _plain("1", "OLD", "another person"), _plain("1", "OLD"))
    assert [_fields(answer)[2] for answer in answers] == ["gw.1", "gw.2", "gw.1"]


async def test_messages_without_a_control_id_are_known_by_content(desk: Desk) -> None:
    answers = await desk.send(_plain(""), _plain("", body="another person"), _plain(""))
    assert [_fields(answer)[2] for answer in answers] == ["gw.1", "gw.2", "gw.1"]


@pytest.mark.parametrize(
    "control_id", ["x" * 10_000, "a\x00b", "\x7f", "ngày 1"], ids=["long", "NUL", "control", "text"]
)
async def test_a_strange_control_id_is_still_one(desk: Desk, control_id: str) -> None:
    desk.max_bytes = 100_000
    (first,) = await desk.send(_plain(control_id))
    (again,) = await desk.send(_plain(control_id))
    (clash,) = await desk.send(_plain(control_id, body="another person"))
    assert (first.code, again.body, clash.code) == ("AA", first.body, "AR")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (_plain("1", "nobody"), "receive.unknown_sender"),
        (_plain("1", "FHIR"), "receive.format_not_taken"),
        (b"PLAIN|1", "plain.short"),
        (b"", "plain.short"),
        (b"x" * 10_001, "receive.too_large"),
    ],
    ids=["unknown sender", "format of another feed", "unreadable", "empty", "too large"],
)
async def test_what_is_refused_is_logged_with_its_reason(desk: Desk, raw: bytes, code: str) -> None:
    (answer,) = await desk.send(raw)
    assert _fields(answer)[0] == "AR"
    assert _fields(answer)[2:] == ["gw.1", code]
    with desk.services.store.read() as conn:
        (entry,) = entries_of(conn, "gw.1")
        assert (entry.kind, entry.meta["code"], entry.meta["size"]) == ("refused", code, len(raw))
        if len(raw) <= desk.max_bytes:
            assert payload_of(conn, desk.services.vault, "gw.1") == raw
    assert (desk.stored["message"], desk.stored["work"]) == (0, 0)


async def test_the_format_is_recognised_when_not_given(desk: Desk) -> None:
    answers = await desk.send(_plain("1"), b"%PDF-1.7", format=None)
    assert [_fields(answer)[3] for answer in answers] == ["", "receive.unrecognised"]


async def test_a_feed_that_is_given_counts_and_not_the_sender(desk: Desk) -> None:
    answers = [*await desk.send(_plain("1", "nobody"), feed="birth"), *await desk.send(_plain("2"), feed="gone")]
    assert [_fields(answer)[3] for answer in answers] == ["", "receive.unknown_sender"]


async def test_any_sender_suits_a_feed_that_says_so(desk: Desk) -> None:
    desk.services.feeds["any"] = Feed("any", senders=("*",), formats=("plain",))
    await desk.send(_plain("1", "nobody"), _plain("2"))
    assert desk.rows("SELECT feed FROM message ORDER BY id") == [("any",), ("birth",)]


async def test_a_batch_gets_one_answer_with_every_acknowledgement(desk: Desk) -> None:
    batch = b"\n".join([_plain("1"), _plain("2", "nobody"), _plain("3")])
    (answer,) = await desk.send(batch)
    assert (answer.code, answer.status) == ("AR", 400)
    assert [line.split(b"|")[0] for line in answer.body.splitlines()] == [b"AA", b"AR", b"AA"]
    assert desk.stored["message"] == 2


async def test_a_defect_of_ours_refuses_one_message_and_tells_nothing_about_it(desk: Desk) -> None:
    with capture_logs() as logs:
        answers = await desk.send(_plain("1"), _plain("2", body="defect"), _plain("3"))
    assert [answer.code for answer in answers] == ["AA", "AR", "AA"]
    assert NAME not in str(logs)
    assert desk.stored["payload"] == 3


async def test_a_message_the_store_cannot_take_does_not_take_its_neighbours_along(desk: Desk) -> None:
    class Odd(PlainReader):
        def header(self, raw: bytes) -> Header:
            header = super().header(raw)
            # Text that no database takes; a reader should never hand it on.
            return Header("plain", "\udc80", header.control_id, header.sender) if b"odd" in raw else header

    desk.services.readers["plain"] = Odd()
    answers = await desk.send(_plain("1"), _plain("2", body="odd"), _plain("3"))
    assert [answer.code for answer in answers] == ["AA", "AR", "AA"]
    assert answers[1].status == 503
    assert verify_store(desk.services.store, desk.services.vault).intact


class _Torn:
    """A store whose writes fail at the statement with a given number; the last is the commit."""

    def __init__(self, store: Store, fail_at: int) -> None:
        self.store, self.left, self.is_sqlite, self.failed = store, fail_at, store.is_sqlite, False

    def read(self) -> Any:
        return self.store.read()

    @contextmanager
    def write(self) -> Iterator[Any]:
        with self.store.write() as conn:
            yield SimpleNamespace(
                dialect=conn.dialect, info=conn.info, execute=conn.execute, connection=self._driver(conn)
            )
            self.step()

    def _driver(self, conn: Any) -> Any:
        def cursor() -> Any:
            self.step()
            return conn.connection.cursor()

        return SimpleNamespace(cursor=cursor)

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.failed = True
            raise sqlite3.OperationalError("disk I/O error")


async def test_a_group_torn_at_any_statement_is_acknowledged_to_nobody_and_not_half_stored(desk: Desk) -> None:
    whole = desk.services.store
    messages = [_plain(str(number)) for number in range(5)] + [_plain("9", "nobody")]
    torn = 0
    for fail_at in range(1, 100):
        before = desk.stored
        desk.services.store = _Torn(whole, fail_at)
        answers = await desk.send(b"\n".join(messages))
        failed, desk.services.store = desk.services.store.failed, whole
        if not failed:
            break
        torn += 1
        assert b"AA" not in answers[0].body
        assert (answers[0].code, answers[0].status) == ("AR", 503)
        assert desk.stored == before
    assert torn >= 8
    assert b"AA" in answers[0].body
    assert verify_store(whole, desk.services.vault).intact


async def test_while_the_store_is_away_nobody_is_acknowledged_and_afterwards_everybody(desk: Desk) -> None:
    store = desk.services.store
    with store.write() as conn:
        execute(conn, "ALTER TABLE message RENAME TO away")
    answers = await desk.send(*(_plain(str(number)) for number in range(10)))
    assert {(answer.code, answer.status) for answer in answers} == {("AR", 503)}
    with store.write() as conn:
        execute(conn, "ALTER TABLE away RENAME TO message")
    assert desk.stored == {"entry": 0, "payload": 0, "message": 0, "work": 0}
    answers = await desk.send(*(_plain(str(number)) for number in range(10)))
    assert {answer.code for answer in answers} == {"AA"}


async def test_an_answer_that_cannot_be_given_does_not_hold_up_the_others(desk: Desk) -> None:
    receiver = Receiver(desk.services, asyncio.get_running_loop())
    given: asyncio.Queue[Answer] = asyncio.Queue()

    def gone(answer: Answer) -> None:
        raise ConnectionResetError

    for number, reply in enumerate((gone, given.put_nowait, gone, given.put_nowait)):
        receiver.submit(_plain(str(number)), "plain", None, reply)
    assert (await asyncio.wait_for(given.get(), 5)).code == "AA"
    assert (await asyncio.wait_for(given.get(), 5)).code == "AA"
    await receiver.close()


async def test_closing_stores_and_answers_what_waits_and_refuses_what_comes_later(desk: Desk) -> None:
    receiver = Receiver(desk.services, asyncio.get_running_loop())
    answers: list[Answer] = []
    for number in range(200):
        receiver.submit(_plain(str(number)), "plain", None, answers.append)
    await receiver.close()
    receiver.submit(_plain("late"), "plain", None, answers.append)
    assert [answer.code for answer in answers[:200]] == ["AA"] * 200
    assert (answers[200].code, answers[200].status) == ("AR", 503)
    assert desk.stored["message"] == 200


async def test_two_receivers_of_one_database_know_each_others_messages(desk: Desk, vault: Vault) -> None:
    other = Desk(SimpleNamespace(**{**vars(desk.services), "writer": "gw2"}))
    messages = [_plain(str(number)) for number in range(100)]
    mine, others = await asyncio.gather(desk.send(*messages), other.send(*reversed(messages)))
    assert [answer.body for answer in mine] == [answer.body for answer in reversed(others)]
    assert desk.stored["message"] == 100
    assert verify_store(desk.services.store, vault).intact
