"""The retry decision, as a table."""

from __future__ import annotations

import pytest

from gateway.errors import (
    Conflict,
    GatewayError,
    LogUnavailable,
    Misunderstood,
    Refused,
    SettingsError,
    Unreachable,
    UnreadableMessage,
)
from gateway.lanes.retry import (
    CAP_SECONDS,
    HURRY_CAP_SECONDS,
    PATIENCE_TRIES,
    GiveUp,
    RetryAt,
    decide_retry,
    wait_seconds,
)

NOW = 1_795_402_800_000_000
SECOND = 1_000_000
DAY = 86_400 * SECOND

down = Unreachable("desk.down", "no answer")
refused = Refused("desk.refused", "no such commune")
race = Conflict("case.stale", "moved on")


@pytest.mark.parametrize(
    ("error", "tries", "decision"),
    [
        (refused, 1, GiveUp("desk.refused")),
        (Misunderstood("desk.nonsense", "not XML"), 1, GiveUp("desk.nonsense")),
        (UnreadableMessage("hl7v2.msh", "MSH", "no MSH"), 1, GiveUp("hl7v2.msh")),
        (race, 1, RetryAt(NOW)),
        (race, 9, RetryAt(NOW)),
        (race, 15, GiveUp("case.stale")),
        (down, 680, GiveUp("desk.down")),
        (ValueError("Nguyễn Văn Ẩn"), 5, GiveUp("worker.unexpected ValueError")),
        (GatewayError("vault.altered", "altered"), 5, GiveUp("vault.altered")),
        (SettingsError("settings.keys", "gone"), 5, GiveUp("settings.keys")),
    ],
    ids=lambda value: getattr(value, "code", None) or type(value).__name__,
)
def test_the_decision(error: Exception, tries: int, decision: RetryAt | GiveUp) -> None:
    assert decide_retry(error, tries, NOW) == decision


@pytest.mark.parametrize(
    ("error", "tries", "least", "most"),
    [
        (down, 1, 1.5, 2),
        (down, 2, 3, 4),
        (down, 5, 24, 32),
        (down, 12, 675, 900),
        (down, 679, 675, 900),
        (LogUnavailable("log.unavailable", "disk full"), 600, 675, 900),
        (ValueError("x"), 1, 1.5, 2),
        (ValueError("x"), 4, 12, 16),
        (race, 10, 1.5, 2),
    ],
)
def test_the_wait(error: Exception, tries: int, least: float, most: float) -> None:
    decision = decide_retry(error, tries, NOW, seed="dossier:1")
    assert isinstance(decision, RetryAt)
    assert NOW + least * SECOND <= decision.at <= NOW + most * SECOND


def test_a_partner_that_is_down_is_tried_for_about_a_week() -> None:
    at, tries = NOW, 0
    while isinstance(decision := decide_retry(down, tries := tries + 1, at, seed="x"), RetryAt):
        at = decision.at
    assert 5 * DAY < at - NOW < 8 * DAY


def test_before_the_legal_deadline_an_unreachable_partner_is_never_given_up() -> None:
    assert isinstance(decide_retry(down, 10 * PATIENCE_TRIES, NOW, deadline=NOW + 9 * DAY), RetryAt)
    assert decide_retry(down, PATIENCE_TRIES, NOW, deadline=NOW) == GiveUp("desk.down")


def test_near_the_legal_deadline_it_is_tried_more_often() -> None:
    far, near = (decide_retry(down, 40, NOW, deadline=NOW + days * DAY, seed="x") for days in (3, 1))
    assert isinstance(far, RetryAt)
    assert isinstance(near, RetryAt)
    assert near.at - NOW <= HURRY_CAP_SECONDS * SECOND < far.at - NOW


def test_no_try_comes_before_the_partner_asked_for_it() -> None:
    busy = Unreachable("desk.busy", "too many", retry_after=60.0)
    soon = [decide_retry(busy, 1, NOW, seed=f"dossier:{n}") for n in range(20)]
    assert all(isinstance(again, RetryAt) and NOW + 60 * SECOND <= again.at <= NOW + 75 * SECOND for again in soon)
    assert len(set(soon)) > 10
    assert decide_retry(busy, 40, NOW) == decide_retry(down, 40, NOW)


def test_the_same_seed_waits_the_same_and_others_spread() -> None:
    assert wait_seconds(5, "a") == wait_seconds(5, "a")
    assert len({wait_seconds(5, str(number)) for number in range(50)}) > 40


def test_the_wait_never_exceeds_its_cap() -> None:
    assert all(wait_seconds(tries, "x") <= CAP_SECONDS for tries in (1, 10, 100, 10_000))


def test_the_text_of_a_foreign_exception_is_told_to_nobody() -> None:
    decision = decide_retry(KeyError("999000000001"), 5, NOW)
    assert "999" not in repr(decision)
