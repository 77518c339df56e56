"""Names of administrative units as people write them: with or without marks, with or without the unit's type.

"Phường Quy Nhơn", "P. Quy Nhơn", "phuong quy nhon" and "Quy Nhơn" may all mean one unit; "Phường 01" is "Phường 1".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from gateway.domain.names import comparable

_TYPES = {
    "commune": {
        "xa": ("xa", "x"),
        "phuong": ("phuong", "p"),
        "thi tran": ("thi tran", "tt"),
        "dac khu": ("dac khu", "dk"),
    },
    "district": {
        "quan": ("quan", "q"),
        "huyen": ("huyen", "h"),
        "thi xa": ("thi xa", "tx"),
        "thanh pho": ("thanh pho", "tp"),
    },
    "province": {"tinh": ("tinh", "t"), "thanh pho": ("thanh pho", "tp")},
}
_MARKS = re.compile("[\u0300-\u036f]")
_PUNCTUATION = re.compile(r"[^\w]+|_")
_ZEROS = re.compile(r"\b0+(?=\d)")


def plain(text: str) -> str:
    """Without marks, case, punctuation and leading zeros: the form in which units are looked up."""
    return _unmarked(_folded(text))


@lru_cache(maxsize=16384)
def _folded_word(word: str) -> str:
    return comparable(word)


def _folded(text: str) -> str:
    # Word by word: names of units share a few thousand syllables, and folding one is what takes the time.
    return " ".join(_folded_word(word) for word in _PUNCTUATION.sub(" ", unicodedata.normalize("NFC", text)).split())


@lru_cache(maxsize=16384)
def _unmarked_word(word: str) -> str:
    return _MARKS.sub("", unicodedata.normalize("NFD", word).replace("đ", "d"))


def _unmarked(folded: str) -> str:
    return _ZEROS.sub("", " ".join(_unmarked_word(word) for word in folded.split()))


@dataclass(frozen=True, slots=True)
class UnitName:
    """`key` without type and marks; `type` without marks, "" when not written; `marked` the name without its type but
    with marks, in comparable form; `has_marks` tells whether the writer used any, the type included: "Xã Thanh An" is
    not Xã Thạnh An, but "xa thanh an" may be either."""

    key: str
    type: str
    marked: str
    has_marks: bool


@lru_cache(maxsize=65536)
def read_name(level: str, text: str) -> UnitName:
    """Take a written name apart. `level` is commune, district or province."""
    folded = _ZEROS.sub("", _folded(text))
    bare = _unmarked(folded)
    has_marks = bare != folded
    words, bare_words = folded.split(), bare.split()
    for name, spellings in _TYPES[level].items():
        for spelling in spellings:
            length = spelling.count(" ") + 1
            if " ".join(bare_words[:length]) == spelling and len(words) > length:
                return _name(" ".join(words[length:]), name, has_marks)
            # "P1", "Q10", "TPHCM": the short form runs into the name.
            glued = bare_words and len(spelling) <= 2 and re.fullmatch(rf"{spelling}(\d+|hcm)", bare_words[0])
            if glued:
                return _name(" ".join([glued[1].lstrip("0") or "0", *words[1:]]), name, has_marks)
    return _name(folded, "", has_marks)


def _name(marked: str, type_: str, has_marks: bool) -> UnitName:
    return UnitName(_unmarked(marked), type_, marked, has_marks)


def same_unit(written: UnitName, official: UnitName) -> bool:
    """Whether a written name names the official unit: equal marks if the writer used marks, equal type if written."""
    if written.key != official.key or (written.type and official.type and written.type != official.type):
        return False
    return written.marked == official.marked or not written.has_marks


def alike(written: UnitName, official: UnitName) -> bool:
    """A looser likeness, to check a name beside a code: marks, type and i/y do not count."""
    return written.key.replace("y", "i") == official.key.replace("y", "i")
