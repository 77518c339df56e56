"""Laws of the HL7 v2 reader: what is written is read, nothing shared, nothing thrown but refusals, frames whole."""

from __future__ import annotations

import asyncio
import unicodedata
from dataclasses import replace
from typing import Any

import hl7
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.hospital.hl7v2_charset import decode
from adapters.hospital.hl7v2_delimiters import Delimiters
from adapters.hospital.hl7v2_message import Hl7v2Message, read_msh
from adapters.hospital.mllp import Hall, MllpConnection
from adapters.hospital.vietnamese_bytes import TCVN3_LETTERS, VNI_LETTERS
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Reply
from tests.hl7v2_messages import DIED, FEED, NEWBORN, READER, message

LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"))
VIETNAMESE = st.sampled_from(
    "aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạấầẩẫậắằẳẵặéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ |^~\\&"
)
TEXTS = st.text(st.one_of(VIETNAMESE, LETTERS), max_size=40)
PUNCTUATION = "!#$%&'()*+,-/:;<=>?@[\\]^_`{|}~"  # no full stop: MSH-12 has one
MARKS = st.permutations(PUNCTUATION).map(lambda marks: Delimiters(*marks[:5]))
PLAIN = st.text(st.sampled_from("ABCabc123 Nguyễn"), max_size=12)


def escaped(text: str, marks: Delimiters) -> str:
    """Text as a sender writes it (chapter 2.7.1), the escape character first."""
    order = zip(
        (marks.escape, marks.field, marks.component, marks.repetition, marks.subcomponent), "EFSRT", strict=True
    )
    table = {ord(mark): f"{marks.escape}{letter}{marks.escape}" for mark, letter in order}
    return text.translate(table)


def written(text: str, marks: Delimiters) -> bytes:
    value = escaped(text, marks)
    fields = [
        "MSH",
        marks.encoding_characters,
        "HIS",
        "BV",
        "",
        "",
        "20261123",
        "",
        f"ADT{marks.component}A01",
        "1",
        "P",
        "2.5",
    ]
    pid = ["PID", "", "", "", "", f"{value}{marks.component}{value}{marks.repetition}x", value]
    return "\r".join((marks.field.join(fields), marks.field.join(pid))).encode("utf-8")


@given(TEXTS, MARKS)
def test_text_written_with_any_separators_is_read_back(text: str, marks: Delimiters) -> None:
    raw = written(text, marks)
    pid = Hl7v2Message(raw, read_msh(raw)).first(b"PID")
    assert pid is not None
    wanted = unicodedata.normalize("NFC", text).strip()
    # A value of exactly two quotes means "delete" and cannot be written.
    wanted = "" if wanted == '""' else wanted
    assert unicodedata.normalize("NFC", pid.text(6)) == wanted
    assert unicodedata.normalize("NFC", pid.text(5, 2)) == wanted
    assert READER.header(raw).type == "ADT^A01"


@given(MARKS, MARKS)
def test_separators_of_one_message_never_reach_another(one: Delimiters, other: Delimiters) -> None:
    first, second = (Hl7v2Message(raw, read_msh(raw)) for raw in (written("a|b", one), written("c^d", other)))
    found = [message.first(b"PID") for message in (first, second, first)]
    assert [segment and segment.text(6) for segment in found] == ["a|b", "c^d", "a|b"]


LEGACY_FEEDS = [replace(FEED, encoding=name) for name in (None, "cp1258", "tcvn3", "vni")]


def survive(raw: bytes) -> None:
    """Everything the gateway asks of a reader, on bytes of any kind."""
    header, error = None, None
    answers = []
    for part in READER.split(raw):
        try:
            header = READER.header(part)
        except UnreadableMessage as refusal:
            error = refusal
        answer = READER.answer(header, "AR" if error else "AA", error, FEED, "rx.1")
        answers.append(answer)
        assert not answer.body or read_msh(answer.body).text(9) == "ACK"
        try:
            unusable = READER.unusable(part, LEGACY_FEEDS[len(part) % len(LEGACY_FEEDS)])
            assert unusable is None or unusable.where
            for event in READER.events(part, FEED):
                event.scope.unread()
            READER.patient_of(part, FEED)
        except UnreadableMessage as refusal:
            error = refusal
    assert error is None or error.where
    assert READER.answer_batch(raw, answers, FEED, "rx.1").code


@given(st.binary(max_size=200))
@example(b"FHS")
@example(b"\rBHS")
@example(b"\rBTS")
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    survive(raw)
    survive(b"MSH|^~\\&|" + raw)
    survive(message(NEWBORN, DIED) + raw)
    survive(b"FHS|^~\\&|\rBHS|^~\\&#|HIS\r" + message(NEWBORN) + raw + b"\rBTS|1")


@given(st.data())
def test_a_damaged_message_is_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray(message(NEWBORN, DIED, {"NK1-3": "MTH", "OBX-3": "73773-4", "OBX-5": "1"}))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    survive(bytes(raw))


@given(TEXTS, st.sampled_from(["AA", "AE", "AR"]), MARKS)
def test_an_answer_reads_back_whatever_its_words(words: str, code: str, marks: Delimiters) -> None:
    raw = written("x", marks)
    error = None if code == "AA" else UnreadableMessage("x.y", "PID-5", words, "102")
    answer = READER.answer(READER.header(raw), code, error, FEED, "rx.1")
    told = Hl7v2Message(answer.body, read_msh(answer.body))
    acknowledgement, detail = told.first(b"MSA"), told.first(b"ERR")
    assert acknowledgement is not None
    assert (acknowledgement.text(1), acknowledgement.text(2)) == (code, "1")
    assert detail is None or detail.text(7) == unicodedata.normalize("NFC", " ".join(words.split()))


CHANGES = st.sampled_from([b"\\C2D41\\", b"\\C2842\\", b"\\C2949\\", b"\\M2442\\", b"\\C2D4C\\"])


@given(st.lists(st.one_of(CHANGES, st.binary(max_size=6)), max_size=8).map(b"".join))
def test_a_change_of_character_set_never_moves_another_field(value: bytes) -> None:
    value = value.translate(None, b"\r\n|")
    closed = value + b"\\C2842\\"
    raw = message(NEWBORN, {"NK1-2": "@@", "NK1-3": "MTH", "PV2-3": "x"}).replace(b"@@", closed)
    (event,) = READER.events(raw, FEED)
    assert event.scope.select(READER.compile("NK1-3.1")) == ["MTH"]
    assert event.scope.select(READER.compile("PV2-3.1")) == ["x"]
    assert "\ufffd" not in str(event.scope.select(READER.compile("NK1-2.1")))


ACCENTED = "ÀẢÃÁẠĂẰẲẴẮẶÂẦẨẪẤẬÈẺẼÉẸÊỀỂỄẾỆÌỈĨÍỊÒỎÕÓỌÔỒỔỖỐỘƠỜỞỠỚỢÙỦŨÚỤƯỪỬỮỨỰỲỶỸÝỴĐ"
TCVN3_BYTES = {letter: bytes([byte]) for byte, letter in TCVN3_LETTERS.items()}
VNI_BYTES = {letter: piece.encode("latin-1") for piece, letter in VNI_LETTERS.items()}


@given(
    st.text(st.sampled_from(ACCENTED + ACCENTED.lower() + "abcxyz ABCXYZ,.-0129|^~\\&")),
    st.sampled_from(["NFC", "NFD"]),
)
def test_vietnamese_text_comes_back_from_vni(text: str, form: Any) -> None:
    composed = unicodedata.normalize("NFC", unicodedata.normalize(form, text))
    sent = b"".join(VNI_BYTES.get(letter) or letter.encode("ascii") for letter in composed)
    assert decode(sent, "vni") == composed


@given(st.text(st.sampled_from(ACCENTED.lower() + "abcxyz ,.-0129|^~\\&")))
def test_vietnamese_text_in_small_letters_comes_back_from_tcvn3_and_so_do_its_capitals_without_case(text: str) -> None:
    sent = b"".join(TCVN3_BYTES.get(letter) or letter.encode("ascii") for letter in text)
    assert decode(sent, "tcvn3") == text
    capitals = (
        TCVN3_BYTES.get(letter.upper()) or TCVN3_BYTES.get(letter) or letter.upper().encode() for letter in text
    )
    upper = b"".join(capitals)
    assert decode(upper, "tcvn3").lower() == text


@given(st.binary(max_size=60), st.sampled_from(["tcvn3", "vni", "cp1258", "utf-8"]))
def test_any_bytes_are_decoded_or_refused_at_an_offset_and_never_replaced(raw: bytes, codec: str) -> None:
    text, offset = "", None
    try:
        text = decode(raw, codec)
    except UnicodeDecodeError as error:
        offset = error.start
    assert offset is None or (0 <= offset < len(raw) and raw[offset] > 0x7F)
    assert "\ufffd" not in text or "\ufffd".encode() in raw


@given(st.lists(st.lists(PLAIN, min_size=1, max_size=4), min_size=1, max_size=8))
def test_the_reader_agrees_with_the_common_python_package(fields: list[list[str]]) -> None:
    line = "ZZZ|" + "|".join("^".join(parts) for parts in fields) + "|end"
    raw = message() + line.encode("utf-8") + b"\r"
    theirs: Any = hl7.parse(raw.decode("utf-8"))
    ours = Hl7v2Message(raw, read_msh(raw)).first(b"ZZZ")
    assert ours is not None
    for number, parts in enumerate(fields, 1):
        for component in range(1, len(parts) + 1):
            assert ours.text(number, component) == theirs.extract_field("ZZZ", 1, number, 1, component, 1).strip()


class _Collector:
    def __init__(self) -> None:
        self.received: list[bytes] = []

    def submit(self, raw: bytes, format: str | None, feed: str | None, reply: Reply, *origin: object) -> None:
        self.received.append(raw)


CONTENT = st.binary(max_size=30).map(lambda raw: b"MSH|" + raw.translate(None, b"\x0b\x1c\r\n"))
NOISE = st.sampled_from([b"", b"\r", b"\r\n", b"noise"])


@given(st.lists(st.tuples(NOISE, CONTENT, st.booleans()), max_size=8), st.data())
def test_frames_are_whole_however_the_bytes_arrive(
    frames: list[tuple[bytes, bytes, bool]], data: st.DataObject
) -> None:
    stream = b"".join(noise + b"\x0b" + raw + (b"\x1c\r" if cr else b"\x1c") for noise, raw, cr in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))

    async def arrive() -> list[bytes]:
        intake = _Collector()
        connection = MllpConnection(intake, Hall(1000, 10, 10), None)
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            connection.data_received(stream[start:end])
        return intake.received

    assert asyncio.run(arrive()) == [raw for _, raw, _ in frames]
