"""Several HL7 v2 messages in one file: in a row, or in a batch (chapter 2.10.3: FHS, BHS, messages, BTS, FTS).

A batch is answered by a batch: BHS, the acknowledgement of each message in order, BTS with their number. Counts the
sender states (BTS-1, FTS-1) are compared with what came. When they differ the messages that did come are kept and
acknowledged all the same, each being whole in itself, but the batch as a whole is answered AE and BTS-2 says what is
missing: the sender must look.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from adapters.hospital.hl7v2_charset import LATIN_1, UTF_8, decode_text
from adapters.hospital.hl7v2_delimiters import STANDARD, Delimiters, escape_text, read_delimiters
from adapters.hospital.hl7v2_message import LEADING, TRAILING, Segment
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Answer

_MESSAGE_START = re.compile(rb"(?:^|(?<=[\r\n\x0b]))[ \t]*(?:\xef\xbb\xbf)?(?=MSH[^A-Za-z0-9\r\n])")
_BATCH_LINE = re.compile(rb"(?:^|(?<=[\r\n]))(?:FHS|BHS|BTS|FTS)[^A-Za-z0-9\r\n][^\r\n]*[\r\n]*")
_COUNTED = {"vi": "{0.place} ghi {0.stated}, đã nhận {0.found}", "en": "{0.place} says {0.stated}, {0.found} came"}
_MISSING = {"vi": "thiếu {0.place}, đã nhận {0.found}", "en": "{0.place} is missing, {0.found} came"}


def split_messages(raw: bytes) -> list[bytes]:
    """The messages of a file, without the batch's own segments; [raw] when there is one or none."""
    begins, end = raw[:64].lstrip(LEADING)[:3] == b"MSH", raw[-256:]
    if begins and raw.find(b"MSH", raw.find(b"MSH") + 3) < 0 and b"BTS" not in end and b"FTS" not in end:
        return [raw]  # nearly every message
    starts = [match.end() for match in _MESSAGE_START.finditer(raw)]
    if not starts or (len(starts) == 1 and not _BATCH_LINE.search(raw)):
        return [raw]
    ends = [*starts[1:], len(raw)]
    parts = (raw[start:end] for start, end in zip(starts, ends, strict=True))
    return [_BATCH_LINE.sub(b"", part).rstrip(TRAILING + b"\x0b") + b"\r" for part in parts]


@dataclass(frozen=True, slots=True)
class Miscount:
    """A count that does not hold: the field that states it, what it states and what was found. `stated` None: the
    trailer never came, so the file was cut short."""

    place: str
    stated: int | None
    found: int


def find_miscounts(raw: bytes) -> list[Miscount]:
    """Counts of a batch or file (BTS-1 messages, FTS-1 batches) that are not what came. An absent count promises
    nothing."""
    miscounts: list[Miscount] = []
    found = {b"MSH": 0, b"BHS": 0, b"FHS": 0}
    closes = {b"BTS": (b"BHS", b"MSH"), b"FTS": (b"FHS", b"BHS")}
    still_open: list[bytes] = []
    for line in (line.lstrip(LEADING) for line in raw.splitlines()):
        name = line[:3]
        if name in found:
            found[name] += 1
            found[b"MSH"] = 0 if name == b"BHS" else found[b"MSH"]
            still_open += [name] if name != b"MSH" else []
        elif name in closes:
            opener, counted = closes[name]
            miscounts += _compare(line, found[counted])
            found[counted] = 0
            still_open = [header for header in still_open if header != opener]
    trailers = {b"BHS": ("BTS", b"MSH"), b"FHS": ("FTS", b"BHS")}
    missing = [trailers[header] for header in reversed(still_open)]
    return miscounts + [Miscount(place, None, found[counted]) for place, counted in missing]


def _compare(line: bytes, found: int) -> list[Miscount]:
    text = line[4:].split(line[3:4], 1)[0].strip() if line[3:4] else b""  # a bare trailer counts nothing
    place = f"{line[:3].decode('ascii')}-1"
    return [Miscount(place, int(text), found)] if text.isdigit() and int(text) != found else []


def answer_batch(raw: bytes, answers: Sequence[Answer], language: str, number: str) -> Answer:
    """One answer to a file of messages, with the code and status of the worst. `answers` in the order of the messages;
    `number` becomes BHS-11. Without FHS or BHS the acknowledgements just follow one another, as the messages did."""
    worst = max(answers, key=lambda answer: ("AER".index(answer.code[-1]), answer.status))
    bodies = b"".join(answer.body for answer in answers)
    header = _find_header(raw)
    if header is None:
        return replace(worst, body=bodies)
    miscounts = find_miscounts(raw)
    if miscounts and worst.code.endswith("A"):
        worst = replace(worst, code=worst.code[:-1] + "E", status=422)
    marks = header.delimiters
    system, facility, to_system, to_facility, sent_at = (header.raw(n) for n in (3, 4, 5, 6, 7))
    given = [to_system, to_facility, system, facility, sent_at, "", "", "", escape_text(number, marks), header.raw(11)]
    head = marks.field.join(["BHS", marks.encoding_characters, *given]).rstrip(marks.field)
    words = "; ".join((_COUNTED if one.stated is not None else _MISSING)[language].format(one) for one in miscounts)
    count = sum(1 for answer in answers if answer.body)
    tail = marks.field.join(["BTS", str(count), escape_text(words, marks)]).rstrip(marks.field)
    return replace(worst, body=head.encode() + b"\r" + bodies + tail.encode() + b"\r")


def _find_header(raw: bytes) -> Segment | None:
    """BHS, or FHS when there is no BHS: their fields 3 to 7 and 11 mean the same."""
    lines = raw.lstrip(LEADING).splitlines()
    found = {line[:3]: line for line in reversed(lines) if line[:3] in (b"FHS", b"BHS")}
    line = found.get(b"BHS") or found.get(b"FHS")
    if line is None:
        return None
    codec = UTF_8 if decode_text(line, UTF_8) is not None else LATIN_1
    text = decode_text(line, codec) or ""
    marks = _delimiters(line)
    fields = text.split(marks.field)
    return Segment.of_fields([fields[0], marks.field, *fields[1:]], marks)


def _delimiters(line: bytes) -> Delimiters:
    mark = line[3:4]
    if not mark:
        return STANDARD  # the line ends with its name
    try:
        return read_delimiters(mark, line[4:24].split(mark, 1)[0])
    except UnreadableMessage:
        return STANDARD
