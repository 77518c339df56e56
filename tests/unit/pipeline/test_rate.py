"""Token buckets: a burst, then the rate, and never more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.pipeline.rate import TokenBucket, bucket_of
from gateway.ports.hospital import Feed


def test_after_the_burst_messages_are_taken_at_the_rate() -> None:
    bucket = TokenBucket(rate=2.0, burst=3)
    assert [bucket.wait(10.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert bucket.wait(10.4) > 0
    assert bucket.wait(10.5) == 0.0
    assert bucket.wait(10.5) == 0.5


def test_a_long_pause_saves_up_no_more_than_the_burst() -> None:
    bucket = TokenBucket(rate=5.0, burst=2)
    bucket.wait(0.0)
    assert [bucket.wait(1e9) == 0 for _ in range(3)] == [True, True, False]


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    bucket = TokenBucket(rate=5.0, burst=1)
    assert bucket.wait(5.0) == 0.0
    assert bucket.wait(4.0) > 0


@given(st.lists(st.floats(0, 2), max_size=200), st.floats(0.1, 50), st.integers(1, 20))
def test_in_any_time_no_more_are_taken_than_burst_and_rate_allow(gaps: list[float], rate: float, burst: int) -> None:
    bucket, now, taken = TokenBucket(rate, burst), 0.0, 0
    for gap in gaps:
        now += gap
        taken += bucket.wait(now) == 0.0
        assert taken <= burst + rate * now + 1e-6


def test_a_feed_without_a_rate_has_no_bucket() -> None:
    assert bucket_of(Feed()) is None
    assert bucket_of(Feed(messages_per_second=3, burst_messages=7)) == TokenBucket(3, 7)
