from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.clocks import Clock, clock_of
from gateway.domain.dates import PartialDate
from gateway.domain.office import OFFICE_ZONE
from gateway.domain.time_left import Left, left_of
from tests.unit.domain.test_clocks import ANY_DAY, Shelf

SHELF = Shelf()  # Monday to Thursday 08:00-12:00 and 13:00-16:00; Friday the 20th is worked, Monday the 16th is off


def at(day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=OFFICE_ZONE)


def clock(name: str, start: object) -> Clock:
    made = clock_of(name, "birth", start, SHELF, ANY_DAY)  # type: ignore[arg-type]
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (at(2), Left("running", 10)),
        (at(11, 23, 59), Left("running", 1)),
        (at(12, 0, 0), Left("last_day")),
        (at(12, 23, 59), Left("last_day")),
        (at(13, 0, 0), Left("overdue", 1)),
        (datetime(2026, 11, 12, 17, 0, tzinfo=UTC), Left("overdue", 1)),  # midnight of the 13th here
    ],
)
def test_days_are_counted_on_the_offices_calendar(now: datetime, left: Left) -> None:
    assert left_of(clock("register_by", date(2026, 11, 2)), SHELF, now) == left


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (at(9, 8, 30), Left("running", 0, 240)),
        (at(9, 11, 0), Left("running", 0, 90)),  # an hour before lunch, half an hour after
        (at(9, 6, 0), Left("running", 0, 240)),  # not issued yet: no more than the law gives
        (at(9, 14, 0), Left("overdue", 0, 30)),
        (at(9, 13, 30), Left("running", 0, 0)),
        (at(11), Left("overdue", 2)),
    ],
)
def test_hours_are_counted_while_the_office_is_open(now: datetime, left: Left) -> None:
    assert left_of(clock("send_paper_by", PartialDate(2026, 11, 9, 8, 30)), SHELF, now) == left  # until 13:30


def test_working_days_are_counted_as_such() -> None:
    # Until Monday the 23rd: the 11th, 12th, 17th to 19th, the 20th by exchange, and the 23rd itself.
    assert left_of(clock("supplement_by", at(10)), SHELF, at(10)) == Left("running", 7)


def test_a_clock_that_waits_has_nothing_left_to_count() -> None:
    assert left_of(clock("register_by", PartialDate(1950)), SHELF, at(9)) == Left("waits")


@pytest.mark.parametrize(("done", "state"), [(at(12, 23, 59), "met"), (at(13, 0, 0), "missed")])
def test_what_is_done_is_never_overdue(done: datetime, state: str) -> None:
    assert left_of(clock("register_by", date(2026, 11, 2)), SHELF, at(30), done) == Left(state)


@given(
    st.sampled_from(["register_by", "send_paper_by", "decide_by", "supplement_by"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),  # noqa: DTZ001
    st.lists(st.timedeltas(timedelta(), timedelta(days=40)), min_size=2, max_size=2).map(sorted),
)
def test_time_only_runs_out(name: str, start: datetime, after: list[timedelta]) -> None:
    begun = start.replace(tzinfo=OFFICE_ZONE)
    running = clock(name, begun)
    order = ("running", "last_day", "overdue")
    first, later = (left_of(running, SHELF, begun + passed) for passed in after)
    assert order.index(first.state) <= order.index(later.state)
    if first.state == later.state == "running":
        assert (first.days, first.minutes) >= (later.days, later.minutes)
    if first.state == later.state == "overdue":
        assert first.days <= later.days
