"""The sequence number protocol: MSH-13 in, MSA-4 out."""

from __future__ import annotations

import pytest

from adapters.hospital.hl7v2_sequence import SequenceBreak, decide_sequence
from gateway.ports.hospital import SequenceReader
from tests.hl7v2_messages import FEED, READER, message


@pytest.mark.parametrize(
    ("sent", "last", "decision"),
    [
        ("1", None, ("take", 2)),
        ("700", None, ("take", 701)),
        ("8", 7, ("take", 9)),
        (" 8 ", 7, ("take", 9)),
        ("7", 7, ("repeat", 8)),
        ("0", 7, ("start", 8)),
        ("0", None, ("start", -1)),
    ],
)
def test_the_next_number_is_taken_the_last_repeated_and_zero_opens_the_link(
    sent: str, last: int | None, decision: tuple[str, int]
) -> None:
    assert decide_sequence(sent, last) == decision


@pytest.mark.parametrize(
    ("sent", "hl7_code"), [("9", "207"), ("6", "207"), ("", "101"), ("-1", "102"), ("tám", "102"), ("٨", "102")]
)
def test_a_gap_an_old_number_and_no_number_are_refused_and_tell_what_is_expected(sent: str, hl7_code: str) -> None:
    with pytest.raises(SequenceBreak) as caught:
        decide_sequence(sent, 7)
    assert (caught.value.expected, caught.value.where, caught.value.hl7_code) == (8, "MSH-13", hl7_code)


def test_a_refusal_names_the_expected_number_in_msa_4() -> None:
    assert isinstance(READER, SequenceReader)
    header = READER.header(message({"MSH-13": "9"}))
    with pytest.raises(SequenceBreak) as caught:
        READER.decide_sequence(header, 7)
    body = READER.answer(header, "AR", caught.value, FEED, "rx.1").body.decode("utf-8")
    assert "MSA|AR|M1||8\r" in body
    assert "|MSH^1^13|207^" in body
    assert "Sai số thứ tự thông điệp" in body


def test_in_order_messages_of_a_stream_are_all_taken() -> None:
    last = None
    for number in range(5, 10):
        verdict, following = READER.decide_sequence(READER.header(message({"MSH-13": str(number)})), last)
        assert verdict == "take"
        last = following - 1
    assert last == 9
