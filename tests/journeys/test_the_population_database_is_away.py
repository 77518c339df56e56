"""The population database gives no answer: no case is lost or held past its patience, and none claims to be verified.

The directory is taken away as an operator would who restores it: its table is renamed under the running gateway.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import SETTINGS, assert_nobody_is_named
from tests.journeys.outsider import OFFICER, Outsider, sample, segments
from tests.serving_child import Server, wait_until

BIRTH = "birth/newborn-admitted-with-pv1-4-n/01-adt-a01.hl7"
pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Outsider]:
    outsider = Outsider(Server(tmp_path, SETTINGS))
    yield outsider
    outsider.close()
    outsider.server.end()
    assert_nobody_is_named(outsider)


def rename(gateway: Outsider, old: str, new: str) -> None:
    """Take the directory's table away, or bring it back."""
    with closing(sqlite3.connect(gateway.server.data / "population.db")) as directory, directory:
        directory.execute(f"ALTER TABLE {old} RENAME TO {new}")


def deliver(gateway: Outsider) -> str:
    """Send a birth; its number in the log."""
    (receipt,) = gateway.mllp(sample(BIRTH))
    assert receipt.taken
    return segments(receipt.body)["MSH"][9]


def verdicts(gateway: Outsider, case: dict[str, Any]) -> dict[str, str]:
    """What the log says was learnt about whom, the last word."""
    told = [entry["meta"] for entry in gateway.logged(case["id"]) if entry["kind"] == "identified"]
    return {meta["role"]: meta["verdict"] for meta in told}


def test_with_no_patience_the_case_goes_on_marked_not_verified(gateway: Outsider) -> None:
    gateway.server.start(identity_patience_seconds="0")
    gateway.prepare()
    rename(gateway, "citizen", "away")
    case = gateway.get_case(deliver(gateway))
    assert verdicts(gateway, case) == {"mother": "no_answer", "father": "no_answer"}
    assert "identity.no_answer" in {finding["code"] for finding in case["dossier"]["findings"]}
    assert case["dossier"]["dossier"]["fields"]["meHoTen"] == "Nguyễn Thị Thanh Hương"
    officer = gateway.sign_in(OFFICER)
    officer.open(f"/ho-so/{case['dossier_code']}")
    assert "Chưa xác thực" in officer.text()
    assert "Khớp với" not in officer.text()


def test_with_patience_the_case_waits_survives_a_restart_and_is_verified_once_answers_come(gateway: Outsider) -> None:
    gateway.server.start()
    gateway.prepare()
    rename(gateway, "citizen", "away")
    tracking = deliver(gateway)
    wait_until(lambda: "population.directory_unreadable" in gateway.server.log.read_text(), "a failed question")
    (line,) = gateway.all_of("/api/cases")
    assert line["status"] != "sent"
    assert gateway.all_of("/api/deliveries") == []

    assert gateway.server.stop() == 0
    rename(gateway, "away", "citizen")
    gateway.server.start()
    case = gateway.get_case(tracking)
    assert case["id"] == line["id"]
    gateway.auditor = None
    assert set(verdicts(gateway, case).values()) == {"matched"}
    assert json.loads(gateway.server.right("deliveries", "list", "--json"))["dead"] == []
