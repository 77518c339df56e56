"""The client of a provincial platform keeps the contract of a population database, on a wire where everything goes
wrong too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.population.rest import RestPopulation
from gateway.domain.person import Person
from gateway.testing.hostile_http import HostileServer, Request, Response
from gateway.testing.population_faults import TIMEOUT_SECONDS, PopulationOverHttpContract
from tests.population_world import rest_client, rest_service, secret_file, token_service


class TestRestPopulation(PopulationOverHttpContract):
    @pytest.fixture(autouse=True)
    def world(self, tmp_path: Path) -> Iterator[None]:
        self.secret, self.clients = secret_file(tmp_path), list[RestPopulation]()
        with HostileServer(token_service) as self.tokens, HostileServer(self.honest) as self.server:
            yield
        for client in self.clients:
            client.close()

    def make_client(self, url: str, **options: Any) -> RestPopulation:
        self.clients.append(rest_client(url, self.secret, self.tokens, timeout_seconds=TIMEOUT_SECONDS, **options))
        return self.clients[-1]

    def make_population(self) -> RestPopulation:
        return self.make_client(self.server.url)

    def respond(self, request: Request, persons: Sequence[Person]) -> Response:
        return rest_service(request, persons)

    def number_in(self, request: Request) -> str:
        fields = json.loads(request.body)
        return str(fields.get("soDinhDanh") or fields.get("soCMND"))
