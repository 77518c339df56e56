"""The conformance report: places and problems for people, nothing of the message's values, and it always ends."""

from __future__ import annotations

import pytest

from adapters.hospital import hl7v2_conformance
from adapters.hospital.hl7v2_conformance import conformance_of
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import ConformanceReader
from tests.hl7v2_messages import READER, message


def rows(raw: bytes) -> list[tuple[str, str]]:
    return [(row.place, row.problem) for row in conformance_of(raw)]


def test_a_message_that_keeps_to_its_version_has_no_rows() -> None:
    assert isinstance(READER, ConformanceReader)
    assert READER.conformance(message(end="\r\n")) == []


def test_rows_are_sorted_by_place_as_people_count_and_hold_no_value_of_the_message() -> None:
    secret = {"PID-8": "Bí mật", "PID-10": "Tuyệt mật^x^Kín\nBí mật", "PV1-2": "Bí mật"}
    told = rows(b"\xef\xbb\xbf" + message({"PID-3": "", "PID-5": ""}, secret))
    assert told == [
        ("PID-3", "required in PID, and missing"),
        ("PID-5", "required in PID, and missing"),
        ("PID-8", "the value is not in table HL70001"),
        ("PID-10.3", "the value is not in table HL70396"),
        ("PV1-2", "the value is not in table HL70004"),
    ]
    assert "mật" not in str(told)


def test_a_segment_that_is_required_and_missing_is_named() -> None:
    raw = message().replace(b"PV1|", b"ZV1|")
    assert ("PV1", "required in ADT_A01, and missing") in rows(raw)


@pytest.mark.parametrize(("fields", "place"), [({"MSH-12": "2.9"}, "MSH-12"), ({"MSH-9": "QQQ^A99^QQQ_Q99"}, "MSH-9")])
def test_what_the_checker_does_not_know_is_a_row(fields: dict[str, str], place: str) -> None:
    assert [where for where, _ in rows(message(fields))] == [place]


def test_bytes_that_are_no_message_are_refused() -> None:
    with pytest.raises(UnreadableMessage):
        conformance_of(b"{}")


def test_a_check_that_takes_too_long_is_given_up() -> None:
    (row,) = conformance_of(message(), seconds=0.001)
    assert (row.place, row.problem) == ("message", "not checked to the end within 0.001 seconds")


def test_a_check_that_needs_too_much_memory_or_a_huge_message_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hl7v2_conformance, "MAX_BYTES", 100)
    assert [place for place, _ in rows(message())] == ["message"]
    monkeypatch.undo()
    huge = message() + b"".join(b"OBX|%d|ST|1^a^L||" % n + b"x&y^" * 40 + b"\r" for n in range(1200))
    (row,) = conformance_of(huge, seconds=2.0)
    assert row.place == "message"
