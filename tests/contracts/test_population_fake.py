"""The fake population database keeps the contract too, or tests with it would prove nothing."""

from __future__ import annotations

import pytest

from gateway.errors import Refused, Unreachable
from gateway.testing.population import KNOWN, FakePopulation, PopulationContract, question


class TestFakePopulation(PopulationContract):
    def make_population(self) -> FakePopulation:
        return FakePopulation([KNOWN])


@pytest.mark.parametrize("failure", [Unreachable("population.timeout", "late"), Refused("population.denied", "no")])
def test_it_fails_as_told_and_remembers_what_was_asked(failure: Unreachable | Refused) -> None:
    population = FakePopulation([KNOWN], failure)
    with pytest.raises(type(failure)):
        population.lookup(question(personal_id=KNOWN.personal_id))
    population.failure = None
    assert population.lookup(question(personal_id=KNOWN.personal_id)).person == KNOWN
    assert len(population.asked) == 2
