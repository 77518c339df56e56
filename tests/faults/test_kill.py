"""kill -9 of the whole program in the middle of traffic: what was acknowledged is there, no dossier is there twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.store.session import Store
from gateway.store.tables import CaseRow, DeskItem, Message
from gateway.testing.mllp_client import Ledger, send_all
from gateway.testing.traffic import admission, birth
from tests.serving_child import Server

MESSAGES, BIRTHS, CONNECTIONS, KILLS = 2_000, 200, 16, 3


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.end()


async def _run_with_kills(server: Server, messages: list[bytes], ledger: Ledger) -> None:
    sending = asyncio.create_task(send_all(server.ports[0], messages, CONNECTIONS, ledger))
    for round_ in range(1, KILLS + 1):
        while len(ledger.answered) < round_ * MESSAGES // (KILLS + 1):
            await asyncio.sleep(0.002)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    await sending


def _settle(store: Store) -> None:
    """Wait until every birth's dossier lies on a desk."""
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up:
        with store.read() as conn:
            laid = conn.execute(select(func.count()).select_from(DeskItem)).scalar_one()
        if laid >= BIRTHS:
            return
        time.sleep(0.2)
    pytest.fail(f"only {laid} of {BIRTHS} dossiers arrived")


@pytest.mark.timeout(240)
def test_nothing_acknowledged_is_lost_and_no_dossier_is_delivered_twice(server: Server) -> None:
    step = MESSAGES // BIRTHS
    messages = [birth(number) if number % step == 0 else admission(number) for number in range(MESSAGES)]
    ledger = Ledger()
    server.start()
    asyncio.run(_run_with_kills(server, messages, ledger))

    assert ledger.lost > 0, "the kills hit nothing"
    assert Counter(ledger.answered.values()) == {"AA": MESSAGES}
    store = Store.open(f"sqlite:///{server.directory}/data/hotich.db")
    _settle(store)
    assert server.stop() == 0
    with store.read() as conn:
        stored = conn.execute(select(Message.control_key)).scalars().all()
        cases = conn.execute(select(CaseRow.id)).scalars().all()
        desk = conn.execute(select(DeskItem.case_id, DeskItem.code, DeskItem.version)).all()
    store.close()
    assert set(ledger.answered) <= set(stored)
    assert len(stored) == len(set(stored)) == MESSAGES
    assert len(cases) == BIRTHS
    assert sorted(item.case_id for item in desk) == sorted(cases)
    assert {item.version for item in desk} == {1}

    verify = [sys.executable, "-m", "gateway", "log", "verify", "--config", str(server.directory / "hotich.toml")]
    done = subprocess.run([*verify, "--data-dir", str(server.directory / "data")], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
