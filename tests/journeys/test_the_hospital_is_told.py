"""The way back over real sockets: the officer registers, and the hospital's own MLLP receiver hears of it, once it is
there again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import hl7
import pytest

from adapters.hospital.hl7v2 import Hl7v2Reader
from gateway.ports.hospital import Feed
from tests.journeys.conftest import SETTINGS, assert_nobody_is_named, installed
from tests.journeys.outsider import OFFICER, Outsider, sample
from tests.journeys.test_a_birth_is_registered import CHILDS_NUMBER, register
from tests.mllp_peer import MllpPeer
from tests.serving_child import quiet_port, wait_until

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def port() -> int:
    """A port at which nobody listens yet."""
    return quiet_port()


@pytest.fixture
def hospital(port: int, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Outsider]:
    """A gateway on SQLite whose feed wants answers at that port."""
    known = SETTINGS.replace('senders = ["*"]', 'senders = ["HIS_MAU|BV_QN_MAU"]')
    settings = f'{known}\nanswer = "hl7v2"\nanswer_to = "mllp://127.0.0.1:{port}"\n'
    outsider = Outsider(installed("sqlite", tmp_path, request, settings))
    try:
        outsider.server.start()
        yield outsider
    finally:
        outsider.close()
        outsider.server.end()


def failures(hospital: Outsider) -> list[str]:
    """Why answers failed so far, as the log has it."""
    lines = [json.loads(line) for line in hospital.server.log.read_text(encoding="utf-8").splitlines()]
    return [line["reason"] for line in lines if line.get("kind") == "answer"]


def test_the_hospitals_receiver_gets_the_childs_number_exactly_once(hospital: Outsider, port: int) -> None:
    (receipt,) = hospital.mllp(sample("birth/newborn-admitted-with-pv1-4-n/01-adt-a01.hl7"))
    assert receipt.taken
    officer = hospital.sign_in(OFFICER)
    (address,) = wait_until(officer.desk, "the dossier is on the desk")
    code = address.removeprefix("/ho-so/")
    register(officer, code)
    wait_until(lambda: failures(hospital), "the answer meets nobody")
    with MllpPeer(port) as peer:
        peer.script.append("drop")  # it read the message and died before it answered
        wait_until(lambda: peer.effective, "the answer is taken")
        (message,) = peer.effective.values()
        wait_until(lambda: sent(hospital), "it is marked as sent")
        assert len(peer.received) == 2
        assert len(set(peer.received)) == 1
    told = hl7.parse(message)
    assert CHILDS_NUMBER in [str(number).partition("^")[0] for number in str(told["PID"][0][3]).split("~")]
    assert (str(told["MSH"][0][5]), str(told["MSH"][0][9])) == ("HIS_MAU", "ADT^A31^ADT_A05")
    assert Hl7v2Reader().events(message.encode(), Feed()) == []
    assert set(failures(hospital)) == {"answer.unreachable", "answer.closed"}

    (entry,) = officer.client.post("/fhir/Task/_search", data={"identifier": code}).json()["entry"]
    assert entry["resource"]["status"] == "completed"
    assert hospital.server.stop() == 0
    assert_nobody_is_named(hospital)
    assert CHILDS_NUMBER not in hospital.server.log.read_text(encoding="utf-8")


def sent(hospital: Outsider) -> list[tuple[int]]:
    """When notices were sent, as the database has it."""
    with closing(sqlite3.connect(hospital.server.data / "hotich.db")) as conn:
        return conn.execute("SELECT sent_at FROM notice WHERE sent_at IS NOT NULL").fetchall()
