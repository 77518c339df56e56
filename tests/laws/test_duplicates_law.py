"""Whatever two hospitals say: evidence is the same from both sides, holds no value, and twins are never one child."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.domain.dates import PartialDate
from gateway.domain.duplicates import CODES, across_keys_of, decide_proposed, evidence_of, is_multiple
from gateway.domain.notification import BirthNotification, Notification, build
from gateway.domain.person import PersonName, Sex

_MINUTES = st.integers(0, 3 * 24 * 60 - 1)
_NAMES = st.sampled_from(["Nguyễn Thị Thúy Hòa", "NGUYỄN THỊ THUÝ HOÀ", "Đặng Thị Lý", "H'Mer Niê"])
_BORN = st.sampled_from(["1997", "199704", "19970412", "19970413", "1998"]).map(PartialDate.parse)
_IDS = st.sampled_from(["999190000001", "999190000002"])


@st.composite
def moments(draw: Any) -> PartialDate:
    """A day or a minute of three days, as one clock or another writes it."""
    day, minute = divmod(draw(_MINUTES), 24 * 60)
    text = f"202611{22 + day}"
    if draw(st.booleans()):
        text += f"{minute // 60:02d}{minute % 60:02d}{draw(st.sampled_from(['', '+0700']))}"
    return PartialDate.parse(text)


def _person(role: str) -> dict[str, st.SearchStrategy[Any]]:
    return {
        f"{role}.name": _NAMES.map(lambda name: PersonName(given=name)),
        f"{role}.born": _BORN,
        f"{role}.personal_id": _IDS,
        f"{role}.cmnd": st.sampled_from(["999000001", "999000002"]),
    }


def notifications(kind: str, *, knows_who: bool = False) -> st.SearchStrategy[Notification]:
    """Any part of what a facility may say; `knows_who`: with who and when in any case."""
    birth = {
        **_person("mother"),
        "child.born": moments(),
        "child.sex": st.sampled_from(Sex),
        "birth.order": st.integers(1, 3),
        "birth.plurality": st.integers(1, 3),
        "paper.number": st.sampled_from(["00001.GCS.99001.26", "00002.GCS.99002.26"]),
    }
    death = {**_person("deceased"), "death.at": moments(), "deceased.sex": st.sampled_from(Sex)}
    optional = birth if kind == "birth" else death
    sure = ("mother.name", "mother.born", "child.born", "deceased.name", "deceased.born", "death.at")
    required = {path: optional.pop(path) for path in sure if knows_who and path in optional}
    return st.fixed_dictionaries(required, optional=optional).map(lambda told: build(kind, told))


KINDS = st.sampled_from(["birth", "death"])
PAIRS = KINDS.flatmap(lambda kind: st.tuples(st.just(kind), notifications(kind), notifications(kind)))

KNOWN = KINDS.flatmap(
    lambda kind: st.tuples(st.just(kind), notifications(kind, knows_who=True), notifications(kind, knows_who=True))
)


def proposed(kind: str, one: Notification, other: Notification, apart: bool) -> bool:
    multiple = is_multiple(one) or is_multiple(other)
    return decide_proposed(kind, evidence_of(one, other), multiple=multiple, apart=apart)


@given(PAIRS)
def test_evidence_is_the_same_from_both_sides_and_holds_codes_only(
    told: tuple[str, Notification, Notification],
) -> None:
    kind, one, other = told
    evidence = evidence_of(one, other)
    assert evidence == evidence_of(other, one)
    assert {*evidence.agree, *evidence.differ} <= set(CODES[kind])
    assert set(evidence.agree).isdisjoint(evidence.differ)


@given(KINDS.flatmap(notifications))
def test_nobody_differs_from_himself(told: Notification) -> None:
    assert evidence_of(told, told).differ == ()


@given(KNOWN, st.booleans())
@settings(suppress_health_check=[HealthCheck.filter_too_much])
def test_what_is_proposed_is_found_by_a_key(told: tuple[str, Notification, Notification], apart: bool) -> None:
    kind, one, other = told
    assume(proposed(kind, one, other, apart))
    assert set(across_keys_of(one)) & set(across_keys_of(other))


@given(notifications("birth", knows_who=True), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_two_birth_orders_are_never_one_child(told: BirthNotification, one: int, other: int, apart: bool) -> None:
    assume(one != other)
    first, second = (replace(told, birth=replace(told.birth, order=order)) for order in (one, other))
    assert not proposed("birth", first, second, apart)


@given(PAIRS, st.booleans())
def test_holding_two_patients_apart_never_adds_a_proposal(
    told: tuple[str, Notification, Notification], multiple: bool
) -> None:
    kind, one, other = told
    evidence = evidence_of(one, other)
    if decide_proposed(kind, evidence, multiple=multiple, apart=True):
        assert decide_proposed(kind, evidence, multiple=multiple, apart=False)


@given(KINDS, _NAMES, _BORN, moments())
def test_the_composition_of_letters_changes_no_key(kind: str, name: str, born: PartialDate, at: PartialDate) -> None:
    role, moment = ("mother", "child.born") if kind == "birth" else ("deceased", "death.at")
    keys = [
        across_keys_of(
            build(kind, {f"{role}.name": PersonName(given=written), f"{role}.born": born, moment: at}),
        )
        for written in (unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))
    ]
    assert keys[0]
    assert keys[0] == keys[1]
