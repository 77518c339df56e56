"""The law's clocks: until when a paper must be sent, a birth or a death registered, the commune decide. Pure.

How long each clock runs, which days are off and when offices work is dated data: tables `clocks` (code, value, unit),
`holidays` (ISO day → off | work; anything else counts as the weekday it is) and `working_hours` (ISO weekday →
"HH:MM-HH:MM …"; a weekday that is not listed is off). All days and hours are on the wall clock of the office (+07:00).

A period in days starts on the day after the event, and a last day that is off moves to the next working day (Civil Code
2015, articles 147 and 148, unverified).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import Protocol

from gateway.domain.dates import PartialDate

OFFICE_ZONE = timezone(timedelta(hours=7))
_LONGEST_BREAK = 60
"""Days. A calendar without a working day in so long is wrong, not a long holiday."""


class Table(Protocol):
    """A code table in force on a day; mapping.codes.Table is one."""

    def get(self, code: str) -> str | None: ...

    def column(self, code: str, column: str) -> str | None: ...

    def codes(self) -> Sequence[str]: ...


class Tables(Protocol):
    """Where dated tables come from; mapping.catalogue.Catalogue is one."""

    def table(self, name: str, on: date) -> Table: ...


class Office:
    """Working days and hours of public offices."""

    def __init__(self, tables: Tables, on: date) -> None:
        self._holidays = tables.table("holidays", on)
        hours = tables.table("working_hours", on)
        self._hours = {weekday: _read_hours(hours.get(weekday) or "") for weekday in hours.codes()}
        # A swapped working day keeps the hours of an ordinary one.
        self._usual = next(iter(self._hours.values()), ())

    def hours(self, day: date) -> tuple[tuple[time, time], ...]:
        """Opening periods on a day; () when closed."""
        mark = self._holidays.get(day.isoformat())
        if mark == "off":
            return ()
        return self._hours.get(str(day.isoweekday()), self._usual if mark == "work" else ())

    def is_working(self, day: date) -> bool:
        return bool(self.hours(day))

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


def deadlines(
    kind: str, event: date | None, paper_issued: date | PartialDate | None, received: datetime | None, tables: Tables
) -> dict[str, str]:
    """The clocks of a case by name, as ISO dates; a clock whose start is unknown is left out.

    `register_by` from the day of the event; `send_paper_by` from the paper's issue (date and time when the hour is
    known); `decide_by` from when the commune receives the dossier (`received`, aware). The rules are those in force on
    the event's day, else on the paper's, else on the day received.
    """
    issued = paper_issued.local() if isinstance(paper_issued, PartialDate) else paper_issued
    issued_day = issued.date if isinstance(issued, PartialDate) else issued
    on = event or issued_day or (received.astimezone(OFFICE_ZONE).date() if received else date.max)
    rules, office = tables.table("clocks", on), Office(tables, on)
    found: dict[str, str] = {}
    period = rules.get(f"register_{kind}")
    if event and period:
        found["register_by"] = office.working_day_from(event + timedelta(int(period))).isoformat()
    hours = rules.get("send_paper")
    if issued_day and issued and hours:
        found["send_paper_by"] = _send_by(office, issued, issued_day, float(hours))
    until = rules.get("decide")
    if received and until:
        found["decide_by"] = _decide_by(office, received.astimezone(OFFICE_ZONE), until).isoformat()
    return found


def supplement_by(asked: date, tables: Tables) -> date:
    """Until when the family may complete the file after the commune asked for more."""
    return Office(tables, asked).add_working_days(asked, int(tables.table("clocks", asked).get("supplement") or 0))


def timeliness(clocks: Mapping[str, str], today: date) -> str:
    """on_time | late, by `register_by`; unknown without one. Table `timeliness` has the form's codes."""
    last = clocks.get("register_by")
    if last is None:
        return "unknown"
    return "on_time" if today <= date.fromisoformat(last) else "late"


def _send_by(office: Office, issued: date | PartialDate, day: date, hours: float) -> str:
    """Issued at an unknown hour, the paper counts as issued when the office opened: never past the law's limit."""
    known = isinstance(issued, PartialDate) and issued.hour is not None
    at = time(issued.hour or 0, issued.minute or 0) if known and isinstance(issued, PartialDate) else time()
    end = office.add_working_hours(datetime.combine(day, at), hours)
    return end.isoformat(timespec="minutes") if known else end.date().isoformat()


def _decide_by(office: Office, received: datetime, until: str) -> date:
    """The day received; the next working day when it came after the hour `until`, or on a day off."""
    day = received.date()
    if office.is_working(day) and received.time() <= time.fromisoformat(until):
        return day
    return office.working_day_from(day + timedelta(1))


def _read_hours(text: str) -> tuple[tuple[time, time], ...]:
    periods = (period.split("-") for period in text.split())
    return tuple((time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in periods)
