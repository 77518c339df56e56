from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from gateway.domain.clocks import clock_of
from gateway.domain.office import OFFICE_ZONE, Office, holidays_known_until
from gateway.mapping.catalogue import Catalogue
from gateway.ports.hospital import MessageReader
from tests.unit.domain.lunar import month_start
from tests.unit.domain.test_clocks import MAPPINGS, Book, Shelf

YEARS = (2025, 2026, 2027, 2028)
ON = date(2026, 11, 2)


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return Catalogue.load(MAPPINGS, {})


def mark(shipped: Catalogue, day: date) -> str:
    return shipped.table("holidays", day).get(day.isoformat()) or ""


def tet(year: int) -> tuple[set[date], set[date]]:
    """The two choices that are the practice: one day of the old year and four of the new, or two and three."""
    first = month_start(year, 1)
    return {first + timedelta(step) for step in range(-1, 4)}, {first + timedelta(step) for step in range(-2, 3)}


# The lunar calendar


@pytest.mark.parametrize(
    ("year", "first"),
    [
        (2005, date(2005, 2, 9)),
        (2007, date(2007, 2, 17)),  # 18 February at UTC+8: the moon was new between both midnights
        (2015, date(2015, 2, 19)),
        (2020, date(2020, 1, 25)),
        (2023, date(2023, 1, 22)),
        (2024, date(2024, 2, 10)),
        (2030, date(2030, 2, 2)),  # 3 February at UTC+8
    ],
)
def test_astronomy_gives_the_new_years_that_were(year: int, first: date) -> None:
    assert month_start(year, 1) == first


@pytest.mark.parametrize("year", YEARS)
def test_tet_stands_where_the_moon_puts_it(shipped: Catalogue, year: int) -> None:
    choices = tet(year)
    assert any(all(mark(shipped, day) in ("off", "unconfirmed") for day in choice) for choice in choices)
    assert all(mark(shipped, day) == "off" for day in choices[0] & choices[1])
    announced = [choice for choice in choices if all(mark(shipped, day) == "off" for day in choice)]
    assert announced or all(mark(shipped, day) for day in choices[0] | choices[1]), "neither chosen nor left open"


@pytest.mark.parametrize("year", YEARS)
def test_the_hung_kings_day_is_the_tenth_of_the_third_month(shipped: Catalogue, year: int) -> None:
    assert mark(shipped, month_start(year, 3) + timedelta(9)) == "off"


@pytest.mark.parametrize("year", YEARS)
def test_the_holidays_with_a_fixed_date_are_there(shipped: Catalogue, year: int) -> None:
    for month, day in ((1, 1), (4, 30), (5, 1), (9, 2)):
        assert mark(shipped, date(year, month, day)) == "off"
    beside = [mark(shipped, date(year, 9, day)) for day in (1, 3)]
    assert beside.count("off") == 1 or beside == ["unconfirmed", "unconfirmed"]


@pytest.mark.parametrize("year", YEARS)
def test_a_holiday_on_a_weekend_gives_the_next_day_that_is_neither(shipped: Catalogue, year: int) -> None:
    fixed = [
        date(year, 1, 1),
        month_start(year, 3) + timedelta(9),
        date(year, 4, 30),
        date(year, 5, 1),
        date(year, 9, 2),
    ]
    for holiday in fixed:
        if holiday.isoweekday() > 5:
            day = holiday + timedelta(1)
            while day.isoweekday() > 5 or day in fixed:
                day += timedelta(1)
            assert mark(shipped, day) == "off", holiday


def test_what_is_computed_and_not_announced_says_so(shipped: Catalogue) -> None:
    table = shipped.table("holidays", ON)
    for year in (2027, 2028):
        for day in (*(tet(year)[0] & tet(year)[1]), month_start(year, 3) + timedelta(9)):
            assert "unverified" in (table.column(day.isoformat(), "source") or "")


def test_a_day_still_open_counts_as_the_weekday_it_is(shipped: Catalogue) -> None:
    office = Office(shipped, ON)
    table = shipped.table("holidays", ON)
    kinds = set()
    for code in table.codes():
        day, kind = date.fromisoformat(code), table.get(code)
        assert office.is_working(day) == (kind == "work" or (kind == "unconfirmed" and day.isoweekday() < 6))
        kinds.add(kind)
    assert kinds == {"off", "work", "unconfirmed"}


def test_the_shipped_holidays_are_known_to_the_end_of_2028(shipped: Catalogue) -> None:
    assert holidays_known_until(shipped) == date(2028, 12, 31)


@pytest.mark.parametrize(
    ("days", "until"),
    [
        ([], None),
        (["2026-01-01", "2027-01-01"], date(2027, 12, 31)),
        (["2026-01-01", "2029-01-01"], date(2026, 12, 31)),
    ],
)
def test_a_year_that_is_missing_ends_what_is_known(days: list[str], until: date | None) -> None:
    shelf = Shelf()
    shelf.books["holidays"] = Book(dict.fromkeys(days, "off"))
    assert holidays_known_until(shelf) == until


# Hours of single offices


def overlaid(tmp_path: Path, *rows: str, readers: Mapping[str, MessageReader] | None = None) -> Catalogue:
    """The shipped set with rows of one's own in working_hours."""
    own = tmp_path / "codes"
    own.mkdir(parents=True)
    lines = ["code,value,name,valid_from,valid_to,source", *(f"{row},,,,invented" for row in rows)]
    (own / "working_hours.csv").write_text("\n".join(lines), encoding="utf-8")
    return Catalogue.load(MAPPINGS, readers or {}, [tmp_path])


def test_the_nearest_office_with_a_line_for_the_weekday_counts(tmp_path: Path) -> None:
    tables = overlaid(tmp_path, "52/6,07:30-11:30", "21583/6,08:00-10:00", "21589/5,")
    saturday, friday = date(2026, 11, 7), date(2026, 11, 6)
    assert Office(tables, ON).hours(saturday) == ()
    assert Office(tables, ON, ("21592", "52")).hours(saturday) == ((time(7, 30), time(11, 30)),)
    assert Office(tables, ON, ("21583", "52")).hours(saturday) == ((time(8), time(10)),)
    assert Office(tables, ON, ("21583", "52")).hours(friday) == Office(tables, ON).hours(friday)
    assert not Office(tables, ON, ("21589", "52")).is_working(friday)


@pytest.mark.parametrize(("hour", "by"), [(11, "2026-11-07"), (12, "2026-11-09")])
def test_a_dossier_that_comes_after_a_saturday_of_half_a_day_is_decided_on_monday(
    tmp_path: Path, hour: int, by: str
) -> None:
    tables = overlaid(tmp_path, "52/6,07:30-11:30")
    received = datetime(2026, 11, 7, hour, tzinfo=OFFICE_ZONE)
    decide = clock_of("decide_by", "birth", received, tables, ON, ("21583", "52"))
    assert decide and decide.ends == by


def test_a_day_worked_in_exchange_has_ordinary_hours_even_on_a_saturday_of_half_a_day(tmp_path: Path) -> None:
    tables = overlaid(tmp_path, "52/6,07:30-11:30")
    worked = date(2026, 8, 22)
    assert Office(tables, ON, ("52",)).hours(worked) == Office(tables, ON).hours(date(2026, 8, 21))


def test_working_time_is_counted_over_lunch_and_nights(shipped: Catalogue) -> None:
    office = Office(shipped, ON)
    monday, tuesday = datetime(2026, 11, 2, 16, 0), datetime(2026, 11, 3, 13, 30)  # noqa: DTZ001
    assert office.working_time_between(monday, tuesday) == timedelta(hours=1 + 4, minutes=30)
    assert office.working_days_between(date(2026, 11, 6), date(2026, 11, 10)) == 2
