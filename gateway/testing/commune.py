"""A commune's system to test against, and the contract every connector to one must keep."""

from __future__ import annotations

from dataclasses import replace

from gateway.errors import PortError
from gateway.ports.commune import CommuneSystem, Delivery, Outcome
from gateway.sealing.xades import sign
from gateway.testing.dossiers import AT, ENVELOPE, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey

STATES = {"accepted", "needs_more", "registered", "refused", "pending"}


class FakeCommune:
    """ports.commune.CommuneSystem that remembers. `received` has every submission in order, resends included;
    `dossiers` what a commune would hold: one a code, the newest version. Set `failure` to make every call raise it,
    `answer` to change what a submission is told; `becomes` says later what happened to a dossier."""

    name = "fake"

    def __init__(self, answer: Outcome | None = None, failure: PortError | None = None) -> None:
        self.answer = answer or Outcome("accepted")
        self.failure = failure
        self.received: list[Delivery] = []
        self.dossiers: dict[str, Delivery] = {}
        self.asked: list[str] = []
        self._outcomes: dict[str, Outcome] = {}

    def submit(self, delivery: Delivery) -> Outcome:
        self.received.append(delivery)
        if self.failure is not None:
            raise self.failure
        held = self.dossiers.get(delivery.code)
        if held is None or held.version < delivery.version:
            self.dossiers[delivery.code] = delivery
            self._outcomes[delivery.code] = self.answer
        return self._outcomes[delivery.code]

    def status(self, code: str) -> Outcome | None:
        self.asked.append(code)
        if self.failure is not None:
            raise self.failure
        return self._outcomes.get(code)

    def becomes(self, code: str, outcome: Outcome) -> None:
        """What the commune decides about a dossier it holds; KeyError for one it does not."""
        self.dossiers[code]
        self._outcomes[code] = outcome


def delivery(code: str = ENVELOPE.code, version: int = 1) -> Delivery:
    """A delivery of an invented, sealed dossier."""
    return Delivery(
        code=code,
        case_id=ENVELOPE.case_id,
        kind="birth",
        commune_code="21553",
        version=version,
        register_by="2027-01-22",
        sealed=sign(sample_dossier_xml(), FakeSigningKey(), AT),
    )


class CommuneContract:
    """What every connector promises. Subclass in a test module and say how to make one that reaches a commune."""

    def make_commune(self) -> CommuneSystem:
        raise NotImplementedError

    def test_it_has_a_name_for_the_settings(self) -> None:
        assert self.make_commune().name

    def test_a_dossier_is_taken_over(self) -> None:
        assert self.make_commune().submit(delivery()).state in STATES - {"refused"}

    def test_an_unknown_code_has_no_status(self) -> None:
        assert self.make_commune().status("HT99-261123-9999") is None

    def test_a_submitted_dossier_has_a_status(self) -> None:
        commune = self.make_commune()
        commune.submit(delivery())
        outcome = commune.status(ENVELOPE.code)
        assert outcome is not None
        assert outcome.state in STATES

    def test_the_same_code_and_version_again_is_told_the_same(self) -> None:
        commune = self.make_commune()
        first = commune.submit(delivery())
        assert commune.submit(delivery()) == first

    def test_a_correction_is_taken_over_under_the_same_code(self) -> None:
        commune = self.make_commune()
        first = delivery()
        commune.submit(first)
        assert commune.submit(replace(first, version=2)).state in STATES - {"refused"}

    def test_two_codes_are_two_dossiers(self) -> None:
        commune = self.make_commune()
        for code in ("HT99-261123-0001", "HT99-261123-0002"):
            commune.submit(delivery(code))
            assert commune.status(code) is not None
