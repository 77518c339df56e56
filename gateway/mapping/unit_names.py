"""Names of administrative units as people write them: with or without marks, with or without the unit's type.

"Phường Quy Nhơn", "P. Quy Nhơn", "phuong quy nhon" and "Quy Nhơn" may all mean one unit; "Phường 01" is "Phường 1".
What is written may be read in two ways: "phuong mai" is Phường Mai or the name Phương Mai. Both are then tried.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from gateway.domain.names import comparable

_TYPES = {
    "commune": (
        ("thi tran", "thị trấn", ("tt", "t t")),
        ("dac khu", "đặc khu", ("dk", "đk")),
        ("phuong", "phường", ("p", "f")),
        ("xa", "xã", ("x",)),
    ),
    "district": (
        ("thanh pho", "thành phố", ("tp", "t p")),
        ("thi xa", "thị xã", ("tx", "t x")),
        ("quan", "quận", ("q",)),
        ("huyen", "huyện", ("h",)),
    ),
    "province": (
        ("thanh pho", "thành phố", ("tp", "t p")),
        ("tinh", "tỉnh", ("t",)),
    ),
}
"""(type without marks, with marks, short forms) by level; of two that begin alike, the longer stands first."""

_WRITTEN = {
    level: tuple((form + " ", type_) for type_, marked, short in types for form in (marked, type_, *short))
    for level, types in _TYPES.items()
}
"""What a written name may begin with, and the type it tells."""

_GLUED = {
    level: re.compile(f"({'|'.join(form for _, _, short in types for form in short)})(\\d+|hcm)\\b")
    for level, types in _TYPES.items()
}
"""The short form runs into the name: "P1", "Q10", "TPHCM"."""

_MARKS = re.compile("[\u0300-\u036f]")
_PUNCTUATION = re.compile(r"[^\w]+|_|[\u02b9-\u02bf]")
_ZEROS = re.compile(r"\b0+(?=\d)")


def plain(text: str) -> str:
    """Without marks, case, punctuation and leading zeros: the form in which units are looked up."""
    return _unmarked(_folded(text))


@lru_cache(maxsize=16384)
def _folded_word(word: str) -> str:
    return comparable(word)


def _folded(text: str) -> str:
    text = _PUNCTUATION.sub(" ", unicodedata.normalize("NFC", text))
    # Word by word: names of units share a few thousand syllables, and folding one is what takes the time.
    folded = " ".join([_folded_word(word) for word in text.split()])
    return _ZEROS.sub("", folded) if "0" in folded else folded


@lru_cache(maxsize=16384)
def _unmarked_word(word: str) -> str:
    return _MARKS.sub("", unicodedata.normalize("NFD", word).replace("đ", "d"))


def _unmarked(folded: str) -> str:
    return " ".join([_unmarked_word(word) for word in folded.split()])


@dataclass(frozen=True, slots=True)
class UnitName:
    """`key` without type and marks; `type` without marks, "" when not written; `marked` the name without its type but
    with marks, in comparable form; `has_marks` tells whether the writer used any, the type included: "Xã Thanh An" is
    not Xã Thạnh An, but "xa thanh an" may be either. `shelf` is where names that look alike lie together: the key
    without blanks, i and y being one."""

    key: str
    type: str
    marked: str
    has_marks: bool
    shelf: str


def read_name(level: str, text: str) -> UnitName:
    """Take a written name apart, in the likeliest way. `level` is commune, district or province."""
    return readings(level, text)[0]


def readings(level: str, text: str) -> tuple[UnitName, ...]:
    """Every way to take a written name apart, the likeliest first: two when it begins like a type ("xa dung" is Xã Dung
    or Xa Dung, and there is a Phường Phường Đúc)."""
    folded = _folded(text)
    whole = _typed("", folded, None)
    # A first word with marks that is not the type's own is a name: Phương Mai, Xá Lượng.
    for form, type_ in _WRITTEN[level]:
        if folded.startswith(form):
            return _typed(type_, folded[len(form) :], whole.has_marks), whole
    if glued := _GLUED[level].match(folded):
        type_ = next(type_ for type_, _, short in _TYPES[level] if glued[1] in short)
        return (_typed(type_, (glued[2].lstrip("0") or "0") + folded[glued.end() :], whole.has_marks),)
    return (whole,)


def _typed(type_: str, name: str, has_marks: bool | None) -> UnitName:
    key = _unmarked(name)
    return UnitName(
        key, type_, name, key != name if has_marks is None else has_marks, key.replace(" ", "").replace("y", "i")
    )


def official_name(level: str, text: str) -> UnitName:
    """A name as the lists have it: its type in full and with marks, so that there is one way to read it."""
    folded = _folded(text)
    for type_, marked, _ in _TYPES[level]:
        if folded.startswith(marked + " "):
            return _typed(type_, folded[len(marked) + 1 :], True)
    return _typed("", folded, True)


def same_unit(written: UnitName, official: UnitName) -> bool:
    """Whether a written name names the official unit: equal marks if the writer used marks, equal type if written."""
    if written.key != official.key or (written.type and official.type and written.type != official.type):
        return False
    return written.marked == official.marked or not written.has_marks


def alike(written: UnitName, official: UnitName) -> bool:
    """A looser likeness, to check a name beside a code: marks, type, blanks and i/y do not count."""
    return written.shelf == official.shelf
