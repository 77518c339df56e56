r"""Separators and escape sequences of HL7 v2 (chapters 2.5.4 and 2.7).

A message states its own separators in MSH-1 and MSH-2, and an escape sequence stands for a separator in text: between
two escape characters, a letter and perhaps data.

| sequence | read as |
|---|---|
| `\F\ \S\ \T\ \R\ \E\` | the message's own separators |
| `\P\` | its truncation character, when it has one (since 2.7) |
| `\.br\ \.sp2\ \.in4\` … | a line end |
| `\H\ \N\` | nothing: highlighting |
| `\X..\` | bytes, in the message's character set |
| `\Cxxyy\ \Mxxyyzz\` | a change of character set, see hl7v2_alternates |
| `\Z..\` and what is not in the standard | kept as it is; it may well be a Windows path |
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from adapters.hospital.hl7v2_charset import decode_text
from gateway.errors import UnreadableMessage


class Delimiters(NamedTuple):
    """One message's separators. `repetition` and the later ones are "" when MSH-2 does not have them."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str = ""

    @property
    def encoding_characters(self) -> str:
        """MSH-2 for an answer, which truncates nothing."""
        return self.component + self.repetition + self.escape + self.subcomponent


STANDARD = Delimiters("|", "^", "~", "\\", "&")


@lru_cache(maxsize=256)
def read_delimiters(field: bytes, encoding_characters: bytes) -> Delimiters:
    """MSH-1 and MSH-2; a fifth character of the latter is the truncation character. Raises UnreadableMessage."""
    marks = [encoding_characters[i : i + 1] for i in range(5)]
    given = [field, *(mark for mark in marks if mark)]
    if not marks[0]:
        raise UnreadableMessage("hl7v2.field_missing", "MSH-2", "MSH-2 has no separators", "101")
    bad = any(mark.isalnum() or mark == b'"' or not b" " < mark < b"\x7f" for mark in given)
    if bad or len(set(given)) < len(given):
        raise UnreadableMessage("hl7v2.separators", "MSH-2", "MSH-1 and MSH-2 are not distinct separators", "102")
    return Delimiters(*(mark.decode("ascii") for mark in (field, *marks)))


def unescape(value: str, delimiters: Delimiters, codec: str) -> str | None:
    r"""Resolve escape sequences; None when the bytes of `\X..\` are not in the character set. Neighbouring `\X..\` are
    read together, for a character may need several bytes."""
    if not delimiters.escape or delimiters.escape not in value:
        return value
    pattern, plain = _escapes(delimiters)
    pieces = value.split(delimiters.escape)
    if all(letter in plain for letter in pieces[1::2]) and len(pieces) % 2:
        pieces[1::2] = [plain[letter] for letter in pieces[1::2]]
        return "".join(pieces)  # nearly every value with escapes
    good = True

    def replaced(match: re.Match[str]) -> str:
        nonlocal good
        if match[2] is None:
            return plain.get(match[1], "\n")
        text = decode_text(bytes.fromhex("".join(re.findall(r"X([0-9A-Fa-f]+)", match[2]))), codec)
        good = good and text is not None
        return text or ""

    text = pattern.sub(replaced, value)
    return text if good else None


@lru_cache(maxsize=64)
def _escapes(delimiters: Delimiters) -> tuple[re.Pattern[str], dict[str, str]]:
    mark = re.escape(delimiters.escape)
    command = r"\.(?:br|ce|fi|nf|sp ?\+?\d*|in ?[+-]?\d*|ti ?[+-]?\d*|sk ?\+?\d*)"
    truncation = "P" if delimiters.truncation else ""
    pattern = re.compile(rf"{mark}([FSTREHN{truncation}]|{command}){mark}|((?:{mark}X(?:[0-9A-Fa-f]{{2}})+{mark})+)")
    field, component, repetition, escape, subcomponent, truncation = delimiters
    plain = {"F": field, "S": component, "T": subcomponent, "R": repetition, "E": escape, "P": truncation}
    if not truncation:
        del plain["P"]
    return pattern, {**plain, "H": "", "N": "", ".br": "\n"}


def has_local_escape(value: str, delimiters: Delimiters) -> bool:
    r"""Whether `\Z..\`, a sequence two systems agreed on between them, stands in a value as sent."""
    mark = delimiters.escape
    return bool(mark) and mark + "Z" in value and re.search(_local(mark), value) is not None


@lru_cache(maxsize=64)
def _local(mark: str) -> re.Pattern[str]:
    mark = re.escape(mark)
    return re.compile(rf"{mark}Z(?:(?!{mark})\S)*{mark}")


def escape_text(text: str, marks: Delimiters) -> str:
    """Text in one line with the message's separators escaped; without an escape character they become blanks."""
    raw = " ".join(text.split())
    if raw.isalnum():
        return raw
    escape = marks.escape
    marks_in_order = (escape, marks.field, marks.component, marks.repetition, marks.subcomponent)
    for mark, letter in zip(marks_in_order, "EFSRT", strict=True):
        if mark and mark in raw:
            raw = raw.replace(mark, escape + letter + escape if escape else " ")
    return raw
