"""Every state has words that people read."""

from __future__ import annotations

import pytest

from gateway.domain import journey, registration
from gateway.views.desk import STATES
from gateway.web.pages import words


@pytest.mark.parametrize("state", journey.STATES)
def test_every_state_of_the_journey_has_words(state: str) -> None:
    assert words.CASE_STATES[state]


def test_every_state_and_news_and_action_of_the_desk_has_words() -> None:
    assert set(words.STATES) == set(STATES) == set(registration.STATES)
    assert set(words.NEWS) == set(registration.NEWS) - {""}
    actions = {name for names in (*registration.STATES.values(), *registration.NEWS.values()) for name in names}
    assert actions <= set(words.ACTIONS)


def test_no_two_states_of_the_journey_read_alike() -> None:
    read = [words.CASE_STATES[state] for state in journey.STATES]
    assert len(set(read)) == len(read)
