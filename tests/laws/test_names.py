"""Laws of comparing names: the comparison form is stable, and forms of Unicode and case never matter."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.domain.names import NameMatch, comparable, compare_names, same_name

ONSETS = ["", "b", "ch", "đ", "gi", "h", "kh", "l", "ng", "ngh", "nh", "ph", "qu", "th", "tr", "x", "H'", "K'"]
RIMES = [
    "a",
    "ai",
    "ang",
    "ay",
    "ăn",
    "âu",
    "e",
    "ê",
    "eo",
    "i",
    "ia",
    "iên",
    "inh",
    "oa",
    "oan",
    "oe",
    "oi",
    "ôn",
    "ơi",
]
RIMES += ["ơi", "u", "ua", "uân", "uê", "uy", "uya", "uyên", "uynh", "ưa", "ươi", "ương", "y", "yên", "yêu", "uôi"]
TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]


@st.composite
def syllables(draw: st.DrawFn) -> str:
    """A syllable with its tone on any of its vowels: as people type it, well placed or not."""
    onset, rime = draw(st.sampled_from(ONSETS)), unicodedata.normalize("NFD", draw(st.sampled_from(RIMES)))
    vowels = [place for place, letter in enumerate(rime) if letter in "aeiouy"]
    place = draw(st.sampled_from(vowels)) + 1
    while place < len(rime) and unicodedata.combining(rime[place]):
        place += 1
    return unicodedata.normalize("NFC", onset + rime[:place] + draw(st.sampled_from(TONES)) + rime[place:])


names = st.lists(syllables(), min_size=1, max_size=5).map(" ".join)


@given(names, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_the_form_of_unicode_never_matters(name: str, form: str) -> None:
    assert same_name(unicodedata.normalize(form, name), name)


@given(names)
def test_case_never_matters(name: str) -> None:
    assert same_name(name.upper(), name)
    assert same_name(name.title(), name.lower())


@example("ÙÙU")  # more than one tone mark in a word: no Vietnamese, but the form must be stable all the same
@given(st.one_of(names, st.text()))
def test_the_comparable_form_of_a_comparable_form_is_itself(name: str) -> None:
    assert comparable(comparable(name)) == comparable(name)


@given(st.one_of(names, st.text()), st.one_of(names, st.text()))
def test_sameness_has_no_direction(one: str, other: str) -> None:
    assert same_name(one, other) == same_name(other, one)


@given(names)
def test_a_name_keeps_its_letters_and_tones(name: str) -> None:
    """Only where a tone sits may change: the letters, their hooks and circumflexes, and the tones stay the same."""
    before, after = (sorted(unicodedata.normalize("NFD", text.lower())) for text in (name, comparable(name)))
    assert before == after


@given(names)
def test_a_name_never_equals_itself_without_marks(name: str) -> None:
    bare = "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))
    bare = bare.replace("đ", "d")
    assert same_name(bare, name) == (bare == name)


def spellings(name: str) -> st.SearchStrategy[str]:
    """The name as others write it: whole, in other forms, without marks, in another order, with a word left out."""
    words = name.split()
    bare = "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))
    others = [
        name,
        name.upper(),
        unicodedata.normalize("NFD", name),
        bare,
        name.replace("y", "i"),
        name.replace("'", ""),
    ]
    return st.sampled_from([*others, " ".join(reversed(words)), " ".join(words[:1] + words[2:])])


pairs = st.one_of(
    names.flatmap(lambda name: st.tuples(spellings(name), spellings(name))),
    st.tuples(names, names),
    st.tuples(st.text(), st.text()),
)


@example(("An An Ân", "An Ân Ân"))
@given(pairs)
def test_a_verdict_has_no_direction(pair: tuple[str, str]) -> None:
    assert compare_names(*pair) is compare_names(*reversed(pair))


@given(pairs, st.sampled_from(["NFC", "NFD"]))
def test_the_form_of_unicode_changes_no_verdict(pair: tuple[str, str], form: str) -> None:
    one, other = pair
    assert compare_names(unicodedata.normalize(form, one), other) is compare_names(one, other)


@given(names, st.data())
def test_same_is_an_equivalence(name: str, data: st.DataObject) -> None:
    one, other, third = (data.draw(spellings(name)) for _ in range(3))
    assert compare_names(one, one) is NameMatch.SAME
    if compare_names(one, other) is compare_names(other, third) is NameMatch.SAME:
        assert compare_names(one, third) is NameMatch.SAME


@given(names)
def test_a_name_without_its_marks_is_for_a_person(name: str) -> None:
    bare = "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))
    bare = bare.replace("đ", "d")
    assert compare_names(bare, name) is (NameMatch.SAME if bare == name else NameMatch.PERSON)
