"""Identity verdicts: does the population database know this person as the hospital wrote them?

The matching rules are pure. A hit fills and wins over hospital data for identity fields (the state already holds them);
anything short of a clear match changes nothing and is shown to the officer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.dates import PartialDate
from gateway.domain.names import same_name
from gateway.domain.person import Person, PersonName


class Verdict(StrEnum):
    MATCHED = "matched"
    DIFFERS = "differs"
    NOT_FOUND = "not_found"
    NO_ANSWER = "no_answer"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class PersonQuery:
    """One purpose-bound question: who asks about whom for which case, by identifier, name and birth date."""

    request_id: str
    case_id: str
    role: str  # mother | father | deceased
    personal_id: str | None
    cmnd: str | None
    name: PersonName | None
    born: PartialDate | None


@dataclass(frozen=True, slots=True)
class PopulationAnswer:
    """What the database answered. `person` is None when it returned nobody (not found or not matching: the national
    service does not say which). `evidence` is the raw answer, kept with the case."""

    person: Person | None
    evidence: bytes


@dataclass(frozen=True, slots=True)
class IdentityResult:
    """The verdict for one role of a case. `differing` names fields of `Person`; `person` is the database's record;
    `asked_at` is UTC ISO text; `entry` is the log entry that holds the evidence."""

    role: str
    verdict: Verdict
    differing: tuple[str, ...] = ()
    person: Person | None = None
    asked_at: str = ""
    entry: str = ""


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
    return IdentityResult(query.role, verdict, differing, answer.person, asked_at, entry)


def _differing(query: PersonQuery, person: Person) -> tuple[str, ...]:
    """Fields of `Person` on which the hospital and the database disagree, in the order of `Person`."""
    name, known = query.name or PersonName(), person.name or PersonName()
    agrees = {
        "name": same_name(name.full, known.full),
        "born": query.born is None or person.born is None or same_birth(query.born, person.born),
        "personal_id": not (query.personal_id and person.personal_id) or query.personal_id == person.personal_id,
        "cmnd": not (query.cmnd and person.cmnd) or query.cmnd == person.cmnd,
    }
    return tuple(field for field, same in agrees.items() if not same)


def same_birth(one: PartialDate, other: PartialDate) -> bool:
    """Whether two birth dates can be the same day: parts known on both sides are equal. The law lets a year stand alone
    (Decree 123/2015, article 4). The time of day is not compared, but a zone is honoured, as it may move the day."""
    left, right = one.local(), other.local()
    parts = ((left.year, right.year), (left.month, right.month), (left.day, right.day))
    return all(a == b for a, b in parts if a is not None and b is not None)
