"""The fake commune keeps the contract of a commune's system."""

from __future__ import annotations

import pytest

from gateway.errors import Unreachable
from gateway.ports.commune import CommuneSystem, Outcome
from gateway.testing.commune import CorrectionsContract, FakeCommune, delivery


class TestFakeCommune(CorrectionsContract):
    def make_commune(self) -> FakeCommune:
        return FakeCommune()

    def decide(self, commune: CommuneSystem, code: str, state: str) -> None:
        assert isinstance(commune, FakeCommune)
        commune.becomes(code, Outcome("accepted" if state == "kept" else state))


def test_it_counts_resends_but_holds_one_dossier() -> None:
    commune = FakeCommune()
    first = delivery()
    commune.submit(first)
    commune.submit(first)
    assert len(commune.received) == 2
    assert list(commune.dossiers) == [first.code]


def test_it_fails_as_told_and_holds_nothing() -> None:
    commune = FakeCommune(failure=Unreachable("commune.timeout", "late"))
    with pytest.raises(Unreachable):
        commune.submit(delivery())
    assert commune.dossiers == {}
    assert len(commune.received) == 1


def test_what_becomes_of_a_dossier_is_told_by_its_status() -> None:
    commune = FakeCommune()
    commune.submit(delivery())
    registered = Outcome("registered", result={"so": "12"})
    commune.becomes(delivery().code, registered)
    assert commune.status(delivery()) == registered
