"""When two spellings of a Vietnamese name are the same name, when a person has to look, and when they are two names.

Same: equal after Unicode NFC, case folding, single spaces, invisible format characters dropped, and one style of
placing the tone mark (hòa = hoà, Thúy = Thuý: both styles are in official use). The letter eth (Ð, U+00D0) counts as đ:
it is what legacy converters write for Đ (U+0110), looks the same and is in no Vietnamese name, so it tells no two
persons apart.

A person looks, because only a person may call them the same: i and y (Lý, Lí), apostrophes and spaces of any shape
(K'Ho, K’Ho, KHo), marks missing in part or altogether (Nguyen, Nguyễn), letters of other alphabets that look alike, a
word missing (the middle name, a highland clan), words in another order. Marks that contradict each other (Hòa, Hóa) are
two names.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import chain, groupby

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


class NameMatch(StrEnum):
    """What two spellings are to each other. `PERSON`: close, and never called the same without a person."""

    SAME = "same"
    PERSON = "person"
    DIFFERENT = "different"


def compare_names(one: str, other: str) -> NameMatch:
    """Decide about two spellings; the order does not matter. An empty name is different from every name."""
    if same_name(one, other):
        return NameMatch.SAME
    left, right = _words(one), _words(other)
    if _agree(chain(*left), chain(*right)) or _reordered(left, right) or _lacks_words(left, right):
        return NameMatch.PERSON
    return NameMatch.DIFFERENT


_Letter = tuple[str, frozenset[str]]
"""A plain small letter and its combining marks."""
_Word = tuple[_Letter, ...]

_STROKE = "\u0335"
_VOWELS = "aeiouy"
_STROKED = {"đ": "d", "ɖ": "d", "ƀ": "b"}  # ɖ is the small letter of Ɖ (U+0189), which looks like Đ too
_LOOK_ALIKE = dict(zip("аеорсухікмтвнѕјһıαβεζηικμνορτυχ", "aeopcyxikmtbhsjhiabezhikmnoptyx", strict=True))
"""Letters of other alphabets whose small or capital form looks like a Latin one."""


def _words(name: str) -> tuple[_Word, ...]:
    """Words as letters and marks; whatever is no letter, an apostrophe too, only parts them."""
    words: list[list[_Letter]] = [[]]
    for sign in unicodedata.normalize("NFKD", comparable(name)):
        category = unicodedata.category(sign)
        if category == "Mn" and words[-1]:
            letter, marks = words[-1][-1]
            words[-1][-1] = (letter, marks | {sign})
        elif category in ("Ll", "Lo", "Lu", "Lt"):
            words[-1].append((_STROKED.get(sign, sign), frozenset(_STROKE if sign in _STROKED else "")))
        elif words[-1]:
            words.append([])
    return tuple(_one_i(word) for word in words if word)


def _one_i(word: Sequence[_Letter]) -> _Word:
    """Look-alikes as Latin letters, and y as i where both are in use: not after another vowel (Mây is not Mâi), but
    after qu."""
    plain = "".join(_LOOK_ALIKE.get(letter, letter) for letter, _ in word)
    alike = (
        "i" if letter == "y" and (plain[at - 1 : at] not in tuple(_VOWELS) or plain[at - 2 : at] == "qu") else letter
        for at, letter in enumerate(plain)
    )
    return tuple((letter, marks) for letter, (_, marks) in zip(alike, word, strict=True))


def _agree(one: Iterable[_Letter], other: Iterable[_Letter]) -> bool:
    """Whether the letters are equal and no mark contradicts another: it may be missing on one side."""
    left, right = tuple(one), tuple(other)
    if not left or _plain(left) != _plain(right):
        return False
    pairs = zip(_marks(left), _marks(right), strict=True)
    return all(mine == theirs or not mine or not theirs for mine, theirs in pairs)


def _plain(letters: Iterable[_Letter]) -> str:
    return "".join(letter for letter, _ in letters)


def _marks(letters: Sequence[_Letter]) -> list[frozenset[str]]:
    """The marks of each letter, and the tones of each run of vowels: on which of them a tone sits says nothing."""
    found = []
    for are_vowels, run in groupby(letters, key=lambda letter: letter[0] in _VOWELS):
        marks = [marks for _, marks in run]
        tones = frozenset(_TONES) if are_vowels else frozenset()
        found += [each - tones for each in marks]
        found.append(frozenset().union(*marks) & tones)
    return found


def _reordered(one: Sequence[_Word], other: Sequence[_Word]) -> bool:
    """The same words in another order, in one of the two perhaps without any marks."""
    if Counter(one) == Counter(other):
        return bool(one)
    bare = any(not any(marks for _, marks in chain(*name)) for name in (one, other))
    return bare and Counter(map(_plain, one)) == Counter(map(_plain, other))


def _lacks_words(one: Sequence[_Word], other: Sequence[_Word]) -> bool:
    """Whether the shorter is the longer with words left out; of one word alone nothing can be said."""
    short, long = sorted((one, other), key=len)
    if len(short) < 2 or len(short) == len(long):
        return False
    rest = iter(long)
    return all(any(_agree(word, candidate) for candidate in rest) for word in short)
