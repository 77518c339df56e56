from __future__ import annotations

from typing import Any

from gateway.domain.case import Rank, Reading
from gateway.domain.dates import PartialDate
from gateway.domain.linking import decide_same, keys_of
from gateway.domain.notification import build
from gateway.domain.person import Sex

BORN = PartialDate.parse("202611230815+0700")


def birth(*patients: str, rank: Rank = Rank.MESSAGE, **facts: Any) -> Reading:
    named = {name.replace("__", "."): value for name, value in facts.items()}
    told = {"child.born": BORN, "mother.personal_id": "999190000001", **named}
    return Reading("m", "birth", "birth", rank, "", patients, build("birth", told), {})


def test_a_shared_patient_number_is_the_same_child() -> None:
    assert decide_same([birth("BN1")], birth("BN1", "Patient/7")) is True


def test_two_patient_numbers_are_never_one_child() -> None:
    assert decide_same([birth("BN1")], birth("BN2")) is False


def test_the_paper_of_the_same_mother_and_minute_is_the_same_birth() -> None:
    assert decide_same([birth("BN1")], birth(rank=Rank.PAPER, paper__number="00001.GCS.99001.26")) is True


def test_clocks_may_differ_by_ten_minutes_and_no_more() -> None:
    assert decide_same([birth("BN1")], birth(child__born=PartialDate.parse("202611230825+0700"))) is True
    assert decide_same([birth("BN1")], birth(child__born=PartialDate.parse("202611230826+0700"))) is False


def test_two_papers_are_two_children() -> None:
    one = birth(paper__number="00001.GCS.99001.26")
    assert decide_same([one], birth(paper__number="00002.GCS.99001.26")) is False
    assert decide_same([one], birth("BN1", paper__number="00001.GCS.99001.26")) is True


def test_twins_are_two_by_order_or_sex() -> None:
    assert decide_same([birth("BN1", birth__order=1)], birth(birth__order=2)) is False
    assert decide_same([birth("BN1", birth__order=2)], birth(birth__order=2)) is True
    assert decide_same([birth("BN1", child__sex=Sex.MALE)], birth(child__sex=Sex.FEMALE)) is False


def test_a_twin_without_an_order_is_left_to_a_person() -> None:
    assert decide_same([birth("BN1", birth__order=1, birth__multiple=True)], birth()) is None
    assert decide_same([birth("BN1")], birth(birth__plurality=2)) is None


def test_the_same_deceased_by_identity_is_one_death() -> None:
    one = Reading("m", "death", "death", Rank.MESSAGE, "", ("BN5",), build("death", {}), {})
    two = Reading("p", "death", "death", Rank.PAPER, "", (), build("death", {"paper.number": "12/2026"}), {})
    assert decide_same([one], two) is True


def test_keys_name_the_facility_but_papers_are_national() -> None:
    keys = keys_of(birth("BN1", paper__number="00001.GCS.99001.26"), "99001")
    assert ("birth", "patient", "99001", "BN1") in keys
    assert ("birth", "paper", "00001.GCS.99001.26") in keys
    assert ("birth", "mother", "99001", "personal", "999190000001", "2026-11-23") in keys


def test_the_day_of_birth_in_keys_is_vietnamese() -> None:
    keys = keys_of(birth(child__born=PartialDate.parse("2026-11-22T20:30:00Z")), "99001")
    assert ("birth", "mother", "99001", "personal", "999190000001", "2026-11-23") in keys
