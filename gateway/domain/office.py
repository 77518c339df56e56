"""Working days and hours of public offices, from dated tables. Pure.

`holidays`: ISO day → off | work (worked in exchange for another day); anything else counts as the weekday it is.
`working_hours`: ISO weekday → "HH:MM-HH:MM …"; "<commune or province code>/<weekday>" for one office or one province; a
weekday that is not listed, or has no hours, is off. All days and hours are on the wall clock of the office (+07:00).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Protocol

OFFICE_ZONE = timezone(timedelta(hours=7))
_LONGEST_BREAK = 60
"""Days. A calendar without a working day in so long is wrong, not a long holiday."""
Periods = tuple[tuple[time, time], ...]
"""When an office is open on a day: opens, closes."""


class Table(Protocol):
    """A code table in force on a day; mapping.codes.Table is one."""

    def __hash__(self) -> int: ...

    def get(self, code: str) -> str | None: ...

    def column(self, code: str, column: str) -> str | None: ...

    def codes(self) -> Sequence[str]: ...


class Tables(Protocol):
    """Where dated tables come from; mapping.catalogue.Catalogue is one."""

    def table(self, name: str, on: date) -> Table: ...


class Office:
    """One office's calendar. `places` are the codes whose own hours count, the nearest first (commune, then province);
    a weekday none of them has a row for is that of offices in general."""

    def __init__(self, tables: Tables, on: date, places: Sequence[str] = ()) -> None:
        self._holidays = tables.table("holidays", on)
        self._week = _read_week(tables.table("working_hours", on), tuple(places))

    def hours(self, day: date) -> Periods:
        """Opening periods on a day; () when closed."""
        mark = self._holidays.get(day.isoformat())
        if mark == "off":
            return ()
        if mark == "work":  # the hours of an ordinary day, not those of a Saturday morning
            return next((periods for periods in self._week if periods), ())
        return self._week[day.weekday()]

    def is_working(self, day: date) -> bool:
        return bool(self.hours(day))

    def knows_holidays_of(self, day: date) -> bool:
        """Whether the table has that day's year at all: without, a holiday would count as a working day."""
        return day.year in _years(self._holidays)

    def working_day_from(self, day: date) -> date:
        """The day itself when it is a working day, else the next one."""
        for step in range(_LONGEST_BREAK):
            if self.is_working(day + timedelta(step)):
                return day + timedelta(step)
        raise ValueError("the tables holidays and working_hours leave no working day")

    def add_working_days(self, day: date, count: int) -> date:
        """The count-th working day after `day`."""
        for _ in range(count):
            day = self.working_day_from(day + timedelta(1))
        return day

    def add_working_hours(self, start: datetime, hours: float) -> datetime:
        """When so many working hours have passed since `start` (wall clock, naive or aware)."""
        left = timedelta(hours=hours)
        day = start.date()
        while True:
            day = self.working_day_from(day)
            for opens, closes in self.hours(day):
                begin = max(datetime.combine(day, opens, start.tzinfo), start)
                end = datetime.combine(day, closes, start.tzinfo)
                if end - begin >= left:
                    return begin + left
                left -= max(end - begin, timedelta())
            day += timedelta(1)

    def working_days_between(self, day: date, last: date) -> int:
        """How many working days come after `day` up to and with `last`."""
        return sum(self.is_working(day + timedelta(step)) for step in range(1, (last - day).days + 1))

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """How much of a stretch the office is open (naive wall clock)."""
        total = timedelta()
        for step in range((end.date() - start.date()).days + 1):
            day = start.date() + timedelta(step)
            for opens, closes in self.hours(day):
                begin, stop = max(datetime.combine(day, opens), start), min(datetime.combine(day, closes), end)
                total += max(stop - begin, timedelta())
        return total


def holidays_known_until(tables: Tables) -> date | None:
    """The last day whose holidays the tables tell: 31 December of the last year before a gap; None when they tell none.

    A clock that ends later says so (`Clock.holidays_known`), and `hotich check` can warn before it happens.
    """
    years = _years(tables.table("holidays", date.max))
    if not years:
        return None
    last = min(years)
    while last + 1 in years:
        last += 1
    return date(last, 12, 31)


# Tables do not change once read, so what is read from one is kept with it.


@lru_cache(maxsize=16)
def _years(holidays: Table) -> frozenset[int]:
    return frozenset(int(code[:4]) for code in holidays.codes() if code[:4].isdecimal())


@lru_cache(maxsize=1024)
def _read_week(hours: Table, places: tuple[str, ...]) -> tuple[Periods, ...]:
    """Opening periods from Monday to Sunday."""
    return tuple(_read_periods(_of_weekday(hours, weekday, places)) for weekday in "1234567")


def _of_weekday(hours: Table, weekday: str, places: Sequence[str]) -> str:
    for place in places:
        own = hours.get(f"{place}/{weekday}")
        if own is not None:
            return own
    return hours.get(weekday) or ""


def _read_periods(text: str) -> Periods:
    periods = (period.split("-") for period in text.split())
    return tuple((time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in periods)
