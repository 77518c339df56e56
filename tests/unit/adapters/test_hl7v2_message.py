"""Reading HL7 v2: separators, line ends, escapes, absent values, character sets."""

from __future__ import annotations

import unicodedata

import pytest

from adapters.hospital.hl7v2_charset import choose_charset, decode_text
from adapters.hospital.hl7v2_delimiters import STANDARD, unescape
from adapters.hospital.hl7v2_message import Hl7v2Message, read_msh
from gateway.errors import SettingsError, UnreadableMessage
from tests.hl7v2_messages import message


def opened(raw: bytes, codec: str = "utf-8") -> Hl7v2Message:
    return Hl7v2Message(raw, read_msh(raw), codec)


def pid_text(raw: bytes, field: int, component: int = 1, subcomponent: int = 1, codec: str = "utf-8") -> str:
    pid = opened(raw, codec).first(b"PID")
    assert pid is not None
    return pid.text(field, component, subcomponent)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r\n", " \r"])
def test_any_line_end_separates_segments(end: str) -> None:
    assert pid_text(message(end=end), 5) == "Nguyễn"


def test_mixed_line_ends_and_a_byte_order_mark_are_read_over() -> None:
    mixed = message().replace(b"\rPID", b"\n\r\nPID").replace(b"\rEVN", b"\nEVN")
    assert pid_text(b"\xef\xbb\xbf  \r\n" + mixed + b"\r\n \x1c", 5) == "Nguyễn"


def test_separators_come_from_each_message_itself() -> None:
    odd, plain = message(marks="#*!?%"), message()
    assert pid_text(odd, 5, 3) == "Thị"
    assert pid_text(plain, 5, 3) == "Thị"
    assert pid_text(odd, 5, 2) == "Lan"
    assert opened(odd).delimiters != opened(plain).delimiters


def test_a_fifth_encoding_character_is_no_part_of_any_value() -> None:
    raw = message().replace(b"MSH|^~\\&|", b"MSH|^~\\&#|")
    assert pid_text(raw, 5) == "Nguyễn"
    assert read_msh(raw).text(3) == "HIS"


@pytest.mark.parametrize("marks", [b"^^\\&", b"a~\\&", b'"~\\&', b"^ \\&", b"^~\\\x80"])
def test_separators_that_cannot_be_told_apart_are_refused(marks: bytes) -> None:
    with pytest.raises(UnreadableMessage) as caught:
        read_msh(message().replace(b"|^~\\&|", b"|" + marks + b"|"))
    assert caught.value.where == "MSH-2"


@pytest.mark.parametrize(("raw", "where"), [
    (b"", "offset 0"), (b"\r\n PID|1", "offset 3"), (b"MS", "offset 0"), (b"MSH", "offset 3"), (b"MSH\r", "offset 3"),
    (b"MSH|", "MSH-2"), (b"MSH||HIS", "MSH-2"), (b"PID|1\rMSH|^~\\&|", "offset 0"),
])  # fmt: skip
def test_what_is_no_message_is_refused_naming_the_place(raw: bytes, where: str) -> None:
    with pytest.raises(UnreadableMessage) as caught:
        read_msh(raw)
    assert caught.value.where == where


def test_fields_components_and_subcomponents_are_numbered_as_in_the_standard() -> None:
    raw = message({"PID-11": "12 Lê Lợi&Lê Lợi&12^^Quy Nhơn~Nơi khác"})
    assert pid_text(raw, 11) == "12 Lê Lợi"
    assert pid_text(raw, 11, 1, 2) == "Lê Lợi"
    assert pid_text(raw, 11, 3) == "Quy Nhơn"
    assert pid_text(raw, 11, 9) == pid_text(raw, 11, 1, 4) == pid_text(raw, 99) == ""
    assert pid_text(raw, 8, 1, 1) == "F"
    assert pid_text(raw, 8, 2) == pid_text(raw, 8, 1, 2) == ""


def test_two_quotes_and_blanks_are_read_as_absent() -> None:
    raw = message({"PID-5": '""', "PID-6": 'Lê^""^  ', "PID-7": "   ", "PID-11": '""~^^^~12 Lê Lợi'})
    pid = opened(raw).first(b"PID")
    assert pid is not None
    assert [pid.text(5), pid.text(6, 2), pid.text(6, 3), pid.text(7), pid.raw(5)] == [""] * 5
    assert [item.text for item in pid.repetitions(11)] == ["12 Lê Lợi"]


@pytest.mark.parametrize(("sent", "read"), [
    (r"Sản \T\ Nhi", "Sản & Nhi"), (r"a\F\b\S\c\R\d\E\e", "a|b^c~d\\e"), (r"một\.br\hai", "một\nhai"),
    (r"một\.sp2\hai", "một\nhai"), (r"\H\đậm\N\ ", "đậm"), (r"C:\thư mục\x", r"C:\thư mục\x"),
    (r"\XC3A1\o", "áo"), (r"\XC3\\XA1\o", "áo"), (r"\Z01\giữ", r"\Z01\giữ"), (r"\X0D\ ", ""), (r"dở\T", "dở\\T"),
])  # fmt: skip
def test_escapes_are_resolved_and_unknown_ones_left_alone(sent: str, read: str) -> None:
    assert pid_text(message({"PID-23": sent}), 23) == read


def test_an_escaped_separator_is_the_messages_own() -> None:
    assert pid_text(message({"PID-23": r"a\F\b\S\c"}, marks="#*!?%"), 23) == "a#b*c"


def test_a_message_without_an_escape_character_keeps_backslashes() -> None:
    raw = message({"PID-23": r"a\F\b"}).replace(b"MSH|^~\\&|", b"MSH|^~|")
    assert pid_text(raw, 23) == r"a\F\b"


def test_hexadecimal_bytes_outside_the_character_set_are_no_text() -> None:
    assert unescape(r"\XFF\ ", STANDARD, "utf-8") is None
    assert pid_text(message({"PID-23": r"\XFF\ "}), 23) == ""
    assert not all(segment.decodes() for segment in opened(message({"PID-23": r"\XFF\ "})).segments())


def test_a_raw_line_end_inside_a_field_does_not_start_a_segment() -> None:
    raw = message({"PID-23": "Bệnh viện\nđa khoa tỉnh", "ZPD-1": "x"})
    assert pid_text(raw, 23) == "Bệnh viện\nđa khoa tỉnh"
    assert [segment.name for segment in opened(raw).segments()] == ["MSH", "EVN", "PID", "PV1", "ZPD"]


def test_text_is_composed_whatever_form_it_came_in() -> None:
    decomposed = unicodedata.normalize("NFD", "Nguyễn Thị Hường")
    assert pid_text(message({"PID-5": decomposed}), 5) == "Nguyễn Thị Hường"


def test_windows_1258_letters_and_tone_marks_become_composed_letters() -> None:
    letters = {"ễ": "\u00ea\u0303", "ị": "i\u0323", "ờ": "\u01a1\u0300"}
    sent = "".join(letters.get(letter, letter) for letter in "Nguyễn Thị Hường")
    raw = message({"PID-5": sent}, encoding="cp1258")
    assert pid_text(raw, 5, codec="cp1258") == "Nguyễn Thị Hường"


def test_one_undecodable_field_is_absent_and_its_neighbours_are_read() -> None:
    raw = message().replace("Nguyễn".encode(), b"Nguy\xfen")
    assert pid_text(raw, 5) == ""
    assert "\ufffd" not in pid_text(raw, 5, 3)
    assert pid_text(raw, 3) == "BN001"
    assert [segment.name for segment in opened(raw).segments() if not segment.decodes()] == ["PID"]


def test_control_characters_never_reach_a_value() -> None:
    assert pid_text(message({"PID-5": "Ng\x00uy\x07ễn\u00a0A"}), 5) == "Nguyễn A"


@pytest.mark.parametrize(("declared", "configured", "raw", "codec", "contradicts"), [
    ("", None, "Thị".encode(), "utf-8", False),
    ("UNICODE UTF-8", None, "Thị".encode(), "utf-8", False),
    ("utf-8", None, b"\xfe", "utf-8", False),
    ("VNM", None, b"\xfe", "utf-8", False),
    ("8859/1", None, b"caf\xe9", "iso8859-1", False),
    ("8859/1", None, "Thị".encode(), "utf-8", True),
    ("ASCII", None, "Thị".encode(), "utf-8", True),
    ("ASCII", None, b"plain", "ascii", False),
    ("ASCII", None, b"\xe9", "ascii", False),
    ("", "windows-1258", b"\xe9", "cp1258", False),
    ("UNICODE UTF-8", "windows-1258", b"\xe9", "cp1258", False),
])  # fmt: skip
def test_the_feed_then_msh_18_then_utf_8_choose_the_character_set(
    declared: str, configured: str | None, raw: bytes, codec: str, contradicts: bool
) -> None:
    chosen, finding = choose_charset(raw, declared, configured)
    assert chosen == codec
    assert (finding is not None and finding.code == "message.charset_contradicts") is contradicts


def test_an_unknown_codec_of_a_feed_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="klingon"):
        choose_charset(b"", "", "klingon")


def test_bytes_that_do_not_decode_are_none_and_never_a_replacement_character() -> None:
    assert decode_text(b"\xff", "utf-8") is None
    assert decode_text(b"\xff", "ascii") is None
    assert decode_text("  Thị ".encode(), "utf-8") == "Thị"
