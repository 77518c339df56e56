"""The simulated exchange's operations, its book and its walks, without a socket."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.domain.registration import check_decision
from gateway.errors import SettingsError
from gateway.plugins import find_mappings
from gateway.simulators import book
from gateway.simulators.access import Access
from gateway.simulators.callbacks import Caller
from gateway.simulators.faults import Attempts, Faults
from gateway.simulators.group_writer import GroupWriter
from gateway.simulators.moj import Moj, make_moj
from gateway.simulators.moj_http import MojHttp
from gateway.simulators.walk import Walk, read_walk
from tests.unit.simulators.moj_world import NAME, birth, code, ordinary_birth

Exchange = Callable[..., httpx.AsyncClient]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Moj:
    """What is read of the mapping set, once."""
    moj = make_moj(find_mappings()["default"], tmp_path_factory.mktemp("book") / "book.sqlite")
    moj.writer.close()
    return moj


@pytest.fixture
async def exchange(shipped: Moj, tmp_path: Path) -> AsyncIterator[Exchange]:
    """A client of a simulator with an empty book; `moj` of it is `client.moj`."""
    writers: list[GroupWriter] = []

    def make(**parts: Any) -> httpx.AsyncClient:
        writers.append(GroupWriter(tmp_path / f"book{len(writers)}.sqlite", book.SCHEMA))
        moj = replace(shipped, writer=writers[-1], attempts=Attempts(), **parts)
        return httpx.AsyncClient(transport=httpx.ASGITransport(MojHttp(moj)), base_url="http://moj")

    yield make
    for writer in writers:
        writer.close()


async def send(client: httpx.AsyncClient, told: dict[str, Any], operation: str = "nhanHoSoDKHT") -> dict[str, Any]:
    reply = await client.post(f"/{operation}", json=told)
    assert reply.status_code == 200
    answer: dict[str, Any] = reply.json()
    return answer


async def ask(client: httpx.AsyncClient, *numbers: int) -> list[dict[str, Any]]:
    codes = [code(number) for number in numbers]
    answer = await send(client, {"maDinhDanhHoSo": codes, "maTinh": "52", "module": "LTKS"}, "layKetQua")
    rows: list[dict[str, Any]] = answer["value"]
    return rows


async def entry(client: httpx.AsyncClient, number: int = 1) -> dict[str, Any]:
    listed = {one["code"]: one for one in (await client.get("/book")).json()["dossiers"]}
    found: dict[str, Any] = listed[code(number)]
    return found


async def test_a_dossier_is_taken_once_and_the_same_again_is_a_repeat(exchange: Exchange) -> None:
    client = exchange()
    assert (await send(client, birth()))["status"] == "1"
    again = await send(client, birth())
    assert (again["status"], "đã được tiếp nhận" in again["errorDescription"]) == ("0", True)
    found = await entry(client)
    assert (found["accepted"], found["repeats"], found["clashes"], len(found["versions"])) == (1, 1, 0, 1)


async def test_other_content_under_a_code_is_a_clash_and_the_first_stays(exchange: Exchange) -> None:
    client = exchange()
    await send(client, birth())
    other = await send(client, birth(meHoTen="Trần Thị Én"))
    assert "đã được tiếp nhận" in other["errorDescription"]
    found = await entry(client)
    assert (found["accepted"], found["clashes"], len(found["versions"])) == (1, 1, 2)
    kept = (await client.get(f"/book/{code(1)}")).json()
    assert json.loads(kept["data"])["meHoTen"] == NAME
    assert kept["digest"] == found["versions"][0]


async def test_a_wrong_dossier_is_refused_counted_and_may_be_sent_right_under_its_code(exchange: Exchange) -> None:
    client = exchange()
    wrong = await send(client, birth(nksGioiTinh="4", nksTen="An"))
    assert (wrong["status"], wrong["errorCode"]) == ("0", "500")
    assert wrong["errorDescription"].startswith("DATA_INCORRECT: ")
    assert "nksGioiTinh: mã không có trong danh mục" in wrong["errorDescription"]
    assert "nksTen: trường không có trong biểu mẫu" in wrong["errorDescription"]
    assert (await send(client, birth()))["status"] == "1"
    found = await entry(client)
    assert [came["verdict"] for came in found["arrivals"]] == ["refused", "accepted"]


async def test_the_book_tells_dossiers_in_the_order_they_came(exchange: Exchange) -> None:
    client = exchange()
    for number in (3, 1, 2):
        await send(client, birth(number))
    await send(client, ordinary_birth(4), "dangKyHoTich")
    lines = list(csv.DictReader(io.StringIO((await client.get("/book.csv")).text)))
    assert [(line["arrival"], line["code"], line["module"]) for line in lines] == [
        ("1", code(3), "LTKS"), ("2", code(1), "LTKS"), ("3", code(2), "LTKS"), ("4", code(4), "KS"),
    ]  # fmt: skip


async def test_a_registration_keeps_the_rules_of_registers(exchange: Exchange) -> None:
    client = exchange()
    for number in (1, 2):
        await send(client, birth(number))
        await client.post(f"/book/{code(number)}/state", json={"state": 4})
    results = [json.loads(row["ketQuaXuLy"]) for row in await ask(client, 1, 2)]
    for result in results:
        given = {"so": result["soDangKy"], **result}
        assert check_decision("birth", "received", "register", "", given, date.max) == {}
        assert result["soDinhDanh"].startswith("999")
        assert base64.b64decode(result["giayKhaiSinh"]).startswith(b"%PDF-")
    assert len({result["soDinhDanh"] for result in results}) == 2
    assert len({result["giayKhaiSinh"] for result in results}) == 2


async def test_what_was_registered_keeps_its_numbers(exchange: Exchange) -> None:
    client = exchange()
    await send(client, birth())
    for state in (4, 3, 4):
        await client.post(f"/book/{code(1)}/state", json={"state": state})
        (row,) = await ask(client, 1)
        if state == 4:
            assert json.loads(row["ketQuaXuLy"])["soDangKy"].startswith("1/")
        else:
            assert row["ketQuaXuLy"] == ""


async def test_a_walk_by_questions_goes_on_at_every_second_one(exchange: Exchange) -> None:
    client = exchange(walk=Walk(polls=2))
    await send(client, birth())
    seen = [(await ask(client, 1))[0]["trangThai"] for _ in range(6)]
    assert seen == [1, 3, 3, 4, 4, 4]
    assert (await entry(client))["states"] == [1, 3, 4]


@pytest.mark.parametrize(("fate", "states"), [("supplement", [1, 2, 3, 4]), ("refused", [1, 6])])
async def test_fates_lead_over_a_supplement_or_to_a_refusal(exchange: Exchange, fate: str, states: list[int]) -> None:
    client = exchange(walk=Walk(polls=1), faults=Faults(fate={fate: 1.0}))
    await send(client, birth())
    rows = [(await ask(client, 1))[0] for _ in range(4)]
    assert (await entry(client))["states"] == states
    assert rows[0]["noiDungXuLy"]
    assert bool(re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", rows[0]["hanBoSungHoSo"])) == (fate == "supplement")


async def test_without_a_walk_a_person_decides_with_their_own_words(exchange: Exchange) -> None:
    client = exchange()
    await send(client, birth())
    words, by = "Đề nghị bổ sung tên của trẻ", "30/11/2026 17:00:00"
    await client.post(f"/book/{code(1)}/state", json={"state": 2, "words": words, "supplement_by": by})
    (row,) = await ask(client, 1)
    assert (row["trangThai"], row["noiDungXuLy"], row["hanBoSungHoSo"]) == (2, words, by)


@pytest.mark.parametrize("told", [{}, {"state": 5}, {"state": True}, {"state": 2, "words": 1}])
async def test_a_state_that_is_none_is_not_set(exchange: Exchange, told: dict[str, Any]) -> None:
    client = exchange()
    await send(client, birth())
    assert (await client.post(f"/book/{code(1)}/state", json=told)).status_code == 422
    assert (await client.post(f"/book/{code(9)}/state", json={"state": 4})).status_code == 404
    assert (await entry(client))["states"] == [1]


@pytest.mark.parametrize(
    ("operation", "told", "error"),
    [
        ("traTrangThaiHoSo", {"maHoSo": code(9)}, "201"),
        ("traTrangThaiHoSo", {"maHoSo": code(9), "maDonVi": "99999"}, "106"),
        ("traTrangThaiHoSo", {}, "500"),
        ("layKetQua", {"maDinhDanhHoSo": [code(9)], "maTinh": "52"}, "201"),
        ("layKetQua", {"maDinhDanhHoSo": [code(9)], "maTinh": "99"}, "108"),
        ("layKetQua", {"maDinhDanhHoSo": [code(9)]}, "108"),
        ("layKetQua", {"maDinhDanhHoSo": [code(n) for n in range(4)], "maTinh": "52"}, "500"),
        ("danhMuc", {"loaiDanhMuc": 6}, "302"),
    ],
)
async def test_a_wrong_question_gets_its_code(
    exchange: Exchange, operation: str, told: dict[str, Any], error: str
) -> None:
    answer = await send(exchange(), told, operation)
    assert (str(answer["status"]), answer["errorCode"]) == ("0", error)


@pytest.mark.parametrize("name", ["maHoSo", "maHoSoMCDT", "maDinhDanhHoSo"])
async def test_a_state_is_told_whatever_the_code_is_called(exchange: Exchange, name: str) -> None:
    client = exchange()
    await send(client, birth())
    for value in (code(1), [code(1)]):
        (row,) = (await send(client, {name: value}, "traTrangThaiHoSo"))["value"]
        assert (row["maHoSoMCDT"], row["trangThai"]) == (code(1), 1)


@pytest.mark.parametrize(("kind", "ma"), [(1, "VN"), (2, "VN"), (3, "01"), (4, "52"), (5, "4")])
async def test_catalogues_are_those_of_the_mapping_set(exchange: Exchange, kind: int, ma: str) -> None:
    entries = (await send(exchange(), {"loaiDanhMuc": kind}, "danhMuc"))["value"]
    assert [one["ma"] for one in entries].count(ma) == 1


async def test_a_token_is_asked_for_and_given(exchange: Exchange) -> None:
    client = exchange(access=Access("s3cret"))
    assert (await client.post("/nhanHoSoDKHT", json=birth())).status_code == 401
    form = {"grant_type": "client_credentials", "client_id": "gateway", "client_secret": "s3cret"}
    token = (await client.post("/token", data=form)).json()["access_token"]
    for good in (token, "s3cret"):
        headers = {"authorization": f"Bearer {good}"}
        assert (await client.post("/nhanHoSoDKHT", json=birth(), headers=headers)).status_code == 200


FAULTS = {
    "status_500": (500, 0),
    "status_502": (502, 0),
    "status_503": (503, 0),
    "too_many": (429, 0),
    "token_expired": (401, 0),
    "html": (200, 0),
    "wrong_code": (200, 0),
    "duplicate": (200, 1),
    "slow": (200, 1),
}


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_fault_shows_and_what_it_promises_is_kept(exchange: Exchange, kind: str) -> None:
    faults = Faults(
        shares={"nhanHoSoDKHT": {kind: 1.0}}, seconds={"nhanHoSoDKHT": {"slow_seconds": 0.01, "retry_after_seconds": 7}}
    )
    client = exchange(faults=faults, access=Access("s3cret"))
    reply = await client.post("/nhanHoSoDKHT", json=birth(), headers={"authorization": "Bearer s3cret"})
    told = (await client.get("/book")).json()
    assert (reply.status_code, len(told["dossiers"])) == FAULTS[kind]
    assert told["faults"] == {f"nhanHoSoDKHT.{kind}": 1}
    assert reply.headers.get("retry-after") == ("7" if kind == "too_many" else None)
    assert reply.text.startswith("<!doctype html>") == (kind == "html")
    assert ("đã được tiếp nhận" in reply.text) == (kind == "duplicate")


async def test_doubled_rows_and_a_state_of_zero_are_told_of_a_dossier(exchange: Exchange) -> None:
    for kind, states in (("duplicate", [1, 1]), ("state_0", [0])):
        client = exchange(faults=Faults(shares={"layKetQua": {kind: 1.0}}))
        await send(client, birth())
        assert [row["trangThai"] for row in await ask(client, 1)] == states


async def test_the_page_has_counts_and_nobody_s_data(exchange: Exchange) -> None:
    client = exchange()
    await send(client, birth())
    page = (await client.get("/")).text
    assert "MÔ PHỎNG / SIMULATION" in page
    assert "<td>LTKS</td><td>1</td>" in page
    for text in (NAME, code(1), "999708700001"):
        assert text not in page
        assert text == code(1) or text not in (await client.get("/book")).text


async def test_every_answer_says_that_it_is_a_simulation(exchange: Exchange) -> None:
    client = exchange(access=Access("s3cret"))
    replies = [await client.get(path) for path in ("/", "/book", "/book.csv", f"/book/{code(1)}", "/nothing")]
    replies += [await client.post(path, content=b"{") for path in ("/nhanHoSoDKHT", "/layKetQua", "/token")]
    assert {reply.headers["x-simulator"] for reply in replies} == {"hotich simulate moj"}
    assert "mô phỏng" in (await send(exchange(), birth()))["statusDescription"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"a"', b"\xff"])
async def test_what_is_no_object_is_refused(exchange: Exchange, body: bytes) -> None:
    client = exchange()
    reply = await client.post("/nhanHoSoDKHT", content=body)
    assert (reply.status_code, reply.json()["errorCode"]) == (200, "500")


async def test_a_call_stands_in_the_book_for_every_change_and_none_for_the_arrival(exchange: Exchange) -> None:
    client = exchange(caller=Caller("http://gateway", b"secret"))
    await send(client, birth())
    for state in (3, 3, 4):
        await client.post(f"/book/{code(1)}/state", json={"state": state})
    moj = client._transport.app.moj  # type: ignore[attr-defined]
    bodies = await moj.writer.run(lambda conn: [row[0] for row in conn.execute("SELECT body FROM callback ORDER BY n")])
    assert [(told["maHoSo"], told["trangThai"]) for told in map(json.loads, bodies)] == [(code(1), 3), (code(1), 4)]


@pytest.mark.parametrize(("text", "walk"), [("", Walk()), ("3", Walk(polls=3)), ("1.5s", Walk(seconds=1.5))])
def test_a_walk_is_questions_or_seconds(text: str, walk: Walk) -> None:
    assert read_walk(text) == walk


@pytest.mark.parametrize("text", ["0", "-1", "s", "0s", "fast", "1.5", "nans", "infs"])
def test_a_walk_that_leads_nowhere_is_refused(text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_walk(text)
    assert raised.value.code == "simulator.walk"


async def test_work_that_fails_is_told_and_nothing_of_it_is_kept(exchange: Exchange) -> None:
    client = exchange()
    writer = client._transport.app.moj.writer  # type: ignore[attr-defined]

    def fail(conn: Any) -> None:
        book.note(conn, code(1), "", "refused", 0.0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await writer.run(fail)
    assert (await writer.run(book.counts))["submissions"] == {}
