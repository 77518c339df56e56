"""The SOAP client keeps the contract of a population database, on a wire where everything goes wrong too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.population.soap import SoapPopulation
from gateway.domain.person import Person
from gateway.testing.hostile_http import HostileServer, Request, Response
from gateway.testing.population_faults import TIMEOUT_SECONDS, PopulationOverHttpContract
from tests.population_world import secret_file, soap_asked, soap_client, soap_service


class TestSoapPopulation(PopulationOverHttpContract):
    @pytest.fixture(autouse=True)
    def world(self, tmp_path: Path) -> Iterator[None]:
        self.secret, self.clients = secret_file(tmp_path), list[SoapPopulation]()
        with HostileServer(self.honest) as self.server:
            yield
        for client in self.clients:
            client.close()

    def make_client(self, url: str, **options: Any) -> SoapPopulation:
        self.clients.append(soap_client(url, self.secret, timeout_seconds=TIMEOUT_SECONDS, **options))
        return self.clients[-1]

    def make_population(self) -> SoapPopulation:
        return self.make_client(self.server.url)

    def respond(self, request: Request, persons: Sequence[Person]) -> Response:
        return soap_service(request, persons)

    def number_in(self, request: Request) -> str:
        _operation, fields = soap_asked(request)
        return str(fields.get("SoDinhDanh") or fields.get("SoCMND"))
