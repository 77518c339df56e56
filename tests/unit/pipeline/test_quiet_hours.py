"""Quiet hours, on the feed's own clock and over midnight."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.pipeline.quiet_hours import end_of_quiet, read_quiet_hours
from gateway.ports.hospital import Feed

NIGHT = Feed(quiet_hours="22:00-05:00")  # 15:00 to 22:00 UTC


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-11-23T14:59:59", None),
        ("2026-11-23T15:00:00", "2026-11-23T22:00:00"),
        ("2026-11-23T16:59:59", "2026-11-23T22:00:00"),
        ("2026-11-23T17:00:00", "2026-11-23T22:00:00"),
        ("2026-11-23T21:59:59", "2026-11-23T22:00:00"),
        ("2026-11-23T22:00:00", None),
        ("2026-12-31T16:00:00", "2026-12-31T22:00:00"),
    ],
)
def test_a_night_is_quiet_from_evening_to_morning(at: str, end: str | None) -> None:
    found = end_of_quiet(NIGHT, datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert (found and found.astimezone(UTC).replace(tzinfo=None).isoformat()) == end


def test_hours_within_one_day_are_quiet_too() -> None:
    noon = Feed(quiet_hours="11:30-13:30", offset=0)
    assert end_of_quiet(noon, datetime(2026, 11, 23, 11, 29, tzinfo=UTC)) is None
    assert end_of_quiet(noon, datetime(2026, 11, 23, 12, tzinfo=UTC)) == datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
    assert end_of_quiet(noon, datetime(2026, 11, 23, 13, 30, tzinfo=UTC)) is None


def test_a_feed_without_quiet_hours_is_never_quiet() -> None:
    assert end_of_quiet(Feed(), datetime(2026, 11, 23, 20, tzinfo=UTC)) is None


@pytest.mark.parametrize("text", ["22-5", "24:00-05:00", "22:00-22:00", "22:00 - 05:00", "22:60-05:00", "đêm"])
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        read_quiet_hours(text)
