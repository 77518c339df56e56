"""Which case does a reading belong to? Keys propose candidates, `decide_same` disposes (DESIGN section 5).

A resend is nothing new, the same birth told by ADT and by giấy chứng sinh is one case, and twins are never one. Where
the facts do not decide, nothing is merged by guess: a finding asks a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from gateway.domain.case import Reading
from gateway.domain.finding import Finding
from gateway.domain.notification import BirthNotification, DeathNotification
from gateway.domain.papers import find_differing_issues, numbers_of
from gateway.domain.person import Person

CLOCK_SKEW = timedelta(minutes=10)
"""Two records of one delivery may differ by this much: the delivery room's clock and the ward's."""

Key = tuple[str, ...]


def patient_key(facility: str, handle: str) -> Key:
    """The key of one facility's handle of a patient, whatever the event."""
    return ("patient", facility, handle)


def keys_of(reading: Reading, facility: str) -> list[Key]:
    """Every way to find the case of this reading, strongest first. Those of the patient alone also lead ordinary
    messages and merges to the case."""
    handles = (*reading.patients, *reading.merges)
    keys: list[Key] = [(reading.kind, *patient_key(facility, handle)) for handle in handles]
    told = reading.notification
    # A giấy chứng sinh has one number in the country; how a giấy báo tử is numbered is each facility's own business.
    where = () if reading.kind == "birth" else (facility,)
    keys += [(reading.kind, "paper", *where, number) for number in sorted(numbers_of(told.paper))]
    if isinstance(told, BirthNotification):
        day = told.child.born.local().date if told.child.born else None
        if day:
            keys += [("birth", "mother", facility, *number, day.isoformat()) for number in _numbers(told.mother)]
    else:
        keys += [("death", "person", facility, *number) for number in _numbers(told.deceased)]
    return keys


def _numbers(person: Person) -> Iterable[tuple[str, str]]:
    named = {
        "personal": person.personal_id,
        "cmnd": person.cmnd,
        "passport": person.passport,
        "facility": person.facility_id,
    }
    return ((kind, number) for kind, number in named.items() if number)


def decide_same(known: Sequence[Reading], new: Reading) -> bool | None:
    """Is `new` about the person of the case that `known` made? True, False, or None: the facts do not decide."""
    if any(reading.handles & new.handles for reading in known):
        return True
    mine = numbers_of(new.notification.paper)
    theirs = {number for reading in known for number in numbers_of(reading.notification.paper)}
    if mine and theirs:
        return _same_paper(known, new) if mine & theirs else False
    if _other_patient(known, new):
        return False
    if isinstance(new.notification, DeathNotification):
        return True  # the key was an identifier of the deceased; nobody dies twice
    answers = [_same_birth(reading.notification, new.notification) for reading in known]
    if False in answers:
        return False
    return None if None in answers else True


def _same_paper(known: Sequence[Reading], new: Reading) -> bool | None:
    """One number is one child, unless it was used twice: a paper not issued again that yet tells of somebody else."""
    again = any(reading.notification.paper.reissue for reading in (*known, new))
    return True if again or not find_differing_issues((*known, new)) else None


def _other_patient(known: Sequence[Reading], new: Reading) -> bool:
    return _apart(_numbers_of([new]), _numbers_of(known))


def _same_birth(one: object, other: object) -> bool | None:
    if not isinstance(one, BirthNotification) or not isinstance(other, BirthNotification):
        return False
    if one.child.sex and other.child.sex and one.child.sex != other.child.sex:
        return False
    if one.birth.order and other.birth.order:
        return one.birth.order == other.birth.order
    here = one.child.born.instant() if one.child.born else None
    there = other.child.born.instant() if other.child.born else None
    if here and there and abs(here - there) > CLOCK_SKEW:
        return False
    multiple = any(told.birth.multiple or (told.birth.plurality or 1) > 1 for told in (one, other))
    return None if multiple else True


@dataclass(frozen=True, slots=True)
class Filing:
    """Where a reading belongs: `case` None opens one; `joins` are cases that it shows to be that one's; `doubtful` when
    other candidates are left for a person to decide."""

    case: str | None
    joins: tuple[str, ...] = ()
    doubtful: bool = False


def decide_filing(reading: Reading, candidates: Sequence[tuple[str, Sequence[Reading]]]) -> Filing:
    """The case a reading belongs to among candidates, oldest first. Pure."""
    answers = [(case_id, readings, decide_same(readings, reading)) for case_id, readings in candidates]
    sure = [(case_id, readings) for case_id, readings, same in answers if same is True]
    doubtful = any(same is None for _, _, same in answers)
    if not sure:
        return Filing(None, (), doubtful)
    (chosen, known), rest = sure[0], sure[1:]
    joins = tuple(case_id for case_id, readings in rest if _shows_one(reading, known, readings))
    return Filing(chosen, joins, doubtful or len(joins) < len(rest))


def _shows_one(reading: Reading, one: Sequence[Reading], other: Sequence[Reading]) -> bool:
    """Whether a reading that belongs to two cases makes them one: it names the patient of both, or only one of them has
    patient numbers and only one a paper, as when a paper came before the admission it belongs to."""
    if contradict(one, other):
        return False
    mine, theirs = _numbers_of(one), _numbers_of(other)
    if reading.handles & mine and reading.handles & theirs:
        return True
    papers = [frozenset[str]().union(*(numbers_of(said.notification.paper) for said in case)) for case in (one, other)]
    return not _apart(mine, theirs) and not _apart(*papers)


def _numbers_of(readings: Sequence[Reading]) -> frozenset[str]:
    return frozenset(handle for reading in readings for handle in reading.handles if "/" not in handle)


def _apart(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other and not one & other)


def doubt_about(reading: Reading) -> Finding:
    """What a doubtful filing leaves for a person."""
    return Finding("case.merge_contradicts" if reading.merges else f"{reading.kind}.possible_duplicate", "case")


def contradict(one: Sequence[Reading], other: Sequence[Reading]) -> bool:
    """Whether two cases cannot be one person, whatever a merge says: other sex, other birth order, born hours apart."""
    births = [
        (mine.notification, theirs.notification)
        for mine in one
        for theirs in other
        if isinstance(mine.notification, BirthNotification) and isinstance(theirs.notification, BirthNotification)
    ]
    if births:
        return any(_same_birth(mine, theirs) is False for mine, theirs in births)
    sexes = {
        reading.notification.deceased.sex
        for reading in (*one, *other)
        if isinstance(reading.notification, DeathNotification)
    } - {None}
    return len(sexes) > 1
