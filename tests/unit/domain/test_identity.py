"""Verdicts on what the population database answered. Every person here is invented."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.dates import PartialDate
from gateway.domain.identity import (
    IdentityResult,
    PersonQuery,
    PopulationAnswer,
    Verdict,
    decide_verdict,
    same_birth,
)
from gateway.domain.person import Person, PersonName, Sex

NUMBER = "999196000017"
RECORD = Person(name=PersonName("Tôn Nữ", "Thị", "Hòa"), born=PartialDate(1996, 4, 9), personal_id=NUMBER)
QUERY = PersonQuery("r1", "ks-1", "mother", NUMBER, None, PersonName("Tôn", "Nữ Thị", "Hoà"), PartialDate(1996, 4, 9))


def verdict_on(query: PersonQuery, record: Person | None = RECORD) -> IdentityResult:
    return decide_verdict(query, PopulationAnswer(record, b"{}"))


def test_the_same_name_split_otherwise_and_the_same_day_match() -> None:
    assert verdict_on(QUERY) == IdentityResult("mother", Verdict.MATCHED, (), RECORD)


def test_a_shouted_name_matches() -> None:
    assert verdict_on(replace(QUERY, name=PersonName(family="TÔN NỮ THỊ HOÀ"))).verdict is Verdict.MATCHED


def test_nobody_returned_is_not_found() -> None:
    assert verdict_on(QUERY, None).verdict is Verdict.NOT_FOUND


def test_no_answer_is_not_the_same_as_nobody() -> None:
    result = decide_verdict(QUERY, None, asked_at="2026-11-23T00:00:00Z", entry="w.1")
    assert result == IdentityResult("mother", Verdict.NO_ANSWER, asked_at="2026-11-23T00:00:00Z", entry="w.1")


def test_without_a_number_nothing_was_asked() -> None:
    query = replace(QUERY, personal_id=None)
    assert decide_verdict(query, None).verdict is Verdict.NOT_ASKED
    assert verdict_on(query).verdict is Verdict.NOT_ASKED


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        ({"name": PersonName("Tôn", "Nữ Thị", "Hoa")}, ("name",)),
        ({"name": PersonName("Ton", "Nu Thi", "Hoa")}, ("name",)),
        ({"name": PersonName("Tôn", "Thị", "Hòa")}, ("name",)),
        ({"born": PartialDate(1996, 9, 4)}, ("born",)),
        ({"born": PartialDate(1995)}, ("born",)),
        ({"name": PersonName("Lê", "", "Na"), "born": PartialDate(1990)}, ("name", "born")),
    ],
)
def test_what_differs_is_named(change: dict[str, object], differing: tuple[str, ...]) -> None:
    result = verdict_on(replace(QUERY, **change))  # type: ignore[arg-type]
    assert (result.verdict, result.differing, result.person) == (Verdict.DIFFERS, differing, RECORD)


@pytest.mark.parametrize("name", [None, PersonName()])
def test_a_number_alone_confirms_nobody(name: PersonName | None) -> None:
    assert verdict_on(replace(QUERY, name=name)).differing == ("name",)


def test_a_record_without_a_name_confirms_nobody() -> None:
    assert verdict_on(QUERY, replace(RECORD, name=None)).differing == ("name",)


def test_another_number_in_the_record_differs() -> None:
    assert verdict_on(QUERY, replace(RECORD, personal_id="999196000018")).differing == ("personal_id",)
    assert verdict_on(replace(QUERY, cmnd="999000001"), replace(RECORD, cmnd="999000002")).differing == ("cmnd",)


def test_found_by_cmnd_fills_the_personal_identifier() -> None:
    result = verdict_on(replace(QUERY, personal_id=None, cmnd="999000001"), replace(RECORD, cmnd="999000001"))
    assert result.verdict is Verdict.MATCHED
    assert result.person is not None
    assert result.person.personal_id == NUMBER


@pytest.mark.parametrize("born", [None, PartialDate(1996), PartialDate(1996, 4), PartialDate(1996, 4, 9, 23, 59)])
def test_a_less_or_more_precise_birth_date_does_not_differ(born: PartialDate | None) -> None:
    assert verdict_on(replace(QUERY, born=born)).verdict is Verdict.MATCHED
    assert verdict_on(QUERY, replace(RECORD, born=born)).verdict is Verdict.MATCHED


def test_a_zone_may_move_the_day() -> None:
    assert same_birth(PartialDate.parse("1996-04-08T20:00Z"), PartialDate(1996, 4, 9))
    assert not same_birth(PartialDate.parse("1996-04-08T20:00+07:00"), PartialDate(1996, 4, 9))


@pytest.mark.parametrize(
    "name", [PersonName("Ton", "Nu Thi", "Hoa"), PersonName("TON NU THI HOA"), PersonName("Tôn", "Thị", "Hòa")]
)
def test_a_name_that_is_nearly_the_same_is_close_and_no_match(name: PersonName) -> None:
    result = verdict_on(replace(QUERY, name=name))
    assert (result.verdict, result.close, result.is_close) == (Verdict.DIFFERS, ("name",), True)


def test_a_close_name_with_another_birth_date_is_not_just_close() -> None:
    result = verdict_on(replace(QUERY, name=PersonName("TON NU THI HOA"), born=PartialDate(1990)))
    assert (result.differing, result.close, result.is_close) == (("name", "born"), ("name",), False)


def test_a_match_is_not_close() -> None:
    assert not verdict_on(QUERY).is_close


def test_another_sex_differs_and_an_unknown_one_does_not() -> None:
    woman = replace(RECORD, sex=Sex.FEMALE)
    assert verdict_on(replace(QUERY, sex=Sex.MALE), woman).differing == ("sex",)
    assert verdict_on(replace(QUERY, sex=Sex.FEMALE), woman).verdict is Verdict.MATCHED
    assert verdict_on(QUERY, woman).verdict is Verdict.MATCHED
    assert verdict_on(replace(QUERY, sex=Sex.MALE)).verdict is Verdict.MATCHED


def test_of_a_relative_no_more_is_kept_than_tells_who_it_is() -> None:
    spouse = Person(name=PersonName("Lê", "", "An"), personal_id="999095000011", ethnicity="01", phone="0")
    result = decide_verdict(QUERY, PopulationAnswer(RECORD, b"{}", {"spouse": spouse}))
    assert result.relatives == {"spouse": Person(name=PersonName("Lê", "", "An"), personal_id="999095000011")}
