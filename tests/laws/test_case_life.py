"""However messages of a stay are ordered or repeated, its cases end as the sender's own order would have them.

Hypothesis drives a hospital: it admits newborns under one of two numbers, corrects, cancels, merges, weighs, discharges
the dead, takes that back. A model of a few lines says what must be true at the end; the gateway gets the messages in
the hospital's order, shuffled, and with repeats.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gateway.pipeline.rehearse import rehearse
from tests.samples.folders import catalogue, feed, readers
from tests.stay_messages import Adult, FhirUpdate, Newborn, NewbornNews, Paper, Told

NUMBERS = st.sampled_from(["BN1", "BN2"])
NAMES = st.sampled_from(["An", "Bình", "Chi"])


@dataclass
class Hospital:
    """What was said, and what follows from it by the plain reading of the rules."""

    said: list[Told] = field(default_factory=list)

    def standing(self, number: str, cancels: dict[str, tuple[str, ...]]) -> list[Told]:
        """Messages under a number that no later cancellation of the same number withdrew."""
        mine = [told for told in self.said if told.number == number]
        return [
            told
            for told in mine
            if not any(told.trigger in cancels.get(c.trigger, ()) and told.minute <= c.minute for c in mine)
        ]


def outcome(messages: list[Told]) -> list[dict[str, Any]]:
    """The cases the gateway makes of messages in this order: what people would see of each."""
    told = rehearse(catalogue(), readers(), feed(), [(f"m{m.minute}", m.raw) for m in messages])
    assert {message["ack"] for message in told["messages"]} <= {"AA"}
    cases = [
        {
            "kind": case["kind"],
            "status": case["status"],
            "fields": case["dossier"]["fields"],
            "owed": case["owed"],
            "findings": sorted({finding["code"] for finding in case["findings"]}),
        }
        for case in told["cases"]
    ]
    return sorted(cases, key=repr)


class _Stay(RuleBasedStateMachine):
    """The parts both machines share: the clock, and that order and repetition change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.hospital = Hospital()

    @property
    def minute(self) -> int:
        return len(self.hospital.said)

    def say(self, told: Told) -> None:
        if self.minute < 12:
            self.hospital.said.append(told)

    def check_model(self, cases: list[dict[str, Any]]) -> None:
        raise NotImplementedError

    @initialize(seed=st.integers(0, 2**16))
    def draw_an_order(self, seed: int) -> None:
        self.random = random.Random(seed)

    def teardown(self) -> None:
        said = self.hospital.said
        if not said:
            return
        in_order = outcome(said)
        self.check_model(in_order)
        shuffled = [*said, *self.random.sample(said, k=min(3, len(said)))]
        self.random.shuffle(shuffled)
        assert outcome(shuffled) == in_order


class NewbornStay(_Stay):
    """Two numbers, which may turn out to be one child."""

    @rule(number=NUMBERS)
    def admit(self, number: str) -> None:
        self.say(Newborn(self.minute, "A01", number))

    @rule(number=NUMBERS, given=NAMES, trigger=st.sampled_from(["A08", "A31"]))
    def name(self, number: str, given: str, trigger: str) -> None:
        self.say(Newborn(self.minute, trigger, number, given))

    @rule(number=NUMBERS)
    def cancel(self, number: str) -> None:
        self.say(NewbornNews(self.minute, "A11", number))

    @rule(number=NUMBERS, weight=st.integers(2000, 4000))
    def weigh(self, number: str, weight: int) -> None:
        self.say(NewbornNews(self.minute, "R01", number, weight=weight))

    @rule(number=NUMBERS, given=NAMES)
    def update_by_fhir(self, number: str, given: str) -> None:
        self.say(FhirUpdate(self.minute, "Patient", number, given))

    @precondition(lambda self: not any(isinstance(told, Paper) for told in self.hospital.said))
    @rule(given=st.just("") | NAMES)
    def write_a_paper(self, given: str) -> None:
        self.say(Paper(self.minute, "GCS", "BN1", given))

    @rule()
    def merge(self) -> None:
        self.say(NewbornNews(self.minute, "A40", "BN1", gone="BN2"))

    def check_model(self, cases: list[dict[str, Any]]) -> None:
        said = self.hospital.said
        one = any(told.trigger == "A40" for told in said)
        # A paper names no patient number: the mother leads it to the admission under BN1, when there is one.
        admitted = any(isinstance(told, Newborn) and told.number == "BN1" for told in said)
        alone = [told for told in said if isinstance(told, Paper) and not admitted]
        said = [told for told in said if told not in alone]
        left = {number: self.hospital.standing(number, {"A11": ("A01", "A08")}) for number in ("BN1", "BN2")}
        groups = [left["BN1"] + left["BN2"]] if one else list(left.values())
        groups = [[told for told in group if told not in alone] for group in groups]
        opens = (Newborn, Paper)
        opened = [
            any(isinstance(told, opens) and told.number in numbers for told in said)
            for numbers in ([{"BN1", "BN2"}] if one else [{"BN1"}, {"BN2"}])
        ]
        expected: list[tuple[str, str | None]] = [("standing", told.given) for told in alone]
        for group in (group for group, is_open in zip(groups, opened, strict=True) if is_open):
            # A paper counts more than any message, then the later message counts.
            named = sorted((isinstance(told, Paper), told.minute, told.given) for told in group if told.given)
            stands = any(isinstance(told, opens) for told in group)
            expected.append(("standing", named[-1][2] if named else "") if stands else ("withdrawn", None))
        found = [
            ("withdrawn", None)
            if case["status"] == "withdrawn"
            else ("standing", case["fields"]["nksHoTen"].rpartition(" ")[2].title())
            for case in cases
        ]
        assert sorted(found, key=repr) == sorted(expected, key=repr)


class AdultStay(_Stay):
    """One patient who is said to have died, and perhaps not to have."""

    @rule(dead=st.sampled_from(["", "N"]))
    def admit(self, dead: str) -> None:
        self.say(Adult(self.minute, "A01", "BN1", "An", dead=dead))

    @rule(given=NAMES)
    def discharge_dead(self, given: str) -> None:
        self.say(Adult(self.minute, "A03", "BN1", given, dead="Y"))

    @rule(given=NAMES)
    def update_dead(self, given: str) -> None:
        self.say(Adult(self.minute, "A08", "BN1", given, dead="Y"))

    @rule(given=NAMES)
    def update(self, given: str) -> None:
        self.say(Adult(self.minute, "A08", "BN1", given))

    @rule()
    def cancel_discharge(self) -> None:
        self.say(Adult(self.minute, "A13", "BN1"))

    @rule()
    def deny(self) -> None:
        self.say(Adult(self.minute, "A31", "BN1", dead="N"))

    def check_model(self, cases: list[dict[str, Any]]) -> None:
        said = self.hospital.said
        if not any(told.dead == "Y" for told in said):
            assert cases == []
            return
        denied = max((told.minute for told in said if told.dead == "N"), default=-1)
        left = self.hospital.standing("BN1", {"A13": ("A03",)})
        stands = any(told.dead == "Y" and told.minute > denied for told in left)
        (case,) = cases
        assert (case["status"] != "withdrawn") == stands
        if stands:
            names = [told.given for told in left if told.given and not (told.dead == "Y" and told.minute < denied)]
            assert case["fields"]["nktHoTen"].rpartition(" ")[2] == names[-1]


TestNewbornStay = NewbornStay.TestCase
TestAdultStay = AdultStay.TestCase
