from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.clocks import (
    OFFICE_ZONE,
    Clock,
    Office,
    clock_of,
    clocks,
    deadlines,
    paper_label,
    supplement_by,
    timeliness,
)
from gateway.domain.dates import PartialDate
from gateway.mapping.catalogue import Catalogue

MAPPINGS = Path(__file__).parents[3] / "mappings"
ANY_DAY = date(2026, 11, 2)


class Book:
    """One made-up table; `columns` are other columns of single codes."""

    def __init__(self, rows: Mapping[str, str], columns: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self.rows, self.columns = rows, columns or {}

    def get(self, code: str) -> str | None:
        return self.rows.get(code)

    def column(self, code: str, column: str) -> str | None:
        return self.columns[code][column] if code in self.rows else None

    def codes(self) -> Sequence[str]:
        return list(self.rows)


def told(unit: str, rule: str, waits: str) -> dict[str, str]:
    return {"name": "Nhãn", "unit": unit, "rule": rule, "waits": waits, "source": "Luật thử, unverified"}


class Shelf:
    """Made-up tables: a week of four days, one holiday, one swapped day."""

    def __init__(self) -> None:
        week = dict.fromkeys("1234", "08:00-12:00 13:00-16:00")
        self.books = {
            "clocks": Book(
                {"register_birth": "10", "send_paper": "4", "decide": "15:00", "supplement": "7"},
                {
                    "register_birth": told("days", "Trong {value} ngày", "chưa có ngày sinh"),
                    "send_paper": told("working_hours", "Gửi {paper}", "chưa có ngày cấp {paper}"),
                    "decide": told("same_day_until", "Trả {certificate}", "xã chưa nhận"),
                    "supplement": told("working_days", "", "xã chưa yêu cầu"),
                },
            ),
            "labels": Book({"birth_paper": "Giấy chứng sinh", "birth_certificate": "Giấy khai sinh"}),
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


# Each clock as a value


def by_name(kind: str, event: object, paper: object, shelf: Shelf | Catalogue, **more: object) -> dict[str, Clock]:
    return {clock.name: clock for clock in clocks(kind, event, paper, None, shelf, **more)}  # type: ignore[arg-type]


def test_a_clock_carries_its_rule_with_the_words_of_the_tables() -> None:
    sent = by_name("birth", None, PartialDate(2026, 11, 9, 8, 30), Shelf())["send_paper_by"]
    assert (sent.rule, sent.source, sent.unverified) == ("Gửi giấy chứng sinh", "Luật thử, unverified", True)
    assert (sent.starts, sent.ends, sent.waits) == ("2026-11-09T08:30", "2026-11-09T13:30", "")
    assert by_name("birth", date(2026, 11, 2), None, Shelf())["register_by"].rule == "Trong 10 ngày"


def test_a_clock_that_cannot_start_says_what_it_waits_for() -> None:
    made = by_name("birth", None, None, Shelf())
    assert list(made) == ["register_by", "send_paper_by", "decide_by", "supplement_by"]
    assert made["send_paper_by"].waits == "chưa có ngày cấp giấy chứng sinh"
    assert {clock.ends for clock in made.values()} == {""}


@pytest.mark.parametrize(("known", "starts"), [(PartialDate(1950), "1950"), (PartialDate(1950, 3), "1950-03")])
def test_a_year_alone_starts_no_clock_and_stays_in_sight(known: PartialDate, starts: str) -> None:
    register = by_name("birth", known, None, Shelf())["register_by"]
    assert (register.starts, register.ends, register.waits) == (starts, "", "chưa có ngày sinh")
    assert deadlines("birth", known, known, None, Shelf()) == {}


def test_a_birth_late_in_the_evening_utc_counts_as_the_next_day_here() -> None:
    late = PartialDate(2026, 11, 1, 17, 30, offset=0)  # 00:30 of the 2nd at +07:00
    assert deadlines("birth", late, None, None, Shelf()) == {"register_by": "2026-11-12"}


def test_the_supplement_runs_only_once_the_commune_asked() -> None:
    asked = datetime(2026, 11, 10, 2, tzinfo=UTC)
    assert by_name("birth", None, None, Shelf())["supplement_by"].ends == ""
    running = clock_of("supplement_by", "birth", asked, Shelf(), ANY_DAY)
    assert running and running.ends == supplement_by(date(2026, 11, 10), Shelf()).isoformat() == "2026-11-23"


def test_a_clock_survives_being_stored() -> None:
    for clock in clocks("birth", PartialDate(1950), date(2026, 11, 9), None, Shelf(), facility=("21583", "52")):
        assert Clock.from_json(clock.as_json()) == clock
        assert clock.as_json()["unverified"] is True


def test_a_table_of_an_older_set_without_rules_in_words_still_counts() -> None:
    shelf = Shelf()
    for columns in shelf.books["clocks"].columns.values():
        del columns["rule"], columns["waits"]  # type: ignore[attr-defined]
    register = by_name("birth", date(2026, 11, 2), None, shelf)["register_by"]
    assert (register.rule, register.ends) == ("", "2026-11-12")


def test_a_unit_nobody_knows_is_refused_by_name() -> None:
    shelf = Shelf()
    shelf.books["clocks"].columns["register_birth"]["unit"] = "fortnights"  # type: ignore[index]
    with pytest.raises(ValueError, match="fortnights"):
        deadlines("birth", date(2026, 11, 2), None, None, shelf)


def test_a_year_without_holidays_in_the_table_is_told_and_not_passed_over() -> None:
    assert by_name("birth", date(2026, 11, 2), None, Shelf())["register_by"].holidays_known
    assert not by_name("birth", date(2026, 12, 27), None, Shelf())["register_by"].holidays_known
    assert not by_name("birth", date(2025, 12, 29), None, Shelf())["register_by"].holidays_known


# The law of today and of 01/03/2027


@pytest.mark.parametrize("kind", ["birth", "death"])
def test_the_last_day_of_the_old_law_and_the_first_of_the_new(shipped: Catalogue, kind: str) -> None:
    last = by_name(kind, date(2027, 2, 28), None, shipped)["register_by"]
    first = by_name(kind, date(2027, 3, 1), None, shipped)["register_by"]
    assert last.source.startswith("Luật 60/2014/QH13")
    assert first.source == "Luật 03/2026/QH16, unverified"
    # 28 February + 60 days is 29 April, a Thursday; 1 March + 60 is 30 April, a holiday: then Saturday 1 May, Sunday,
    # and Monday the 3rd off for that Saturday. + 15 days: Monday 15 and Tuesday 16 March.
    ends = {"birth": ("2027-04-29", "2027-05-04"), "death": ("2027-03-15", "2027-03-16")}
    assert (last.ends, first.ends) == ends[kind]


@pytest.mark.parametrize(
    ("received", "paper"),
    [
        (datetime(2027, 2, 28, 16, 59, tzinfo=UTC), "trích lục khai tử"),
        (datetime(2027, 2, 28, 17, tzinfo=UTC), "giấy chứng tử"),
    ],
)
def test_the_paper_of_a_death_has_its_new_name_from_midnight_here(
    shipped: Catalogue, received: datetime, paper: str
) -> None:
    # The death was under the old law: what the commune issues is named by the day it has the dossier.
    made = clocks("death", date(2027, 2, 27), None, received, shipped)
    (decide,) = (clock for clock in made if clock.name == "decide_by")
    assert f"({paper})" in decide.rule


def test_papers_are_called_by_the_law_of_the_day(shipped: Catalogue) -> None:
    assert paper_label("certificate", "death", date(2027, 2, 28), shipped) == "Trích lục khai tử"
    assert paper_label("certificate", "death", date(2027, 3, 1), shipped) == "Giấy chứng tử"
    assert paper_label("paper", "death", date(2027, 3, 1), shipped) == "Giấy báo tử"
    assert paper_label("certificate", "birth", date(2027, 3, 1), shipped) == "Giấy khai sinh"


def test_every_shipped_clock_has_its_words_filled_in(shipped: Catalogue) -> None:
    for kind in ("birth", "death"):
        made = clocks(kind, None, None, None, shipped)
        assert len(made) == 4
        for clock in made:
            assert clock.label and clock.source and clock.waits and clock.rule.endswith(".")
            assert "{" not in clock.rule + clock.waits


def test_four_working_hours_reach_over_tet(shipped: Catalogue) -> None:
    # Issued at 16:00 on Thursday 4 February 2027: one hour that day; from the 5th to the 10th nobody works; three hours
    # from 07:30 on the 11th.
    issued = PartialDate(2027, 2, 4, 16, 0)
    assert deadlines("birth", None, issued, None, shipped)["send_paper_by"] == "2027-02-11T10:30"


# Laws

DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31))  # noqa: DTZ001 — the office's wall clock
PERIODS = st.sampled_from(["", "08:00-12:00", "07:30-11:30 13:00-17:00"])
CALENDARS = st.tuples(
    st.lists(PERIODS, min_size=6, max_size=6),
    st.dictionaries(DAYS.map(date.isoformat), st.sampled_from(["off", "work"]), max_size=40),
)
NAMES = st.sampled_from(["register_by", "send_paper_by", "decide_by", "supplement_by"])


def shelf_of(calendar: tuple[list[str], dict[str, str]]) -> Shelf:
    """Mondays are always open, or there might be no working day at all."""
    hours, holidays = calendar
    shelf = Shelf()
    week = ["07:30-11:30 13:00-17:00", *hours]
    shelf.books["working_hours"] = Book({str(day): text for day, text in enumerate(week, 1) if text})
    shelf.books["holidays"] = Book(holidays)
    return shelf


def end_of(name: str, start: datetime, shelf: Shelf) -> datetime:
    """The end as a moment; a day ends at its last second."""
    here = PartialDate(start.year, start.month, start.day, start.hour, start.minute)
    clock = clock_of(name, "birth", here, shelf, ANY_DAY)
    assert clock is not None
    if "T" in clock.ends:
        return datetime.fromisoformat(clock.ends)
    return datetime.combine(date.fromisoformat(clock.ends), time.max)


@given(NAMES, MOMENTS, CALENDARS)
def test_an_end_is_a_working_day_and_never_before_the_start(
    name: str, start: datetime, calendar: tuple[list[str], dict[str, str]]
) -> None:
    shelf = shelf_of(calendar)
    end = end_of(name, start, shelf)
    assert Office(shelf, start.date()).is_working(end.date())
    assert end >= start.replace(second=0, microsecond=0)


@given(NAMES, MOMENTS, st.timedeltas(timedelta(), timedelta(days=30)), CALENDARS)
def test_who_starts_later_never_ends_earlier(
    name: str, start: datetime, later: timedelta, calendar: tuple[list[str], dict[str, str]]
) -> None:
    shelf = shelf_of(calendar)
    assert end_of(name, start, shelf) <= end_of(name, start + later, shelf)


@given(NAMES, MOMENTS, st.integers(0, 20), CALENDARS)
def test_one_more_holiday_never_ends_a_clock_earlier(
    name: str, start: datetime, after: int, calendar: tuple[list[str], dict[str, str]]
) -> None:
    more = calendar[0], {**calendar[1], (start.date() + timedelta(after)).isoformat(): "off"}
    assert end_of(name, start, shelf_of(calendar)) <= end_of(name, start, shelf_of(more))


@given(MOMENTS)
def test_the_zone_in_which_a_start_is_written_changes_nothing(start: datetime) -> None:
    start = start.replace(second=0, microsecond=0)
    there = start - timedelta(hours=7)
    here = PartialDate(start.year, start.month, start.day, start.hour, start.minute)
    utc = PartialDate(there.year, there.month, there.day, there.hour, there.minute, offset=0)
    assert clocks("birth", here, here, there.replace(tzinfo=UTC), Shelf()) == clocks(
        "birth", utc, utc, start.replace(tzinfo=OFFICE_ZONE), Shelf()
    )
