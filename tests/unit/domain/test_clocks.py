from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain.clocks import Office, deadlines, supplement_by, timeliness
from gateway.domain.dates import PartialDate
from gateway.mapping.catalogue import Catalogue

MAPPINGS = Path(__file__).parents[3] / "mappings"


class Book:
    """One made-up table."""

    def __init__(self, rows: Mapping[str, str]) -> None:
        self.rows = rows

    def get(self, code: str) -> str | None:
        return self.rows.get(code)

    def column(self, code: str, column: str) -> str | None:
        return self.rows.get(code)

    def codes(self) -> Sequence[str]:
        return list(self.rows)


class Shelf:
    """Made-up tables: a week of four days, one holiday, one swapped day."""

    def __init__(self) -> None:
        week = dict.fromkeys("1234", "08:00-12:00 13:00-16:00")
        self.books = {
            "clocks": Book({"register_birth": "10", "send_paper": "4", "decide": "15:00", "supplement": "7"}),
            "working_hours": Book(week),
            "holidays": Book({"2026-11-16": "off", "2026-11-20": "work", "2026-11-17": "unconfirmed"}),
        }

    def table(self, name: str, on: date) -> Book:
        return self.books[name]


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return Catalogue.load(MAPPINGS, {})


def test_a_period_starts_on_the_day_after_the_event() -> None:
    assert deadlines("birth", date(2026, 11, 2), None, None, Shelf()) == {"register_by": "2026-11-12"}


def test_a_last_day_off_moves_to_the_next_working_day() -> None:
    # 13 to 15 November are off by the week, the 16th is a holiday.
    assert deadlines("birth", date(2026, 11, 3), None, None, Shelf()) == {"register_by": "2026-11-17"}


def test_a_clock_without_a_rule_or_a_start_is_left_out() -> None:
    assert deadlines("death", date(2026, 11, 2), None, None, Shelf()) == {}
    assert deadlines("birth", None, None, None, Shelf()) == {}


@pytest.mark.parametrize(
    ("issued", "by"),
    [
        (PartialDate(2026, 11, 9, 8, 30), "2026-11-09T13:30"),  # the lunch break does not count
        (PartialDate(2026, 11, 9, 14, 0), "2026-11-10T10:00"),
        (PartialDate(2026, 11, 12, 15, 0), "2026-11-17T11:00"),  # over days off
        (PartialDate(2026, 11, 15, 10, 0), "2026-11-17T12:00"),  # issued on a day off
        (PartialDate(2026, 11, 9, 1, 30, offset=0), "2026-11-09T13:30"),  # 08:30 here
        (PartialDate(2026, 11, 9), "2026-11-09"),
        (date(2026, 11, 9), "2026-11-09"),
    ],
)
def test_the_paper_is_sent_within_four_working_hours(issued: PartialDate | date, by: str) -> None:
    assert deadlines("birth", None, issued, None, Shelf())["send_paper_by"] == by


@pytest.mark.parametrize(
    ("received", "by"),
    [
        (datetime(2026, 11, 9, 8, 0, tzinfo=UTC), "2026-11-09"),  # 15:00 here
        (datetime(2026, 11, 9, 8, 1, tzinfo=UTC), "2026-11-10"),
        (datetime(2026, 11, 14, 2, 0, tzinfo=UTC), "2026-11-17"),  # a day off
        (datetime(2026, 11, 8, 18, 0, tzinfo=UTC), "2026-11-09"),  # 01:00 of the 9th here
    ],
)
def test_the_commune_decides_on_the_day_when_it_has_the_dossier_by_three(received: datetime, by: str) -> None:
    assert deadlines("birth", None, None, received, Shelf())["decide_by"] == by


def test_a_family_has_seven_working_days_to_complete_a_file() -> None:
    # Friday the 20th works by exchange; the 16th is off.
    assert supplement_by(date(2026, 11, 10), Shelf()) == date(2026, 11, 23)


def test_an_unconfirmed_holiday_never_lengthens_a_clock() -> None:
    assert Office(Shelf(), date(2026, 11, 1)).is_working(date(2026, 11, 17))


def test_a_calendar_without_working_days_is_refused() -> None:
    shelf = Shelf()
    shelf.books["working_hours"] = Book({})
    with pytest.raises(ValueError, match="no working day"):
        deadlines("birth", date(2026, 11, 2), None, None, shelf)


@pytest.mark.parametrize(
    ("clocks", "today", "verdict"),
    [
        ({"register_by": "2026-11-23"}, date(2026, 11, 23), "on_time"),
        ({"register_by": "2026-11-23"}, date(2026, 11, 24), "late"),
        ({}, date(2026, 11, 24), "unknown"),
    ],
)
def test_registration_is_on_time_up_to_the_last_day(clocks: dict[str, str], today: date, verdict: str) -> None:
    assert timeliness(clocks, today) == verdict


def test_births_have_sixty_days_and_deaths_fifteen(shipped: Catalogue) -> None:
    assert deadlines("birth", date(2026, 9, 4), None, None, shipped)["register_by"] == "2026-11-03"
    assert deadlines("death", date(2026, 11, 3), None, None, shipped)["register_by"] == "2026-11-18"


def test_tet_moves_a_last_day(shipped: Catalogue) -> None:
    # 15 days after 22 January 2027 is Saturday 6 February, the first day of Đinh Mùi.
    assert deadlines("death", date(2027, 1, 22), None, None, shipped)["register_by"] == "2027-02-11"


def test_the_shipped_calendar_covers_the_years_it_promises(shipped: Catalogue) -> None:
    days = [date.fromisoformat(code) for code in shipped.table("holidays", date(2026, 1, 1)).codes()]
    assert {day.year for day in days} == {2025, 2026, 2027}
    office = Office(shipped, date(2026, 1, 1))
    for day in days:
        assert office.is_working(day) == (
            shipped.table("holidays", day).get(day.isoformat()) == "work"
            or (shipped.table("holidays", day).get(day.isoformat()) == "unconfirmed" and day.isoweekday() < 6)
        )
    assert not office.is_working(date(2026, 11, 22)) and office.is_working(date(2026, 11, 22) + timedelta(1))
