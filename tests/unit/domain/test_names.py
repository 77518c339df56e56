"""Which spellings of a Vietnamese name are one name, and which a person has to look at. Everybody here is invented.

name_cases.csv is the table; letters that cannot be told apart by eye stand there as \\uXXXX.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path

import pytest

from gateway.domain.names import NameMatch, comparable, compare_names, same_name


def _shown(text: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), text)


with (Path(__file__).parent / "name_cases.csv").open(encoding="utf-8", newline="") as file:
    CASES = [(_shown(row["one"]), _shown(row["other"]), NameMatch(row["verdict"])) for row in csv.DictReader(file)]


def test_the_table_has_every_verdict_often() -> None:
    verdicts = [verdict for _, _, verdict in CASES]
    assert len(CASES) >= 80
    assert all(verdicts.count(verdict) >= 20 for verdict in NameMatch)


@pytest.mark.parametrize(("one", "other", "verdict"), CASES)
def test_two_spellings_are_judged_alike_either_way_round(one: str, other: str, verdict: NameMatch) -> None:
    assert compare_names(one, other) is verdict
    assert compare_names(other, one) is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), CASES)
def test_decomposed_letters_change_no_verdict(one: str, other: str, verdict: NameMatch) -> None:
    assert compare_names(unicodedata.normalize("NFD", one), unicodedata.normalize("NFC", other)) is verdict
    assert compare_names(unicodedata.normalize("NFC", one), unicodedata.normalize("NFD", other)) is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), CASES)
def test_only_one_name_is_ever_the_same_without_a_person(one: str, other: str, verdict: NameMatch) -> None:
    assert same_name(one, other) == (verdict is NameMatch.SAME)


def test_the_comparable_form_is_one_case_one_space_one_tone_style() -> None:
    assert comparable(" ÐẶNG  THỊ THUÝ HOÀ") == "đặng thị thúy hòa"
