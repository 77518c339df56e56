"""receive in trouble: defects, a store that fails or is away, answers nobody takes, and closing."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from gateway.messagelog.audit import verify_store
from gateway.pipeline.receive import Receiver
from gateway.ports.hospital import Answer, Header
from gateway.store.session import execute
from tests.receive_world import NAME, Desk, PlainReader, TornStore, plain


async def test_a_defect_of_ours_refuses_one_message_and_tells_nothing_about_it(desk: Desk) -> None:
    with capture_logs() as logs:
        answers = await desk.send(plain("1"), plain("2", body="defect"), plain("3"))
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
    answers = await desk.send(plain("1"), plain("2", body="odd"), plain("3"))
    assert [answer.code for answer in answers] == ["AA", "AR", "AA"]
    assert answers[1].status == 503
    assert verify_store(desk.services.store, desk.services.vault).intact


async def test_a_group_torn_at_any_statement_is_acknowledged_to_nobody_and_not_half_stored(desk: Desk) -> None:
    whole = desk.services.store
    messages = [plain(str(number)) for number in range(5)] + [plain("9", "nobody")]
    torn = 0
    for fail_at in range(1, 100):
        before = desk.stored
        desk.services.store = TornStore(whole, fail_at)
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
    answers = await desk.send(*(plain(str(number)) for number in range(10)))
    assert {(answer.code, answer.status) for answer in answers} == {("AR", 503)}
    with store.write() as conn:
        execute(conn, "ALTER TABLE away RENAME TO message")
    assert desk.stored == {"entry": 0, "payload": 0, "message": 0, "work": 0}
    answers = await desk.send(*(plain(str(number)) for number in range(10)))
    assert {answer.code for answer in answers} == {"AA"}


async def test_an_answer_that_cannot_be_given_does_not_hold_up_the_others(desk: Desk) -> None:
    receiver = Receiver(desk.services, asyncio.get_running_loop())
    given: asyncio.Queue[Answer] = asyncio.Queue()

    def gone(answer: Answer) -> None:
        raise ConnectionResetError

    for number, reply in enumerate((gone, given.put_nowait, gone, given.put_nowait)):
        receiver.submit(plain(str(number)), "plain", None, reply)
    assert (await asyncio.wait_for(given.get(), 5)).code == "AA"
    assert (await asyncio.wait_for(given.get(), 5)).code == "AA"
    await receiver.close()


async def test_closing_stores_and_answers_what_waits_and_refuses_what_comes_later(desk: Desk) -> None:
    receiver = Receiver(desk.services, asyncio.get_running_loop())
    answers: list[Answer] = []
    for number in range(200):
        receiver.submit(plain(str(number)), "plain", None, answers.append)
    await receiver.close()
    receiver.submit(plain("late"), "plain", None, answers.append)
    assert [answer.code for answer in answers[:200]] == ["AA"] * 200
    assert (answers[200].code, answers[200].status) == ("AR", 503)
    assert desk.stored["message"] == 200
