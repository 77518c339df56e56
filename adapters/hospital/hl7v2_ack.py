"""The answer to an HL7 v2 message: MSA and, when something is wrong, ERR (chapter 2.9, 2.15.5; ERL and table 0357).

Original mode (MSH-15 and MSH-16 both empty) answers AA, AE, AR. In enhanced mode (chapter 2.9.3, table 0155: AL always,
NE never, ER on errors, SU on success) MSH-15 asks for the accept acknowledgement CA, CE, CR, and MSH-16 for the
application's, AA, AE, AR. One answer goes back at once: the accept acknowledgement when MSH-15 wants it, else the
application's when MSH-16 does, else none: the body is empty, and listeners send nothing. A value that is not in the
table counts as AL. The answer is made from the sender's message and our message id alone, so a resend gets the same
bytes: MSH-10 is that id, and MSH-7, having no clock to read, repeats the sender's. It is written in the sender's
separators and in UTF-8, and says so in MSH-18.

From version 2.5 ERR has the location (ERR-2), the code (ERR-3), words for the technician (ERR-7) and for people
(ERR-8); before 2.5 it is the older single field, and the words go to MSA-3. The words of ERR-3, ERR-8 and MSA-3 are in
the feed's language; ERR-7 is for developers, in English. MSA-4 is the sequence number expected, when one was not met.

Over HTTP the status is 200, 422 (stored, but the content is unusable), 400 (refused), 403 (unknown sender), 409 (same
MSH-10, other content) or 503 (not stored: send it again).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from adapters.hospital.hl7v2_delimiters import STANDARD, Delimiters, escape_text
from adapters.hospital.hl7v2_sequence import SequenceBreak
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Answer

MEDIA_TYPE = "application/hl7-v2"
ENHANCED = {"AA": "CA", "AE": "CE", "AR": "CR"}
ACCEPTED = ("AA", "CA")
STATUS = {"AA": 200, "AE": 422, "AR": 400}
STATUS_OF_ERROR = {"204": 403, "205": 409, "206": 503, "207": 503}
"""Codes of table 0357 with a status of their own: unknown sender, duplicate key, record locked, our failure."""

CONDITIONS: dict[str, tuple[str, str]] = {
    "100": ("Segment sequence error", "Sai thứ tự hoặc thiếu phân đoạn"),
    "101": ("Required field missing", "Thiếu trường bắt buộc"),
    "102": ("Data type error", "Sai kiểu dữ liệu"),
    "103": ("Table value not found", "Giá trị không có trong bảng mã"),
    "200": ("Unsupported message type", "Loại thông điệp không được hỗ trợ"),
    "201": ("Unsupported event code", "Sự kiện không được hỗ trợ"),
    "202": ("Unsupported processing id", "Mã xử lý (MSH-11) không được hỗ trợ"),
    "203": ("Unsupported version id", "Phiên bản HL7 không được hỗ trợ"),
    "204": ("Unknown key identifier", "Không nhận ra định danh"),
    "205": ("Duplicate key identifier", "Trùng số thông điệp (MSH-10) nhưng khác nội dung"),
    "206": ("Application record locked", "Bản ghi đang bị khóa, hãy gửi lại"),
    "207": ("Application internal error", "Hệ thống tạm thời không nhận được, hãy gửi lại"),
}
"""Table 0357: code → its words in English and in Vietnamese."""

WORDS: dict[str, tuple[str, str]] = {
    "hl7v2.bytes_undecodable": (
        "Bytes that are not in the character set of the message",
        "Có byte không thuộc bảng mã của thông điệp",
    ),
    "hl7v2.sequence": (
        "Message out of sequence; send the expected one first",
        "Sai số thứ tự thông điệp, hãy gửi thông điệp đang chờ trước",
    ),
}
"""Error code → words for people, in English and in Vietnamese, where those of the condition would not help them."""

_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+)(?:\.(\d+))?(?:\.(\d+))?)?")


class Envelope(NamedTuple):
    """What an answer needs of the message: its separators and its MSH fields as sent (index 3 is MSH-3)."""

    delimiters: Delimiters
    fields: list[str]

    def field(self, number: int) -> str:
        return self.fields[number] if number < len(self.fields) else ""


class UnreadableEnvelope(UnreadableMessage):
    """An MSH that cannot be accepted, with as much of it as could be read, so that the answer reaches its sender."""

    def __init__(self, code: str, where: str, message: str, hl7_code: str, envelope: Envelope) -> None:
        super().__init__(code, where, message, hl7_code)
        self.envelope = envelope


UNKNOWN = Envelope(STANDARD, [])


def write_answer(
    envelope: Envelope, code: str, error: UnreadableMessage | None, message_id: str, language: str = "vi"
) -> Answer:
    """The acknowledgement in the sender's mode and separators. `code` is AA, AE or AR, `language` vi or en."""
    status = STATUS[code]
    if error is not None and code == "AR":
        status = STATUS_OF_ERROR.get(error.hl7_code, status)
    field = envelope.field
    mode = _mode(field(15).strip(), field(16).strip(), code)
    if not mode:
        return Answer(ENHANCED[code], b"", MEDIA_TYPE, status)
    # One sender's messages differ in their time and id only: the rest of the answer is made once.
    head, tail = _msh(envelope.delimiters, field(3), field(4), field(5), field(6), field(9), field(11), field(12))
    number = message_id if message_id.isalnum() else escape_text(message_id or "0", envelope.delimiters)
    lines = [head.replace("\0", field(7), 1) + number + tail, _msa(envelope, mode, error, language)]
    if error is not None:
        lines.append(_err(envelope, error, language))
    return Answer(mode, ("\r".join(lines) + "\r").encode("utf-8"), MEDIA_TYPE, status)


def _mode(accept: str, application: str, code: str) -> str:
    """The code to answer with, or "" when no answer is wanted (table 0155)."""
    if not accept and not application:
        return code
    for wanted, answer in ((accept, ENHANCED[code]), (application, code)):
        if wanted and wanted != "NE" and {"ER": code != "AA", "SU": code == "AA"}.get(wanted, True):
            return answer
    return ""


@lru_cache(maxsize=256)
def _msh(
    marks: Delimiters,
    system: str,
    facility: str,
    to_system: str,
    to_facility: str,
    kind: str,
    processing: str,
    version: str,
) -> tuple[str, str]:
    """MSH of an answer before and after its own id; a NUL stands where MSH-7 of the message goes."""
    version = version.strip() or "2.5"
    trigger = _component(kind, 2, marks)
    parts = ["ACK", trigger] if trigger else ["ACK"]
    if trigger and _is_from(version, marks, 2, 5):
        parts.append("ACK")
    route = (to_system, to_facility, system, facility)
    head = ("MSH", marks.encoding_characters, *route, "\0", "", marks.component.join(parts), "")
    tail = ("", processing.strip() or "P", version, "", "", "", "", "", escape_text("UNICODE UTF-8", marks))
    return marks.field.join(head), marks.field.join(tail)


def _msa(envelope: Envelope, mode: str, error: UnreadableMessage | None, language: str) -> str:
    marks = envelope.delimiters
    words = escape_text(_words_for_people(error, language), marks) if error and not _speaks_2_5(envelope) else ""
    expected = str(error.expected) if isinstance(error, SequenceBreak) else ""
    return marks.field.join(("MSA", mode, envelope.field(10), words, expected)).rstrip(marks.field)


def _err(envelope: Envelope, error: UnreadableMessage, language: str) -> str:
    marks = envelope.delimiters
    place = _PLACE.fullmatch(error.where)
    location = [place[1], place[2] or "1", place[3] or ""] if place else []
    condition = [error.hl7_code, escape_text(_condition(error, language), marks), "HL70357"]
    if not _speaks_2_5(envelope):
        old = [*(location or ["", "", ""]), marks.subcomponent.join(condition)]
        return marks.field.join(("ERR", marks.component.join(old)))
    if place and place[4]:
        location += ["1", place[4], *([place[5]] if place[5] else [])]
    diagnosis = error.message if place else f"{error.message} ({error.where})"
    return marks.field.join(
        (
            "ERR", "", marks.component.join(location), marks.component.join(condition), "E", "", "",
            escape_text(diagnosis, marks), escape_text(_words_for_people(error, language), marks),
        )
    )  # fmt: skip


def _condition(error: UnreadableMessage, language: str) -> str:
    english, vietnamese = CONDITIONS.get(error.hl7_code, CONDITIONS["207"])
    return english if language == "en" else vietnamese


def _words_for_people(error: UnreadableMessage, language: str) -> str:
    words = WORDS.get(error.code)
    own = words and words[0 if language == "en" else 1]
    return f"{own or _condition(error, language)}: {error.where}"


def _speaks_2_5(envelope: Envelope) -> bool:
    return _is_from(envelope.field(12).strip() or "2.5", envelope.delimiters, 2, 5)


def _is_from(version: str, marks: Delimiters, major: int, minor: int) -> bool:
    parts = _component(version, 1, marks).split(".")
    numbers = tuple(int(part) for part in parts[:2] if part.isdigit())
    return numbers >= (major, minor) if len(numbers) == 2 else True


def _component(value: str, number: int, marks: Delimiters) -> str:
    parts = value.split(marks.component)
    return parts[number - 1] if number <= len(parts) else ""
