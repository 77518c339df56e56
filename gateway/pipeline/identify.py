"""identify: ask the population database about the parents or the deceased, keep verdict and evidence.

Every question is logged with its purpose, never with a number or a name; the same person in the same words is asked
about once a case. An outage neither loses nor blocks a case: after `identity_patience`, and in any case LEAVE_BEFORE
the legal last day, it goes on marked "not verified" (DOMAIN section 6), and verify_later asks on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from gateway.domain.case import Case
from gateway.domain.clocks import deadlines
from gateway.domain.identity import IdentityResult, PersonQuery, Verdict, decide_verdict
from gateway.domain.notification import flatten
from gateway.domain.office import OFFICE_ZONE
from gateway.errors import Misunderstood, Refused, Unreachable
from gateway.lanes import lanes
from gateway.lanes.lanes import NotYet
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.cases import StoredCase, save_case
from gateway.pipeline.questions import (
    digest_of,
    is_askable,
    questions_about,
    take_turn,
    told_by_hospital,
    was_answered,
    was_asked,
)
from gateway.pipeline.services import Services
from gateway.store.session import now_us

LEAVE_BEFORE = timedelta(days=2)
"""Whole days before the legal last day that are left to commune and family: by then no dossier waits for an answer."""
ASK_ON = timedelta(days=7)
"""So long an answer is looked for after a dossier left without, and to the end of the legal last day if that is
later."""
ASK_AGAIN_SECONDS = 60.0
"""After a dossier left without an answer, before the next question."""
POPULATION = "population database"
"""The database's name among the partners that lanes wait for."""
OVER_PACE = "population.over_pace"
"""Why nobody was asked when the legal clock leaves no time to wait for a turn (`population_per_second`)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer with its evidence: the raw bytes of the database, or whatever it said instead. `reason` is the code of
    a failure."""

    query: PersonQuery
    result: IdentityResult
    evidence: bytes
    reason: str = ""


def identify(services: Services, case: StoredCase) -> tuple[StoredCase, list[Asked]]:
    """Ask about every role of a case that names somebody, but not twice in the same words. The case as identified, and
    what was asked; the case itself when this version was asked about before.

    Raises Unreachable while the database gives no answer and patience lasts, NotYet when it was asked enough for now.
    """
    if case.identified >= case.version:
        return case, []
    told = told_by_hospital(case)
    questions = questions_about(services, case, told)
    unanswered = [query for query in questions.values() if not was_answered(services, case, query)]
    has_turn = _has_turn(services, case, told, sum(map(is_askable, unanswered)))
    answers: list[Asked] = []
    for query in unanswered:
        try:
            answers.append(
                ask(services, query) if has_turn or not is_askable(query) else no_answer(services, query, OVER_PACE)
            )
        except Unreachable as error:
            if _has_patience(services, case, told, query):
                _keep(services, case, answers)
                raise
            answers.append(no_answer(services, query, error.code, error.evidence))
    return _identified(case, questions, answers), answers


def _has_turn(services: Services, case: StoredCase, told: Case, count: int) -> bool:
    """Whether the pace lets so many questions through; False when the legal clock leaves no time to wait for that."""
    try:
        take_turn(services, count)
    except NotYet as later:
        now, latest = now_us(services.clock), _leaves_at(services, case, told)
        if now >= latest:
            return False
        raise NotYet(min(later.at, latest)) from None
    return True


def _has_patience(services: Services, case: StoredCase, told: Case, query: PersonQuery) -> bool:
    """Whether a case may wait for an answer: as long as settings say, counted from when it could first be asked about
    or from what a later version brought; not again for the same words; not past the legal clock."""
    since = case.changed_at if case.identified else case.settle_at
    ends = min(since + int(services.identity_patience * 1_000_000), _leaves_at(services, case, told))
    return now_us(services.clock) < ends and not was_asked(services, case, query)


def _leaves_at(services: Services, case: StoredCase, told: Case) -> int:
    """When a dossier leaves at the latest, verified or not, in microseconds."""
    return _microseconds(_last_day(services, case, told) - LEAVE_BEFORE)


def _last_day(services: Services, case: StoredCase, told: Case) -> datetime:
    """The beginning of the day by which the law wants the event registered; far away when that is not known."""
    event = flatten(told.notification).get("child.born" if case.kind == "birth" else "death.at")
    last = deadlines(case.kind, event, None, None, services.catalogue.within(case.feed)).get("register_by")
    return datetime.combine(date.fromisoformat(last) if last else date(9000, 1, 1), time(), OFFICE_ZONE)


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def ask(services: Services, query: PersonQuery) -> Asked:
    """Ask one question; a refusal or nonsense is NO_ANSWER with its reason. Raises Unreachable."""
    if not is_askable(query):
        return _asked(services, query, IdentityResult(query.role, Verdict.NOT_ASKED), b"")
    try:
        answer = services.population.lookup(query)
    except (Refused, Misunderstood) as error:
        return no_answer(services, query, error.code, error.evidence)
    return _asked(services, query, decide_verdict(query, answer), answer.evidence)


def no_answer(services: Services, query: PersonQuery, reason: str, evidence: bytes = b"") -> Asked:
    """The verdict when the database said nothing of use. `reason` is a code, `evidence` what it said."""
    return _asked(services, query, decide_verdict(query, None), evidence or reason.encode(), reason)


def _asked(services: Services, query: PersonQuery, result: IdentityResult, evidence: bytes, reason: str = "") -> Asked:
    at = services.clock.now().isoformat()
    return Asked(query, replace(result, asked_at=at, question=digest_of(services, query)), evidence, reason)


def _identified(case: StoredCase, questions: Mapping[str, PersonQuery], answers: Sequence[Asked]) -> StoredCase:
    """The case with the answers; what was learnt about somebody whom no message names any more goes."""
    named = {role: result for role, result in case.identity.items() if role in questions}
    asked = {asked.result.role: asked.result for asked in answers}
    return replace(case, identity=named | asked, identified=case.version)


def _keep(services: Services, case: StoredCase, answers: Sequence[Asked]) -> None:
    """Write what is known of one parent when the question about the other fails: it need not be asked again."""
    known = [asked for asked in answers if asked.result.verdict is not Verdict.NO_ANSWER]
    if not known:
        return
    now = now_us(services.clock)
    with services.store.write() as conn:
        save_case(conn, services.vault, record_answers(conn, services, case, known, now), now=now, changed=False)


def record_answers(
    conn: Connection, services: Services, case: StoredCase, answers: Sequence[Asked], now: int
) -> StoredCase:
    """Log each answer with its evidence; the case then says which entry holds it. What got none is asked later."""
    results = log_answers(conn, services, "identified", answers, now)
    if any(result.verdict is Verdict.NO_ANSWER for result in results):
        last = _last_day(services, case, told_by_hospital(case)) + timedelta(days=1)
        until = max(_microseconds(last), now + int(ASK_ON.total_seconds()) * 1_000_000)
        lanes.put(
            conn,
            f"identity:{case.id}",
            "verify",
            {"case": case.id, "until": until, "refusals": 0},
            now,
            after=ASK_AGAIN_SECONDS,
            partner=POPULATION,
        )
    return replace(case, identity={**case.identity, **{result.role: result for result in results}})


def log_answers(
    conn: Connection, services: Services, kind: str, answers: Sequence[Asked], now: int
) -> list[IdentityResult]:
    """One entry an answer; the results, each with the entry that holds its evidence."""
    entries = [NewEntry(kind, asked.query.case_id, _meta(asked), asked.evidence or None) for asked in answers]
    refs = append(conn, services.vault, services.chain, now, entries) if entries else []
    return [replace(asked.result, entry=ref) for asked, ref in zip(answers, refs, strict=True)]


def _meta(asked: Asked) -> dict[str, object]:
    """What an entry says in the clear: who was asked about for what, and the verdict; no number, no name."""
    told, query = asked.result, asked.query
    return {
        "role": told.role,
        "verdict": told.verdict.value,
        "differing": list(told.differing),
        "purpose": query.purpose,
        "request_id": query.request_id,
        "reason": asked.reason,
    }
