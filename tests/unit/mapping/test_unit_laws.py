"""However people write a unit of either list, the answer is never another commune."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.person import Address
from gateway.mapping.unit_names import plain
from gateway.mapping.units import MOST_CANDIDATES, Units
from tests.unit.mapping.unit_writing import address_of, codes, new_communes, old_communes, shipped_units, written

pytestmark = pytest.mark.slow

TODAY = date(2026, 11, 23)
BEFORE = date(2025, 6, 30)
TODAYS_PROVINCE = {unit.code: unit.province for unit in new_communes()}


@pytest.fixture(scope="module")
def units() -> Units:
    return shipped_units()


@pytest.mark.parametrize("seed", [1, 2])
def test_every_old_commune_however_written_goes_where_it_went_or_to_a_person_with_all_of_it(
    units: Units, seed: int
) -> None:
    random = Random(seed)
    became: Counter[str] = Counter()
    for old in old_communes():
        for district in (old.district, ""):
            province = random.choice((old.province, TODAYS_PROVINCE[old.into[0]]))
            address = address_of(random, old.name, district, province)
            answer = units.resolve(address, TODAY)
            if answer.commune is not None:
                assert old.into == (answer.commune.code,), address
            assert set(codes(answer)) >= set(old.into), address
            became["decided" if answer.commune else "to a person", bool(district)] += 1  # type: ignore[index]
    # Caution alone would satisfy the law: what is decided must not shrink either.
    assert became["decided", True] > 9_400 and became["decided", False] > 8_600  # type: ignore[index]


@pytest.mark.parametrize("seed", [3])
def test_every_new_commune_however_written_is_found_or_among_the_candidates(units: Units, seed: int) -> None:
    random = Random(seed)
    for new in new_communes():
        for unit_list in ("", "new"):
            answer = units.resolve(address_of(random, new.name, "", new.province), TODAY, unit_list)
            # A former city written without its type may stand for more communes than a person can choose from.
            assert new.code in codes(answer) or not codes(answer)
        beside = Address(commune_code=new.code.lstrip("0"), commune=written(random, new.name))
        assert codes(units.resolve(beside, TODAY)) == [new.code], beside


def test_a_code_beside_the_name_of_any_other_commune_is_never_decided_against_the_name(units: Units) -> None:
    random = Random(4)
    olds, news = old_communes(), new_communes()
    by_code = {old.code: old for old in olds}
    for new in news:
        other = random.choice(olds)
        answer = units.resolve(Address(commune_code=new.code, commune=other.name), TODAY)
        own = [unit.name for unit in (new, by_code.get(new.code)) if unit is not None]
        if answer.commune is not None:
            assert _bare(other.name) in map(_bare, own)


@cache
def _namesakes() -> dict[str, set[str]]:
    """Where the communes of each name, old and new, are today; a split one is nowhere for sure."""
    found: dict[str, set[str]] = {}
    for old in old_communes():
        found.setdefault(_bare(old.name), set()).update(old.into if len(old.into) == 1 else ())
    for new in new_communes():
        found.setdefault(_bare(new.name), set()).add(new.code)
    return found


def _bare(name: str) -> str:
    plain_name = plain(name)
    for type_ in ("thi tran ", "dac khu ", "phuong ", "xa "):
        if plain_name.startswith(type_):
            return plain_name.removeprefix(type_)
    return plain_name


def test_every_old_commune_of_a_sender_with_the_old_list_is_found_by_its_bare_code(units: Units) -> None:
    for old in old_communes():
        for answer in (
            units.resolve(Address(commune_code=old.code), TODAY, "old"),
            units.resolve(Address(commune_code=old.code), BEFORE),
        ):
            assert codes(answer) == list(old.into)
            assert (answer.commune is None) == (len(old.into) > 1)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_is_written_about_two_places_at_once_is_not_decided_for_a_third(data: st.DataObject) -> None:
    one, other = data.draw(st.sampled_from(old_communes())), data.draw(st.sampled_from(old_communes()))
    address = Address(
        commune=one.name,
        commune_code=data.draw(st.sampled_from(("", one.code, other.code))),
        district=data.draw(st.sampled_from(("", one.district, other.district))),
        province=data.draw(st.sampled_from(("", one.province, other.province))),
    )
    answer = shipped_units().resolve(address, TODAY, data.draw(st.sampled_from(("", "old", "new"))))
    assert len(answer.candidates) <= MOST_CANDIDATES
    if answer.commune is not None:
        assert answer.commune.code in _namesakes()[_bare(one.name)]
