"""When two spellings of a Vietnamese name are the same name, and when a person has to look.

Equal after: Unicode NFC, case folding, single spaces, invisible format characters dropped, and one style of placing the
tone mark (hòa = hoà, Thúy = Thuý: both styles are in official use). The letter eth (Ð, U+00D0) counts as đ: it is what
legacy converters write for Đ (U+0110), looks the same and is in no Vietnamese name, so it tells no two persons apart.

Never equal, though close, because they are different spellings that only a person may call the same: i and y (Lý, Lí),
apostrophes of any shape (K'Ho, K’Ho, KHo), a name without its marks (Nguyen, Nguyễn), a missing middle name.
"""

from __future__ import annotations

import unicodedata

from viet_text_tools import normalize_diacritics

_TONES = "\u0300\u0301\u0303\u0309\u0323"  # huyền, sắc, ngã, hỏi, nặng
_ETH_AS_D = str.maketrans({"\u00d0": "\u0111", "\u00f0": "\u0111"})


def comparable(name: str) -> str:
    """The form in which two spellings are compared; idempotent, the same for NFC and NFD. Never store or show it."""
    visible = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    folded = unicodedata.normalize("NFC", visible).casefold().translate(_ETH_AS_D)
    return " ".join(_one_tone_style(word) for word in folded.split())


def _one_tone_style(word: str) -> str:
    """A Vietnamese word has at most one tone mark; the library shuffles the marks of a foreign word that has more."""
    tones = sum(mark in _TONES for mark in unicodedata.normalize("NFD", word))
    return str(normalize_diacritics(word)) if tones == 1 else unicodedata.normalize("NFC", word)


def same_name(one: str, other: str) -> bool:
    """Whether both spell one name. An empty name is nobody's: it equals nothing, not even another empty one."""
    left = comparable(one)
    return bool(left) and left == comparable(other)
