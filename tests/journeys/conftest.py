"""One running gateway for the journeys, on SQLite and on a real PostgreSQL, prepared as its documentation says."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from gateway.cli.samples import samples_directory
from tests.journeys.outsider import Outsider
from tests.journeys.personal_data import personal_data_in
from tests.serving_child import Server

STORES = ("sqlite", "postgresql")
SAMPLE_FEED = (samples_directory() / "feed.toml").read_text(encoding="utf-8").replace("name =", "# name =", 1)
SETTINGS = f"[feeds.sample]\n{SAMPLE_FEED}"
"""The feed of the samples' hospital, who sends as itself over every way in."""

NewDatabase = Callable[..., str]


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    """Makes a database on the PostgreSQL server, empty or a copy of another, and returns its address."""
    server = str(request.getfixturevalue("postgres"))
    made: list[str] = []

    def make(template: str = "") -> str:
        name = f"hotich_journey_{secrets.token_hex(6)}"
        with psycopg.connect(server, autocommit=True) as admin:
            source = make_url(template).database if template else "template1"
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {source}".encode())
        made.append(name)
        return make_url(server).set(database=name).render_as_string(hide_password=False)

    yield make
    with psycopg.connect(server, autocommit=True) as admin:
        for name in made:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def installed(kind: str, directory: Path, request: pytest.FixtureRequest, settings: str = SETTINGS) -> Server:
    """A gateway that is installed and not yet started; on PostgreSQL, `hotich migrate` has run."""
    if kind == "sqlite":
        return Server(directory, settings)
    address = request.getfixturevalue("new_database")()
    server = Server(directory, f'database_url = "{address}"\n{settings}')
    server.right("migrate")
    return server


@pytest.fixture(scope="module", params=STORES)
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outsider]:
    """A gateway of one file's own on one store: what another file sent is never there, whichever ran before on this
    worker. At the end, nothing it wrote may name anybody."""
    server = installed(request.param, tmp_path_factory.mktemp(f"gateway-{request.param}"), request)
    outsider = Outsider(server)
    try:
        server.start()
        outsider.prepare()
        yield outsider
        assert server.stop() == 0
        assert_nobody_is_named(outsider)
    finally:
        outsider.close()
        server.end()


def assert_nobody_is_named(outsider: Outsider) -> None:
    """No name and no number of the samples' people in logs, addresses, refusals or what commands said of errors."""
    written = {
        "the log of serve": outsider.server.log.read_text(encoding="utf-8"),
        "standard error of commands": "\n".join(outsider.server.said),
        "addresses": "\n".join(outsider.asked),
        "answers that tell of errors": "\n".join(outsider.told),
    }
    for where, text in written.items():
        found = len(personal_data_in(text))
        # Counted, not shown: the report of a failing test must not name anybody either.
        assert found == 0, f"{found} names and numbers in {where}"
