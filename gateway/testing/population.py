"""A population database to test against, and the contract every client of one must keep.

To hold a client to the contract, subclass `PopulationContract` in a test module (name the class `Test…`) and say how to
make the client so that it knows `KNOWN`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from gateway.domain.dates import PartialDate
from gateway.domain.identity import PersonQuery, PopulationAnswer, Verdict, decide_verdict
from gateway.domain.notification import to_json
from gateway.domain.person import Person, PersonName, Sex
from gateway.errors import PortError
from gateway.ports.population import PopulationDatabase

KNOWN = Person(
    name=PersonName("Đặng", "Thị Thúy", "Hòa"),
    sex=Sex.FEMALE,
    born=PartialDate(1996, 4, 9),
    personal_id="999196000017",
    cmnd="999000017",
    ethnicity="01",
    nationality="VN",
)
"""An invented citizen that a client under test must know."""


class FakePopulation:
    """ports.population.PopulationDatabase over a list of persons. `asked` records every query; set `failure` to make
    the next lookups raise it."""

    name = "fake"
    development_only = True

    def __init__(self, persons: Iterable[Person] = (), failure: PortError | None = None) -> None:
        self.persons = list(persons)
        self.failure = failure
        self.asked: list[PersonQuery] = []

    def lookup(self, query: PersonQuery) -> PopulationAnswer:
        self.asked.append(query)
        if self.failure is not None:
            raise self.failure
        for person in self.persons:
            if _is_about(query, person):
                return PopulationAnswer(person, json.dumps(to_json(person), default=to_json).encode())
        return PopulationAnswer(None, b"null")


def _is_about(query: PersonQuery, person: Person) -> bool:
    by_id = query.personal_id is not None and query.personal_id == person.personal_id
    return by_id or (query.cmnd is not None and query.cmnd == person.cmnd)


def question(
    personal_id: str | None = None,
    cmnd: str | None = None,
    name: PersonName | None = KNOWN.name,
    born: PartialDate | None = KNOWN.born,
    role: str = "mother",
) -> PersonQuery:
    """A query as the pipeline makes it, about `KNOWN` unless told otherwise."""
    return PersonQuery("request-1", "case-1", role, personal_id, cmnd, name, born)


class PopulationContract:
    """What every population client promises."""

    def make_population(self) -> PopulationDatabase:
        """A client whose database knows `KNOWN` and nobody else."""
        raise NotImplementedError

    def test_it_has_a_name_for_the_settings(self) -> None:
        assert self.make_population().name

    def test_a_person_is_found_by_personal_identifier(self) -> None:
        answer = self.make_population().lookup(question(personal_id=KNOWN.personal_id))
        assert answer.person is not None
        assert answer.person.personal_id == KNOWN.personal_id

    def test_what_it_answers_about_a_known_person_matches(self) -> None:
        query = question(personal_id=KNOWN.personal_id)
        assert decide_verdict(query, self.make_population().lookup(query)).verdict is Verdict.MATCHED

    def test_a_person_is_found_by_cmnd(self) -> None:
        answer = self.make_population().lookup(question(cmnd=KNOWN.cmnd))
        assert answer.person is not None
        assert answer.person.cmnd == KNOWN.cmnd

    def test_an_unknown_number_is_nobody_and_no_error(self) -> None:
        assert self.make_population().lookup(question(personal_id="999196999999")).person is None

    def test_there_is_evidence_of_a_hit_and_of_a_miss(self) -> None:
        population = self.make_population()
        for number in (KNOWN.personal_id, "999196999999"):
            assert population.lookup(question(personal_id=number)).evidence

    def test_asking_twice_gives_the_same_answer(self) -> None:
        population = self.make_population()
        query = question(personal_id=KNOWN.personal_id)
        assert population.lookup(query) == population.lookup(query)

    def test_what_the_hospital_wrote_never_comes_back_as_the_record(self) -> None:
        query = question(personal_id=KNOWN.personal_id, name=PersonName("Trần", "Văn", "Khác"))
        person = self.make_population().lookup(query).person
        assert person is None or (person.name is not None and person.name != query.name)
