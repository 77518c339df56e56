from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.domain.case import Edit, Rank, Reading, fold
from gateway.domain.dates import PartialDate
from gateway.domain.finding import Finding
from gateway.domain.identity import IdentityResult, Verdict
from gateway.domain.notification import build
from gateway.domain.person import Address, Person, PersonName
from gateway.domain.provenance import Provenance

MOTHER = PersonName("Nguyễn", "Thị", "Hòa")


def reading(
    message: str, facts: dict[str, Any], *, kind: str = "birth", rank: Rank = Rank.MESSAGE, at: str = "", **rest: Any
) -> Reading:
    sources = {path: Provenance(message, path, "test") for path in facts}
    return Reading(message, kind, kind, rank, at, ("BN1",), build(kind, facts), sources, **rest)


def test_the_later_of_two_messages_wins() -> None:
    old = reading("m2", {"birth.weight_g": 3100}, at="2026-11-23T01:00:00+00:00")
    new = reading("m1", {"birth.weight_g": 3150}, at="2026-11-23T02:00:00+00:00")
    case = fold("birth", [new, old], {}, {})
    assert case.notification.birth.weight_g == 3150  # type: ignore[union-attr]
    assert case.provenance["birth.weight_g"].message == "m1"


def test_the_signed_paper_beats_a_later_message() -> None:
    paper = reading("p", {"child.born": PartialDate.parse("202611230815")}, rank=Rank.PAPER, at="1")
    later = reading("m", {"child.born": PartialDate.parse("202611230830")}, at="2")
    case = fold("birth", [paper, later], {}, {})
    assert str(case.notification.child.born) == "2026-11-23T08:15"  # type: ignore[union-attr]
    assert Finding("case.conflict", "child.born") in case.findings


def test_sources_that_agree_at_their_common_precision_are_no_conflict() -> None:
    paper = reading("p", {"child.born": PartialDate.parse("20261123")}, rank=Rank.PAPER)
    message = reading("m", {"child.born": PartialDate.parse("202611230830")})
    assert fold("birth", [paper, message], {}, {}).findings == ()


def test_a_match_in_the_population_database_fills_and_wins() -> None:
    told = reading("m", {"mother.name": PersonName("NGUYỄN", "THỊ", "HOÀ"), "mother.personal_id": "999190000001"})
    known = Person(name=MOTHER, ethnicity="01", address=Address(commune_code="21583"), phone="0999000001")
    result = IdentityResult("mother", Verdict.MATCHED, person=known, entry="w.1")
    case = fold("birth", [told], {"mother": result}, {})
    assert case.notification.mother.name == MOTHER
    assert case.notification.mother.ethnicity == "01"
    assert case.notification.mother.phone is None  # the state does not vouch for a telephone number
    assert case.provenance["mother.ethnicity"].message == "population:w.1"


def test_a_person_who_differs_changes_nothing() -> None:
    told = reading("m", {"mother.name": MOTHER})
    other = IdentityResult("mother", Verdict.DIFFERS, ("name",), Person(name=PersonName("Trần", "", "Bé")))
    case = fold("birth", [told], {"mother": other}, {})
    assert case.notification.mother.name == MOTHER
    assert Finding("identity.differs", "mother", "name") in case.findings


def test_an_edit_on_the_desk_beats_everything() -> None:
    told = reading("m", {"mother.name": MOTHER}, rank=Rank.PAPER)
    edit = Edit(PersonName("Nguyễn", "Thị", "Hoa"), "canbo", "2026-11-23T03:00:00+00:00", "theo CCCD")
    case = fold("birth", [told], {}, {"mother.name": edit})
    assert case.notification.mother.name == PersonName("Nguyễn", "Thị", "Hoa")
    assert case.provenance["mother.name"].message == "desk"


def test_a_death_that_its_own_indicator_denies_is_a_contradiction() -> None:
    facts = {"death.at": PartialDate.parse("202611210300"), "death.indicated": False}
    case = fold("death", [reading("m", facts, kind="death")], {}, {})
    assert [finding.code for finding in case.findings] == ["death.contradiction"]


def test_a_later_message_settles_the_contradiction() -> None:
    doubt = Finding("death.contradiction", "PID-30")
    first = reading("m1", {"death.indicated": False}, kind="death", at="1", findings=(doubt,))
    second = reading("m2", {"death.indicated": True}, kind="death", at="2")
    assert fold("death", [second, first], {}, {}).findings == ()
    assert fold("death", [first], {}, {}).findings == (doubt,)


def test_a_signed_death_notice_settles_the_contradiction() -> None:
    first = reading("m1", {"death.indicated": False}, kind="death")
    paper = replace(reading("p", {}, kind="death"), rank=Rank.PAPER)
    assert fold("death", [first, paper], {}, {}).findings == ()
