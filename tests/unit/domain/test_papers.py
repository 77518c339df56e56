"""Issues of one paper: when they tell of the same child, and when a person has to look."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from itertools import permutations

import pytest

from gateway.domain.case import Rank, Reading
from gateway.domain.dates import PartialDate
from gateway.domain.notification import BirthNotification, DeathNotification, Paper
from gateway.domain.papers import find_differing_issues, numbers_of
from gateway.domain.person import Person, PersonName, Sex

HOA = Person(PersonName("Nguyễn", "Thị", "Hoa"), born=PartialDate(1998, 3, 4), personal_id="999198000001")
CHILD = Person(sex=Sex.FEMALE, born=PartialDate(2026, 11, 20, 8, 15))
NUMBER = Paper("00012.GCS.99001.26")
FIRST = BirthNotification(CHILD, HOA, paper=NUMBER)


def read(told: BirthNotification | DeathNotification, rank: Rank = Rank.PAPER) -> Reading:
    kind = "birth" if isinstance(told, BirthNotification) else "death"
    return Reading("m.1", kind, kind, rank, "2026-11-21T17:00:00+00:00", (), told, {})


def places(*told: BirthNotification | DeathNotification) -> list[str]:
    return [finding.where for finding in find_differing_issues([read(one) for one in told])]


def test_an_issue_with_the_same_facts_is_no_news() -> None:
    decomposed = PersonName("Nguyễn", unicodedata.normalize("NFD", "Thị"), "HOA")
    again = replace(FIRST, mother=replace(HOA, name=decomposed, personal_id=None))
    assert places(FIRST, FIRST, again) == []


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        (replace(FIRST, child=replace(CHILD, sex=Sex.MALE)), ["child.sex"]),
        (replace(FIRST, child=replace(CHILD, born=PartialDate(2026, 11, 20, 8, 20))), []),
        (replace(FIRST, child=replace(CHILD, born=PartialDate(2026, 11, 20))), []),
        (replace(FIRST, child=replace(CHILD, born=PartialDate(2026, 11, 20, 9, 15))), ["child.born"]),
        (replace(FIRST, child=replace(CHILD, born=PartialDate(2026, 11, 21))), ["child.born"]),
        (replace(FIRST, mother=replace(HOA, personal_id="999198000002")), ["mother"]),
        (replace(FIRST, mother=replace(HOA, name=PersonName("Lê", "Thị", "Bé"))), []),
        (replace(FIRST, mother=Person(PersonName("Lê", "Thị", "Bé"), born=PartialDate(1990, 1, 1))), ["mother"]),
        (replace(FIRST, mother=Person(PersonName("Nguyễn", "Thị", "Hòa"), born=PartialDate(1998, 3, 4))), []),
        (replace(FIRST, mother=Person()), []),
    ],
)
def test_another_sex_birth_time_or_mother_under_one_number_is_shown(
    again: BirthNotification, expected: list[str]
) -> None:
    for order in permutations((FIRST, again, FIRST)):
        assert places(*order) == expected


def test_papers_of_other_numbers_and_messages_are_not_compared() -> None:
    boy = replace(FIRST, child=replace(CHILD, sex=Sex.MALE))
    assert places(FIRST, replace(boy, paper=Paper("00013.GCS.99001.26"))) == []
    assert places(replace(FIRST, paper=Paper()), replace(boy, paper=Paper())) == []
    assert find_differing_issues([read(FIRST), read(boy, Rank.XML9)]) == []


def test_a_death_notice_issued_again_is_known_by_its_first_number_too() -> None:
    man = Person(PersonName("Lê", "Văn", "Bình"), personal_id="999050000003")
    first = DeathNotification(deceased=man, paper=Paper("12"))
    again = DeathNotification(deceased=man, paper=Paper("15", reissue=True, original_number="12"))
    assert numbers_of(again.paper) == {"12", "15"}
    assert places(first, again) == []
    assert places(first, replace(again, deceased=replace(man, personal_id="999050000004"))) == ["deceased"]
    assert places(FIRST, replace(first, paper=NUMBER)) == []
