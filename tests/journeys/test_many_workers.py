"""Several machines on one PostgreSQL: a gateway, two workers, and one of the workers dies without warning."""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.testing.mllp_client import Ledger, send_all
from gateway.testing.traffic import birth
from tests.journeys.conftest import installed
from tests.serving_child import FEED, Server, wait_until

BIRTHS = 200
pytestmark = pytest.mark.timeout(150)


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    made = installed("postgresql", tmp_path, request, FEED)
    yield made
    made.end()


@pytest.fixture
def workers(server: Server) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two, each with a name of its own, as the settings ask of whoever shares a database."""
    started = [server.spawn("worker", instance=f"worker-{number}") for number in (1, 2)]
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ask(server: Server, sql: str) -> list[tuple[Any, ...]]:
    """Look into the shared database."""
    with psycopg.connect(server.config.read_text().partition('database_url = "')[2].partition('"')[0]) as database:
        done = database.execute(sql.encode())
        return done.fetchall() if done.description else []


def on_desks(server: Server) -> int:
    """How many dossiers lie on a desk."""
    ((laid,),) = ask(server, "SELECT COUNT(*) FROM desk_item")
    return int(laid)


def writers(server: Server) -> set[str]:
    """Which instances have written evidence of work."""
    return {writer.partition("/")[0] for (writer,) in ask(server, "SELECT writer FROM chain WHERE writer LIKE '%/%'")}


LEASE = 60_000_000
"""Microseconds a worker may be silent before another takes its work over (gateway.lanes.worker)."""
HELD_BY_THE_DEAD = f"token <> '' AND run_at < {{killed}} + {LEASE}"


def pass_the_lease(server: Server, killed: int) -> int:
    """What the dead worker held becomes due once its lease of a minute has passed; let that minute be over. How many
    lanes that were."""
    held = f"SELECT key FROM lane WHERE {HELD_BY_THE_DEAD.format(killed=killed)} FOR UPDATE SKIP LOCKED"
    return len(ask(server, f"UPDATE lane SET run_at = run_at - {LEASE} WHERE key IN ({held}) RETURNING key"))


async def warm_up(server: Server, ledger: Ledger) -> int:
    """Send births one at a time until both workers are seen at work; how many that took."""
    for number in range(BIRTHS, 10 * BIRTHS):
        await send_all(server.ports[0], [birth(number)], 1, ledger)
        while on_desks(server) < len(ledger.answered):
            await asyncio.sleep(0.01)
        if {"worker-1", "worker-2"} <= writers(server):
            return len(ledger.answered)
    pytest.fail("a worker does nothing")


async def send_and_kill(server: Server, victim: subprocess.Popen[bytes], ledger: Ledger) -> int:
    """Send every birth; kill the worker once some lie on a desk and most do not. When that was, by the database."""
    messages = [birth(number) for number in range(BIRTHS)]
    warm = await warm_up(server, ledger)
    sending = asyncio.create_task(send_all(server.ports[0], messages, 8, ledger))
    while await asyncio.to_thread(on_desks, server) < warm + BIRTHS // 10:
        await asyncio.sleep(0.002)
    victim.kill()
    ((killed,),) = ask(server, "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint")
    assert on_desks(server) < warm + BIRTHS, "the kill came too late"
    await sending
    return int(killed)


def test_every_birth_lies_on_a_desk_exactly_once_though_a_worker_was_killed(
    server: Server, workers: list[subprocess.Popen[bytes]]
) -> None:
    server.start(workers="1")
    victim, survivor = workers
    assert [process.poll() for process in workers] == [None, None], server.log.read_text()
    ledger = Ledger()
    killed = asyncio.run(send_and_kill(server, victim, ledger))
    births = len(ledger.answered)
    assert Counter(ledger.answered.values()) == {"AA": births}

    def only_the_dead_hold_work() -> bool:
        others = f"run_at IS NOT NULL AND NOT ({HELD_BY_THE_DEAD.format(killed=killed)})"
        return ask(server, f"SELECT COUNT(*) FROM lane WHERE {others}") == [(0,)]

    wait_until(only_the_dead_hold_work, "the others do all they can")
    pass_the_lease(server, killed)
    wait_until(lambda: on_desks(server) == births, "every dossier on a desk")

    survivor.terminate()
    survivor.communicate(timeout=60)
    assert survivor.returncode == 0
    assert server.stop() == 0
    assert ask(server, "SELECT DISTINCT version FROM desk_item") == [(1,)]
    assert ask(server, "SELECT COUNT(*), COUNT(DISTINCT case_id) FROM desk_item") == [(births, births)]
    assert ask(server, 'SELECT COUNT(*) FROM "case"') == [(births,)]
    assert ask(server, "SELECT COUNT(*) FROM lane WHERE dead") == [(0,)]
    assert {"gateway", "worker-1", "worker-2"} <= writers(server)
    server.right("log", "verify")
