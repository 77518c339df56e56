"""Handing over papers and downloading letters: who may, what is shown, what is logged."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import delete, update

from gateway.domain.finding import Finding
from gateway.pipeline.desk import decide
from gateway.store.partner_tables import Letter, OutcomeRow
from gateway.store.session import Store
from gateway.store.tables import CaseRow
from gateway.store.vault import Vault
from gateway.web.accounts import create_token, create_user
from tests.conftest import StillClock
from tests.samples.folders import feed
from tests.unit.web.conftest import SignIn, csrf_of
from tests.waiting_world import SAMPLES, WaitingWorld
from tests.web_world import HERE, PASSWORD, THERE, TestClient

BIRTH, DEATH = "ks-thu", "kt-thu"
NUMBERS = {"so": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "ngayDangKy": "23.11.2026"}
PDF = b"%PDF-1.7 gi\xe1\xba\xa5y"
PATHS = ("", "/thu.pdf", "/giay-dang-ky.pdf")


@pytest.fixture(scope="module")
def registered(_people: Path, tmp_path_factory: pytest.TempPathFactory, _keys: Path) -> Path:
    """A database in which a birth and a death of this commune are registered, made once; the birth's commune sent a
    paper and a result that does not fit the child."""
    file = tmp_path_factory.mktemp("letters") / "web.sqlite"
    shutil.copy(_people, file)
    store, vault = Store.open(f"sqlite:///{file}"), Vault.open(_keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SAMPLES, BIRTH, "birth/newborn-admitted-with-pv1-4-n")
        patch.setitem(SAMPLES, DEATH, "death/discharge-with-death-and-cause")
        world = WaitingWorld(store, vault, StillClock())
        world.open_cases(BIRTH, DEATH)
    assert decide(world.services, BIRTH, "register", "can-bo", "", NUMBERS | {"soDinhDanh": "999226000777"}) == {}
    assert decide(world.services, DEATH, "register", "can-bo", "", NUMBERS) == {}
    world.work()
    finding = Finding("result.id_differs", "soDinhDanh").as_json()
    told = {"words": "", "result": NUMBERS, "paper": b64encode(PDF).decode(), "findings": [finding]}
    with store.write() as conn:
        create_user(conn, "vien-khac", "hospital", "Viện Khác", PASSWORD, facilities=["99998"])
        conn.execute(update(CaseRow).values(commune_code=HERE.code))
        sealed = vault.seal(orjson.dumps(told))
        conn.execute(update(OutcomeRow).where(OutcomeRow.case_id == BIRTH).values(sealed=sealed))
    store.close()
    return file


@pytest.fixture
def world(registered: Path, tmp_path: Path, vault: Vault, clock: Any) -> Iterator[WaitingWorld]:
    file = tmp_path / "web.sqlite"
    shutil.copy(registered, file)
    store = Store.open(f"sqlite:///{file}")
    yield WaitingWorld(store, vault, clock)
    store.close()


def reads(world: WaitingWorld) -> list[tuple[str, str]]:
    return [(entry["subject"], entry["why"]) for entry in world.entries("read")]


def plan(client: TestClient, **form: str) -> Any:
    page = client.get(f"/trao-giay/{BIRTH}").text
    return client.post(f"/trao-giay/{BIRTH}", data={"csrf": csrf_of(page), **form}, follow_redirects=False)


@pytest.mark.parametrize(
    ("name", "status"),
    [("can-bo", 200), ("benh-vien", 200), ("kiem-tra", 200), ("can-bo-khac", 404), ("vien-khac", 404),
     ("quan-tri", 403)],
)  # fmt: skip
def test_a_cases_papers_are_for_its_commune_its_hospital_and_auditors(
    world: WaitingWorld, sign_in: SignIn, name: str, status: int
) -> None:
    client = sign_in(name)
    for path in PATHS:
        answer = client.get(f"/trao-giay/{BIRTH}{path}")
        assert answer.status_code == status
        if status == 200 and path:
            assert answer.headers["content-type"] == "application/pdf"
            assert answer.headers["content-disposition"].startswith("attachment")
            assert answer.content.startswith(b"%PDF-")
    assert reads(world) == ([(BIRTH, why) for why in ("handover", "download", "download")] if status == 200 else [])


@pytest.mark.parametrize(("role", "reach", "status"), [
    ("hospital", {"facilities": [feed().facility_code]}, 200), ("hospital", {"facilities": ["99998"]}, 404),
    ("officer", {"communes": [HERE.code]}, 200), ("officer", {"communes": [THERE.code]}, 404), ("admin", {}, 403),
])  # fmt: skip
def test_the_api_gives_letter_and_paper_to_whoever_may_read_the_case(
    world: WaitingWorld, role: str, reach: dict[str, list[str]], status: int
) -> None:
    with world.store.write() as conn:
        token = create_token(conn, "may", role, world.now, **reach)
    client = TestClient(world.app, headers={"Authorization": f"Bearer {token}"})
    for name in ("letter", "paper"):
        answer = client.get(f"/api/cases/{BIRTH}/{name}.pdf")
        assert answer.status_code == status
        assert answer.content.startswith(b"%PDF-") == (status == 200)
    assert reads(world) == ([(BIRTH, "download")] * 2 if status == 200 else [])


def test_what_is_not_there_is_not_found_and_what_is_no_pdf_is_not_called_one(
    world: WaitingWorld, sign_in: SignIn
) -> None:
    client = sign_in("can-bo")
    assert client.get(f"/trao-giay/{DEATH}/giay-dang-ky.pdf").status_code == 404
    sealed = world.vault.seal(orjson.dumps({"paper": b64encode(b"<html>").decode()}))
    with world.store.write() as conn:
        conn.execute(update(OutcomeRow).values(sealed=sealed))
    answer = client.get(f"/trao-giay/{DEATH}/giay-dang-ky.pdf")
    assert answer.headers["content-type"] == "application/octet-stream"


def test_the_page_shows_the_result_and_what_does_not_fit(sign_in: SignIn) -> None:
    page = sign_in("can-bo").get(f"/trao-giay/{BIRTH}").text
    assert "45/2026" in page
    assert "Số định danh không hợp giới tính hoặc năm sinh của trẻ" in page
    assert "Thư chúc mừng" in page


def test_a_plan_is_recorded_with_who_made_it_and_stands_on_that_days_list(world: WaitingWorld, sign_in: SignIn) -> None:
    hospital, officer = sign_in("benh-vien"), sign_in("can-bo")
    assert plan(hospital, cach="facility", ngay="2026-11-24").status_code == 303
    assert "Phòng Kế hoạch ghi" in officer.get(f"/trao-giay/{BIRTH}").text
    listed = officer.get("/trao-giay?ngay=2026-11-24").text
    assert "Tại cơ sở y tế <small" in listed
    assert "Giấy khai sinh" in listed
    assert "Thư chúc mừng" in listed
    assert "Không có giấy tờ nào hẹn trao ngày này" in officer.get("/trao-giay?ngay=2026-11-25").text
    assert "Không có giấy tờ nào" in sign_in("can-bo-khac").get("/trao-giay?ngay=2026-11-24").text
    (entry,) = world.entries("handover")
    assert entry == {
        "subject": BIRTH, "action": "planned", "choice": "facility", "day": "2026-11-24", "who": "benh-vien",
    }  # fmt: skip
    assert "Tại cơ sở y tế, ngày 24/11/2026" in officer.get(f"/ho-so/{BIRTH}").text


def test_what_is_wrong_with_a_plan_stands_beside_its_field_and_nothing_is_written(
    world: WaitingWorld, sign_in: SignIn
) -> None:
    answer = plan(sign_in("can-bo"), cach="post", ngay="2026-11-01")
    assert answer.status_code == 422
    assert "Hãy chọn cách trao." in answer.text
    assert "Ngày trao không được trước hôm nay." in answer.text
    assert 'value="2026-11-01"' in answer.text
    assert world.entries("handover") == []


def test_an_auditor_looks_and_records_nothing(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("kiem-tra")
    assert "Ghi cách trao" not in client.get(f"/trao-giay/{BIRTH}").text
    assert plan(client, cach="home", ngay="2026-11-24").status_code == 403
    form = {"csrf": csrf_of(client.get("/trao-giay").text), "xong": "1"}
    assert client.post(f"/trao-giay/{BIRTH}/da-trao", data=form).status_code == 403
    assert world.entries("handover") == []


def test_a_form_of_another_session_records_nothing(world: WaitingWorld, sign_in: SignIn) -> None:
    form = {"csrf": "x", "cach": "home", "ngay": "2026-11-24"}
    assert sign_in("can-bo").post(f"/trao-giay/{BIRTH}", data=form).status_code == 403
    assert world.entries("handover") == []


@pytest.mark.parametrize(("name", "choice", "status"), [
    ("can-bo", "home", 303), ("benh-vien", "facility", 303), ("benh-vien", "home", 403), ("can-bo-khac", "home", 404),
])  # fmt: skip
def test_handed_over_is_marked_by_whoever_hands_over(
    world: WaitingWorld, sign_in: SignIn, name: str, choice: str, status: int
) -> None:
    assert plan(sign_in("can-bo"), cach=choice, ngay="2026-11-24").status_code == 303
    client = sign_in(name)
    form = {"csrf": csrf_of(client.get("/trao-giay").text), "xong": "1", "ve": "2026-11-24"}
    answer = client.post(f"/trao-giay/{BIRTH}/da-trao", data=form, follow_redirects=False)
    assert answer.status_code == status
    done = [entry["who"] for entry in world.entries("handover") if entry["action"] == "done"]
    assert done == ([name] if status == 303 else [])
    if status == 303:
        assert answer.headers["location"] == "/trao-giay?ngay=2026-11-24"


def test_nothing_can_be_handed_over_without_a_plan(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    form = {"csrf": csrf_of(client.get("/trao-giay").text), "xong": "1"}
    assert client.post(f"/trao-giay/{BIRTH}/da-trao", data=form).status_code == 422


def test_todays_list_points_at_what_was_left_and_what_nobody_planned(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    plan(client, cach="home", ngay="2026-11-23")
    world.clock.pass_seconds(86_400)
    page = sign_in("can-bo").get("/trao-giay").text
    left, unplanned = page.split("Quá ngày hẹn, chưa trao <small")[1].split("Đã đăng ký, chưa hẹn cách trao <small")
    assert BIRTH in left
    assert DEATH in unplanned
    assert BIRTH not in unplanned


def test_the_list_as_pdf_has_the_same_names_and_a_place_to_sign(sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    plan(client, cach="home", ngay="2026-11-24")
    answer = client.get("/trao-giay/danh-sach.pdf?ngay=2026-11-24")
    shown = subprocess.run(["pdftotext", "-layout", "-", "-"], input=answer.content, capture_output=True, check=True)
    text = " ".join(shown.stdout.decode().split())
    assert "Danh sách trao giấy tờ ngày 24.11.2026" in text
    assert "Hội Liên hiệp Phụ nữ mang đến nhà (1)" in text
    assert "Người nhận ký" in text
    name = re.search(r"<h1>([^<]+)</h1>", client.get(f"/trao-giay/{BIRTH}").text)
    assert name
    assert name[1] in text


def test_missing_letters_are_named_by_case_and_no_name_is_shown(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    assert "Không thiếu thư nào" in client.get("/thu").text
    with world.store.write() as conn:
        conn.execute(delete(Letter).where(Letter.case_id == DEATH))
    assert "đang làm: 1" in client.get("/thu").text
    world.clock.pass_seconds(25 * 3600)
    client = sign_in("can-bo")
    page = client.get("/thu").text
    assert "Thiếu 1 thư" in page
    assert DEATH in page
    assert BIRTH not in page
    assert "Thiếu" not in client.get("/thu?tu=2026-11-01&den=2026-11-22").text
    assert "Thiếu 1 thư" not in sign_in("can-bo-khac").get("/thu").text
    assert sign_in("benh-vien").get("/thu").status_code == 403
    assert reads(world) == []


def test_a_day_that_is_none_means_today(sign_in: SignIn) -> None:
    for path in ("/trao-giay?ngay=hôm-nay", "/thu?tu=x&den=9999-99-99"):
        assert sign_in("can-bo").get(path).status_code == 200
