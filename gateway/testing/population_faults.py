"""What a population client over HTTP must survive: the contract, on the wire of a server that misbehaves.

To hold a client to it, subclass `PopulationOverHttpContract` in a test module (name the class `Test…`), say how to make
the client and what the real service would answer.
"""

from __future__ import annotations

import tempfile
import threading
import time
import traceback
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gateway.domain.identity import PersonQuery
from gateway.domain.person import Person, PersonName
from gateway.errors import Misconfigured, Misunderstood, PortError, Unreachable
from gateway.ports.population import PopulationDatabase
from gateway.testing.hostile_http import HUGE_BYTES, RETRY_AFTER, HostileServer, Request, Response, make_certificate
from gateway.testing.population import KNOWN, PopulationContract, question

OTHER = replace(KNOWN, name=PersonName("Đinh", "Văn", "Khương"), personal_id="999096000025", cmnd="999000025")
"""An invented citizen whom nobody asks about."""

TIMEOUT_SECONDS = 0.25
"""What clients under test are given; the server's silence is longer."""

MEANINGS: Mapping[str, type[PortError]] = {
    "time_out": Unreachable,
    "reset_unanswered": Unreachable,
    "reset_in_answer": Unreachable,
    "short_answer": Unreachable,
    "trickle": Unreachable,
    "html_502": Unreachable,
    "status_429": Unreachable,
    "status_500": Unreachable,
    "status_401": Misconfigured,
    "status_403": Misconfigured,
    "html_200": Misunderstood,
    "empty": Misunderstood,
    "huge": Misunderstood,
    "zipped_huge": Misunderstood,
    "redirect": Misunderstood,
}
"""Faults of hostile_http and the exception each must become."""

MOST_BYTES = 32 * 1024 * 1024
"""So much a client may read, or take of memory, before it gives up an answer without end."""


class PopulationOverHttpContract(PopulationContract):
    """What every population client over HTTP promises, beside what every client does."""

    def make_client(
        self, url: str, *, ca: Path | None, breaker_failures: int, breaker_seconds: float
    ) -> PopulationDatabase:
        """A client of the service at `url` that waits TIMEOUT_SECONDS and trusts `ca`."""
        raise NotImplementedError

    def _client(
        self, url: str, ca: Path | None = None, breaker_failures: int = 1_000, breaker_seconds: float = 60.0
    ) -> PopulationDatabase:
        return self.make_client(url, ca=ca, breaker_failures=breaker_failures, breaker_seconds=breaker_seconds)

    def respond(self, request: Request, persons: Sequence[Person]) -> Response:
        """What the service answers when it returns these persons, none, one or more. For a request that it would not
        take (wrong credentials, wrong form), what it says to that."""
        raise NotImplementedError

    def number_in(self, request: Request) -> str:
        """The number that a request asks about, "" for a request that is none about a person."""
        raise NotImplementedError

    def honest(self, request: Request) -> Response:
        """The answer of a service that knows `KNOWN` and nobody else."""
        known = self.number_in(request) in (KNOWN.personal_id, KNOWN.cmnd)
        return self.respond(request, [KNOWN] if known else [])

    @contextmanager
    def service(self, certificate: Path | None = None) -> Iterator[HostileServer]:
        """The service, without a fault yet."""
        with HostileServer(self.honest, certificate) as server:
            yield server

    def test_every_fault_becomes_the_exception_that_says_what_to_do(self) -> None:
        with self.service() as server:
            population = self._client(server.url)
            for fault, meaning in MEANINGS.items():
                server.always = fault
                assert type(failure_of(population, fault)) is meaning, fault

    def test_no_failure_tells_what_was_asked(self) -> None:
        with self.service() as server:
            population = self._client(server.url)
            for fault in MEANINGS:
                server.always = fault
                told = "".join(traceback.format_exception(failure_of(population, fault)))
                assert not [word for word in PRIVATE if word in told], fault

    def test_after_every_fault_the_client_works_as_before(self) -> None:
        with self.service() as server:
            population = self._client(server.url)
            for fault in MEANINGS:
                server.always = fault
                failure_of(population, fault)
                server.always = ""
                assert population.lookup(ABOUT_KNOWN).person is not None, fault

    def test_a_service_that_asks_for_patience_says_for_how_long(self) -> None:
        with self.service() as server:
            population = self._client(server.url)
            server.always = "status_429"
            assert failure_of(population, "status_429").retry_after == RETRY_AFTER

    def test_another_person_than_was_asked_about_is_nobody_s_answer(self) -> None:
        for wrong in ([OTHER], [KNOWN, OTHER], [KNOWN, KNOWN]):
            error = self._error_of_answer(wrong)
            assert type(error) is Misunderstood
            assert error.evidence

    def test_what_came_back_about_others_is_evidence_and_is_not_told(self) -> None:
        for wrong in ([OTHER], [KNOWN, OTHER]):
            told = "".join(traceback.format_exception(self._error_of_answer(wrong)))
            assert not [word for word in PRIVATE if word in told]

    def _error_of_answer(self, persons: Sequence[Person]) -> PortError:
        with HostileServer(lambda request: self.respond(request, persons)) as server:
            return failure_of(self._client(server.url), "an answer about others")

    def test_an_answer_without_end_is_cut_off_early(self) -> None:
        for fault in ("huge", "zipped_huge"):
            with self.service() as server:
                population = self._client(server.url)
                population.lookup(ABOUT_KNOWN)  # what a first question takes is not the answer's fault
                server.always = fault
                tracemalloc.start()
                try:
                    failure_of(population, fault)
                    _now, peak = tracemalloc.get_traced_memory()
                finally:
                    tracemalloc.stop()
                # The server's own pieces are in there too; what the answer would take is eight times as much.
                assert peak < MOST_BYTES < HUGE_BYTES, fault
                assert server.sent < MOST_BYTES, fault

    def test_a_certificate_of_nobody_we_trust_gets_no_question(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            ours = make_certificate(Path(directory))
            expired = make_certificate(Path(directory), days=-1)
            for certificate, trusted in ((ours, None), (expired, ours), (expired, expired)):
                with self.service(certificate) as server:
                    population = self._client(server.url, ca=trusted)
                    assert type(failure_of(population, "bad TLS")) is Unreachable
                    assert server.requests == []
            with self.service(ours) as server:
                assert self._client(server.url, ca=ours).lookup(ABOUT_KNOWN).person is not None

    def test_a_service_that_fails_again_and_again_is_left_alone(self) -> None:
        with self.service() as server:
            population = self._client(server.url, breaker_failures=3)
            server.always = "status_500"
            for _ in range(3):
                failure_of(population, "status_500")
            asked = len(server.requests)
            error = failure_of(population, "an open breaker")
            assert type(error) is Unreachable
            assert error.retry_after > 0
            assert len(server.requests) == asked

    def test_a_service_that_says_no_or_nonsense_is_not_left_alone(self) -> None:
        with self.service() as server:
            population = self._client(server.url, breaker_failures=2)
            for fault in ("status_403", "html_200", "empty", "redirect", "huge"):
                server.always = fault
                failure_of(population, fault)
            server.always = ""
            assert population.lookup(ABOUT_KNOWN).person is not None

    def test_after_a_while_one_question_tries_whether_it_is_back(self) -> None:
        with self.service() as server:
            population = self._client(server.url, breaker_failures=1, breaker_seconds=0.3)
            server.always = "status_500"
            failure_of(population, "status_500")
            time.sleep(0.35)
            server.always = "time_out"
            asked = len(server.requests)
            errors = _all_at_once(population, 4)
            assert all(type(error) is Unreachable for error in errors)
            assert [error.retry_after > 0 for error in errors].count(False) == 1, "one asked, the others were sent away"
            assert len(server.requests) <= asked + 1
            time.sleep(0.35)
            server.always = ""
            for _ in range(2):
                assert population.lookup(ABOUT_KNOWN).person is not None

    def test_nobody_there_is_an_outage(self) -> None:
        with self.service() as server:
            population = self._client(server.url)
            population.lookup(ABOUT_KNOWN)
        assert type(failure_of(population, "a closed port")) is Unreachable

    def test_a_question_without_a_number_is_not_asked(self) -> None:
        with self.service() as server:
            population = self._client(server.url)
            for number in (None, "", "12345", "99919600001x"):
                failure_of(population, "no number", question(personal_id=number))
            assert not any(map(self.number_in, server.requests))


ABOUT_KNOWN = question(personal_id=KNOWN.personal_id)
PRIVATE = [
    word
    for person in (KNOWN, OTHER)
    for word in (person.personal_id, person.cmnd, *(person.name.full.split() if person.name else ()), "1996")
    if word
]
PRIVATE = sorted({form for word in PRIVATE for form in (word, word.upper())})
"""What may stand in no exception: numbers, words of names, years of birth."""


def failure_of(population: PopulationDatabase, fault: str, query: PersonQuery = ABOUT_KNOWN) -> PortError:
    """The exception that a question ends with. AssertionError, naming the fault, when it is answered instead."""
    try:
        population.lookup(query)
    except PortError as error:
        return error
    raise AssertionError(f"{fault}: the question was answered")


def _all_at_once(population: PopulationDatabase, askers: int) -> list[PortError]:
    """What so many threads are told that ask at the same time."""
    errors: list[PortError] = []
    together = threading.Barrier(askers)

    def ask() -> None:
        together.wait()
        errors.append(failure_of(population, "time_out"))

    threads = [threading.Thread(target=ask) for _ in range(askers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors
