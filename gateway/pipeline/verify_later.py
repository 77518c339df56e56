"""verify_later: ask on about persons whose verdict is "no answer", after their dossier went on without one.

The answer is an addition: it is logged (`verified`), and once a dossier has left it fills nothing, so that the next
version says what was sent and, beside it, the verdict. Each case has a lane of its own for this: an outage delays
nobody's dossier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from gateway.domain.identity import PersonQuery, Verdict
from gateway.domain.journey import FINAL
from gateway.errors import Unreachable
from gateway.lanes import lanes
from gateway.lanes.lanes import NotYet
from gateway.pipeline.advance import last_sent
from gateway.pipeline.cases import StoredCase, find_case, save_case
from gateway.pipeline.dossiers import newest_dossier
from gateway.pipeline.identify import POPULATION, Asked, ask, log_answers
from gateway.pipeline.questions import is_askable, questions_about, take_turn, told_by_hospital
from gateway.pipeline.services import Services
from gateway.store.session import now_us

REFUSED_AGAIN_SECONDS, REFUSED_AGAIN_MOST = 3_600.0, 86_400.0
"""A database that refused is asked again after an hour, then ever more seldom: its operator may have mended it."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was learnt about a case. `left`: a dossier has left, so it comes late; `wants_more`: somebody's answer is
    still out."""

    case: StoredCase
    answers: Sequence[Asked]
    left: bool
    wants_more: bool


class VerifyLater:
    """Handler of `verify` work: args {"case", "until", "refusals"}."""

    kind = "verify"

    def __init__(self, services: Services) -> None:
        self.services = services

    def act(self, args: Mapping[str, Any]) -> Verification | None:
        """None when there is nothing to ask any more. Raises Unreachable, after which the lane backs off."""
        services, now = self.services, now_us(self.services.clock)
        with services.store.read() as conn:
            case = find_case(conn, services.vault, args["case"])
            sent = case and last_sent(conn, services.vault, newest_dossier(conn, services.vault, case.id))
        if case is None or case.status in FINAL or now >= args["until"]:
            return None
        if case.identified < case.version:
            return None  # `advance` is about to ask, and comes back here when it gets no answer
        if case.status == "withdrawing":
            raise NotYet(now + int(REFUSED_AGAIN_SECONDS * 1_000_000))  # no new version before the officer's word
        open_roles = [role for role, result in case.identity.items() if result.verdict is Verdict.NO_ANSWER]
        told = questions_about(services, case, told_by_hospital(case)) if open_roles else {}
        queries = [told[role] for role in open_roles if role in told]
        take_turn(services, sum(map(is_askable, queries)))
        answers = self._ask(queries)
        news = [asked for asked in answers if asked.result.verdict is not Verdict.NO_ANSWER]
        return Verification(case, answers, sent is not None, len(news) < len(queries)) if queries else None

    def _ask(self, queries: Sequence[PersonQuery]) -> list[Asked]:
        """The answers until the database falls silent; Unreachable when it was from the start."""
        answers: list[Asked] = []
        for query in queries:
            try:
                answers.append(ask(self.services, query))
            except Unreachable:
                if not answers:
                    raise
                break
        return answers

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Verification | None) -> None:
        if outcome is None:
            return
        services, now, case = self.services, now_us(self.services.clock), outcome.case
        results = log_answers(conn, services, "verified", outcome.answers, now)
        news = {result.role: replace(result, late=outcome.left) for result in results if _is_news(result.verdict)}
        if news:
            # A version of its own, already identified: whoever holds the case as it was must look again.
            known = replace(case, identity={**case.identity, **news}, identified=case.version + 1)
            save_case(conn, services.vault, known, now=now, changed=True)
            lanes.put(conn, f"case:{case.id}", "advance", {"case": case.id}, now)
        if outcome.wants_more:
            refusals = 0 if news else args["refusals"] + 1
            after = min(REFUSED_AGAIN_SECONDS * 2.0 ** (refusals - 1), REFUSED_AGAIN_MOST) if refusals else 0
            again = {**args, "refusals": refusals}
            lanes.put(conn, f"identity:{case.id}", "verify", again, now, after, POPULATION)

    def deadline(self, args: Mapping[str, Any]) -> int | None:
        """Until when an unreachable database is asked on, microseconds."""
        return int(args["until"])


def _is_news(verdict: Verdict) -> bool:
    return verdict is not Verdict.NO_ANSWER
