"""The connector to the civil-status exchange before a far side on a real socket, which each test may order about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.commune.moj_rest import MojRest
from gateway.testing.hostile_http import HostileServer
from tests.moj_world import FarSide, moj


@pytest.fixture
def far_side() -> FarSide:
    return FarSide()


@pytest.fixture
def server(far_side: FarSide) -> Iterator[HostileServer]:
    with HostileServer(far_side) as server:
        yield server


@pytest.fixture
def client(server: HostileServer) -> Iterator[Callable[..., MojRest]]:
    """Makes clients of the far side, with the options a test wants."""
    made: list[MojRest] = []

    def make_client(**options: Any) -> MojRest:
        made.append(moj(server.url, **options))
        return made[-1]

    yield make_client
    for each in made:
        each.close()


@pytest.fixture
def commune(client: Callable[..., MojRest]) -> MojRest:
    return client(agency="H21.999")
