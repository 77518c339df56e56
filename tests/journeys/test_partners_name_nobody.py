"""Partners whose every answer names people: a population database, a commune's system, a hospital's receiver, and
whoever calls. What they say is for authorised eyes and the encrypted columns, and nowhere else."""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.testing.hostile_http import HostileServer, Request, Response
from tests.journeys.conftest import SAMPLE_FEED, assert_nobody_is_named
from tests.journeys.outsider import AUDITOR, Outsider, sample, segments
from tests.journeys.personal_data import personal_data_in
from tests.moj_world import said
from tests.population_world import soap_fault
from tests.serving_child import Server, wait_until

pytestmark = pytest.mark.timeout(120)

NAME, NUMBER = "Nguyễn Thị Thanh Hương", "999197200114"
WORDS = f"{NAME}, số {NUMBER}"
PAPER = b64encode(b"%PDF-1.7\n" + WORDS.encode() + b"\n%%EOF").decode()
TABLE = "code,value,name,valid_from,valid_to,source\n52,moj,Far side,2026-01-01,,test\n"
PURPOSE = "Đăng ký khai sinh"
"""Why the population database was asked, in every entry about it; one of the invented people is called Đăng."""
SECRET = "invented-secret-of-both-sides"
SETTINGS = """
mapping_overlays = ["overlay"]
identity_patience_seconds = 0.1
[population]
use = "soap"
url = "{url}/population"
officer = "CB01"
user = "gateway"
secret = "secret"
[commune_systems.moj]
use = "moj_rest"
url = "{url}/moj"
token = "secret"
agency = "H99.001"
poll_seconds = 1
callback_secret = "secret"
[feeds.sample]
answer = "webhook"
answer_to = "{url}/hook?key=known-by-both"
answer_secret = "secret"
"""
BIRTHS = {
    "rejected": "newborn-admitted-with-pv1-4-n/01-adt-a01.hl7",
    "undelivered": "names-in-decomposed-unicode",
    "registered": "mother-without-papers",
    "ready": "father-unknown",
}
"""State in the end → the sample that gets there."""


class FarSide:
    """All partners at one address; each repeats people's names. `takes` says how dossiers are answered just now."""

    def __init__(self) -> None:
        self.takes = said(0, errorCode="500", errorDescription=WORDS, value=[{"meHoTen": f"{WORDS} sai"}])
        self.book: set[str] = set()
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Response:
        place, _, operation = request.path.strip("/").partition("/")
        self.asked.append(place)
        if place == "population":
            return soap_fault(f"Client.{NAME}", WORDS)
        if place != "moj":
            return Response(400, WORDS.encode(), headers={"X-Reason": NUMBER})
        told = json.loads(request.body)
        if operation == "nhanHoSoDKHT":
            if b'"status":1' in self.takes.body:
                self.book.add(told["maHoSoMCDT"])
            return self.takes
        code = told.get("maHoSo") or told["maDinhDanhHoSo"][0]
        if code not in self.book:
            unknown = said(0, errorCode="201", errorDescription=WORDS)
            return unknown if operation == "traTrangThaiHoSo" else said(1, value=[])
        result = {"soDangKy": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "ngayDangKy": "23/11/2026"}
        result |= {"soDinhDanh": NUMBER, "giayKhaiSinh": PAPER}
        row = {"maHoSoMCDT": code, "trangThai": 4, "noiDungXuLy": WORDS, "ketQuaXuLy": json.dumps(result)}
        return said(1, value=[row])


@pytest.fixture(scope="module")
def far_side() -> FarSide:
    return FarSide()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, far_side: FarSide) -> Iterator[Outsider]:
    """A gateway at its most talkative before these partners, with one birth for each thing that can go wrong."""
    directory = tmp_path_factory.mktemp("partners")
    (directory / "secret").write_text(SECRET, encoding="utf-8")
    (directory / "overlay" / "codes").mkdir(parents=True)
    (directory / "overlay" / "codes" / "commune_systems.csv").write_text(TABLE, encoding="utf-8")
    with ExitStack() as stack:
        partners = stack.enter_context(HostileServer(far_side))
        outsider = Outsider(Server(directory, SETTINGS.format(url=partners.url) + SAMPLE_FEED))
        stack.callback(outsider.server.end)
        stack.callback(outsider.close)
        outsider.server.start(log_level="debug")
        outsider.token = outsider.server.right("token", "create", "--role", "hospital", "--facility", "99001").strip()
        answers = {
            "rejected": far_side.takes,
            "undelivered": said(0, errorCode=NUMBER, errorDescription=WORDS),
            "registered": said(1, statusDescription=WORDS),
            "ready": said(0, errorCode="106", errorDescription=WORDS),
        }
        for state, far_side.takes in answers.items():
            bring(outsider, BIRTHS[state], state)
        yield outsider


def bring(gateway: Outsider, birth: str, state: str) -> dict[str, Any]:
    """Send a birth and wait until its case is in a state."""
    path = birth if "/" in birth else f"{birth}/01-adt-a01.hl7"
    (receipt,) = gateway.mllp(sample(f"birth/{path}"))
    tracking = segments(receipt.body)["MSH"][9]
    case = gateway.get_case(tracking, state)
    if state == "ready":
        wait_until(lambda: "partner.rests" in gateway.server.log.read_text(encoding="utf-8"), "the system rests")
    return case


def cases(gateway: Outsider) -> dict[str, str]:
    """State → case."""
    return {line["status"]: line["id"] for line in gateway.all_of("/api/cases")}


def call(gateway: Outsider, body: bytes, secret: str = SECRET) -> httpx.Response:
    """A call of the commune's system."""
    at = str(int(time.time()))
    signature = hmac.new(secret.encode(), at.encode() + b"." + body, sha256).hexdigest()
    with gateway.client() as client:
        return client.post("/api/callbacks/moj", content=body, headers={"x-hotich-signature": f"t={at},v1={signature}"})


def test_what_partners_say_of_people_reaches_those_who_may_see_it(gateway: Outsider, far_side: FarSide) -> None:
    found = cases(gateway)
    assert WORDS in gateway.api(f"/api/cases/{found['rejected']}")["outcome"]["words"]
    assert gateway.api(f"/api/cases/{found['registered']}")["outcome"]["result"]["soDinhDanh"] == NUMBER
    assert {"population", "moj", "hook?key=known-by-both"} <= set(far_side.asked)


def test_calls_of_strangers_and_garbage_are_answered_without_repeating_it(gateway: Outsider) -> None:
    named = json.dumps({"maHoSo": WORDS, "trangThai": NAME, "ketQuaXuLy": NUMBER}, ensure_ascii=False).encode()
    answers = [
        call(gateway, named, "another secret"), call(gateway, named), call(gateway, WORDS.encode()),
        call(gateway, json.dumps({"maHoSo": WORDS, "trangThai": 3}).encode()),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [401, 422, 422, 404]
    with gateway.client() as client:
        nobody = client.post("/api/callbacks/nobody-of-this-name", content=named)
    assert nobody.status_code == 404
    assert "nobody-of-this-name" not in nobody.text
    assert_nobody_is_named(gateway)


def test_pages_letters_and_tasks_lead_to_no_address_that_names_anybody(gateway: Outsider) -> None:
    case = cases(gateway)["registered"]
    auditor = gateway.sign_in(AUDITOR)
    wait_until(lambda: auditor.open(f"/trao-giay/{case}/thu.pdf").status_code == 200, "the letter is made")
    for path in (f"/truong-hop/{case}", "/trao-giay", f"/trao-giay/{case}", "/thu", f"/truong-hop/{case}"):
        assert auditor.open(path).status_code == 200
        assert not personal_data_in("\n".join(auditor.links()))
    for path in (f"/trao-giay/{case}/thu.pdf", f"/trao-giay/{case}/giay-dang-ky.pdf", "/trao-giay/danh-sach.pdf"):
        answer = auditor.open(path)
        assert answer.headers["content-type"] == "application/pdf"
        assert not personal_data_in(str(answer.headers))
        assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
    with gateway.client(gateway.token) as client:
        (entry,) = client.post("/fhir/Task/_search", data={"identifier": case}).json()["entry"]
        assert entry["resource"]["status"] == "completed"
        assert client.post("/fhir/Task/_search", data={"identifier": NAME}).json()["total"] == 0
        assert client.get("/fhir/Task", params={"identifier": case}).json()["total"] == 1
    assert_nobody_is_named(gateway)


def test_lists_of_deliveries_and_metrics_name_nobody(gateway: Outsider) -> None:
    server = gateway.server
    wait_until(lambda: "answer.refused" in server.log.read_text(encoding="utf-8"), "the receiver's no")
    listed = server.right("deliveries", "list", "--state", "all", "--json")
    for code in ("commune.answer_unknown", "answer.refused"):
        assert code in listed
    told = [listed, json.dumps(gateway.all_of("/api/deliveries"))]
    with gateway.client() as client:
        told.append(client.get("/metrics").text)
    assert not any(personal_data_in(text) for text in told)
    entries = [entry for case in cases(gateway).values() for entry in gateway.logged(case)]
    assert {"gave_up", "forwarded", "followed", "identified", "letter"} <= {entry["kind"] for entry in entries}
    shown = json.dumps(entries, ensure_ascii=False)
    assert not personal_data_in(shown.replace(PURPOSE, "")), "facts of log entries"
    assert_nobody_is_named(gateway)


def test_neither_the_database_nor_the_process_list_names_anybody(gateway: Outsider) -> None:
    server = gateway.server
    assert server.process is not None
    arguments = Path(f"/proc/{server.process.pid}/cmdline").read_text(encoding="utf-8")
    assert "serve" in arguments
    assert not personal_data_in(arguments)
    assert server.stop() == 0
    files = [path for path in server.data.iterdir() if path.name.startswith("hotich.db")]
    kept = b"".join(path.read_bytes() for path in files).decode("utf-8", "replace")
    assert "commune.answer_unknown" in kept
    assert not personal_data_in(kept.replace(PURPOSE, "")), "columns that are not encrypted"
    assert SECRET not in kept + server.log.read_text(encoding="utf-8")
    assert_nobody_is_named(gateway)
