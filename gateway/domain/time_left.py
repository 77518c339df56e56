"""What is left of a legal clock at an instant, counted in the calendar of the office it runs for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from gateway.domain.clocks import Clock, on_the_wall
from gateway.domain.office import Office, Tables

_NEAR = 14
"""Days. What is left of a nearer end is told in working hours."""


@dataclass(frozen=True, slots=True)
class Left:
    """`state`: waits (the clock cannot run yet) | running | last_day | overdue | met | missed (what it asks for is
    done, in time or not) | stopped. `days` are calendar days, or working days for a clock in these; `minutes` are
    working minutes, for a clock in hours whose end is near."""

    state: str
    days: int = 0
    minutes: int = 0


def left_of(clock: Clock, tables: Tables, now: datetime, done: datetime | None = None) -> Left:
    """What is left at the instant `now`, or whether the clock was met when what it asks for is `done` (both aware)."""
    if not clock.ends:
        return Left("waits")
    timed = "T" in clock.ends
    end = datetime.fromisoformat(clock.ends) if timed else datetime.combine(date.fromisoformat(clock.ends), time.max)
    if done is not None:
        return Left("met" if on_the_wall(done) <= end else "missed")
    here, office = on_the_wall(now), Office(tables, end.date(), clock.places)
    days = (end.date() - here.date()).days
    if here > end:
        return Left("overdue", -days, 0 if days else _minutes(office, end, here))
    if timed and days <= _NEAR:
        return Left("running", days, _minutes(office, max(here, datetime.fromisoformat(clock.starts)), end))
    if days == 0:
        return Left("last_day")
    working = clock.unit == "working_days"
    return Left("running", office.working_days_between(here.date(), end.date()) if working else days)


def _minutes(office: Office, start: datetime, end: datetime) -> int:
    return int(office.working_time_between(start, end).total_seconds()) // 60
