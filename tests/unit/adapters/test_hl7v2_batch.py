"""Batches and files of HL7 v2 messages: split, counted, answered by a batch."""

from __future__ import annotations

import pytest

from adapters.hospital.hl7v2_batch import Miscount, find_miscounts
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Answer, BatchReader
from tests.hl7v2_messages import FEED, READER, message

BHS = b"BHS|^~\\&|HIS|BV|HOTICH|SO|20261123081500||||LO-7\r"
FHS = b"FHS|^~\\&|HIS|BV|HOTICH|SO\r"


def messages(*controls: str, **fields: str) -> bytes:
    return b"".join(message({"MSH-10": control, **fields}) for control in controls)


def answered(raw: bytes, *, refuse: str = "", language: str = "vi") -> Answer:
    """The answer to a file, as the receive step gives it."""
    answers = []
    for part in READER.split(raw):
        header = READER.header(part)
        error = UnreadableMessage("x.y", "MSH-10", "taken", "205") if header.control_id == refuse else None
        answers.append(READER.answer(header, "AR" if error else "AA", error, FEED, "rx.1"))
    feed = FEED if language == "vi" else type(FEED)(language="en")
    return READER.answer_batch(raw, answers, feed, "rx.9")


def lines(answer: Answer) -> list[str]:
    return answer.body.decode("utf-8").rstrip("\r").split("\r")


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_batch_is_answered_by_a_batch_that_turns_the_sender_round(end: bytes) -> None:
    assert isinstance(READER, BatchReader)
    raw = (BHS + messages("A", "B") + b"BTS|2\r").replace(b"\r", end)
    answer = answered(raw)
    told = lines(answer)
    assert told[0] == "BHS|^~\\&|HOTICH|SO|HIS|BV|20261123081500||||rx.9|LO-7"
    assert [line for line in told if line.startswith("MSA")] == ["MSA|AA|A", "MSA|AA|B"]
    assert [line[:3] for line in told] == ["BHS", "MSH", "MSA", "MSH", "MSA", "BTS"]
    assert told[-1] == "BTS|2"
    assert (answer.code, answer.status) == ("AA", 200)


def test_a_file_with_a_byte_order_mark_and_its_own_separators_is_answered_in_them() -> None:
    raw = b"\xef\xbb\xbfFHS#*!?%#HIS#BV\r" + message({"MSH-10": "A"}, marks="#*!?%") + b"FTS#0\r"
    assert lines(answered(raw))[0] == "BHS#*!?%###HIS#BV#####rx.9"
    assert lines(answered(raw))[-1] == "BTS#1"


def test_a_batch_of_one_message_is_still_a_batch() -> None:
    assert [line[:3] for line in lines(answered(BHS + messages("A") + b"BTS|1\r"))] == ["BHS", "MSH", "MSA", "BTS"]


def test_messages_in_a_row_are_answered_in_a_row() -> None:
    assert [line[:3] for line in lines(answered(messages("A", "B")))] == ["MSH", "MSA", "MSH", "MSA"]


def test_one_refused_message_makes_the_answer_as_bad_as_itself_and_leaves_the_others() -> None:
    answer = answered(BHS + messages("A", "B", "C") + b"BTS|3\r", refuse="B")
    assert [line[:8] for line in lines(answer) if line.startswith("MSA")] == ["MSA|AA|A", "MSA|AR|B", "MSA|AA|C"]
    assert (answer.code, answer.status) == ("AR", 409)


@pytest.mark.parametrize(
    ("raw", "miscounts"),
    [
        (BHS + messages("A", "B") + b"BTS|2\r", []),
        (BHS + messages("A", "B") + b"BTS|\r", []),
        (BHS + messages("A") + b"BTS|2\r", [Miscount("BTS-1", 2, 1)]),
        (BHS + messages("A", "B"), [Miscount("BTS", None, 2)]),
        (FHS + BHS + messages("A") + b"BTS|1\r" + BHS + messages("B") + b"BTS|1\rFTS|2\r", []),
        (FHS + BHS + messages("A") + b"BTS|1\rFTS|2\r", [Miscount("FTS-1", 2, 1)]),
        (FHS + BHS + messages("A") + b"BTS|1\r", [Miscount("FTS", None, 1)]),
        (FHS + BHS + messages("A"), [Miscount("BTS", None, 1), Miscount("FTS", None, 1)]),
        (messages("A", "B"), []),
    ],
)
def test_the_senders_counts_are_compared_with_what_came(raw: bytes, miscounts: list[Miscount]) -> None:
    assert find_miscounts(raw) == miscounts


@pytest.mark.parametrize(("language", "words"), [("vi", "BTS-1 ghi 3, đã nhận 2"), ("en", "BTS-1 says 3, 2 came")])
def test_a_wrong_count_keeps_the_messages_and_is_told_in_the_trailer(language: str, words: str) -> None:
    answer = answered(BHS + messages("A", "B") + b"BTS|3\r", language=language)
    assert [line for line in lines(answer) if line.startswith("MSA")] == ["MSA|AA|A", "MSA|AA|B"]
    assert lines(answer)[-1] == f"BTS|2|{words}"
    assert (answer.code, answer.status) == ("AE", 422)


def test_messages_that_want_no_answer_are_not_counted() -> None:
    told = lines(answered(BHS + messages("A", **{"MSH-15": "NE"}) + messages("B") + b"BTS|2\r"))
    assert [line[:3] for line in told] == ["BHS", "MSH", "MSA", "BTS"]
    assert told[-1] == "BTS|1"
