"""identify: ask the population database about the parents or the deceased, keep verdict and evidence.

An outage neither loses nor blocks a case: after `identity_patience` it goes on marked "not verified" (DOMAIN section
6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.domain.case import ROLES, fold
from gateway.domain.identity import IdentityResult, PersonQuery, Verdict, decide_verdict
from gateway.domain.person import Person
from gateway.errors import Misunderstood, Refused, Unreachable
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.cases import StoredCase
from gateway.pipeline.services import Services
from gateway.store.session import now_us


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer with its evidence: the raw bytes of the database, or the reason why there are none."""

    result: IdentityResult
    evidence: bytes


def identify(services: Services, case: StoredCase) -> list[Asked]:
    """Ask about every role of a case that names somebody. [] when this version was asked about before.

    Raises Unreachable while the database gives no answer and patience lasts.
    """
    if case.identified >= case.version:
        return []
    # The hospital's own words are what is checked, so earlier answers stay out of this fold.
    told = fold(case.kind, case.readings, {}, case.edits).notification
    persons = ((role, getattr(told, role)) for role in ROLES[case.kind])
    return [_ask(services, case, role, person) for role, person in persons if person != Person()]


def _ask(services: Services, case: StoredCase, role: str, person: Person) -> Asked:
    query = PersonQuery(
        services.clock.new_id(), case.id, role, person.personal_id, person.cmnd, person.name, person.born
    )
    asked_at = services.clock.now().isoformat()
    if not (query.personal_id or query.cmnd):
        return Asked(IdentityResult(role, Verdict.NOT_ASKED, asked_at=asked_at), b"")
    try:
        answer = services.population.lookup(query)
    except Unreachable as error:
        if now_us(services.clock) < case.changed_at + int(services.identity_patience * 1_000_000):
            raise
        return Asked(IdentityResult(role, Verdict.NO_ANSWER, asked_at=asked_at), error.code.encode())
    except (Refused, Misunderstood) as error:
        return Asked(IdentityResult(role, Verdict.NO_ANSWER, asked_at=asked_at), error.code.encode())
    return Asked(decide_verdict(query, answer, asked_at=asked_at), answer.evidence)


def identified(case: StoredCase, answers: Sequence[Asked]) -> StoredCase:
    """The case with the answers in place of earlier ones."""
    identity = {**case.identity, **{asked.result.role: asked.result for asked in answers}}
    return replace(case, identity=identity, identified=case.version)


def record_answers(
    conn: Connection, services: Services, case: StoredCase, answers: Sequence[Asked], now: int
) -> StoredCase:
    """Log each answer with its evidence; the case then says which entry holds it."""
    entries = [
        NewEntry(
            "identified",
            case.id,
            {"role": told.role, "verdict": told.verdict.value, "differing": list(told.differing)},
            asked.evidence or None,
        )
        for asked in answers
        for told in (asked.result,)
    ]
    refs = append(conn, services.vault, services.chain, now, entries) if entries else []
    named = [replace(asked.result, entry=ref) for asked, ref in zip(answers, refs, strict=True)]
    return replace(case, identity={**case.identity, **{result.role: result for result in named}})
