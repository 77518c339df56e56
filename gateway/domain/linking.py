"""Which case does a reading belong to? Keys propose candidates, `decide_same` disposes (DESIGN section 5).

A resend is nothing new, the same birth told by ADT and by giấy chứng sinh is one case, and twins are never one. Where
the facts do not decide, nothing is merged by guess: a finding asks a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from gateway.domain.case import Reading
from gateway.domain.notification import BirthNotification, DeathNotification
from gateway.domain.person import Person

CLOCK_SKEW = timedelta(minutes=10)
"""Two records of one delivery may differ by this much: the delivery room's clock and the ward's."""

Key = tuple[str, ...]


def patient_key(facility: str, handle: str) -> Key:
    """The key of one facility's handle of a patient, whatever the event."""
    return ("patient", facility, handle)


def keys_of(reading: Reading, facility: str) -> list[Key]:
    """Every way to find the case of this reading, strongest first."""
    keys: list[Key] = [(reading.kind, *patient_key(facility, handle)) for handle in reading.patients]
    told = reading.notification
    if told.paper.number:
        keys.append((reading.kind, "paper", told.paper.number))
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
    if any(set(reading.patients) & set(new.patients) for reading in known):
        return True
    papers = {reading.notification.paper.number for reading in known} - {None}
    number = new.notification.paper.number
    if number and papers:
        return number in papers
    if _other_patient(known, new):
        return False
    if isinstance(new.notification, DeathNotification):
        return True  # the key was an identifier of the deceased; nobody dies twice
    answers = [_same_birth(reading.notification, new.notification) for reading in known]
    if False in answers:
        return False
    return None if None in answers else True


def _other_patient(known: Sequence[Reading], new: Reading) -> bool:
    mine = {handle for handle in new.patients if "/" not in handle}
    theirs = {handle for reading in known for handle in reading.patients if "/" not in handle}
    return bool(mine and theirs and not mine & theirs)


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
