"""Whether the parents whom a hospital names are spouses in the population database. Every person here is invented."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from gateway.domain.case import Rank, Reading, fold
from gateway.domain.dates import PartialDate
from gateway.domain.identity import IdentityResult, Kinship, Verdict, decide_kinship
from gateway.domain.notification import BirthNotification, flatten
from gateway.domain.person import Person, PersonName
from gateway.domain.provenance import Provenance

MOTHER = Person(name=PersonName("Đặng", "Thị Thúy", "Hòa"), personal_id="999196000017")
FATHER = Person(name=PersonName("Lê", "Quý", "Hoà"), born=PartialDate(1995, 2, 3), personal_id="999095000011")
NAMED = Person(name=FATHER.name, born=FATHER.born)
NFD = PersonName(*(unicodedata.normalize("NFD", part) for part in ("Lê", "Quý", "Hòa")))


def answered(spouse: Person | None, role: str = "mother") -> dict[str, IdentityResult]:
    relatives = {} if spouse is None else {"spouse": spouse}
    return {role: IdentityResult(role, Verdict.MATCHED, relatives=relatives)}


@pytest.mark.parametrize(
    ("named", "spouse", "kinship"),
    [
        (FATHER, FATHER, Kinship.CONFIRMED),
        (replace(FATHER, name=PersonName("Le", "Quy", "Hoa")), FATHER, Kinship.CONFIRMED),  # the number tells
        (FATHER, replace(FATHER, personal_id="999095000012"), Kinship.DIFFERS),
        (NAMED, FATHER, Kinship.CONFIRMED),
        (replace(NAMED, name=NFD), FATHER, Kinship.CONFIRMED),
        (replace(NAMED, born=PartialDate(1995)), FATHER, Kinship.UNKNOWN),
        (replace(NAMED, born=None), FATHER, Kinship.UNKNOWN),
        (replace(NAMED, born=PartialDate(1994, 2, 3)), FATHER, Kinship.DIFFERS),
        (replace(NAMED, name=PersonName("LE", "QUY", "HOA")), FATHER, Kinship.UNKNOWN),
        (replace(NAMED, name=PersonName("Trần", "Văn", "Bình")), FATHER, Kinship.DIFFERS),
        (Person(phone="0"), FATHER, Kinship.UNKNOWN),
        (Person(), FATHER, Kinship.UNKNOWN),
        (FATHER, None, Kinship.UNKNOWN),
    ],
)
def test_the_father_named_is_or_is_not_the_spouse(named: Person, spouse: Person | None, kinship: Kinship) -> None:
    assert decide_kinship(MOTHER, named, answered(spouse)) is kinship


def test_the_fathers_record_tells_as_well_as_the_mothers() -> None:
    assert decide_kinship(MOTHER, FATHER, answered(MOTHER, "father")) is Kinship.CONFIRMED


def test_one_record_that_contradicts_outweighs_one_that_confirms() -> None:
    both = answered(FATHER) | answered(replace(MOTHER, personal_id="999196000018"), "father")
    assert decide_kinship(MOTHER, FATHER, both) is Kinship.DIFFERS


@pytest.mark.parametrize(
    ("spouse", "code"),
    [(FATHER, "kinship.confirmed"), (replace(FATHER, personal_id="999095000012"), "kinship.differs")],
)
def test_kinship_is_told_and_fills_nothing(spouse: Person, code: str) -> None:
    told = BirthNotification(mother=MOTHER, father=FATHER)
    sources = {path: Provenance("w.1", path, "r") for path in flatten(told)}
    reading = Reading("w.1", "birth", "birth", Rank.MESSAGE, "2026-11-23T01:00:00+00:00", ("BN1",), told, sources)
    case = fold("birth", [reading], answered(spouse), {})
    assert [(each.code, each.where) for each in case.findings if each.code.startswith("kinship.")] == [(code, "father")]
    assert case.notification == told
