"""An operator starts and stops the gateway: what it says, what it refuses, and that it drains."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from gateway.store.session import Store
from gateway.store.tables import Message
from gateway.testing.mllp_client import Ledger, send_all
from gateway.testing.traffic import admission
from tests.journeys.conftest import STORES, installed
from tests.serving_child import FEED, Server

MESSAGES = 4_000  # more than are answered before the signal is heard, however slow the machine
_MESSAGE = Message.__table__  # type: ignore[attr-defined]
pytestmark = pytest.mark.timeout(90)


@pytest.fixture(params=STORES)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    made = installed(request.param, tmp_path, request, FEED)
    yield made
    made.end()


def store_of(server: Server) -> Store:
    """The gateway's database, opened from beside it."""
    stated = server.config.read_text().partition('database_url = "')[2].partition('"')[0]
    return Store.open(stated or f"sqlite:///{server.data / 'hotich.db'}")


def test_it_says_where_it_takes_traffic_and_drains_at_sigterm_without_losing_what_it_acknowledged(
    server: Server,
) -> None:
    server.start()
    assert httpx.get(f"{server.http}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{server.http}/readyz").json() == {"status": "ready"}

    ledger = Ledger()
    exit_code, rest = asyncio.run(stop_in_the_middle(server, ledger))
    assert exit_code == 0
    assert rest == b"", "nothing but the ready line on standard output"
    assert 0 < len(ledger.answered) < MESSAGES, "the signal did not come in the middle"
    for port in server.ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    store = store_of(server)
    with store.read() as conn:
        stored = set(conn.execute(select(_MESSAGE.c.control_key)).scalars())
    store.close()
    assert set(ledger.answered.values()) == {"AA"}
    assert set(ledger.answered) <= stored
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line["event"] for line in lines if line["event"] in ("draining", "stopped")] == ["draining", "stopped"]
    assert [line for line in lines if line["level"] == "error"] == []


async def stop_in_the_middle(server: Server, ledger: Ledger) -> tuple[int, bytes]:
    """Send from eight connections; SIGTERM once some are answered. The exit code, and what else it printed."""
    sending = asyncio.create_task(send_all(server.ports[0], map(admission, range(MESSAGES)), 8, ledger))
    while len(ledger.answered) < 40:
        await asyncio.sleep(0.001)
    assert server.process is not None
    server.process.terminate()
    rest, _ = await asyncio.to_thread(server.process.communicate, timeout=60)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    return server.process.returncode, rest


def test_a_second_one_on_the_same_directory_and_ports_says_so_and_leaves_the_first_alone(tmp_path: Path) -> None:
    server = Server(tmp_path, FEED)
    try:
        server.start()
        done = server.run("serve", "--mllp-port", str(server.ports[0]), "--http-port", str(server.ports[1]))
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
        assert f"http_port {server.ports[1]}" in done.stderr.splitlines()[-1]
        assert httpx.get(f"{server.http}/healthz").status_code == 200
        assert server.stop() == 0
    finally:
        server.end()


def test_postgresql_without_its_tables_is_told_with_the_remedy(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    address = request.getfixturevalue("new_database")()
    server = Server(tmp_path, f'database_url = "{address}"\n{FEED}')
    for command in ("serve", "worker"):
        done = server.run(command)
        assert (done.returncode, done.stdout) == (2, "")
        assert "hotich migrate" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ('database_url = "postgresql://postgres@127.0.0.1:1/nobody"\n', "database"),
        ('environment = "production"\n', "signing.use"),
    ],
    ids=["database-away", "production-with-stand-ins"],
)
def test_wrong_settings_are_told_in_one_clear_sentence(tmp_path: Path, settings: str, named: str) -> None:
    done = Server(tmp_path, settings + FEED).run("serve", "--mllp-port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr
    assert "Traceback" not in done.stderr
