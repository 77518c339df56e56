"""A commune's system to test against, and the contract every connector to one must keep."""

from __future__ import annotations

from dataclasses import replace

from gateway.errors import PortError
from gateway.ports.commune import CommuneSystem, Delivery, Outcome
from gateway.sealing.xades import sign
from gateway.testing.dossiers import AT, ENVELOPE, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey

STATES = {"accepted", "needs_more", "registered", "refused", "rejected", "pending", "cancelled"}


class FakeCommune:
    """ports.commune.CommuneSystem that remembers. `received` has every submission in order, resends included;
    `dossiers` what a commune would hold: one a code, the newest version. Set `failure` to make every call raise it,
    `answer` to change what a new dossier is told; `becomes` says later what happened to a dossier, also in answer to a
    withdrawal: that is pending until then."""

    name = "fake"
    takes_corrections = True
    poll_seconds = 0.0

    def __init__(self, answer: Outcome | None = None, failure: PortError | None = None) -> None:
        self.answer = answer or Outcome("accepted")
        self.failure = failure
        self.received: list[Delivery] = []
        self.dossiers: dict[str, Delivery] = {}
        self.asked: list[str] = []
        self._outcomes: dict[str, Outcome] = {}
        self._unanswered: set[str] = set()

    def submit(self, delivery: Delivery) -> Outcome:
        self.received.append(delivery)
        if self.failure is not None:
            raise self.failure
        held = self.dossiers.get(delivery.code)
        if held is None or held.version < delivery.version:
            self._take(delivery)
        return self._told(delivery.code)

    def _take(self, delivery: Delivery) -> None:
        code = delivery.code
        self.dossiers[code] = delivery
        decided = self._outcomes.setdefault(code, self.answer)
        if delivery.withdrawn and decided.state != "cancelled":
            self._unanswered.add(code)
        elif not delivery.withdrawn:
            self._unanswered.discard(code)
            self._outcomes[code] = self.answer if decided.state == "cancelled" else decided

    def _told(self, code: str) -> Outcome:
        return Outcome("pending", code) if code in self._unanswered else self._outcomes[code]

    def status(self, delivery: Delivery) -> Outcome | None:
        code = delivery.code
        self.asked.append(code)
        if self.failure is not None:
            raise self.failure
        return self._told(code) if code in self.dossiers else None

    def becomes(self, code: str, outcome: Outcome) -> None:
        """What the commune decides about a dossier it holds; KeyError for one it does not."""
        self.dossiers[code]
        self._unanswered.discard(code)
        self._outcomes[code] = outcome


def delivery(code: str = ENVELOPE.code, version: int = 1, *, withdrawn: bool = False) -> Delivery:
    """A delivery of an invented, sealed dossier, or of its withdrawal."""
    return Delivery(
        code=code,
        case_id=ENVELOPE.case_id,
        kind="birth",
        commune_code="21553",
        version=version,
        register_by="2027-01-22",
        sealed=sign(sample_dossier_xml(code, version, withdrawn=withdrawn), FakeSigningKey(), AT),
        withdrawn=withdrawn,
    )


class CommuneContract:
    """What every connector promises. Subclass in a test module and say how to make one that reaches a commune."""

    def make_commune(self) -> CommuneSystem:
        raise NotImplementedError

    def test_it_has_a_name_for_the_settings(self) -> None:
        assert self.make_commune().name

    def test_it_says_whether_it_takes_corrections_and_how_often_to_ask(self) -> None:
        commune = self.make_commune()
        assert commune.takes_corrections in (True, False)
        assert commune.poll_seconds >= 0

    def test_a_dossier_is_taken_over(self) -> None:
        assert self.make_commune().submit(delivery()).state in STATES - {"refused"}

    def test_an_unknown_code_has_no_status(self) -> None:
        assert self.make_commune().status(delivery("HT99-261123-9999")) is None

    def test_a_submitted_dossier_has_a_status(self) -> None:
        commune = self.make_commune()
        commune.submit(delivery())
        outcome = commune.status(delivery())
        assert outcome is not None
        assert outcome.state in STATES

    def test_the_same_code_and_version_again_is_told_the_same(self) -> None:
        commune = self.make_commune()
        first = commune.submit(delivery())
        assert commune.submit(delivery()) == first

    def test_two_codes_are_two_dossiers(self) -> None:
        commune = self.make_commune()
        for code in ("HT99-261123-0001", "HT99-261123-0002"):
            commune.submit(delivery(code))
            assert commune.status(delivery(code)) is not None


class CorrectionsContract(CommuneContract):
    """What a connector that takes corrections promises besides: how later versions and withdrawals are answered."""

    def decide(self, commune: CommuneSystem, code: str, state: str) -> None:
        """Let somebody at the commune decide: "accepted" takes the dossier over, "cancelled" agrees to its withdrawal,
        "kept" does not."""
        raise NotImplementedError

    def state(self, commune: CommuneSystem) -> str:
        """What the commune says of the dossier of `delivery()` now."""
        outcome = commune.status(delivery())
        assert outcome is not None
        return outcome.state

    def test_it_says_that_it_takes_corrections(self) -> None:
        assert self.make_commune().takes_corrections

    def test_a_correction_is_taken_over_under_the_same_code(self) -> None:
        commune = self.make_commune()
        first = delivery()
        commune.submit(first)
        assert commune.submit(replace(first, version=2)).state in STATES - {"refused"}

    def test_a_correction_after_a_decision_keeps_the_decision(self) -> None:
        commune = self.make_commune()
        commune.submit(delivery())
        self.decide(commune, ENVELOPE.code, "accepted")
        assert commune.submit(delivery(version=2)).state == "accepted"
        assert self.state(commune) == "accepted"

    def test_a_withdrawal_waits_for_a_person_however_often_it_is_sent(self) -> None:
        commune = self.make_commune()
        commune.submit(delivery())
        self.decide(commune, ENVELOPE.code, "accepted")
        withdrawal = delivery(version=2, withdrawn=True)
        first = commune.submit(withdrawal)
        assert first.state == "pending"
        assert commune.submit(withdrawal) == first
        assert self.state(commune) == "pending"

    def test_an_agreed_withdrawal_stays_so_when_it_is_sent_again(self) -> None:
        commune = self.make_commune()
        commune.submit(delivery())
        withdrawal = delivery(version=2, withdrawn=True)
        commune.submit(withdrawal)
        self.decide(commune, ENVELOPE.code, "cancelled")
        assert self.state(commune) == "cancelled"
        assert commune.submit(withdrawal).state == "cancelled"
        assert commune.submit(delivery()).state == "cancelled"
        assert commune.submit(delivery(version=3, withdrawn=True)).state == "cancelled"
        assert self.state(commune) == "cancelled"

    def test_a_dossier_that_is_kept_goes_on(self) -> None:
        commune = self.make_commune()
        commune.submit(delivery())
        withdrawal = delivery(version=2, withdrawn=True)
        commune.submit(withdrawal)
        self.decide(commune, ENVELOPE.code, "kept")
        assert self.state(commune) == "accepted"
        assert commune.submit(withdrawal).state == "accepted"
        assert commune.submit(delivery(version=3)).state == "accepted"

    def test_an_earlier_version_that_comes_late_lifts_no_withdrawal(self) -> None:
        commune = self.make_commune()
        commune.submit(delivery(version=2, withdrawn=True))
        commune.submit(delivery())
        assert self.state(commune) == "pending"

    def test_a_correction_lifts_a_withdrawal_that_nobody_answered(self) -> None:
        commune = self.make_commune()
        commune.submit(delivery())
        self.decide(commune, ENVELOPE.code, "accepted")
        commune.submit(delivery(version=2, withdrawn=True))
        assert commune.submit(delivery(version=3)).state == "accepted"
        assert self.state(commune) == "accepted"

    def test_a_correction_brings_a_cancelled_dossier_back(self) -> None:
        commune = self.make_commune()
        commune.submit(delivery())
        commune.submit(delivery(version=2, withdrawn=True))
        self.decide(commune, ENVELOPE.code, "cancelled")
        assert commune.submit(delivery(version=3)).state in STATES - {"cancelled", "refused"}
        assert self.state(commune) != "cancelled"
