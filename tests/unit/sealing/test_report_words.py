"""A report speaks of instants as its reader's clock shows them."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.sealing.report import moment_words

LATE = datetime(2026, 11, 23, 20, 38, 33, tzinfo=UTC)


def test_vietnamese_words_tell_vietnams_day_and_english_ones_utc() -> None:
    assert moment_words(LATE, 0) == "03:38:33 ngày 24.11.2026 (giờ Việt Nam)"
    assert moment_words(LATE, 1) == "2026-11-23T20:38:33+00:00"
    assert moment_words(None, 0) == "?"
