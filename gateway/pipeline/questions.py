"""questions: what the population database is asked about a case, each question bound to its purpose, case and role."""

from __future__ import annotations

from gateway.domain.case import ROLES, Case, fold
from gateway.domain.identity import PersonQuery, Verdict
from gateway.domain.office import OFFICE_ZONE
from gateway.domain.person import Person, PersonName
from gateway.lanes.lanes import NotYet
from gateway.pipeline.cases import StoredCase
from gateway.pipeline.services import Services


def told_by_hospital(case: StoredCase) -> Case:
    """The case in the hospital's own words, which are what is checked: earlier answers stay out."""
    return fold(case.kind, case.readings, {}, case.edits)


def questions_about(services: Services, case: StoredCase, told: Case) -> dict[str, PersonQuery]:
    """Role → question, for every role of the case that names somebody."""
    purpose = _purpose(services, case.kind)
    persons = ((role, getattr(told.notification, role)) for role in ROLES[case.kind])
    return {role: _question(services, case, role, person, purpose) for role, person in persons if person != Person()}


def _purpose(services: Services, kind: str) -> str:
    """The procedure's code and name, such as "1.001193 Đăng ký khai sinh"."""
    procedures = services.catalogue.table("procedures", services.clock.now().astimezone(OFFICE_ZONE).date())
    code = procedures.get(kind)
    return f"{code} {procedures.column(kind, 'name')}" if code else kind


def _question(services: Services, case: StoredCase, role: str, person: Person, purpose: str) -> PersonQuery:
    return PersonQuery(
        request_id=services.clock.new_id(),
        case_id=case.id,
        role=role,
        personal_id=person.personal_id,
        cmnd=person.cmnd,
        name=person.name,
        born=person.born,
        sex=person.sex,
        purpose=purpose,
    )


def is_askable(query: PersonQuery) -> bool:
    """Whether there is a number to ask with."""
    return bool(query.personal_id or query.cmnd)


def digest_of(services: Services, query: PersonQuery) -> str:
    """What stands for a question's words in the case: equal for equal words, and nothing can be guessed from it."""
    name = (query.name or PersonName()).full
    words = (name, str(query.born or ""), str(query.sex or ""), query.personal_id or "", query.cmnd or "")
    return services.vault.key("identity", *words).hex()


def was_asked(services: Services, case: StoredCase, query: PersonQuery) -> bool:
    """Whether the case was asked about in these words before, answered or not."""
    known = case.identity.get(query.role)
    return known is not None and known.question == digest_of(services, query)


def was_answered(services: Services, case: StoredCase, query: PersonQuery) -> bool:
    """Whether the case holds an answer to these words: then nobody asks again."""
    return was_asked(services, case, query) and case.identity[query.role].verdict is not Verdict.NO_ANSWER


def take_turn(services: Services, count: int) -> None:
    """Take the turn for so many questions. NotYet while the database was asked enough."""
    if services.population_pace is None or not count:
        return
    at = services.population_pace.wait_until(count, services.clock.now().timestamp())
    if at:
        raise NotYet(int(at * 1_000_000) + 1)
