from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gateway.domain.dates import PartialDate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1950", "1950"),
        ("19500000", "1950"),
        ("195011", "1950-11"),
        ("19501100", "1950-11"),
        ("20261123", "2026-11-23"),
        ("202611230815", "2026-11-23T08:15"),
        ("2026112308:15", "2026-11-23T08:15"),
        ("20261123081502", "2026-11-23T08:15:02"),
        ("20261123081502.1234+0700", "2026-11-23T08:15:02+07:00"),
        ("2026112308", "2026-11-23T08"),
        ("2026-11", "2026-11"),
        ("2026-11-23T08:15:00Z", "2026-11-23T08:15:00+00:00"),
        ("2026-11-23T01:15:00-05:30", "2026-11-23T01:15:00-05:30"),
    ],
)
def test_every_shape_is_read_at_its_own_precision(text: str, expected: str) -> None:
    moment = PartialDate.parse(text)
    assert str(moment) == expected
    assert PartialDate.parse(str(moment)) == moment


@pytest.mark.parametrize("text", ["", "2026-13", "20260230", "23/11/2026", "2026112325", "20261123081502+2500", "năm"])
def test_what_is_not_in_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        PartialDate.parse(text)


def test_a_day_without_an_hour_has_no_instant() -> None:
    assert PartialDate.parse("20261123").instant() is None
    assert PartialDate.parse("1950").date is None


def test_a_time_without_a_zone_is_vietnamese_time() -> None:
    assert PartialDate.parse("202611230815").instant() == datetime(2026, 11, 23, 1, 15, tzinfo=UTC)


def test_a_utc_evening_is_the_next_day_in_vietnam() -> None:
    moment = PartialDate.parse("2026-11-22T20:30:00Z").local()
    assert str(moment) == "2026-11-23T03:30:00+07:00"
    assert moment.date == date(2026, 11, 23)
