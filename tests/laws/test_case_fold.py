"""The fold of a case does not depend on the order in which messages arrive."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.case import Rank, Reading, fold
from gateway.domain.dates import PartialDate
from gateway.domain.notification import build
from gateway.domain.person import PersonName, Sex
from gateway.domain.provenance import Provenance

FACTS: dict[str, st.SearchStrategy[Any]] = {
    "child.name": st.builds(PersonName, st.sampled_from(["Lê", "Đỗ"]), st.just(""), st.sampled_from(["An", "Bình"])),
    "child.sex": st.sampled_from(Sex),
    "child.born": st.sampled_from([PartialDate(2026, 11, 23), PartialDate(2026, 11, 23, 8, 15), PartialDate(2026)]),
    "birth.weight_g": st.integers(400, 6000),
}


@st.composite
def readings(draw: st.DrawFn) -> list[Reading]:
    made = []
    for number in range(draw(st.integers(1, 5))):
        names = draw(st.sets(st.sampled_from(sorted(FACTS))))
        facts = {name: draw(FACTS[name]) for name in sorted(names)}
        sources = {name: Provenance(f"m{number}", name, "law") for name in facts}
        rank, at = draw(st.sampled_from([Rank.OBSERVATION, Rank.MESSAGE, Rank.PAPER])), draw(st.sampled_from("123"))
        made.append(Reading(f"m{number}", "birth", "birth", rank, at, ("BN",), build("birth", facts), sources))
    return made


@given(readings(), st.randoms())
def test_any_order_gives_the_same_case(some: list[Reading], random: Any) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    assert fold("birth", shuffled, {}, {}) == fold("birth", some, {}, {})


@given(readings())
def test_repeating_a_message_changes_nothing(some: list[Reading]) -> None:
    assert fold("birth", [*some, some[0]], {}, {}) == fold("birth", some, {}, {})


@given(readings())
def test_every_value_of_a_case_was_told_by_a_message(some: list[Reading]) -> None:
    case = fold("birth", some, {}, {})
    assert {source.message for source in case.provenance.values()} <= {reading.message for reading in some}
