"""Cases that wait for a person: who sees them, why they wait, what settles them. Made by the real steps."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.pipeline.desk import choose_commune, release
from gateway.store.session import Store
from gateway.store.vault import Vault
from tests.unit.web.conftest import SignIn, csrf_of
from tests.waiting_world import CANH_VINH, QUY_NHON_NAM, SAMPLES, VAN_CANH, WaitingWorld, add_settlers
from tests.web_world import TestClient

PERSONS = ("LƯƠNG", "Văn Khôi Nguyên", "Phạm Hồng Quân", "Đoàn Thị Xuyến")


@pytest.fixture(scope="session")
def _waiting(_sqlite_template: Path, _keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with every way of waiting, made once."""
    from tests.conftest import StillClock

    file = tmp_path_factory.mktemp("waiting") / "waiting.sqlite"
    shutil.copy(_sqlite_template, file)
    store = Store.open(f"sqlite:///{file}")
    add_settlers(store)
    WaitingWorld(store, Vault.open(_keys), StillClock()).open_cases(*SAMPLES)
    store.close()
    return file


@pytest.fixture
def world(_waiting: Path, tmp_path: Path, vault: Vault, clock: Any) -> Iterator[WaitingWorld]:
    file = tmp_path / "waiting.sqlite"
    shutil.copy(_waiting, file)
    store = Store.open(f"sqlite:///{file}")
    clock.pass_seconds(60)
    yield WaitingWorld(store, vault, clock)
    store.close()


def settle(client: TestClient, case_id: str, what: str = "xa", **typed: str) -> Any:
    page = client.get(f"/cho-xu-ly/{case_id}").text
    version = page.split('name="version" value="')[1].split('"')[0]
    form = {"csrf": csrf_of(page), "version": version, "task": "settle", **typed}
    return client.post(f"/cho-xu-ly/{case_id}/{what}", data=form, follow_redirects=False)


# Who sees what


@pytest.mark.parametrize("path", ["/cho-xu-ly", "/cho-xu-ly/cho-chia-tach"])
@pytest.mark.parametrize(
    ("name", "status"), [("dieu-phoi", 200), ("kiem-tra", 200), ("benh-vien", 403), ("quan-tri", 403)]
)
def test_coordinators_and_auditors_open_the_pages(sign_in: SignIn, path: str, name: str, status: int) -> None:
    assert sign_in(name).get(path).status_code == status


@pytest.mark.parametrize("path", ["/cho-xu-ly", "/cho-xu-ly/cho-chia-tach"])
def test_nobody_sees_them_without_signing_in(anyone: TestClient, path: str) -> None:
    assert anyone.get(path, follow_redirects=False).headers["location"].startswith("/dang-nhap")


def test_the_coordinator_sees_all_the_longest_waiting_first(sign_in: SignIn) -> None:
    page = sign_in("dieu-phoi").get("/cho-xu-ly").text
    places = [page.index(f"/cho-xu-ly/{case_id}") for case_id in SAMPLES]
    assert places == sorted(places)
    assert "Cán bộ điều phối." in page


@pytest.mark.parametrize(
    ("name", "seen"),
    [("can-bo-van-canh", {"cho-chia-tach"}), ("can-bo-nam", {"cho-mau-thuan"}), ("can-bo-khac", set())],
)
def test_an_officer_sees_only_what_may_be_the_own_communes(
    world: WaitingWorld, sign_in: SignIn, name: str, seen: set[str]
) -> None:
    client = sign_in(name)
    page = client.get("/cho-xu-ly").text
    assert {case_id for case_id in SAMPLES if f"/cho-xu-ly/{case_id}" in page} == seen
    assert {entry["subject"] for entry in world.entries("read")} == seen
    for case_id in SAMPLES:
        answer = client.get(f"/cho-xu-ly/{case_id}")
        assert answer.status_code == (200 if case_id in seen else 404)
        if case_id not in seen:
            assert not any(person in answer.text for person in PERSONS)


@pytest.mark.parametrize(("name", "number"), [("dieu-phoi", "5"), ("kiem-tra", "5"), ("can-bo-van-canh", "1")])
def test_every_page_links_there_with_a_count(sign_in: SignIn, name: str, number: str) -> None:
    page = sign_in(name).get("/").text
    assert f'Chờ xử lý <b class="count">{number}<' in page


def test_the_link_shows_no_count_when_nothing_waits_and_stays_away_from_others(sign_in: SignIn) -> None:
    assert 'class="count"' not in sign_in("can-bo-khac").get("/").text
    assert "/cho-xu-ly" not in sign_in("benh-vien").get("/").text
    assert "/cho-xu-ly" not in sign_in("quan-tri").get("/").text


def test_every_look_is_logged(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("dieu-phoi")
    client.get("/cho-xu-ly")
    client.get("/cho-xu-ly/cho-mau-thuan")
    reads = world.entries("read")
    assert {entry["subject"] for entry in reads if entry["why"] == "waiting"} == set(SAMPLES)
    detail = {"subject": "cho-mau-thuan", "who": "dieu-phoi", "role": "officer", "why": "waiting_case"}
    assert detail in reads


# Why it waits


@pytest.mark.parametrize(
    ("case_id", "words"),
    [
        ("cho-chia-tach", ["Nơi cư trú của người mẹ có thể thuộc 2 xã", "Xã Vân Canh", "Xã Canh Vinh"]),
        ("cho-khong-ro", ["không khớp với xã, phường, đặc khu nào", "Xóm Mới"]),
        ("cho-mang-thai-ho", ["Có mang thai hộ.", "Không có thông điệp nào cho biết nơi cư trú"]),
        ("cho-mau-thuan", ["Dữ liệu tử vong mâu thuẫn.", "Cho đi tiếp là xác nhận người này đã chết", "PID-30=N"]),
        ("cho-thieu", ["Thiếu thông tin bắt buộc:", "Cơ sở y tế phải gửi bổ sung"]),
    ],
)
def test_the_reason_stands_there_in_words(sign_in: SignIn, case_id: str, words: list[str]) -> None:
    page = sign_in("dieu-phoi").get(f"/cho-xu-ly/{case_id}").text
    for part in words:
        assert part in page


def test_the_case_is_laid_out_like_its_dossier(sign_in: SignIn) -> None:
    page = sign_in("dieu-phoi").get("/cho-xu-ly/cho-chia-tach").text
    order = ["Người yêu cầu", "Người được khai sinh", "Người mẹ", "Người cha"]
    places = [page.index(f"</span> {title}</h2>") for title in order]
    assert places == sorted(places)
    assert "Xác thực danh tính" in page
    assert "Thời hạn" in page


# What settles it


def test_the_chosen_commune_gets_the_dossier(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("dieu-phoi")
    answer = settle(client, "cho-chia-tach", commune=CANH_VINH, why="Theo giấy tờ.")
    assert (answer.status_code, answer.headers["location"]) == (303, "/cho-xu-ly/cho-chia-tach")
    page = client.get("/cho-xu-ly/cho-chia-tach").text
    assert "Đã ghi quyết định." in page
    assert "Giao cho Xã Canh Vinh, Tỉnh Gia Lai" in page
    assert 'name="commune"' not in page
    world.work()
    assert world.desk() == {"cho-chia-tach": CANH_VINH}
    onward = client.get("/cho-xu-ly/cho-chia-tach", follow_redirects=False)
    assert onward.headers["location"] == "/ho-so/cho-chia-tach"
    assert "cho-chia-tach" not in client.get("/cho-xu-ly").text


def test_a_hold_and_an_unknown_commune_are_settled_one_after_the_other(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("dieu-phoi")
    released = settle(client, "cho-mang-thai-ho", "cho-di-tiep", code="birth.surrogate", why="Có văn bản thỏa thuận.")
    assert released.status_code == 303
    world.work()
    assert world.desk() == {}
    assert settle(client, "cho-mang-thai-ho", commune="21583", why="Bên nhờ mang thai ở đây.").status_code == 303
    world.work()
    assert world.desk() == {"cho-mang-thai-ho": "21583"}


def test_a_required_fact_that_nobody_sent_is_written_down_with_its_ground(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("dieu-phoi")
    form = {"path": "death.at", "value": "31.02.2026", "why": "Biên bản xác nhận việc chết."}
    wrong = settle(client, "cho-thieu", "bo-sung", **form)
    assert wrong.status_code == 422
    assert 'id="value-death.at-error"' in wrong.text
    assert 'value="31.02.2026"' in wrong.text
    assert settle(client, "cho-thieu", "bo-sung", **{**form, "value": "05.11.2026 08:15"}).status_code == 303
    world.work()
    told = client.get("/ho-so/cho-thieu").text
    assert "05.11.2026" in told
    assert "Cán bộ ghi" in told


def test_only_what_is_missing_can_be_written_down(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("dieu-phoi")
    form = {"path": "deceased.personal_id", "value": "999050000001", "why": "x"}
    assert settle(client, "cho-thieu", "bo-sung", **form).status_code == 422
    assert settle(client, "cho-chia-tach", "bo-sung", path="child.born", value="2026", why="x").status_code == 422
    assert world.entries("decided") == []


def test_a_dossier_on_its_way_to_the_desk_is_not_lost_from_sight(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("dieu-phoi")
    settle(client, "cho-chia-tach", commune=VAN_CANH, why="Theo giấy tờ.")
    world.work()
    with world.store.write() as conn:
        conn.exec_driver_sql("DELETE FROM desk_item")
    onward = client.get("/cho-xu-ly/cho-chia-tach", follow_redirects=False)
    assert onward.headers["location"] == "/cho-xu-ly?xong=1"
    assert "Hồ sơ đó không còn chờ" in client.get("/cho-xu-ly?xong=1").text


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"commune": VAN_CANH, "why": "  "}, "why-commune"), ({"commune": "", "why": "x"}, "commune"),
     ({"commune": "99999", "why": "x"}, "commune")],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    world: WaitingWorld, sign_in: SignIn, typed: dict[str, str], field: str
) -> None:
    answer = settle(sign_in("dieu-phoi"), "cho-chia-tach", search="tuy phuoc", **typed)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert 'value="tuy phuoc"' in answer.text
    assert world.entries("decided") == []


def test_looking_for_a_commune_decides_nothing(world: WaitingWorld, sign_in: SignIn) -> None:
    answer = settle(
        sign_in("dieu-phoi"), "cho-chia-tach", task="search", search="21589", commune=VAN_CANH, why="đang ghi"
    )
    assert answer.status_code == 200
    assert "Phường Quy Nhơn Tây" in answer.text
    assert f'value="{VAN_CANH}" checked' in answer.text
    assert "đang ghi</textarea>" in answer.text
    assert world.entries("decided") == []


def test_an_officer_takes_a_case_to_the_own_commune_and_nowhere_else(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo-van-canh")
    page = client.get("/cho-xu-ly/cho-chia-tach").text
    assert f'value="{VAN_CANH}"' in page
    assert f'value="{CANH_VINH}"' not in page
    assert 'name="search"' not in page
    for other in (CANH_VINH, "21583"):
        assert settle(client, "cho-chia-tach", commune=other, why="x").status_code == 422
    assert settle(client, "cho-chia-tach", commune=VAN_CANH, why="Người mẹ ở xã tôi.").status_code == 303
    world.work()
    assert world.desk() == {"cho-chia-tach": VAN_CANH}


def test_a_case_whose_commune_is_known_is_given_to_no_other(world: WaitingWorld, sign_in: SignIn) -> None:
    answer = settle(sign_in("dieu-phoi"), "cho-mau-thuan", commune=VAN_CANH, why="x")
    assert answer.status_code == 422
    assert world.entries("decided") == []


def test_the_communes_own_officer_lets_a_contradiction_go_on(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo-nam")
    silent = settle(client, "cho-mau-thuan", "cho-di-tiep", code="death.contradiction", why="")
    assert 'id="why-death.contradiction-error"' in silent.text
    other = settle(client, "cho-mau-thuan", "cho-di-tiep", code="birth.surrogate", why="x")
    assert other.status_code == 422
    settle(client, "cho-mau-thuan", "cho-di-tiep", code="death.contradiction", why="Đã hỏi bệnh viện.")
    world.work()
    assert world.desk() == {"cho-mau-thuan": QUY_NHON_NAM}


def test_an_officer_decides_nothing_about_a_case_out_of_reach(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo-khac")
    form = {"csrf": csrf_of(client.get("/").text), "commune": "21589", "why": "x", "code": "death.contradiction"}
    for path in ("cho-chia-tach/xa", "cho-mau-thuan/cho-di-tiep"):
        assert client.post(f"/cho-xu-ly/{path}", data=form).status_code == 404
    assert world.entries("decided") == []


def test_the_auditor_looks_and_decides_nothing(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("kiem-tra")
    page = client.get("/cho-xu-ly/cho-chia-tach").text
    assert 'action="/cho-xu-ly/' not in page
    form = {"csrf": csrf_of(page), "commune": VAN_CANH, "why": "x"}
    assert client.post("/cho-xu-ly/cho-chia-tach/xa", data=form).status_code == 403


def test_a_decision_needs_the_form_token(world: WaitingWorld, sign_in: SignIn) -> None:
    form = {"csrf": "guessed", "commune": VAN_CANH, "why": "x", "version": "1"}
    assert sign_in("dieu-phoi").post("/cho-xu-ly/cho-chia-tach/xa", data=form).status_code == 403
    assert world.entries("decided") == []


def test_a_decision_about_what_changed_meanwhile_is_refused(world: WaitingWorld, sign_in: SignIn) -> None:
    client = sign_in("dieu-phoi")
    page = client.get("/cho-xu-ly/cho-mang-thai-ho").text
    assert release(world.services, "cho-mang-thai-ho", "birth.surrogate", "x", "đã xem") == {}
    form = {"csrf": csrf_of(page), "version": "1", "commune": VAN_CANH, "why": "x"}
    answer = client.post("/cho-xu-ly/cho-mang-thai-ho/xa", data=form)
    assert answer.status_code == 422
    assert "vừa có thông tin hoặc quyết định mới" in answer.text


def test_a_case_that_waits_no_more_takes_no_decision(world: WaitingWorld, sign_in: SignIn) -> None:
    settle(sign_in("dieu-phoi"), "cho-chia-tach", commune=VAN_CANH, why="Theo giấy tờ.")
    world.work()
    assert "case" in choose_commune(world.services, "cho-chia-tach", CANH_VINH, "x", "muộn")
    assert world.desk() == {"cho-chia-tach": VAN_CANH}


def test_a_decision_is_in_the_log_without_words_or_names(world: WaitingWorld, sign_in: SignIn) -> None:
    settle(sign_in("dieu-phoi"), "cho-chia-tach", commune=VAN_CANH, why="Hỏi bà Nguyễn Thị Mẫu")
    (entry,) = world.entries("decided")
    assert entry["subject"] == "cho-chia-tach"
    assert "Mẫu" not in str(entry)
