"""Identity verdicts: does the population database know this person as the hospital wrote them?

The matching rules are pure. A hit fills and wins over hospital data for identity fields (the state already holds them);
anything short of a clear match changes nothing and is shown to the officer. So is whether the parents are spouses
there, which never fills anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.dates import PartialDate
from gateway.domain.names import NameMatch, compare_names
from gateway.domain.person import Person, PersonName, Sex


class Verdict(StrEnum):
    MATCHED = "matched"
    DIFFERS = "differs"
    NOT_FOUND = "not_found"
    NO_ANSWER = "no_answer"
    NOT_ASKED = "not_asked"


class Kinship(StrEnum):
    """Whether the database says that the parents whom the hospital names are spouses."""

    CONFIRMED = "confirmed"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PersonQuery:
    """One purpose-bound question: who asks about whom for which case, by identifier, name and birth date. `purpose` is
    the procedure it is asked for, code and name ("1.001193 Đăng ký khai sinh")."""

    request_id: str
    case_id: str
    role: str  # mother | father | deceased
    personal_id: str | None
    cmnd: str | None
    name: PersonName | None
    born: PartialDate | None
    sex: Sex | None = None
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class PopulationAnswer:
    """What the database answered. `person` is None when it returned nobody (not found or not matching: the national
    service does not say which). `evidence` is the raw answer, kept with the case. `relatives` are role → person
    ("spouse"), where the database offers them."""

    person: Person | None
    evidence: bytes
    relatives: Mapping[str, Person] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IdentityResult:
    """The verdict for one role of a case. `differing` names fields of `Person`, `close` those of them that a person may
    find to be the same after all; `person` is the database's record; `asked_at` is UTC ISO text; `entry` is the log
    entry that holds the evidence. `late`: the answer came after a dossier had left, so it fills nothing. `question`
    stands for what was asked (a keyed digest); `relatives` hold only what tells who they are."""

    role: str
    verdict: Verdict
    differing: tuple[str, ...] = ()
    person: Person | None = None
    asked_at: str = ""
    entry: str = ""
    close: tuple[str, ...] = ()
    late: bool = False
    question: str = ""
    relatives: Mapping[str, Person] = field(default_factory=dict)

    @property
    def is_close(self) -> bool:
        """Whether all that differs is nearly the same."""
        return bool(self.differing) and set(self.differing) == set(self.close)


def decide_verdict(
    query: PersonQuery, answer: PopulationAnswer | None, *, asked_at: str = "", entry: str = ""
) -> IdentityResult:
    """Judge an answer. `answer` None: the database gave none (outage, refusal); a query without a number was not asked.

    MATCHED needs the name to be confirmed: a number alone may be a slip of one digit, and a match overwrites what the
    hospital wrote. A birth date that either side does not know contradicts nothing.
    """
    if not (query.personal_id or query.cmnd):
        return IdentityResult(query.role, Verdict.NOT_ASKED)
    if answer is None:
        return IdentityResult(query.role, Verdict.NO_ANSWER, asked_at=asked_at, entry=entry)
    if answer.person is None:
        return IdentityResult(query.role, Verdict.NOT_FOUND, asked_at=asked_at, entry=entry)
    differing = _differing(query, answer.person)
    verdict = Verdict.DIFFERS if differing else Verdict.MATCHED
    close = ("name",) if _name_match(query, answer.person) is NameMatch.PERSON else ()
    relatives = {role: _who(person) for role, person in answer.relatives.items()}
    return IdentityResult(
        query.role, verdict, differing, answer.person, asked_at, entry, close=close, relatives=relatives
    )


def _differing(query: PersonQuery, person: Person) -> tuple[str, ...]:
    """Fields of `Person` on which the hospital and the database disagree, in the order of `Person`."""
    agrees = {
        "name": _name_match(query, person) is NameMatch.SAME,
        "sex": not (query.sex and person.sex) or query.sex == person.sex,
        "born": query.born is None or person.born is None or same_birth(query.born, person.born),
        "personal_id": not (query.personal_id and person.personal_id) or query.personal_id == person.personal_id,
        "cmnd": not (query.cmnd and person.cmnd) or query.cmnd == person.cmnd,
    }
    return tuple(field for field, same in agrees.items() if not same)


def _name_match(query: PersonQuery, person: Person) -> NameMatch:
    return compare_names((query.name or PersonName()).full, (person.name or PersonName()).full)


def _who(person: Person) -> Person:
    """No more of a relative than a comparison needs."""
    return Person(name=person.name, born=person.born, personal_id=person.personal_id, cmnd=person.cmnd)


def decide_kinship(mother: Person, father: Person, identity: Mapping[str, IdentityResult]) -> Kinship:
    """Whether the parents as the hospital names them are spouses, as far as the answers about either of them tell. One
    that contradicts outweighs one that confirms."""
    told = (("mother", father), ("father", mother))
    found = {
        _same_person(other, spouse)
        for role, other in told
        if other != Person() and role in identity and (spouse := identity[role].relatives.get("spouse")) is not None
    }
    return next((kinship for kinship in (Kinship.DIFFERS, Kinship.CONFIRMED) if kinship in found), Kinship.UNKNOWN)


def _same_person(named: Person, known: Person) -> Kinship:
    """By a number both have, else by name and whole birth date."""
    for mine, theirs in ((named.personal_id, known.personal_id), (named.cmnd, known.cmnd)):
        if mine and theirs:
            return Kinship.CONFIRMED if mine == theirs else Kinship.DIFFERS
    if named.name is None or known.name is None:
        return Kinship.UNKNOWN
    match = compare_names(named.name.full, known.name.full)
    if match is NameMatch.DIFFERENT:
        return Kinship.DIFFERS
    if named.born is None or known.born is None:
        return Kinship.UNKNOWN
    if not same_birth(named.born, known.born):
        return Kinship.DIFFERS
    whole = named.born.date and known.born.date
    return Kinship.CONFIRMED if whole and match is NameMatch.SAME else Kinship.UNKNOWN


def same_birth(one: PartialDate, other: PartialDate) -> bool:
    """Whether two birth dates can be the same day: parts known on both sides are equal. The law lets a year stand alone
    (Decree 123/2015, article 4). The time of day is not compared, but a zone is honoured, as it may move the day."""
    left, right = one.local(), other.local()
    parts = ((left.year, right.year), (left.month, right.month), (left.day, right.day))
    return all(a == b for a, b in parts if a is not None and b is not None)
