"""Papers that were issued more than once: the same number, the newest issue counts, and a person hears when the issues
do not tell of the same child or the same deceased.

A giấy chứng sinh keeps its number when it is issued again (Circular 22/2025/TT-BYT); a giấy báo tử may get a new one
and names the first. Correcting a paper is what issuing it again is for, so a difference changes nothing but is shown; a
number used for two children looks just the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import combinations

from gateway.domain.case import Rank, Reading, agree
from gateway.domain.finding import Finding
from gateway.domain.notification import BirthNotification, Paper
from gateway.domain.person import Person

CLOCK_SKEW = timedelta(minutes=10)
"""Two records of one birth may differ by this much."""


def numbers_of(paper: Paper) -> frozenset[str]:
    """Every number by which a paper is known: its own, and the one it had first."""
    return frozenset(filter(None, (paper.number, paper.original_number)))


def find_differing_issues(readings: Sequence[Reading]) -> list[Finding]:
    """`paper.issues_differ` for each thing that issues of one paper disagree on: `child.sex`, `child.born`, `mother`,
    for a death `deceased`. The order of `readings` does not matter."""
    issues = [reading for reading in readings if reading.rank is Rank.PAPER and reading.notification.paper.number]
    places = {
        place
        for one, other in combinations(issues, 2)
        if numbers_of(one.notification.paper) & numbers_of(other.notification.paper)
        for place in _differences(one, other)
    }
    return [Finding("paper.issues_differ", place) for place in sorted(places)]


def with_differences(known: Sequence[Reading], new: Reading) -> Reading:
    """`new` with what its paper and the case's other issues of it disagree on."""
    found = find_differing_issues((*known, new)) if new.rank is Rank.PAPER else []
    return replace(new, findings=(*new.findings, *found)) if found else new


def _differences(one: Reading, other: Reading) -> list[str]:
    here, there = one.notification, other.notification
    if not isinstance(here, BirthNotification) or not isinstance(there, BirthNotification):
        same_kind = type(here) is type(there)
        return ["deceased"] if same_kind and _other_person(_whom(here), _whom(there)) else []
    found = []
    if here.child.sex and there.child.sex and here.child.sex != there.child.sex:
        found.append("child.sex")
    if here.child.born and there.child.born and not agree(here.child.born, there.child.born):
        mine, theirs = here.child.born.instant(), there.child.born.instant()
        if mine is None or theirs is None or abs(mine - theirs) > CLOCK_SKEW:
            found.append("child.born")
    if _other_person(here.mother, there.mother):
        found.append("mother")
    return found


def _whom(notification: object) -> Person:
    person: Person = getattr(notification, "deceased", Person())
    return person


def _other_person(one: Person, other: Person) -> bool:
    """Other numbers; without a number on both, another name and another birth date."""
    for mine, theirs in ((one.personal_id, other.personal_id), (one.cmnd, other.cmnd), (one.passport, other.passport)):
        if mine and theirs:
            return mine != theirs
    pairs = ((one.name, other.name), (one.born, other.born))
    return all(mine is not None and theirs is not None and not agree(mine, theirs) for mine, theirs in pairs)
