"""The HL7 v2 envelope: recognition, batches, header, refusals, acknowledgements."""

from __future__ import annotations

from dataclasses import replace

import hl7
import pytest

from adapters.hospital.hl7v2_ack import CONDITIONS
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Answer
from tests.hl7v2_messages import FEED, READER, message


def refused(raw: bytes) -> tuple[UnreadableMessage, Answer]:
    with pytest.raises(UnreadableMessage) as caught:
        READER.header(raw)
    return caught.value, READER.answer(None, "AR", caught.value, FEED, "rx.7")


def acknowledged(raw: bytes, code: str = "AA", error: UnreadableMessage | None = None) -> list[list[str]]:
    """The answer's segments as lists of fields, index 0 the name (MSH one less than its numbers)."""
    answer = READER.answer(READER.header(raw), code, error, FEED, "rx.7")
    return [line.split("|") for line in answer.body.decode("utf-8").rstrip("\r").split("\r")]


def test_messages_and_batches_are_recognised_and_nothing_else() -> None:
    assert READER.recognises(b"\xef\xbb\xbf\r\nMSH|^~\\&|")
    assert READER.recognises(b"FHS|^~\\&|")
    assert READER.recognises(b"BHS|^~\\&|")
    assert not READER.recognises(b"{}")
    assert not READER.recognises(b"<a/>")
    assert not READER.recognises(b"")


def test_one_message_is_handed_on_byte_for_byte() -> None:
    raw = b"\xef\xbb\xbf" + message(end="\r\n") + b"\r\n"
    assert READER.split(raw) == [raw]
    assert READER.split(b"nothing") == [b"nothing"]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_file_of_several_messages_is_split_in_order(end: str) -> None:
    raws = [message({"MSH-10": f"M{n}"}, end=end) for n in range(3)]
    parts = READER.split(b"\xef\xbb\xbf" + end.encode().join(raws))
    assert [READER.header(part).control_id for part in parts] == ["M0", "M1", "M2"]
    assert READER.patient_of(parts[1], FEED) == "BN001"


def test_a_batch_gives_its_messages_without_its_envelope() -> None:
    inside = message({"MSH-10": "A"}) + message({"MSH-10": "B"}, marks="#*!?%")
    batch = b"FHS|^~\\&|HIS\rBHS|^~\\&|HIS\r" + inside + b"BTS|2\rFTS|1\r"
    parts = READER.split(batch)
    assert [READER.header(part).control_id for part in parts] == ["A", "B"]
    assert not any(name in part for part in parts for name in (b"FHS", b"BHS", b"BTS", b"FTS"))
    alone = message() + b"BTS|1\rFTS|1\r"
    assert READER.split(alone) == [message()]


def test_msh_in_the_middle_of_text_does_not_split_a_message() -> None:
    raw = message({"PID-23": "MSH|gì đó"}) + message({"MSH-10": "M2", "PID-23": "x MSH^"})
    assert len(READER.split(raw)) == 2


def test_the_header_is_the_envelope_of_the_message() -> None:
    header = READER.header(message({"MSH-3": "HIS^1.2.3^ISO", "MSH-4": "Bệnh viện Mẫu"}))
    assert (header.format, header.type, header.control_id) == ("hl7v2", "ADT^A01", "M1")
    assert header.sender == "HIS|Bệnh viện Mẫu"
    assert (header.sent_at, header.processing, header.version) == ("20261123081500+0700", "P", "2.5")
    assert header.encoding == "unicode utf-8"


@pytest.mark.parametrize("sent", ["20261123081500", "20261123", "202611230815+0700", "20261399", "sáng nay", ""])
def test_the_time_of_sending_is_given_as_sent(sent: str) -> None:
    assert READER.header(message({"MSH-7": sent})).sent_at == sent


def test_two_messages_of_one_sender_keep_their_own_time_and_id() -> None:
    first, second = (READER.header(message({"MSH-7": f"2026112308150{n}", "MSH-10": f"M{n}"})) for n in (1, 2))
    assert (first.sent_at, first.control_id) == ("20261123081501", "M1")
    assert (second.sent_at, second.control_id) == ("20261123081502", "M2")


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.2"])
def test_versions_from_2_3_to_2_8_are_read(version: str) -> None:
    assert READER.header(message({"MSH-12": f"{version}^VNM"})).version == version


@pytest.mark.parametrize(
    ("fields", "where", "hl7_code"),
    [
        ({"MSH-9": ""}, "MSH-9", "101"),
        ({"MSH-10": ""}, "MSH-10", "101"),
        ({"MSH-10": '""'}, "MSH-10", "101"),
        ({"MSH-11": ""}, "MSH-11", "101"),
        ({"MSH-12": ""}, "MSH-12", "101"),
        ({"MSH-11": "X"}, "MSH-11", "202"),
        ({"MSH-12": "2.1"}, "MSH-12", "203"),
        ({"MSH-12": "2.2"}, "MSH-12", "203"),
        ({"MSH-12": "2.5.2"}, "MSH-12", "203"),
        ({"MSH-12": "3.0"}, "MSH-12", "203"),
        ({"MSH-12": "2.9"}, "MSH-12", "203"),
    ],
)
def test_a_wrong_envelope_is_refused_and_the_answer_still_finds_its_sender(
    fields: dict[str, str], where: str, hl7_code: str
) -> None:
    error, answer = refused(message(fields))
    assert (error.where, error.hl7_code, answer.code, answer.status) == (where, hl7_code, "AR", 400)
    ack = hl7.parse(answer.body.decode("utf-8"))
    assert [str(ack["MSH"][0][n]) for n in (3, 4, 5, 6)] == ["HOTICH", "SO", "HIS", "BV"]
    assert str(ack["MSA"][0][1]) == "AR"


@pytest.mark.parametrize("raw", [b"", b"MSH", b"MSH|^~\\&", b"MSH|^~\\&|HIS", b"{}", b"MSH||"])
def test_bytes_that_are_no_message_get_a_refusal_that_parses(raw: bytes) -> None:
    error, answer = refused(raw)
    ack = hl7.parse(answer.body.decode("utf-8"))
    assert str(ack["MSA"][0][1]) == "AR"
    assert str(ack["ERR"][0][3][0][0]) == error.hl7_code
    assert error.hl7_code in CONDITIONS


def test_an_acknowledgement_turns_the_sender_round() -> None:
    msh, msa = acknowledged(message())
    assert msh[2:6] == ["HOTICH", "SO", "HIS", "BV"]
    assert msh[8:12] == ["ACK^A01^ACK", "rx.7", "P", "2.5"]
    assert msh[17] == "UNICODE UTF-8"
    assert msa == ["MSA", "AA", "M1"]


def test_a_resend_gets_the_same_bytes() -> None:
    raw = message()
    assert acknowledged(raw) == acknowledged(raw)


def test_an_answer_uses_the_senders_separators() -> None:
    header = READER.header(message(marks="#*!?%"))
    error = UnreadableMessage("x.y", "PID-5.1", "a # b * c ? d", "102")
    lines = READER.answer(header, "AE", error, FEED, "rx#7").body.decode("utf-8").split("\r")
    assert lines[0].startswith("MSH#*!?%#HOTICH#SO#HIS#BV#")
    assert lines[0].split("#")[8:10] == ["ACK*A01*ACK", "rx?F?7"]
    assert lines[2].startswith("ERR##PID*1*5*1*1#102*Sai kiểu dữ liệu*HL70357#E###a ?F? b ?S? c ?E? d#")


@pytest.mark.parametrize(
    ("msh_15", "msh_16", "code", "mode"),
    [
        ("", "", "AE", "AE"),
        ("AL", "", "AA", "CA"),
        ("AL", "", "AE", "CE"),
        ("AL", "AL", "AR", "CR"),
        ("ER", "", "AR", "CR"),
        ("SU", "", "AA", "CA"),
        ("NE", "AL", "AA", "AA"),
        ("NE", "AL", "AE", "AE"),
        ("", "AL", "AR", "AR"),
        ("ER", "AL", "AA", "AA"),
        ("ER", "SU", "AA", "AA"),
        ("SU", "ER", "AE", "AE"),
        ("XX", "", "AA", "CA"),
    ],
)
def test_msh_15_and_msh_16_decide_which_acknowledgement_comes(msh_15: str, msh_16: str, code: str, mode: str) -> None:
    answer = READER.answer(READER.header(message({"MSH-15": msh_15, "MSH-16": msh_16})), code, None, FEED, "rx.7")
    assert answer.code == mode
    assert f"MSA|{mode}|M1".encode() in answer.body


@pytest.mark.parametrize(
    ("msh_15", "msh_16", "code"),
    [("NE", "", "AA"), ("NE", "NE", "AR"), ("ER", "", "AA"), ("SU", "NE", "AE"), ("", "ER", "AA")],
)
def test_a_sender_that_wants_no_answer_gets_an_empty_one(msh_15: str, msh_16: str, code: str) -> None:
    header = READER.header(message({"MSH-15": msh_15, "MSH-16": msh_16}))
    answer = READER.answer(header, code, None, FEED, "rx.7")
    assert (answer.body, answer.code) == (b"", {"AA": "CA", "AE": "CE", "AR": "CR"}[code])


def test_the_words_of_an_answer_are_in_the_feeds_language() -> None:
    error = UnreadableMessage("hl7v2.bytes_undecodable", "PID-5", "byte 99 is not in it", "102")
    header = READER.header(message())
    told = {
        language: READER.answer(header, "AE", error, replace(FEED, language=language), "rx.7").body.decode("utf-8")
        for language in ("vi", "en")
    }
    assert "|102^Sai kiểu dữ liệu^HL70357|E|||byte 99 is not in it|Có byte không thuộc bảng mã" in told["vi"]
    assert "|102^Data type error^HL70357|E|||byte 99 is not in it|Bytes that are not in the character" in told["en"]


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4"])
def test_older_versions_get_the_older_error_segment_in_the_feeds_language(version: str) -> None:
    error = UnreadableMessage("x.y", "NK1[2]-2.1", "cannot be read", "102")
    answer = READER.answer(READER.header(message({"MSH-12": version})), "AE", error, replace(FEED, language="en"), "1")
    assert b"MSA|AE|M1|Data type error: NK1[2]-2.1\rERR|NK1^2^2^102&Data type error&HL70357\r" in answer.body


@pytest.mark.parametrize("processing", ["T", "D", "T^T", "T^A", "D^I"])
def test_the_processing_id_is_known_whatever_mode_stands_beside_it(processing: str) -> None:
    assert READER.header(message({"MSH-11": processing})).processing == processing[0]


@pytest.mark.parametrize("text", ['"T"', "P T", "^T"])
def test_another_processing_id_is_refused(text: str) -> None:
    error, answer = refused(message({"MSH-11": text}))
    assert (error.where, answer.code) == ("MSH-11", "AR")


@pytest.mark.parametrize(
    ("where", "location"),
    [
        ("MSH-10", "MSH^1^10"),
        ("NK1[2]-5", "NK1^2^5"),
        ("PID-5.1", "PID^1^5^1^1"),
        ("PID-11.1.2", "PID^1^11^1^1^2"),
        ("PID", "PID^1^"),
        ("offset 0", ""),
    ],
)
def test_an_error_names_its_place_code_and_words(where: str, location: str) -> None:
    _, msa, err = acknowledged(message(), "AE", UnreadableMessage("x.y", where, "cannot be read", "102"))
    assert msa == ["MSA", "AE", "M1"]
    assert err[2:5] == [location, "102^Sai kiểu dữ liệu^HL70357", "E"]
    assert err[7].startswith("cannot be read")
    assert err[8] == f"Sai kiểu dữ liệu: {where}"


def test_before_2_5_the_error_is_one_field_and_the_words_are_in_msa() -> None:
    raw = message({"MSH-12": "2.3", "MSH-9": "ADT^A01"})
    msh, msa, err = acknowledged(raw, "AR", UnreadableMessage("x.y", "MSH-10", "taken", "205"))
    assert msh[8] == "ACK^A01"
    assert msa == ["MSA", "AR", "M1", "Trùng số thông điệp (MSH-10) nhưng khác nội dung: MSH-10"]
    assert err == ["ERR", "MSH^1^10^205&Trùng số thông điệp (MSH-10) nhưng khác nội dung&HL70357"]


@pytest.mark.parametrize(
    ("code", "hl7_code", "status"),
    [
        ("AA", None, 200),
        ("AE", "102", 422),
        ("AR", "101", 400),
        ("AR", "204", 403),
        ("AR", "205", 409),
        ("AR", "207", 503),
        ("AE", "207", 422),
    ],
)
def test_the_http_status_says_the_same_as_the_code(code: str, hl7_code: str | None, status: int) -> None:
    error = UnreadableMessage("x.y", "MSH-10", "words", hl7_code) if hl7_code else None
    answer = READER.answer(READER.header(message()), code, error, FEED, "rx.7")
    assert (answer.status, answer.media_type) == (status, "application/hl7-v2")


def test_a_condition_outside_the_table_is_answered_as_an_internal_error_of_ours() -> None:
    _, _, err = acknowledged(message(), "AR", UnreadableMessage("x.y", "MSH-10", "words", "999"))
    assert err[3] == "999^Hệ thống tạm thời không nhận được, hãy gửi lại^HL70357"
