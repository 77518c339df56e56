"""The JSON of a provincial platform: what its client sends, and what it makes of each kind of reply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.population.rest import RestPopulation
from gateway.domain.dates import PartialDate
from gateway.domain.identity import PersonQuery, PopulationAnswer
from gateway.errors import Misconfigured, Misunderstood, PortError, Refused, Unreachable
from gateway.testing.hostile_http import HostileServer, Response
from gateway.testing.population import KNOWN, question
from tests.population_world import citizen, json_response, rest_client, rest_reply, secret_file, token_service

QUERY = replace(question(personal_id=KNOWN.personal_id), purpose="1.001193 Đăng ký khai sinh")


class Asking:
    """Asks the platform one question and keeps what it was sent. A client is made once for each set of options."""

    def __init__(self, platform: HostileServer, tokens: HostileServer, secret: Path) -> None:
        self.platform, self.tokens, self.secret = platform, tokens, secret
        self.clients: dict[str, RestPopulation] = {}

    def __call__(self, reply: Response, query: PersonQuery = QUERY, **options: Any) -> PopulationAnswer:
        self.platform.answer = lambda _request: reply
        return self.client(**options).lookup(query)

    def client(self, **options: Any) -> RestPopulation:
        key = repr(options)
        if key not in self.clients:
            given = {"breaker_failures": 1_000} | options
            self.clients[key] = rest_client(self.platform.url, self.secret, self.tokens, **given)
        return self.clients[key]

    def failure(self, reply: Response, **options: Any) -> PortError:
        with pytest.raises(PortError) as caught:
            self(reply, **options)
        return caught.value


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with HostileServer(lambda _request: rest_reply()) as platform, HostileServer(token_service) as tokens:
        asking = Asking(platform, tokens, secret_file(tmp_path_factory.mktemp("rest")))
        yield asking
        for client in asking.clients.values():
            client.close()


def test_a_question_has_only_what_finds_the_person(ask: Asking) -> None:
    ask(rest_reply(), service="")
    sent = ask.platform.requests[-1]
    assert json.loads(sent.body) == {
        "maYeuCau": "request-1",
        "maDVC": "1.001193",
        "maCanBo": "999099000001",
        "userNameService": "hotich-thu",
        "soDinhDanh": KNOWN.personal_id,
        "hoVaTen": "ĐẶNG THỊ THÚY HÒA",
        "ngayThangNam": "19960409",
    }
    assert sent.headers["authorization"] == "Bearer T1"


def test_an_old_number_and_a_year_alone_are_asked_as_such(ask: Asking) -> None:
    ask(rest_reply(), question(cmnd=KNOWN.cmnd, born=PartialDate(1950, 7)), account="")
    fields = json.loads(ask.platform.requests[-1].body)
    assert (fields["soCMND"], fields["ngayThangNam"]) == (KNOWN.cmnd, "1950")
    assert not {"soDinhDanh", "userNameService"} & set(fields)


def test_the_evidence_is_the_reply_as_it_came(ask: Asking) -> None:
    for reply in (rest_reply(citizen(KNOWN)), rest_reply()):
        assert ask(reply).evidence == reply.body


RECORD = json.loads(rest_reply(citizen(KNOWN)).body)["congdanCollection"]["congDan"]


@pytest.mark.parametrize(
    "said",
    [
        {"congdanCollection": {"congDan": RECORD}},
        {"congdanCollection": {"congDan": [RECORD]}},
        {"CongdanCollection": {"CongDan": RECORD | {"gioiTinh": 2}}},
        {"body": {"congdanCollection": {"congDan": RECORD}}},
        {"Envelope": {"Body": {"congdanCollection": {"congDan": RECORD}}}},
    ],
)
def test_one_person_is_found_however_it_is_wrapped(ask: Asking, said: Any) -> None:
    found = ask(json_response(said)).person
    assert found is not None
    assert (found.personal_id, found.sex, found.born) == (KNOWN.personal_id, KNOWN.sex, KNOWN.born)


@pytest.mark.parametrize("nobody", [{}, {"congDan": None}, {"congDan": []}, {"congDan": ""}, {"congDan": {}}])
def test_a_reply_about_nobody_is_not_found_and_no_error(ask: Asking, nobody: Any) -> None:
    assert ask(json_response({"congdanCollection": nobody})).person is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"congdanCollection": null}',
        b'{"congdanCollection": {"congDan": "X"}}',
        b'{"congdanCollection": {"congDan": [null]}}',
        rest_reply({"SODINHDANH": "1"} | citizen(KNOWN)).body,
        b'{"congdanCollection": {"congDan": {"soDinhDanh": 999196000017e0}}}',
        b"[" * 100_000,
        rest_reply(citizen(KNOWN)).body[:-9],
    ],
)
def test_what_is_no_such_reply_is_misunderstood_with_its_evidence(ask: Asking, body: bytes) -> None:
    error = ask.failure(Response(200, body, "application/json"))
    assert type(error) is Misunderstood
    assert error.evidence == body


@pytest.mark.parametrize(
    ("code", "meaning"), [("Server", Unreachable), ("Client", Refused), ("005", Misconfigured), ("lạ", Refused)]
)
@pytest.mark.parametrize("status", [200, 400])
def test_a_fault_means_what_its_code_says(ask: Asking, code: str, meaning: type[PortError], status: int) -> None:
    fault = {"fault": {"faultCode": code, "faultString": "HÒA"}}
    error = ask.failure(json_response(fault, status))
    assert type(error) is meaning
    assert "HÒA" not in str(error)


@pytest.mark.parametrize(("status", "meaning"), [(404, Misconfigured), (400, Refused), (422, Refused)])
def test_another_status_is_a_no(ask: Asking, status: int, meaning: type[PortError]) -> None:
    assert type(ask.failure(json_response({"message": "no"}, status))) is meaning


def test_without_a_token_nobody_is_asked(ask: Asking) -> None:
    asked = len(ask.platform.requests)
    ask.tokens.script.append("status_401")
    assert type(ask.failure(rest_reply(), scope="hotich")) is Misconfigured
    assert len(ask.platform.requests) == asked


def test_a_token_that_ended_early_is_renewed_once(ask: Asking) -> None:
    ask(rest_reply())
    renewed = len(ask.tokens.requests)
    ask.platform.script.append("status_401")
    assert ask(rest_reply(citizen(KNOWN))).person is not None
    assert len(ask.tokens.requests) == renewed + 1
