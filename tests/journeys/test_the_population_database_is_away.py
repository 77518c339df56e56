"""The population database gives no answer: no case is lost or held past its patience, and none claims to be verified.

The directory is taken away as an operator would who restores it: its table is renamed under the running gateway. The
day without it is played with a clock of its own, on both databases.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.dates import PartialDate
from gateway.domain.identity import PersonQuery, PopulationAnswer
from gateway.domain.person import Person, PersonName
from gateway.errors import Unreachable
from gateway.messagelog.chain import entries_of
from gateway.store.session import Store, execute
from gateway.store.vault import Vault
from gateway.testing.population import FakePopulation
from tests.journeys.conftest import SETTINGS, assert_nobody_is_named
from tests.journeys.outsider import OFFICER, Outsider, sample, segments
from tests.life_world import Life
from tests.serving_child import Server, wait_until
from tests.stay_messages import Adult, Newborn

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


BIRTHS, HOURS_BETWEEN = 12, 2
MOTHERS = [
    Person(name=PersonName("Nguyễn", "Thị", "Mẫu"), born=PartialDate(1995, 5, 1), personal_id=f"9991950000{number:02}")
    for number in range(BIRTHS)
]
AGED = Person(name=PersonName("Lê", "Văn", "Cụ"), born=PartialDate(1950, 1, 1), personal_id="999150000001")


class Citizens(FakePopulation):
    """A database that is away until it is not."""

    away = True

    def lookup(self, query: PersonQuery) -> PopulationAnswer:
        if not self.away:
            return super().lookup(query)
        self.asked.append(query)
        raise Unreachable("population.away", "the population database gives no answer")


def a_birth(number: int) -> bytes:
    raw = Newborn(1, "A01", f"BN{number:02}").raw
    mother = MOTHERS[number].personal_id
    assert mother is not None
    return raw.replace(f"99919500000{number % 10}".encode(), mother.encode())


def a_death_almost_too_late() -> bytes:
    """Died on 9 November, to be registered by the 24th; it is the 23rd."""
    raw = Adult(59, "A03", "BN99", "Cụ", dead="Y").raw.replace(b"202611230730", b"202611090730")
    return raw.replace(b"^MR||", b"^MR~999150000001^^^BCA^NI||", 1)


@pytest.fixture
def life(store: Store, vault: Vault, clock: Any) -> Life:
    life = Life(store, vault, clock)
    life.services = replace(life.services, population=Citizens([*MOTHERS, AGED]))
    with store.write() as conn:  # packing the mappings would take longer than the day
        execute(conn, "INSERT INTO mapping_set VALUES (?, ?, ?)", (life.services.catalogue.hash, 0, b""))
    return life


def told_later(life: Life) -> Counter[tuple[str, str, str]]:
    """How often a verification was logged, by case, role and verdict."""
    with life.store.read() as conn:
        entries = [entry for case in life.cases() for entry in entries_of(conn, case) if entry.kind == "verified"]
    return Counter((entry.subject, entry.meta["role"], entry.meta["verdict"]) for entry in entries)


def pass_time(life: Life, hours: int, looks: int = 4) -> None:
    for _ in range(hours * looks):
        life.clock.pass_seconds(3600 / looks)
        life.work()


def test_of_a_day_without_the_database_nothing_is_lost_nobody_waits_too_long_and_all_is_made_good_once(
    life: Life,
) -> None:
    for number in range(BIRTHS):
        waiting = set(life.cases()) - set(life.desk())
        life.take(a_birth(number))
        if number == BIRTHS // 2:
            urgent = set(life.cases())
            life.take(a_death_almost_too_late())
            (death,) = set(life.cases()) - urgent
            assert death in life.desk()
        pass_time(life, HOURS_BETWEEN, looks=2)
        assert waiting <= set(life.desk()), "a case outwaited its patience"
    sent = set(life.desk())
    assert len(sent) == len(life.cases()) == BIRTHS + 1
    assert {life.dossier(case)["version"] for case in sent} == {1}
    marked = [{found["code"] for found in life.dossier(case)["findings"]} for case in sent]
    assert all("identity.no_answer" in codes for codes in marked)
    assert told_later(life) == {}

    before = {case: life.dossier(case)["dossier"]["fields"] for case in sent}
    life.services.population.away = False  # type: ignore[attr-defined]
    pass_time(life, 1)
    roles = {case: "mother" if case.startswith("ks") else "deceased" for case in sent}
    assert told_later(life) == {(case, role, "matched"): 1 for case, role in roles.items()}
    asked = len(life.services.population.asked)  # type: ignore[attr-defined]
    pass_time(life, 2)
    assert len(life.services.population.asked) == asked  # type: ignore[attr-defined]
    assert set(told_later(life).values()) == {1}
    for case in sent:
        dossier = life.dossier(case)
        assert dossier["version"] == 2
        assert all(change["field"].endswith("XacThucThongTin") for change in dossier["corrections"])
        changed = {name for name, value in dossier["dossier"]["fields"].items() if value != before[case][name]}
        assert {name for name in changed if not name.endswith("XacThucThongTin")} == set()
    assert life.item(death)["content"]["history"][-1]["action"] == "corrected"
