"""The connector to the civil-status exchange: a network that fails, and settings that cannot work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.commune.moj_rest import MojRest
from gateway.errors import Misconfigured, Misunderstood, PortError, SettingsError, Unreachable
from gateway.plugins import make
from gateway.ports.commune import Outcome
from gateway.testing.hostile_http import RETRY_AFTER, HostileServer
from tests.conftest import StillClock
from tests.moj_world import CODE, sent, whole_table

PENDING = Outcome("pending", CODE)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("time_out", Unreachable),
        ("reset_unanswered", Unreachable),
        ("reset_in_answer", Unreachable),
        ("short_answer", Unreachable),
        ("html_502", Unreachable),
        ("status_429", Unreachable),
        ("status_500", Unreachable),
        ("empty", Misunderstood),
        ("html_200", Misunderstood),
        ("redirect", Misunderstood),
        ("huge", Misunderstood),
        ("status_401", Misconfigured),
        ("status_403", Misconfigured),
    ],
)
def test_a_fault_is_one_of_the_ports_exceptions_and_the_next_dossier_goes(
    client: Callable[..., MojRest], server: HostileServer, fault: str, expected: type[PortError]
) -> None:
    commune = client(timeout_seconds=0.3)
    server.script.append(fault)
    with pytest.raises(expected) as raised:
        commune.submit(sent())
    assert type(raised.value) is expected
    assert raised.value.retry_after == (RETRY_AFTER if fault == "status_429" else 0.0)
    assert CODE not in raised.value.message and "Hòa" not in raised.value.message
    assert commune.submit(sent()) == PENDING


@pytest.mark.parametrize(
    ("fault", "arrived"), [("reset_unanswered", PENDING), ("short_answer", PENDING), ("status_500", None)]
)
def test_after_an_answer_was_lost_the_status_says_whether_the_dossier_arrived(
    commune: MojRest, server: HostileServer, fault: str, arrived: Outcome | None
) -> None:
    server.script.append(fault)
    with pytest.raises(Unreachable):
        commune.submit(sent())
    assert commune.status(sent()) == arrived


def test_an_exchange_that_fails_again_and_again_is_left_alone(
    client: Callable[..., MojRest], server: HostileServer
) -> None:
    commune = client(breaker_failures=2, breaker_seconds=60)
    server.always = "status_500"
    for _ in range(4):
        with pytest.raises(Unreachable) as raised:
            commune.submit(sent())
    assert len(server.requests) == 2
    assert raised.value.retry_after > 0


# Settings


def test_an_agency_comes_from_the_table_else_from_the_settings(client: Callable[..., MojRest]) -> None:
    def table(name: str) -> Any:
        return {"21553": "H21.888"} if name == "commune_agencies" else whole_table(name)

    class Agencies(dict[str, str]):
        def column(self, code: str, _column: str) -> str | None:
            return self.get(code)

    commune = client(table=lambda name: Agencies(table(name)), agency="H21.999")
    assert commune.agency_of("21553", "52", date(2026, 11, 23)) == "H21.888"
    assert commune.agency_of("21583", "52", date(2026, 11, 23)) == "H21.999"


def test_a_commune_without_an_agency_is_a_mistake_of_the_settings(client: Callable[..., MojRest]) -> None:
    with pytest.raises(Misconfigured) as raised:
        client().agency_of("21553", "52", date(2026, 11, 23))
    assert "commune_systems.moj.agency" in raised.value.message


@pytest.mark.parametrize(
    "options",
    [
        {"url": "ftp://example.test"},
        {"token": "none"},
        {"token": "secret", "token_url": "https://example.test/token"},
        {"token_url": "https://example.test/token", "client_id": "hotich"},
        {"client_id": "hotich", "client_secret": "secret"},
        {"callback_secret": "none"},
        {"certificate": "none"},
        {"colour": "red"},
    ],
)
def test_settings_that_cannot_work_are_refused_at_start(options: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    offered = {"table": whole_table, "clock": StillClock(), "name": "moj"}
    usable = {"url": "https://example.test/moj", "token": "secret", "callback_secret": "secret", "province": "52"}
    make("commune_systems.moj", MojRest, usable, offered, tmp_path).close()
    with pytest.raises(SettingsError):
        make("commune_systems.moj", MojRest, {"url": "https://example.test"} | options, offered, tmp_path)
