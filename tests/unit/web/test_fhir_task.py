"""What hospital IT finds out about a dossier by an identifier it knows, and what it does not find out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from adapters.hospital.fhir_xml import read_xml
from adapters.hospital.outcome_fhir import FhirOutcomeSender
from gateway.pipeline.desk import decide
from gateway.pipeline.numbers import give_number
from gateway.pipeline.receive import Receiver
from gateway.ports.hospital import Answer
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.web.accounts import create_token
from gateway.web.app import create_app
from tests.conftest import StillClock
from tests.life_world import Life
from tests.samples.folders import catalogue, feed
from tests.stay_messages import Newborn, Paper
from tests.web_world import FORMS, ON, TestClient

OWN = "urn:vn:hotich:fhir:"
BORN = {
    "so": "45/2026",
    "quyenSo": "01/2026",
    "trangSo": "45",
    "ngayDangKy": "23.11.2026",
    "soDinhDanh": "999226000777",
}


class Two(Life):
    """Hospitals a (99001) and b (99002); both call a patient BN1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        feeds = {n: replace(feed(), name=n, facility_code=c, senders=()) for n, c in (("a", "99001"), ("b", "99002"))}
        senders = {"fhir": FhirOutcomeSender(partial(catalogue().table, on=ON))}
        self.services = replace(self.services, feeds=feeds, senders=senders)
        self.app = create_app(self.services, self.intake, FORMS, self.options)

    def send(self, name: str, raw: bytes) -> None:
        async def receive() -> Answer:
            loop = asyncio.get_running_loop()
            receiver, answered = Receiver(self.services, loop), loop.create_future()
            receiver.submit(raw, None, name, answered.set_result)
            answer: Answer = await asyncio.wait_for(answered, 20)
            await receiver.close()
            return answer

        assert asyncio.run(receive()).code == "AA"
        self.work()


@pytest.fixture(scope="module")
def world(_sqlite_template: Path, _keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """A registered birth of a with its paper, and a birth of b that is on its way; nothing here is written by tests
    but reads."""
    file = tmp_path_factory.mktemp("tasks") / "tasks.sqlite"
    file.write_bytes(_sqlite_template.read_bytes())
    store = Store.open(f"sqlite:///{file}")
    two = Two(store, Vault.open(_keys), StillClock())
    two.send("a", Newborn(1, "A01", "BN1").raw)
    (here,) = two.cases()
    two.send("a", Paper(2, "A01", "BN1", "Bình").raw)
    two.send("b", Paper(2, "A01", "BN1", "Chi").raw)  # a paper of the same number speaks in the same case
    assert decide(two.services, here, "register", "can-bo", "", BORN) == {}
    two.work()
    give_number(two.services, here, "moj", "H21.999", ON)
    two.clock.pass_seconds(1)
    two.send("b", Newborn(3, "A01", "BN1").raw.replace(b"999195000001", b"999195000009"))  # of another mother
    yield two
    store.close()


@pytest.fixture(scope="module")
def client(world: Two) -> Callable[[str], TestClient]:
    """Makes a client of a role: "a", "b", "officer", "auditor", "admin"."""
    rights: dict[str, dict[str, Any]] = {
        "a": {"feed": "a", "facilities": ["99001"]},
        "b": {"feed": "b", "facilities": ["99002"]},
        "officer": {"communes": ["24211"]},
    }
    tokens = {}
    with world.store.write() as conn:
        for name in ("a", "b", "officer", "auditor", "admin"):
            role = "hospital" if name in ("a", "b") else name
            tokens[name] = create_token(conn, name, role, world.now, **rights.get(name, {}))
    return lambda name: TestClient(world.app, headers={"Authorization": f"Bearer {tokens[name]}"})


def births(world: Two) -> tuple[str, str]:
    first, second = world.cases()
    return first, second


def found(answer: Any) -> list[Any]:
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    Bundle.model_validate(bundle)
    entries = [entry["resource"] for entry in bundle.get("entry", [])]
    assert bundle["total"] == len(entries)
    return entries


@pytest.mark.parametrize(
    "identifier",
    [
        "BN1", "urn:his:mrn|BN1", "|BN1", f"{OWN}patient|BN1", "00777.GCS.99001.26", f"{OWN}paper|00777.GCS.99001.26",
        "H21.999-261123-0001", "{case}", f"{OWN}case|{{case}}", "{message}", f"{OWN}message|{{message}}", "no,BN1",
    ],
)  # fmt: skip
def test_a_dossier_is_found_by_whatever_the_hospital_knows(
    world: Two, client: Callable[[str], TestClient], identifier: str
) -> None:
    here, _ = births(world)
    message = client("a").get(f"/api/cases/{here}").json()["messages"][0]
    asked = identifier.format(case=here, message=message)
    (task,) = found(client("a").get("/fhir/Task", params={"identifier": asked}))
    assert (task["id"], task["status"], task["businessStatus"]["coding"][0]["code"]) == (
        here,
        "completed",
        "registered",
    )
    assert {each["type"]["coding"][0]["code"] for each in task["output"]} >= {"so", "personal_id"}
    assert found(client("a").post("/fhir/Task/_search", data={"identifier": asked})) == [task]


@pytest.mark.parametrize(
    "identifier", ["nobody", f"{OWN}paper|BN1", f"{OWN}patient|00777.GCS.99001.26", f"{OWN}case|BN1"]
)
def test_what_nobody_is_called_by_finds_nothing(client: Callable[[str], TestClient], identifier: str) -> None:
    assert found(client("a").get("/fhir/Task", params={"identifier": identifier})) == []


def test_the_same_number_at_another_hospital_is_another_patient(
    world: Two, client: Callable[[str], TestClient]
) -> None:
    here, there = births(world)
    asked = {"identifier": f"BN1,{here},{there},00777.GCS.99001.26,H21.999-261123-0001"}
    (mine,) = found(client("a").get("/fhir/Task", params=asked))
    (theirs,) = found(client("b").get("/fhir/Task", params=asked))
    assert (mine["id"], theirs["id"]) == (here, there)
    assert client("b").get(f"/fhir/Task/{here}").status_code == client("b").get("/fhir/Task/none").status_code == 404
    assert client("b").get(f"/fhir/Task/{here}").json()["resourceType"] == "OperationOutcome"
    assert client("a").get(f"/fhir/Task/{here}").json() == mine


def test_auditors_find_both_and_an_officer_of_another_commune_none(
    world: Two, client: Callable[[str], TestClient]
) -> None:
    asked = {"identifier": "BN1"}
    assert {task["id"] for task in found(client("auditor").get("/fhir/Task", params=asked))} == set(births(world))
    assert found(client("officer").get("/fhir/Task", params=asked)) == []
    assert client("admin").get("/fhir/Task", params=asked).status_code == 403
    assert TestClient(world.app).get("/fhir/Task", params=asked).status_code == 401


def test_every_task_that_goes_out_is_logged_as_a_read(world: Two, client: Callable[[str], TestClient]) -> None:
    before = len(world.entries("read"))
    found(client("a").get("/fhir/Task", params={"identifier": "nobody"}))
    found(client("a").post("/fhir/Task/_search", data={"identifier": "BN1"}))
    (read,) = world.entries("read")[before:]
    assert (read["subject"], read["who"], read["why"]) == (births(world)[0], "token:a", "api")


@pytest.mark.parametrize("identifier", ["", " , ", "x" * 201, ",".join("y" * 21)])
def test_a_search_without_a_usable_identifier_lists_nothing(
    client: Callable[[str], TestClient], identifier: str
) -> None:
    for answer in (
        client("a").get("/fhir/Task", params={"identifier": identifier}),
        client("a").post("/fhir/Task/_search", data={"identifier": identifier}),
    ):
        assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")


def test_tasks_come_as_xml_too(client: Callable[[str], TestClient]) -> None:
    asked = {"identifier": "BN1"}
    answer = client("a").get("/fhir/Task", params=asked, headers={"Accept": "application/fhir+xml"})
    assert answer.headers["content-type"] == "application/fhir+xml"
    as_json = client("a").get("/fhir/Task", params=asked).json()
    assert read_xml(answer.content)["entry"][0]["resource"] == as_json["entry"][0]["resource"]


def test_a_message_tells_which_cases_it_speaks_in(world: Two, client: Callable[[str], TestClient]) -> None:
    here, there = births(world)
    items = client("a").get("/api/messages").json()["items"]
    for item in items:
        told = client("a").get(f"/api/messages/{item['id']}").json()
        assert {name: told[name] for name in item} == item
        assert [(case["id"], case["status"]) for case in told["cases"]] == [(here, "registered")]
    foreign = client("b").get(f"/api/messages/{items[0]['id']}")
    assert (foreign.status_code, foreign.json()) == (404, client("b").get("/api/messages/none").json())
    assert client("officer").get(f"/api/messages/{items[0]['id']}").status_code == 403
    of_b = [each["id"] for each in client("b").get("/api/messages").json()["items"]]
    told = [client("b").get(f"/api/messages/{each}").json()["cases"] for each in of_b]
    assert [[case["id"] for case in cases] for cases in told] == [[there], []]
    assert client("admin").get(f"/api/messages/{of_b[1]}").json()["cases"][0]["id"] == here
    assert found(client("a").get("/fhir/Task", params={"identifier": of_b[1]})) == []


def test_a_hospital_sees_how_far_its_own_messages_got_and_nobody_elses(
    world: Two, client: Callable[[str], TestClient]
) -> None:
    here, _ = births(world)

    def speakers(name: str) -> set[str]:
        return {told["feed"] for told in client(name).get(f"/api/cases/{here}").json()["legs"]["messages"]}

    assert speakers("a") == {"a"}
    assert speakers("auditor") == {"a", "b"}
