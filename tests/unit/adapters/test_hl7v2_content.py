"""Text that cannot be read: named by segment, field and offset, never replaced, never quoted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hospital.hl7v2_alternates import has_changes, to_utf_8
from adapters.hospital.hl7v2_content import find_unusable
from adapters.hospital.hl7v2_delimiters import STANDARD
from gateway.ports.hospital import ContentReader, Event
from tests.hl7v2_messages import FEED, NEWBORN, READER, findings, message

BAD = b"Nguy\xfen Bi Mat"


def with_bytes(field: str, raw: bytes, *overrides: dict[str, str], end: str = "\r") -> bytes:
    """A message in which one field holds bytes as given."""
    return message(*overrides, {field: "@@"}, end=end).replace(b"@@", raw)


def only_event(raw: bytes) -> Event:
    (event,) = READER.events(raw, FEED)
    return event


@pytest.mark.parametrize(
    ("field", "overrides", "place"),
    [
        ("PID-5", {}, "PID-5"),
        ("MSH-4", {}, "MSH-4"),
        ("NK1[2]-2", {"NK1-2": "Trần^Nam"}, "NK1[2]-2"),
        ("ZPD-1", {}, "ZPD-1"),
    ],
)
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_undecodable_bytes_are_named_by_field_and_offset(
    field: str, overrides: dict[str, str], place: str, end: str
) -> None:
    raw = with_bytes(field, BAD, overrides, end=end)
    error = READER.unusable(raw, FEED)
    assert error is not None
    assert (error.code, error.where, error.hl7_code) == ("hl7v2.bytes_undecodable", place, "102")
    assert error.message == f"byte {raw.index(BAD) + 4} is not in the character set utf-8"


def test_the_answer_is_ae_with_the_place_and_without_the_text() -> None:
    assert isinstance(READER, ContentReader)
    raw = with_bytes("PID-5", BAD)
    answer = READER.answer(READER.header(raw), "AE", READER.unusable(raw, FEED), FEED, "rx.1")
    assert b"\rERR||PID^1^5|102^" in answer.body
    assert b"Bi Mat" not in answer.body
    assert (answer.code, answer.status) == ("AE", 422)


def test_a_line_broken_inside_a_field_counts_to_the_field_it_continues() -> None:
    error = READER.unusable(with_bytes("PID-23", b"B\xe1\xbb\x87nh\nvi\xfe"), FEED)
    assert error is not None and error.where == "PID-23"


@pytest.mark.parametrize("sent", [r"\XFF\ ", r"\XC3\ "])
def test_hexadecimal_bytes_that_are_no_text_are_named_by_field(sent: str) -> None:
    error = READER.unusable(message({"PID-23": sent}), FEED)
    assert error is not None and error.where == "PID-23"


@pytest.mark.parametrize("raw", [message(), message({"PID-23": r"\XC3A1\o \Z9\ \X"}), b"\xef\xbb\xbf" + message()])
def test_a_readable_message_is_not_unusable(raw: bytes) -> None:
    assert READER.unusable(raw, FEED) is None


def test_legacy_bytes_are_unusable_without_the_feeds_setting_and_readable_with_it() -> None:
    raw = with_bytes("PID-5", b"Nguy\xd4n^Lan^Th\xde").replace(b"UNICODE UTF-8", b"")
    assert READER.unusable(raw, FEED) is not None
    assert find_unusable(raw, replace(FEED, encoding="tcvn3")) is None
    undefined = with_bytes("PID-5", b"\x80").replace(b"UNICODE UTF-8", b"")
    error = find_unusable(undefined, replace(FEED, encoding="tcvn3"))
    assert error is not None and error.message.endswith("tcvn3")


def test_a_newborns_mother_is_read_from_tcvn3_and_vni_bytes() -> None:
    names = {"tcvn3": b"Nguy\xd4n^H\xad\xeang^Th\xde", "vni": "Nguyeãn^Höôøng^Thò".encode("latin-1")}
    for encoding, name in names.items():
        raw = with_bytes("NK1-2", name, NEWBORN, {"NK1-3": "MTH", "PID-5": "CB"})
        (event,) = READER.events(raw, replace(FEED, encoding=encoding))
        assert event.scope.select(READER.compile("NK1-2.2")) == ["Hường"]
        assert "message.bytes_undecodable" not in [finding.code for finding in event.findings]


def test_a_birth_with_undecodable_bytes_is_still_read_where_it_can_be() -> None:
    event = only_event(with_bytes("NK1-2", BAD, NEWBORN))
    assert [(finding.code, finding.where) for finding in event.findings] == [("message.bytes_undecodable", "NK1")]
    assert event.scope.select(READER.compile("PID-3.1")) == ["BN001"]
    assert event.scope.select(READER.compile("NK1-2.1")) == []


@pytest.mark.parametrize(
    ("field", "read"),
    [
        (b"\\C2D4C\\\xb8\xd2", "Ив"),
        (b"caf\\C2D41\\\xe9", "café"),
        (b"\\C2D41\\\xe9\\C2842\\z", "éz"),
        (b"\\C2D41\\\xe9^\\C2D41\\\xe9", "é^é"),
        (b"\\C2D41\\\xe9^plain", "é^plain"),
        ("Thị".encode(), "Thị"),
    ],
)
def test_a_change_to_a_known_alphabet_is_decoded(field: bytes, read: str) -> None:
    assert to_utf_8(b"PID|" + field + b"|x", "utf-8", STANDARD).decode("utf-8") == f"PID|{read}|x\r"


@pytest.mark.parametrize("field", [
    b"\\C2949\\\xb1", b"\\C9999\\abc", b"\\M2442\\;3ED|^~", b"\\M242844\\;3ED\\C2842\\", b"\\C2D41\\\xe9^\xe9",
    b"\\C2D41\\\xe9^Th\xe1\xbb\x8b",
    b"\\C2842\\\xe9",
])  # fmt: skip
def test_a_change_to_an_unknown_set_makes_its_text_unreadable_and_never_something_else(field: bytes) -> None:
    raw = with_bytes("NK1-2", field, NEWBORN)
    error = READER.unusable(raw, FEED)
    assert error is not None and error.where == "NK1-2"
    event = only_event(raw)
    assert [finding.where for finding in event.findings if finding.code == "message.bytes_undecodable"] == ["NK1"]
    assert event.scope.select(READER.compile("NK1-2")) == []


def test_a_multi_byte_text_swallows_no_field_behind_the_change_back() -> None:
    raw = with_bytes("NK1-2", b"\\M2442\\|^|\\C2842\\", NEWBORN, {"NK1-3": "MTH"})
    assert only_event(raw).scope.select(READER.compile("NK1-3.1")) == ["MTH"]


def test_other_escapes_are_no_change_of_character_set() -> None:
    assert not has_changes(rb"C:\Config\Mau a\C12\ \X0D\ \M1\ ", STANDARD)
    assert has_changes(rb"\M2442\ ", STANDARD)


def test_local_escapes_are_kept_and_reported_at_their_field() -> None:
    event = only_event(message(NEWBORN, {"PID-23": r"Bệnh viện \Z01ab\ tỉnh", "NK1-2": r"C:\Zalo thư mục\x"}))
    assert [(finding.code, finding.where) for finding in event.findings] == [("message.escape_kept", "PID-23")]
    assert event.scope.select(READER.compile("PID-23.1")) == [r"Bệnh viện \Z01ab\ tỉnh"]


def test_a_value_the_sender_cut_short_is_a_finding_when_it_has_a_truncation_character() -> None:
    raw = message(NEWBORN, {"NK1-2": "Nguyễn Thị Ng#^Lan", "PID-23": "Số 5# Lê Lợi"})
    assert only_event(raw).findings == ()
    declared = raw.replace(b"MSH|^~\\&|", b"MSH|^~\\&#|")
    assert [(one.code, one.where) for one in only_event(declared).findings] == [("value.truncated", "NK1-2")]


def test_the_escaped_truncation_character_is_text_where_it_is_declared() -> None:
    raw = message(NEWBORN, {"PID-23": r"Số \P\ 5"})
    assert only_event(raw).scope.select(READER.compile("PID-23.1")) == [r"Số \P\ 5"]
    declared = raw.replace(b"MSH|^~\\&|", b"MSH|^~\\&#|")
    assert only_event(declared).scope.select(READER.compile("PID-23.1")) == ["Số # 5"]


def test_a_plain_newborn_has_none_of_these_findings() -> None:
    assert findings(NEWBORN) == []


def test_a_field_to_be_deleted_is_told_from_an_absent_one() -> None:
    event = only_event(message(NEWBORN, {"PID-6": '""', "PID-11": "", "NK1[1]-2": "A", "NK1[2]-4": ' "" '}))
    paths = ("PID-6", "PID-11", "NK1[1]-2", "NK1[2]-4", "ZZZ-1")
    deleted = [path for path in paths if event.scope.deletes(READER.compile(path))]  # type: ignore[attr-defined]
    assert deleted == ["PID-6", "NK1[2]-4"]
    assert event.scope.select(READER.compile("PID-6")) == []
