r"""A lazy HL7 v2 message: segments are found once, a segment is decoded and cut only when somebody reads it.

Most traffic is irrelevant, so the work done per message must follow what is asked, not what was sent. Separators come
from each message's own MSH-1 and MSH-2 (chapter 2.5.4) and live in an immutable value, so one message can never be read
with another's. They are single ASCII bytes, and in every character set accepted here such a byte is never part of
another character (UTF-16 is not accepted), which is why lines can be found before anything is decoded.

Real feeds end segments with CR, LF or CRLF, begin with a byte order mark, and break long text in the middle of a field:
a line that does not start like a segment belongs to the one before it.
"""

from __future__ import annotations

from functools import lru_cache

from adapters.hospital.hl7v2_charset import LATIN_1, UTF_8, decode_text
from adapters.hospital.hl7v2_delimiters import Delimiters, has_local_escape, read_delimiters, unescape
from gateway.errors import UnreadableMessage

LEADING = b"\xef\xbb\xbf\x0b \t\r\n"
"""What may stand before the first segment: a byte order mark, a stray MLLP start byte, blanks."""

TRAILING = b" \t\r\n\x1c"
DELETE = '""'
"""Two quotes: "delete this value" (chapter 2.5.3). Read as absent; `deletes` tells it from absent."""


class Segment:
    """One segment. Fields are numbered as in the standard, MSH included (MSH-1 is the field separator)."""

    __slots__ = ("_fields", "_line", "_read", "codec", "delimiters", "name", "occurrence")

    def __init__(self, line: bytes, name: str, occurrence: int, delimiters: Delimiters, codec: str) -> None:
        self._line = line
        self._fields: list[str] | None = None
        self._read: set[int] | None = None
        self.name = name
        self.occurrence = occurrence  # 1 for the first of its name
        self.delimiters = delimiters
        self.codec = codec

    @classmethod
    def of_fields(cls, fields: list[str], delimiters: Delimiters) -> Segment:
        """A segment of fields already cut and decoded; index 0 is its name."""
        segment = cls(b"", fields[0], 1, delimiters, UTF_8)
        segment._fields = fields
        return segment

    @property
    def read(self) -> set[int]:
        """The fields somebody asked for; see hl7v2_paths.Hl7v2Scope.unread."""
        if self._read is None:
            self._read = set()
        return self._read

    @property
    def label(self) -> str:
        """The segment's place for people: `PID`, `NK1[2]`."""
        return self.name if self.occurrence == 1 else f"{self.name}[{self.occurrence}]"

    @property
    def fields(self) -> list[str]:
        """Fields as sent, escapes included; index 0 is the segment's name. One that does not decode is ""."""
        fields = self._fields
        if fields is None:
            mark = self.delimiters.field
            text = decode_text(self._line, self.codec)
            if text is not None:
                fields = text.split(mark)
            else:
                raws = self._line.split(mark.encode("ascii"))
                fields = [decode_text(raw, self.codec) or "" for raw in raws]
            if self.name == "MSH":
                fields.insert(1, mark)
            self._fields = fields
        return fields

    def raw(self, field: int) -> str:
        """A field as sent, all repetitions; "" when absent or to be deleted."""
        fields = self._fields or self.fields
        if field >= len(fields):
            return ""
        value = fields[field].strip()
        return "" if value == DELETE else value

    def text(self, field: int, component: int = 1, subcomponent: int = 1) -> str:
        """The text of a field's first repetition, escapes resolved; "" when absent.

        A simple value is also the first component of a richer type and the other way round (chapter 2.5.3), so
        component 1, subcomponent 1 of any field is its plain value.
        """
        fields = self._fields or self.fields
        value = fields[field] if field < len(fields) else ""
        if not value:
            return ""
        mark = self.delimiters[2]
        if mark and mark in value:
            value = value[: value.index(mark)]
        return self.cut(value, component, subcomponent)

    def cut(self, value: str, component: int, subcomponent: int) -> str:
        """The text of one component or subcomponent of a repetition."""
        _, mark, _, escape, submark, _ = self.delimiters
        if mark in value:
            value = _part(value, mark, component)
        elif component > 1:
            return ""
        if submark and submark in value:
            value = _part(value, submark, subcomponent)
        elif subcomponent > 1:
            return ""
        if escape and escape in value:
            value = unescape(value, self.delimiters, self.codec) or ""
        value = value.strip()
        return "" if value == DELETE else value

    def repetitions(self, field: int) -> list[Composite]:
        """The valued repetitions of a field."""
        value = self.raw(field)
        if not value:
            return []
        mark = self.delimiters.repetition
        parts = value.split(mark) if mark and mark in value else [value]
        blanks = self.delimiters.component + " "
        return [Composite(part, self) for part in parts if part.strip(blanks) not in ("", DELETE)]

    def holds(self, text: str) -> bool:
        """Whether the segment as sent has some ASCII text in it."""
        return text.encode("ascii") in self._line

    def deletes(self, field: int) -> bool:
        """Whether the sender asks to delete the field: two quotes and nothing else."""
        fields = self.fields
        return field < len(fields) and fields[field].strip() == DELETE

    def decodes(self) -> bool:
        """Whether every byte of the segment, hexadecimal escapes included, is in the message's character set."""
        text = decode_text(self._line, self.codec)
        return text is not None and unescape(text, self.delimiters, self.codec) is not None

    def undecodable_fields(self) -> list[int]:
        """Numbers of the fields with bytes that are not in the message's character set."""
        return [
            number
            for number, text in self._texts()
            if text is None or unescape(text, self.delimiters, self.codec) is None
        ]

    def fields_with_local_escapes(self) -> list[int]:
        r"""Numbers of the fields in which a `\Z..\` was kept as it is."""
        mark = self.delimiters.escape
        if not mark or self.name == "MSH" or mark.encode("ascii") + b"Z" not in self._line:
            return []
        return [number for number, text in self._texts() if text and has_local_escape(text, self.delimiters)]

    def truncated_fields(self) -> list[int]:
        """Numbers of the fields of which the sender cut a part: it ends in the truncation character (2.7 and later,
        chapter 2.5.5.2)."""
        mark = self.delimiters.truncation
        if not mark or mark.encode("ascii") not in self._line:
            return []
        separators = (self.delimiters.component, self.delimiters.repetition, self.delimiters.subcomponent)
        ends = tuple(mark + separator for separator in separators if separator)
        cut = [
            number for number, text in self._texts() if text and (text.endswith(mark) or any(e in text for e in ends))
        ]
        return [number for number in cut if (self.name, number) != ("MSH", 2)]

    def _texts(self) -> list[tuple[int, str | None]]:
        """Fields by number; None for one that does not decode."""
        parts = self._line.split(self.delimiters.field.encode("ascii"))
        first = 2 if self.name == "MSH" else 1
        return [(number, decode_text(part, self.codec)) for number, part in enumerate(parts[1:], first)]


def _part(value: str, mark: str, number: int) -> str:
    if number == 1:
        return value[: value.index(mark)]
    parts = value.split(mark, number)
    return parts[number - 1] if number <= len(parts) else ""


class Composite:
    """One repetition of a field. `composite[n]` is the text of component n (from 1), "" when absent; of a component
    with subcomponents it is the first, `sub` gives the others. `field(n)` reads a sibling field, e.g. the units of an
    OBX."""

    __slots__ = ("_raw", "_segment")

    def __init__(self, raw: str, segment: Segment) -> None:
        self._raw = raw
        self._segment = segment

    def __getitem__(self, component: int) -> str:
        return self._segment.cut(self._raw, component, 1)

    def sub(self, component: int, subcomponent: int) -> str:
        """The text of a subcomponent, both numbered from 1."""
        return self._segment.cut(self._raw, component, subcomponent)

    @property
    def text(self) -> str:
        """The plain value: the first subcomponent of the first component."""
        return self._segment.cut(self._raw, 1, 1)

    def __str__(self) -> str:
        return self.text

    def field(self, number: int) -> str:
        """The plain value of another field of the same segment; counts as read."""
        self._segment.read.add(number)
        return self._segment.text(number)


class Hl7v2Message:
    """One message: its segments, in order. Nothing but line ends has been looked at yet."""

    __slots__ = ("_firsts", "_lines", "codec", "delimiters", "msh", "raw")

    def __init__(self, raw: bytes, msh: Segment, codec: str = UTF_8) -> None:
        """`msh` is `read_msh(raw)`; `codec` what hl7v2_charset chose."""
        self.msh = msh
        self.codec = codec
        self.delimiters = msh.delimiters
        self._firsts: dict[bytes, Segment | None] = {b"MSH": msh}
        self.raw = raw
        self._lines = _segment_lines(raw.lstrip(LEADING).rstrip(TRAILING), msh.delimiters.field.encode("ascii"))

    def first(self, name: bytes) -> Segment | None:
        """The first segment of that name."""
        try:
            return self._firsts[name]
        except KeyError:
            found = None
            for line in self._lines:
                if line.startswith(name):
                    found = Segment(line, _label(name), 1, self.delimiters, self.codec)
                    break
            self._firsts[name] = found
            return found

    def mentions(self, text: bytes) -> bool:
        """Whether the bytes occur anywhere: a quick way to be sure that no segment holds a code."""
        return text in self.raw

    def every(self, name: bytes) -> list[Segment]:
        """All segments of that name, in order."""
        lines = [line for line in self._lines if line.startswith(name)]
        return [Segment(line, _label(name), n, self.delimiters, self.codec) for n, line in enumerate(lines, 1)]

    def segments(self) -> list[Segment]:
        """All segments, in order, freshly cut: the caller owns their `read` marks."""
        counts: dict[bytes, int] = {}
        found = []
        for line in self._lines:
            name = line[:3]
            counts[name] = nth = counts.get(name, 0) + 1
            found.append(Segment(line, _label(name), nth, self.delimiters, self.codec))
        return found


@lru_cache(maxsize=256)
def _label(name: bytes) -> str:
    return name.decode("ascii", "backslashreplace")


def read_msh(raw: bytes) -> Segment:
    """The MSH segment alone, with the message's separators. Raises UnreadableMessage naming the offset or field.

    It is read before MSH-18 and the feed are known. Systems' names are ASCII in practice; bytes that are not UTF-8 are
    read as Latin-1, which keeps every byte apart from every other, so that a sender can still be told by its name.
    """
    body = raw.lstrip(LEADING)
    start = len(raw) - len(body)
    if body[:3] != b"MSH":
        raise UnreadableMessage("hl7v2.no_msh", f"offset {start}", "the message does not start with MSH", "100")
    end = body.find(b"\r")
    line = body if end < 0 else body[:end]
    if b"\n" in line:
        line = line[: line.index(b"\n")]
    if len(line) < 4:
        raise UnreadableMessage("hl7v2.truncated", f"offset {start + 3}", "MSH ends before MSH-1", "100")
    field = line[3:4]
    delimiters = read_delimiters(field, line[4:24].split(field, 1)[0])
    codec = UTF_8 if line.isascii() or decode_text(line, UTF_8) is not None else LATIN_1
    return Segment(line, "MSH", 1, delimiters, codec)


def _segment_lines(raw: bytes, field: bytes) -> list[bytes]:
    found = raw.splitlines()
    if not [line for line in found if line[3:4] != field]:
        return found
    lines: list[bytes] = []
    for line in found:
        if line[3:4] == field or (len(line) == 3 and line.isalnum()):
            lines.append(line)
        elif stripped := line.strip():
            if stripped[3:4] == field and stripped[:3].isalnum():
                lines.append(stripped)  # blanks before a segment
            else:
                lines[-1] += b"\n" + stripped  # a raw line end inside a field
    return lines
