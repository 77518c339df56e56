r"""Changes of character set inside a message: `\Cxxyy\` and `\Mxxyyzz\` (chapter 2.7.2, as in ISO 2022).

A message with such a change is rewritten in UTF-8 once, before it is read any further; all others never come here.
The eight-bit alphabets of ISO 8859 are decoded. The multi-byte sets are not: their bytes look like separators, so
nothing up to the change back can be told apart. What cannot be read becomes a byte that no UTF-8 text contains: the
field then counts as absent and is named like any other undecodable one, and no byte is ever read in a set that nobody
stated. The standard does not say how far a change reaches; here it ends with the component, and a byte above ASCII in
a later component of the same field, before another change, is such a doubtful one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from adapters.hospital.hl7v2_charset import UTF_8, decode
from adapters.hospital.hl7v2_delimiters import Delimiters

ASCII, UNKNOWN = "ascii", ""
ALPHABETS = {
    b"2842": ASCII, b"2D41": "iso8859-1", b"2D42": "iso8859-2", b"2D43": "iso8859-3", b"2D44": "iso8859-4",
    b"2D4C": "iso8859-5", b"2D47": "iso8859-6", b"2D46": "iso8859-7", b"2D48": "iso8859-8", b"2D4D": "iso8859-9",
}  # fmt: skip
"""Hexadecimal escape sequence of ISO 2022 → Python codec."""

UNREADABLE = b"\xff"


def has_changes(raw: bytes, delimiters: Delimiters) -> bool:
    """Whether the character set changes anywhere in a message."""
    return bool(delimiters.escape) and _patterns(delimiters).any.search(raw) is not None


def to_utf_8(raw: bytes, codec: str, delimiters: Delimiters) -> bytes:
    """The message in UTF-8 without changes of character set; `codec` is what it begins each field in."""
    patterns, mark = _patterns(delimiters), delimiters.field.encode("ascii")
    lines = patterns.multi_byte.sub(UNREADABLE, raw).splitlines()
    return b"\r".join(mark.join(_field(part, codec, patterns) for part in line.split(mark)) for line in lines) + b"\r"


class _Patterns(NamedTuple):
    any: re.Pattern[bytes]
    multi_byte: re.Pattern[bytes]  # from the change to the next one, or the end of the segment
    cut: re.Pattern[bytes]  # 1: a change to an alphabet; 2: a separator


@lru_cache(maxsize=64)
def _patterns(delimiters: Delimiters) -> _Patterns:
    mark = re.escape(delimiters.escape).encode("ascii")
    separators = delimiters.component + delimiters.repetition + delimiters.subcomponent
    change = mark + b"C([0-9A-Fa-f]{4})" + mark
    many = mark + b"M[0-9A-Fa-f]{4}(?:[0-9A-Fa-f]{2})?" + mark
    return _Patterns(
        any=re.compile(change + b"|" + many),
        multi_byte=re.compile(many + b"[^\r\n]*?(?=" + change + b"|[\r\n]|$)"),
        cut=re.compile(change + b"|([" + re.escape(separators).encode("ascii") + b"])"),
    )


def _field(raw: bytes, codec: str, patterns: _Patterns) -> bytes:
    first, *rest = patterns.cut.split(raw)
    found, current, changed = [_text(first, codec)], codec, False
    for change, separator, text in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        if change is not None:
            current, changed = ALPHABETS.get(change.upper(), UNKNOWN), True
        else:
            current = ASCII if changed else codec
            found.append(separator)
        found.append(_text(text, current))
    return b"".join(found)


def _text(raw: bytes, codec: str) -> bytes:
    """Bytes of one alphabet in UTF-8. In an unknown one even ASCII bytes may be other letters."""
    try:
        return UNREADABLE if raw and codec == UNKNOWN else decode(raw, codec or ASCII).encode(UTF_8)
    except UnicodeDecodeError:
        return UNREADABLE
