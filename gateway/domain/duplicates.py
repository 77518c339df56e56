"""Possible duplicates: two cases that may be about one child or one deceased person. Keys find them, evidence weighs.

Nothing here joins anything: a pair is shown to a person, who says one or two (docs/decisions/0004). A missed pair may
become a double registration, a false one costs an officer a look, so a pair is proposed on what seldom agrees by
chance, and let go as soon as the facts tell two persons apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, timezone

from gateway.domain.case import Reading
from gateway.domain.dates import PartialDate
from gateway.domain.identity import same_birth
from gateway.domain.linking import CLOCK_SKEW, Key
from gateway.domain.names import comparable, same_name
from gateway.domain.notification import BirthNotification, DeathNotification, Notification
from gateway.domain.person import Person, Sex

IDENTIFIERS = ("personal_id", "cmnd", "passport")
"""What names one person whatever the facility, unlike its own patient number."""

CODES = {
    "birth": (
        *(f"mother.{name}" for name in IDENTIFIERS), "mother.name", "mother.born", "mother.born_year", "born.day",
        "born.instant", "child.sex", "birth.order", "father.personal_id", "paper.number",
    ),
    "death": (
        *(f"deceased.{name}" for name in IDENTIFIERS), "deceased.name", "deceased.born", "deceased.born_year",
        "deceased.sex", "death.day", "death.instant", "paper.number",
    ),
}  # fmt: skip
"""Every code that evidence may hold. `….born_year`: the years agree and one of the days is not known; `….instant`: the
times of day, which agree within ten minutes."""

_VIETNAM = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Codes of what agrees and of what differs between two cases; what only one of them knows is in neither."""

    agree: tuple[str, ...] = ()
    differ: tuple[str, ...] = ()


def across_keys_of(told: Notification) -> list[Key]:
    """The keys under which the same person's case is found beyond one facility; empty when nothing names the person.

    Birth: each identifier of the mother with the day of birth; weaker, her name and year of birth with that day. Death:
    each identifier of the deceased, whatever the day, as nobody dies twice; weaker, name and year of birth with the day
    of death. `told` is the fold of a case: one message may know the mother's number and another the day. An event near
    midnight has two days, as two clocks may stand on either side of it.
    """
    if isinstance(told, BirthNotification):
        days = _days(told.child.born)
        keys: list[Key] = [("mother", *number, day) for number in _numbers(told.mother) for day in days]
        return [("across", "birth", *key) for key in (*keys, *_named(told.mother, days))]
    keys = [("person", *number) for number in _numbers(told.deceased)]
    return [("across", "death", *key) for key in (*keys, *_named(told.deceased, _days(told.death.at)))]


def evidence_of(one: Notification, other: Notification) -> Evidence:
    """What agrees and what differs between two notifications of one kind; the same whichever comes first."""
    if isinstance(one, BirthNotification) and isinstance(other, BirthNotification):
        judged = [*_birth(one, other), *_person("mother", one.mother, other.mother)]
    elif isinstance(one, DeathNotification) and isinstance(other, DeathNotification):
        judged = [*_death(one, other), *_person("deceased", one.deceased, other.deceased)]
    else:
        return Evidence()
    judged.append(("paper.number", _equal(one.paper.number, other.paper.number)))
    said = dict(judged)
    codes = CODES["birth" if isinstance(one, BirthNotification) else "death"]
    return Evidence(
        tuple(code for code in codes if said.get(code) is True),
        tuple(code for code in codes if said.get(code) is False),
    )


def decide_proposed(kind: str, evidence: Evidence, *, multiple: bool, apart: bool) -> bool:
    """Is a pair of one kind to be shown to a person? `multiple`: either case tells of a multiple birth; `apart`: one
    facility keeps them as two (`held_apart`).

    A death is proposed when an identifier agrees; or when name, birth and day of death agree, nothing else differs but
    the paper, and numbers differ at most where the whole birth date agrees (a slip of the pen).

    A birth is proposed when its day agrees and the mother does, by the same two ways. Twins are never proposed against
    each other: not with different birth orders; not with different sexes or with times more than ten minutes apart
    where either case tells of a multiple birth, or where one facility keeps them as two; and not at all where one
    facility that keeps them as two tells of a multiple birth. Between two facilities a different sex or time of a
    single birth stays as evidence against: either may have erred.
    """
    agree, differ = set(evidence.agree), set(evidence.differ)
    born_apart = differ & {"child.sex", "born.instant"}
    if "birth.order" in differ or (apart and multiple) or (born_apart and (apart or multiple)):
        return False
    role, day = ("mother", "born.day") if kind == "birth" else ("deceased", "death.day")
    numbers = {f"{role}.{name}" for name in IDENTIFIERS}
    named = day in agree and _is_named(role, agree, differ, numbers)
    return named or (bool(agree & numbers) and (kind == "death" or day in agree))


def held_apart(one: Sequence[Reading], other: Sequence[Reading]) -> bool:
    """Whether one facility, whose readings these are, keeps them as two: both have patient numbers and share none (a
    handle with a slash is a resource's), or papers and share none (a paper keeps its number when it is issued anew)."""
    patients = [{handle for each in case for handle in each.handles if "/" not in handle} for case in (one, other)]
    papers = [{each.notification.paper.number for each in case} - {None} for case in (one, other)]
    return any(mine and theirs and mine.isdisjoint(theirs) for mine, theirs in (patients, papers))


def is_multiple(told: Notification) -> bool:
    """Whether a case tells of a multiple birth, in any of the three ways."""
    if not isinstance(told, BirthNotification):
        return False
    return bool(told.birth.multiple or (told.birth.plurality or 1) > 1 or (told.birth.order or 1) > 1)


def _is_named(role: str, agree: set[str], differ: set[str], numbers: set[str]) -> bool:
    """The weaker way: the person by name and birth, with nothing against it."""
    if f"{role}.name" not in agree or differ - numbers - {"paper.number", "father.personal_id"}:
        return False
    return f"{role}.born" in agree or (f"{role}.born_year" in agree and not differ & numbers)


Judged = tuple[str, bool | None]


def _birth(one: BirthNotification, other: BirthNotification) -> Iterator[Judged]:
    yield from _moment("born", one.child.born, other.child.born)
    yield "child.sex", _same_sex(one.child.sex, other.child.sex)
    yield "birth.order", _equal(one.birth.order, other.birth.order)
    yield "father.personal_id", _equal(one.father.personal_id, other.father.personal_id)


def _death(one: DeathNotification, other: DeathNotification) -> Iterator[Judged]:
    yield from _moment("death", one.death.at, other.death.at)
    yield "deceased.sex", _same_sex(one.deceased.sex, other.deceased.sex)


def _person(role: str, one: Person, other: Person) -> Iterator[Judged]:
    for name in IDENTIFIERS:
        yield f"{role}.{name}", _equal(getattr(one, name), getattr(other, name))
    if one.name and other.name and one.name.full and other.name.full:
        yield f"{role}.name", same_name(one.name.full, other.name.full)
    if one.born and other.born:
        same, whole = same_birth(one.born, other.born), bool(one.born.local().date and other.born.local().date)
        yield (f"{role}.born" if whole or not same else f"{role}.born_year"), same


def _moment(what: str, one: PartialDate | None, other: PartialDate | None) -> Iterator[Judged]:
    """Two records of one event: its day (clocks may stand on either side of midnight) and its time of day."""
    here, there = _days(one), _days(other)
    if here and there:
        yield f"{what}.day", bool(set(here) & set(there))
    first, second = one and one.instant(), other and other.instant()
    if one and other and first and second and one.minute is not None and other.minute is not None:
        yield f"{what}.instant", abs(first - second) <= CLOCK_SKEW


def _same_sex(one: Sex | None, other: Sex | None) -> bool | None:
    """A sex not yet determined tells nobody apart."""
    return None if Sex.UNDETERMINED in (one, other) else _equal(one, other)


def _equal(one: object, other: object) -> bool | None:
    return None if one is None or other is None or "" in (one, other) else one == other


def _numbers(person: Person) -> Iterator[tuple[str, str]]:
    return ((name, number) for name in IDENTIFIERS if (number := getattr(person, name)))


def _named(person: Person, days: Iterable[str]) -> list[Key]:
    if person.name is None or person.born is None or not (name := comparable(person.name.full)):
        return []
    return [("named", name, str(person.born.local().year), day) for day in days]


def _days(at: PartialDate | None) -> list[str]:
    """The Vietnamese calendar days on which another clock may have put the event; none when the day is not known."""
    if at is None or at.local().date is None:
        return []
    instant = at.instant()
    if instant is None or at.minute is None:
        return [str(at.local().date)]
    ends: list[date] = [(instant + skew).astimezone(_VIETNAM).date() for skew in (-CLOCK_SKEW, CLOCK_SKEW)]
    return [day.isoformat() for day in dict.fromkeys(ends)]
