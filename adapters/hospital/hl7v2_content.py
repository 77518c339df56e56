r"""What can be said of an HL7 v2 message's text as a whole: before the answer, whether every byte of it can be read;
when it matters, what of it is unreadable, cut or locally agreed, as findings.

Bytes outside the character set are answered with AE (stored, content unusable) at segment, field and byte offset, so
that the sending side hears of it at once; what is readable is used all the same. The bytes themselves are never told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adapters.hospital.hl7v2_alternates import has_changes, to_utf_8
from adapters.hospital.hl7v2_charset import UTF_8, choose_charset, decode
from adapters.hospital.hl7v2_delimiters import Delimiters
from adapters.hospital.hl7v2_message import LEADING, Hl7v2Message, Segment, read_msh
from gateway.domain.finding import Finding
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Feed

DATA_TYPE_ERROR = "102"


def open_message(raw: bytes, feed: Feed) -> tuple[Hl7v2Message, Finding | None]:
    """The message in its character set, and a finding when MSH-18 names another. Raises UnreadableMessage."""
    msh = read_msh(raw)
    codec, finding = choose_charset(raw, msh.text(18), feed.encoding)
    return Hl7v2Message(raw, msh, codec), finding


def with_alternates(message: Hl7v2Message) -> Hl7v2Message:
    """The message, rewritten in UTF-8 when its character set changes on the way. Few do: asked when it matters."""
    if not has_changes(message.raw, message.delimiters):
        return message
    return Hl7v2Message(to_utf_8(message.raw, message.codec, message.delimiters), message.msh, UTF_8)


def find_unusable(raw: bytes, feed: Feed) -> UnreadableMessage | None:
    """The first bytes of a message that are not in its character set, or None. `where` is the field (`NK1[2]-2`); the
    words name the character set and the offset from the first byte of the message. Raises UnreadableMessage when there
    is not even an MSH."""
    if _is_plainly_usable(raw):
        return None
    message, _ = open_message(raw, feed)
    changing = with_alternates(message)
    if changing is not message:
        return _first_undecodable(changing)
    try:
        decode(raw, message.codec)
    except UnicodeDecodeError as error:
        where = locate(raw, error.start, message.delimiters)
        return _unusable(where, f"byte {error.start} is not in the character set {message.codec}")
    mark = message.delimiters.escape.encode("ascii")
    return _first_undecodable(message) if mark and mark + b"X" in raw else None


def _is_plainly_usable(raw: bytes) -> bool:
    """Nearly every message: UTF-8 throughout, whatever it calls itself, and no escape that brings other bytes."""
    escape = raw[6:7]
    if not raw.startswith(b"MSH") or any(escape + kind in raw for kind in (b"X", b"C", b"M")):
        return False
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _first_undecodable(message: Hl7v2Message) -> UnreadableMessage | None:
    for segment in message.segments():
        for number in segment.undecodable_fields():
            return _unusable(f"{segment.label}-{number}", "an escape sequence holds bytes of no known character set")
    return None


def _unusable(where: str, words: str) -> UnreadableMessage:
    return UnreadableMessage("hl7v2.bytes_undecodable", where, words, DATA_TYPE_ERROR)


def locate(raw: bytes, offset: int, delimiters: Delimiters) -> str:
    """The field in which a byte lies, as `PID-5` or `NK1[2]-2`."""
    mark = delimiters.field.encode("ascii")
    lines = [line.lstrip(LEADING) for line in raw[:offset].splitlines(keepends=True)]
    # A line that does not begin like a segment belongs to the one before (hl7v2_message).
    starts = [n for n, line in enumerate(lines) if line[3:4] == mark and line[:3].isalnum()]
    if not starts:
        return f"offset {offset}"
    name = lines[starts[-1]][:3]
    number = b"".join(lines[starts[-1] :]).count(mark) + (name == b"MSH")
    nth = sum(lines[n][:3] == name for n in starts)
    label = name.decode("ascii")
    return f"{label}-{number}" if nth == 1 else f"{label}[{nth}]-{number}"


def text_findings(segments: Sequence[Segment], codec: str) -> list[Finding]:
    """What a person should know of the text of the segments about one patient."""
    findings = [
        Finding("message.bytes_undecodable", segment.label, codec) for segment in segments if not segment.decodes()
    ]
    kinds: tuple[tuple[str, Callable[[Segment], list[int]]], ...] = (
        ("value.truncated", Segment.truncated_fields),
        ("message.escape_kept", Segment.fields_with_local_escapes),
    )
    for code, find in kinds:
        findings += [Finding(code, f"{segment.label}-{number}") for segment in segments for number in find(segment)]
    return findings
