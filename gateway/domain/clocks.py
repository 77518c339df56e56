"""The law's clocks: until when a paper must be sent, a birth or a death registered, the commune decide. Pure.

How long each clock runs, in which unit, its rule in words and its source are rows of the dated table `clocks` (code,
value, unit, rule, waits, source); which days are off and when offices work: gateway.domain.office. Units:

- `days`: calendar days from the day after the start; a last day that is off moves to the next working day (Civil Code
  2015, articles 147 and 148, unverified)
- `working_days`: working days from the day after the start
- `working_hours`: hours in which the office is open, from the start
- `same_day_until`: the day of the start, or the next working day when that is later than the hour in `value`

`rule` and `waits` may name {value}, {paper} (giấy chứng sinh, giấy báo tử) and {certificate}: what table `labels` calls
them on the clock's own day. A rule in force is that of the day its clock starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from gateway.domain.dates import PartialDate
from gateway.domain.office import OFFICE_ZONE, Office, Table, Tables

Moment = PartialDate | datetime | date
"""What a clock may start from: a datetime is aware, a date or a partial date is on the office's wall clock."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of a case. `name` is register_by | send_paper_by | decide_by | supplement_by; `label`, `rule`, `source`
    and `waits` are sentences of the table. `starts` is ISO at the precision known; `ends` an ISO day or minute, ""
    while the clock cannot run: then `waits` says what it waits for. `places` are the codes whose working hours count;
    `holidays_known` is False when it starts or ends in a year whose holidays the tables do not have."""

    name: str
    label: str
    rule: str
    source: str
    unit: str
    starts: str = ""
    ends: str = ""
    waits: str = ""
    places: tuple[str, ...] = ()
    holidays_known: bool = True

    @property
    def unverified(self) -> bool:
        """Whether the table itself says that nobody has read the rule in the law."""
        return "unverified" in self.source

    def as_json(self) -> dict[str, Any]:
        """As outsiders see it and as it is stored with its dossier."""
        return asdict(self) | {"places": list(self.places), "unverified": self.unverified}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Clock:
        """The reverse of `as_json`."""
        kept = {name: value for name, value in told.items() if name != "unverified"}
        return cls(**kept | {"places": tuple(told["places"])})


@dataclass(frozen=True, slots=True)
class _Start:
    """A start on the office's wall clock; `day` is None when the calendar day is unknown, `hour` when the hour is."""

    told: str = ""
    day: date | None = None
    hour: time | None = None

    @property
    def moment(self) -> datetime:
        """At an unknown hour it counts as the first of the day: never past the law's limit."""
        return datetime.combine(self.day or date.max, self.hour or time())


def clocks(
    kind: str,
    event: Moment | None,
    paper_issued: Moment | None,
    received: datetime | None,
    tables: Tables,
    *,
    asked: datetime | None = None,
    commune: Sequence[str] = (),
    facility: Sequence[str] = (),
) -> tuple[Clock, ...]:
    """Every clock of a case that the table has a rule for, running or not.

    `event` is the birth or death, `received` when the commune gets the dossier, `asked` when it asked the family for
    more. `commune` and `facility` are the codes of the competent commune's and the facility's commune and province:
    their own hours count for the decision and for sending the paper. Periods of the family are in the offices' usual
    working days.
    """
    starts = {
        name: _read_start(start) for name, start in zip(_RULES, (event, paper_issued, received, asked), strict=True)
    }
    fallback = next((start.day for start in starts.values() if start.day), date.max)
    places = {"send_paper_by": tuple(facility), "decide_by": tuple(commune)}
    made = (_clock(name, kind, start, fallback, tables, places.get(name, ())) for name, start in starts.items())
    return tuple(clock for clock in made if clock is not None)


def clock_of(
    name: str, kind: str, start: Moment | None, tables: Tables, on: date, places: Sequence[str] = ()
) -> Clock | None:
    """One clock by name, for when its start becomes known later than the case; None without a rule. `on` chooses the
    rule while the start is unknown."""
    return _clock(name, kind, _read_start(start), on, tables, tuple(places))


def ends_of(running: Iterable[Clock]) -> dict[str, str]:
    """Name → ISO end of the clocks that run: a dossier's `deadlines`."""
    return {clock.name: clock.ends for clock in running if clock.ends}


def deadlines(
    kind: str, event: Moment | None, paper_issued: Moment | None, received: datetime | None, tables: Tables
) -> dict[str, str]:
    """The ends of a case's clocks by name; a clock whose start is unknown is left out."""
    return ends_of(clocks(kind, event, paper_issued, received, tables))


def supplement_by(asked: date, tables: Tables) -> date:
    """Until when the family may complete the file after the commune asked for more."""
    return Office(tables, asked).add_working_days(asked, int(tables.table("clocks", asked).get("supplement") or 0))


def timeliness(ends: Mapping[str, str], today: date) -> str:
    """on_time | late, by `register_by`; unknown without one. Table `timeliness` has the form's codes."""
    last = ends.get("register_by")
    if last is None:
        return "unknown"
    return "on_time" if today <= date.fromisoformat(last) else "late"


def paper_label(paper: str, kind: str, on: date, tables: Tables) -> str:
    """What the law calls a paper on a day: `paper` is "paper" (the facility's) or "certificate" (the commune's)."""
    return tables.table("labels", on).get(f"{kind}_{paper}") or ""


_RULES = {
    "register_by": "register_{kind}",
    "send_paper_by": "send_paper",
    "decide_by": "decide",
    "supplement_by": "supplement",
}
"""Clock → code in table `clocks`, in the order of the arguments of `clocks`."""


def _clock(
    name: str, kind: str, start: _Start, fallback: date, tables: Tables, places: tuple[str, ...]
) -> Clock | None:
    on = start.day or fallback
    rules, code = tables.table("clocks", on), _RULES[name].format(kind=kind)
    value = rules.get(code)
    if not value:
        return None
    unit, ends, waits, known = _column(rules, code, "unit"), "", "", True
    if start.day is None:
        waits = _in_words(_column(rules, code, "waits"), value, kind, on, tables)
    else:
        office = Office(tables, on, places)
        ends = _end(office, unit, value, start, start.day)
        known = office.knows_holidays_of(on) and office.knows_holidays_of(date.fromisoformat(ends[:10]))
    return Clock(
        name=name,
        label=_column(rules, code, "name"),
        rule=_in_words(_column(rules, code, "rule"), value, kind, on, tables),
        source=_column(rules, code, "source"),
        unit=unit,
        starts=start.told,
        ends=ends,
        waits=waits,
        places=places,
        holidays_known=known,
    )


def _end(office: Office, unit: str, value: str, start: _Start, day: date) -> str:
    match unit:
        case "days":
            return office.working_day_from(day + timedelta(int(value))).isoformat()
        case "working_days":
            return office.add_working_days(day, int(value)).isoformat()
        case "working_hours":
            end = office.add_working_hours(start.moment, float(value))
            return end.isoformat(timespec="minutes") if start.hour is not None else end.date().isoformat()
        case "same_day_until":
            return _same_day(office, start, day, time.fromisoformat(value)).isoformat()
    raise ValueError(f"table clocks has the unit {unit!r}; it may be days, working_days, working_hours, same_day_until")


def _same_day(office: Office, start: _Start, day: date, until: time) -> date:
    """The day itself; the next working day when it came on a day off, after the hour `until` or after closing."""
    hours = office.hours(day)
    if hours and (start.hour or time()) <= min(until, hours[-1][1]):
        return day
    return office.working_day_from(day + timedelta(1))


def _read_start(start: Moment | None) -> _Start:
    if start is None:
        return _Start()
    if isinstance(start, PartialDate):
        local = start.local()
        if local.date is None or local.hour is None:
            return _Start(str(local), local.date)
        start = datetime.combine(local.date, time(local.hour, local.minute or 0))
    elif isinstance(start, datetime):
        start = on_the_wall(start)
    else:
        return _Start(start.isoformat(), start)
    return _Start(start.isoformat(timespec="minutes"), start.date(), start.time())


def on_the_wall(moment: datetime) -> datetime:
    """An instant (aware) as the office's wall clock shows it (naive)."""
    return moment.astimezone(OFFICE_ZONE).replace(tzinfo=None)


def _column(rules: Table, code: str, column: str) -> str:
    try:
        return rules.column(code, column) or ""
    except KeyError:  # a set archived before the column came, or an overlay without it
        return ""


def _in_words(text: str, value: str, kind: str, on: date, tables: Tables) -> str:
    text = text.replace("{value}", value)
    for paper in ("paper", "certificate"):
        if f"{{{paper}}}" in text:
            label = paper_label(paper, kind, on, tables)
            text = text.replace(f"{{{paper}}}", label[:1].lower() + label[1:])
    return text
