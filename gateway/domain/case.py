"""A case: everything messages say about one child or one deceased person, folded into one notification.

The fold is pure and order-free: readings are ranked by source and event time, not by arrival, so any order of the same
messages gives the same case. Precedence: person on the desk > population database > signed paper (MoH document) >
ADT / FHIR > earlier (DESIGN section 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum
from itertools import groupby
from typing import Any

from gateway.domain.dates import PartialDate
from gateway.domain.finding import Finding
from gateway.domain.identity import IdentityResult, Kinship, Verdict, decide_kinship
from gateway.domain.names import same_name
from gateway.domain.notification import UNITS, DeathNotification, Notification, build, flatten
from gateway.domain.person import Person, PersonName
from gateway.domain.provenance import Provenance


class Rank(IntEnum):
    """Whose word counts more."""

    OBSERVATION = 1  # ORU, FHIR Observation
    MESSAGE = 2  # ADT, FHIR bundle
    XML9 = 3  # MoH billing table: typed from the paper, unsigned
    PAPER = 4  # MoH document: giấy chứng sinh, giấy báo tử
    POPULATION = 5
    DESK = 6


@dataclass(frozen=True, slots=True)
class Reading:
    """One event read from one message: what `interpret` returns.

    `relevance` is birth | death | related (adds facts to a case, opens none) | other (an ordinary message of a patient
    who has a case). `occurred` orders readings of equal rank: event time of the message, ISO text UTC. `event` is the
    place among the message's events, from 0: one paper file may tell of several children. `trigger` is what the message
    can be cancelled as; `cancels` the triggers whose earlier messages it withdraws; `merges` further handles that from
    now on name the same patient; `clears` the facts whose earlier values it asks to delete (docs/decisions/0004).
    """

    message: str
    kind: str  # birth | death: which notification the facts belong to
    relevance: str
    rank: Rank
    occurred: str
    patients: tuple[str, ...]  # the facility's handles of the patient, its patient number first
    notification: Notification
    provenance: Mapping[str, Provenance]
    findings: tuple[Finding, ...] = ()
    unread: tuple[str, ...] = ()
    event: int = 0
    trigger: str = ""
    cancels: tuple[str, ...] = ()
    merges: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()

    @property
    def handles(self) -> frozenset[str]:
        """Every handle of the patient, those that a merge brings included."""
        return frozenset((*self.patients, *self.merges))


@dataclass(frozen=True, slots=True)
class Edit:
    """A value a person set on the desk: who, when (UTC ISO text) and why go with it."""

    value: Any
    who: str
    at: str
    why: str


@dataclass(frozen=True, slots=True)
class Case:
    """The fold. `provenance` has every two-part path of the notification that has a value. `withdrawn`: no message says
    any more that the child was born or the person died; the notification is then what was said before. `said` is when
    each message was said (`Reading.occurred`)."""

    kind: str
    notification: Notification
    provenance: Mapping[str, Provenance]
    findings: tuple[Finding, ...] = ()
    identity: Mapping[str, IdentityResult] = field(default_factory=dict)
    edits: Mapping[str, Edit] = field(default_factory=dict)
    withdrawn: bool = False
    said: Mapping[str, str] = field(default_factory=dict)


ROLES = {"birth": ("mother", "father"), "death": ("deceased",)}
"""Per kind: whom the population database is asked about."""

_WATCHED = (
    "child.born", "child.sex", "mother.name", "mother.personal_id", "father.name", "father.personal_id",
    "deceased.name", "deceased.sex", "deceased.born", "deceased.personal_id", "death.at",
)  # fmt: skip
"""Disagreement between sources on these is shown to the officer; elsewhere spelling differs harmlessly."""

_NOT_HELD_BY_THE_STATE = ("facility_id", "insurance", "phone")


def fold(
    kind: str, readings: Sequence[Reading], identity: Mapping[str, IdentityResult], edits: Mapping[str, Edit]
) -> Case:
    """Fold readings, identity answers and desk edits into one case. The order of `readings` does not matter."""
    ordered = in_order(readings)
    standing, findings = still_standing(kind, ordered)
    withdrawn = not any(reading.relevance == kind for reading in standing)
    facts: dict[str, Any] = {}
    sources: dict[str, Provenance] = {}
    ranks: dict[str, Rank] = {}
    for reading in ordered if withdrawn else standing:
        findings += reading.findings
        for path in reading.clears:
            if path in ranks and ranks[path] <= reading.rank:
                del facts[path], sources[path], ranks[path]
        for path, value in flatten(reading.notification).items():
            if path == "death.indicated" and reading.relevance == "other":
                continue  # feeds write N for everybody; only N after Y says something, and `still_standing` saw to it
            known = facts.get(path)
            if path in _WATCHED and known is not None and ranks[path] != reading.rank and not agree(known, value):
                findings.append(Finding("case.conflict", path))
            facts[path], sources[path], ranks[path] = value, reading.provenance[path], reading.rank
    if kind == "death" and not withdrawn:
        _settle_death(standing, facts, findings)
    if kind == "birth":
        findings += _kinship(facts, identity)
    for role in ROLES[kind]:
        _apply_identity(role, identity.get(role), facts, sources, findings)
    for path, edit in edits.items():
        if path in UNITS[kind]:  # "commune.code" is not a fact about the person; prepare reads it
            facts[path], sources[path] = edit.value, Provenance("desk", path, f"desk#{edit.who}")
    findings = [finding for finding in findings if not _is_history(finding, kind, facts)]
    said = {reading.message: reading.occurred for reading in ordered}
    return Case(kind, build(kind, facts), sources, tuple(dict.fromkeys(findings)), identity, edits, withdrawn, said)


def _is_history(finding: Finding, kind: str, facts: Mapping[str, Any]) -> bool:
    """Whether a later message made good what one lacked: a value, or a name where the hospital wrote a placeholder."""
    if finding.code == "name.placeholder":
        return bool(facts.get("child.name" if kind == "birth" else "deceased.name"))
    return finding.code == "value.missing" and finding.where in facts


def in_order(readings: Sequence[Reading]) -> list[Reading]:
    """By whose word counts more, then by event time; of equals by what they say, so that arrival never decides."""
    ordered = sorted(readings, key=lambda reading: (reading.rank, reading.occurred))
    groups = (list(group) for _, group in groupby(ordered, key=lambda reading: (reading.rank, reading.occurred)))
    return [each for group in groups for each in (sorted(group, key=_said) if len(group) > 1 else group)]


def _said(reading: Reading) -> str:
    told = flatten(reading.notification)
    return repr((reading.relevance, reading.trigger, reading.clears, told, reading.message))


def still_standing(kind: str, ordered: Sequence[Reading]) -> tuple[list[Reading], list[Finding]]:
    """The readings that no later message of the same patient took back, and what says so. Papers stand whatever
    messages say."""
    findings: list[Finding] = []
    standing = []
    for reading in ordered:
        if reading.rank > Rank.MESSAGE:
            standing.append(reading)
        elif by := next((other for other in ordered if _cancels(other, reading)), None):
            findings.append(Finding("case.cancelled", by.trigger or "message"))
        elif kind == "death" and reading.relevance == kind and any(_revives(other, reading) for other in ordered):
            findings.append(Finding("death.revived", "death.indicated"))
        else:
            standing.append(reading)
    return standing, list(dict.fromkeys(findings))


def _cancels(later: Reading, reading: Reading) -> bool:
    return (
        reading.trigger in later.cancels
        and reading.occurred <= later.occurred
        and not reading.handles.isdisjoint(later.handles)
    )


def _revives(later: Reading, reading: Reading) -> bool:
    """PID-30 from Y to N: a later message says the person is not dead, and names no time of death."""
    told, before = later.notification, reading.notification
    if not isinstance(told, DeathNotification) or not isinstance(before, DeathNotification):
        return False
    affirmed = before.death.indicated or (before.death.indicated is None and before.death.at is not None)
    denied = told.death.indicated is False and told.death.at is None
    in_time = reading.occurred < later.occurred
    return bool(affirmed and denied and in_time and not reading.handles.isdisjoint(later.handles))


def agree(one: Any, other: Any) -> bool:
    """Whether two sources say the same: dates at their common precision, names regardless of case."""
    if isinstance(one, PartialDate) and isinstance(other, PartialDate):
        pairs = ((getattr(one.local(), leaf), getattr(other.local(), leaf)) for leaf in _DATE_PARTS)
        return all(mine == theirs for mine, theirs in pairs if mine is not None and theirs is not None)
    if isinstance(one, PersonName) and isinstance(other, PersonName):
        return same_name(one.full, other.full)
    return bool(one == other)


_DATE_PARTS = ("year", "month", "day", "hour", "minute")


def _settle_death(ordered: Sequence[Reading], facts: dict[str, Any], findings: list[Finding]) -> None:
    """A signed paper settles whether the person died; else an indicator that denies the death is a contradiction."""
    if any(reading.rank >= Rank.PAPER for reading in ordered):
        facts["death.indicated"] = True
        findings[:] = [finding for finding in findings if finding.code != "death.contradiction"]
    elif facts.get("death.indicated") is not False:
        # A later message put it right; the earlier contradiction is history.
        findings[:] = [finding for finding in findings if finding.code != "death.contradiction"]
    elif not any(finding.code == "death.contradiction" for finding in findings):
        findings.append(Finding("death.contradiction", "death.indicated"))


def _kinship(facts: Mapping[str, Any], identity: Mapping[str, IdentityResult]) -> list[Finding]:
    """Whether the parents whom the hospital names are spouses, when the population database says so or denies it."""
    if not any(result.relatives for result in identity.values()):
        return []
    mother, father = (
        Person(**{leaf.name: facts.get(f"{role}.{leaf.name}") for leaf in fields(Person)}) for role in ROLES["birth"]
    )
    kinship = decide_kinship(mother, father, identity)
    return [] if kinship is Kinship.UNKNOWN else [Finding(f"kinship.{kinship}", "father")]


def _apply_identity(
    role: str,
    result: IdentityResult | None,
    facts: dict[str, Any],
    sources: dict[str, Provenance],
    findings: list[Finding],
) -> None:
    if result is None:
        return
    kind = "close" if result.is_close else result.verdict
    differing = (f"{name} close" if name in result.close else name for name in result.differing)
    findings.append(Finding(f"identity.{kind}", role, ", ".join(differing)))
    if result.verdict is not Verdict.MATCHED or result.person is None or result.late:
        return  # what left stays as it left: a late answer is told and fills nothing
    for leaf in fields(result.person):
        value = getattr(result.person, leaf.name)
        if value is not None and leaf.name not in _NOT_HELD_BY_THE_STATE:
            path = f"{role}.{leaf.name}"
            facts[path] = value
            sources[path] = Provenance(f"population:{result.entry}", path, "identity#matched")
