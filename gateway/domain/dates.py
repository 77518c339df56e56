"""Dates as people know them: a year alone, a month, a day, or an instant, kept at the precision they came in.

HL7 v2 DTM (chapter 2A), FHIR date/dateTime and the Ministry of Health's yyyyMMddHHmm all allow missing parts, and the
law does too (Decree 123/2015, article 4: only the year of birth may be known). Nothing is padded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

_HL7 = re.compile(r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.(\d{1,6}))?)?)?)?)?)?([+-]\d{4})?$")
_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?)?)?)?(Z|[+-]\d\d:?\d\d)?$"
)


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date or instant with unknown parts as None. `offset` is minutes east of UTC, None when the sender gave none."""

    year: int
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    offset: int | None = None

    def __post_init__(self) -> None:
        # The calendar itself is the check: 31.02 and 25:00 raise ValueError here.
        date(self.year, self.month or 1, self.day or 1)
        time(self.hour or 0, self.minute or 0, self.second or 0)

    @classmethod
    def parse(cls, text: str) -> PartialDate:
        """Read HL7 DTM, MoH yyyyMMdd[HHmm[ss]] (also `HH:mm`, and "0000" for an unknown day and month) or ISO 8601.

        Raises ValueError when the text is none of these or is not in the calendar.
        """
        text = text.strip()
        match = _ISO.match(text) if "-" in text[:5] else _HL7.match(text)
        if match is None:
            raise ValueError("not a date")
        year, *parts, _fraction, zone = match.groups()
        numbers = [int(part) if part else None for part in parts]
        if numbers[0] == 0:
            numbers = [None] * 5
        elif numbers[1] == 0:
            numbers[1:] = [None] * 4
        month, day, hour, minute, second = numbers
        return cls(int(year), month, day, hour, minute, second, _offset(zone))

    @property
    def date(self) -> date | None:
        """The calendar day, or None when month or day is unknown."""
        if self.month is None or self.day is None:
            return None
        return date(self.year, self.month, self.day)

    def instant(self, default_offset: int = 420) -> datetime | None:
        """The instant in UTC, when at least the hour is known; without a zone it is `default_offset` (Việt Nam)."""
        if self.day is None or self.hour is None or self.month is None:
            return None
        zone = timezone(timedelta(minutes=default_offset if self.offset is None else self.offset))
        local = datetime(self.year, self.month, self.day, self.hour, self.minute or 0, self.second or 0, tzinfo=zone)
        return local.astimezone(UTC)

    def local(self, offset: int = 420) -> PartialDate:
        """The same instant on the wall clock of `offset`; unchanged when the sender gave no zone or no hour."""
        instant = self.instant()
        if self.offset is None or instant is None:
            return self
        here = instant.astimezone(timezone(timedelta(minutes=offset)))
        return PartialDate(
            here.year,
            here.month,
            here.day,
            here.hour,
            None if self.minute is None else here.minute,
            None if self.second is None else here.second,
            offset,
        )

    def __str__(self) -> str:
        """ISO 8601 at the precision known: 1950, 2026-11, 2026-11-23, 2026-11-23T08:15+07:00."""
        text = f"{self.year:04d}"
        parts = (("-", self.month), ("-", self.day), ("T", self.hour), (":", self.minute), (":", self.second))
        for mark, part in parts:
            if part is None:
                break
            text += f"{mark}{part:02d}"
        if self.hour is None:
            return text
        if self.offset is not None:
            hours, minutes = divmod(abs(self.offset), 60)
            text += f"{'-' if self.offset < 0 else '+'}{hours:02d}:{minutes:02d}"
        return text


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    if minutes > 14 * 60 or int(digits[2:]) > 59:
        raise ValueError("not a time zone")
    return -minutes if zone[0] == "-" else minutes
