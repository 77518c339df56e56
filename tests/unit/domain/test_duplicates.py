"""Which pairs of cases are shown to a person as possibly one, and which are told apart without asking anybody."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from gateway.domain.case import Rank, Reading
from gateway.domain.dates import PartialDate
from gateway.domain.duplicates import (
    CODES,
    Evidence,
    across_keys_of,
    decide_proposed,
    evidence_of,
    held_apart,
    is_multiple,
)
from gateway.domain.notification import Notification, build
from gateway.domain.person import PersonName, Sex

MOTHER, OTHER_MOTHER = "999190000001", "999190000002"
NAME = PersonName("Nguyễn", "Thị Thúy", "Hòa")


def at(text: str) -> PartialDate:
    return PartialDate.parse(text)


def birth(**facts: Any) -> Notification:
    told = {"child.born": at("202611230815+0700"), "mother.personal_id": MOTHER} | _dotted(facts)
    return build("birth", {path: value for path, value in told.items() if value is not None})


def death(**facts: Any) -> Notification:
    told = {"death.at": at("202611230815+0700"), "deceased.personal_id": MOTHER} | _dotted(facts)
    return build("death", {path: value for path, value in told.items() if value is not None})


def by_name(born: str = "19970412", name: PersonName = NAME, **facts: Any) -> Notification:
    """A birth whose mother is known by name and birth date."""
    return birth(mother__personal_id=None, mother__name=name, mother__born=at(born), **facts)


def _dotted(facts: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "."): value for name, value in facts.items()}


def proposed(one: Notification, other: Notification, *, apart: bool = False) -> bool:
    kind = "birth" if hasattr(one, "child") else "death"
    multiple = is_multiple(one) or is_multiple(other)
    return decide_proposed(kind, evidence_of(one, other), multiple=multiple, apart=apart)


def meet(one: Notification, other: Notification) -> bool:
    """Whether either is found by the other's keys."""
    return not set(across_keys_of(one)).isdisjoint(across_keys_of(other))


# Keys


@pytest.mark.parametrize("paper", ["personal_id", "cmnd", "passport"])
def test_each_identifier_of_the_mother_with_the_day_finds_a_birth_in_any_facility(paper: str) -> None:
    told = birth(**{"mother__personal_id": None, f"mother__{paper}": "999000001"})
    assert across_keys_of(told) == [("across", "birth", "mother", paper, "999000001", "2026-11-23")]


def test_the_facilitys_own_patient_number_is_no_key_beyond_it() -> None:
    assert across_keys_of(birth(mother__personal_id=None, mother__facility_id="BN0001")) == []


def test_a_death_is_found_by_identifier_on_any_day() -> None:
    assert meet(death(), death(death__at=at("20261201")))


def test_a_name_finds_a_birth_in_any_spelling_of_the_same_name() -> None:
    other = PersonName(*(unicodedata.normalize("NFD", part) for part in ("NGUYỄN", "Thị  Thuý", "Hoà")))
    assert meet(by_name(), by_name(name=other))
    assert not meet(by_name(), by_name(name=PersonName("Nguyễn", "Thị Thúy", "Hoa")))


def test_a_childs_name_is_no_key() -> None:
    assert across_keys_of(birth(mother__personal_id=None, child__name=NAME)) == []


def test_without_the_day_of_birth_there_is_no_key() -> None:
    assert across_keys_of(birth(child__born=at("202611"))) == []


def test_two_clocks_on_either_side_of_midnight_meet() -> None:
    late, early = birth(child__born=at("202611232355")), birth(child__born=at("202611240003"))
    assert meet(late, early)
    assert proposed(late, early)
    assert not meet(birth(child__born=at("202611232345")), birth(child__born=at("202611240015")))


def test_the_day_is_vietnamese_whatever_the_senders_zone() -> None:
    assert meet(birth(child__born=at("2026-11-22T20:30:00Z")), birth(child__born=at("20261123")))


# Evidence


def test_the_evidence_says_what_agrees_and_what_differs_and_leaves_out_what_one_does_not_know() -> None:
    one = birth(child__sex=Sex.MALE, birth__order=1, paper__number="00001.GCS.99001.26")
    other = birth(child__sex=Sex.FEMALE, birth__order=1, child__born=at("202611230915"))
    assert evidence_of(one, other) == Evidence(
        ("mother.personal_id", "born.day", "birth.order"), ("born.instant", "child.sex")
    )


def test_an_hour_without_minutes_is_no_time_of_day() -> None:
    codes = evidence_of(birth(child__born=at("2026112308")), birth())
    assert "born.instant" not in (*codes.agree, *codes.differ)


def test_a_sex_not_yet_determined_tells_nobody_apart() -> None:
    assert "child.sex" not in evidence_of(birth(child__sex=Sex.UNDETERMINED), birth(child__sex=Sex.MALE)).differ


def test_a_birth_and_a_death_have_nothing_to_compare() -> None:
    assert evidence_of(birth(), death()) == Evidence()


@pytest.mark.parametrize(("one", "other"), [(birth(), by_name()), (death(), death(deceased__name=NAME))])
def test_only_listed_codes_are_evidence(one: Notification, other: Notification) -> None:
    kind = "birth" if hasattr(one, "child") else "death"
    told = evidence_of(one, other)
    assert {*told.agree, *told.differ} <= set(CODES[kind])


# Births


def test_the_same_mother_and_day_is_proposed() -> None:
    assert proposed(birth(), birth())


def test_the_same_mother_on_another_day_is_not() -> None:
    assert not proposed(birth(), birth(child__born=at("20261124")))


def test_twins_with_different_orders_are_never_proposed() -> None:
    assert not proposed(birth(birth__order=1), birth(birth__order=2))
    assert proposed(birth(birth__order=2), birth(birth__order=2))


@pytest.mark.parametrize("mark", [{"birth__plurality": 2}, {"birth__multiple": True}, {"birth__order": 2}])
def test_a_told_multiple_birth_with_other_sex_or_other_time_is_two_children(mark: dict[str, Any]) -> None:
    assert not proposed(birth(child__sex=Sex.MALE, **mark), birth(child__sex=Sex.FEMALE))
    assert not proposed(birth(**mark), birth(child__born=at("202611230840")))
    assert proposed(birth(child__sex=Sex.MALE, **mark), birth(child__sex=Sex.MALE))


def test_two_hospitals_that_differ_about_a_single_birth_are_shown_with_what_speaks_against() -> None:
    boy, girl = birth(child__sex=Sex.MALE), birth(child__sex=Sex.FEMALE, child__born=at("202611231000"))
    assert proposed(boy, girl)
    assert evidence_of(boy, girl).differ == ("born.instant", "child.sex")


def test_one_hospital_that_holds_two_patients_apart_contradicts_itself_by_no_accident() -> None:
    assert proposed(birth(), birth(), apart=True)
    assert not proposed(birth(child__sex=Sex.MALE), birth(child__sex=Sex.FEMALE), apart=True)
    assert not proposed(birth(), birth(child__born=at("202611230840")), apart=True)
    assert not proposed(birth(birth__plurality=2), birth(birth__plurality=2), apart=True)


def test_the_mother_by_name_and_birth_date_is_enough_while_nothing_else_differs() -> None:
    assert proposed(by_name(child__sex=Sex.MALE), by_name(child__sex=Sex.MALE))
    assert proposed(by_name("1997"), by_name())
    assert not proposed(by_name(), by_name("19970413"))
    assert not proposed(by_name(child__sex=Sex.MALE), by_name(child__sex=Sex.FEMALE))
    assert not proposed(by_name(), by_name(child__born=at("202611231000")))


def test_two_numbers_of_one_name_are_a_slip_of_the_pen_only_with_the_whole_birth_date() -> None:
    numbered = {"mother__name": NAME, "mother__born": at("19970412")}
    one, other = birth(**numbered), birth(**numbered | {"mother__personal_id": OTHER_MOTHER})
    assert proposed(one, other)
    assert not proposed(one, birth(mother__personal_id=OTHER_MOTHER, mother__name=NAME, mother__born=at("1997")))


def test_a_name_alone_proposes_nothing() -> None:
    nameless = {"mother__personal_id": None, "mother__name": NAME}
    assert not proposed(birth(**nameless), birth(**nameless))


# Deaths


def test_nobody_dies_twice_so_an_identifier_is_enough() -> None:
    assert proposed(death(), death(death__at=at("20261201"), deceased__sex=Sex.MALE))
    assert proposed(death(), death(), apart=True)


def test_without_an_identifier_a_death_needs_name_birth_and_day() -> None:
    known = {"deceased__personal_id": None, "deceased__name": NAME, "deceased__born": at("1950")}
    assert proposed(death(**known), death(**known))
    assert not proposed(death(**known), death(**known, death__at=at("20261124")))
    assert not proposed(death(**known, deceased__sex=Sex.MALE), death(**known, deceased__sex=Sex.FEMALE))


# Patient numbers


def reading(*patients: str, paper: str | None = None) -> Reading:
    return Reading("m", "birth", "birth", Rank.MESSAGE, "", patients, birth(paper__number=paper), {})


def test_only_two_patient_numbers_hold_two_cases_apart() -> None:
    assert held_apart([reading("BN1")], [reading("BN2")])
    assert not held_apart([reading("BN1"), reading("BN2")], [reading("BN2")])
    assert not held_apart([reading("BN1")], [reading("Patient/2")])
    assert not held_apart([reading("BN1")], [reading()])


def test_two_papers_of_one_facility_hold_two_cases_apart() -> None:
    one, other = "00001.GCS.99001.26", "00002.GCS.99001.26"
    assert held_apart([reading(paper=one)], [reading(paper=other)])
    assert not held_apart([reading(paper=one)], [reading(paper=one)])
    assert not held_apart([reading(paper=one)], [reading("BN1")])
