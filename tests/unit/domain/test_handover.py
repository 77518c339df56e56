from __future__ import annotations

from datetime import date

import pytest

from gateway.domain.handover import CHOICES, CLOSED, check_done, check_plan, may_mark

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("day", ["2026-11-23", "2027-02-21"])
def test_a_choice_and_a_day_from_today_on_are_a_plan(choice: str, day: str) -> None:
    assert check_plan("sent", False, choice, day, TODAY) == {}


@pytest.mark.parametrize("day", ["2026-11-22", "2027-02-22", "23/11/2026", ""])
def test_a_day_past_far_away_or_unreadable_is_named(day: str) -> None:
    assert list(check_plan("sent", False, "home", day, TODAY)) == ["day"]


def test_everything_wrong_is_told_at_once() -> None:
    assert set(check_plan("sent", False, "post", "", TODAY)) == {"choice", "day"}


@pytest.mark.parametrize("state", CLOSED)
def test_a_case_that_is_over_has_nothing_to_hand_over(state: str) -> None:
    assert list(check_plan(state, False, "home", "2026-11-23", TODAY)) == ["choice"]


def test_papers_that_were_handed_over_take_no_new_plan() -> None:
    assert list(check_plan("registered", True, "home", "2026-11-23", TODAY)) == ["choice"]


def test_only_planned_papers_of_a_registered_case_are_handed_over() -> None:
    assert check_done(planned=True, registered=True) == ""
    assert "đăng ký" in check_done(planned=True, registered=False)
    assert "cách trao" in check_done(planned=False, registered=True)


def test_a_hospital_marks_only_what_it_hands_over_itself() -> None:
    assert [choice for choice in CHOICES if may_mark("hospital", choice)] == ["facility"]
    assert all(may_mark("officer", choice) for choice in CHOICES)
    assert not any(may_mark("auditor", choice) for choice in CHOICES)
