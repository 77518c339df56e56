"""/trung-lap and /api/duplicates: who sees two cases side by side, who decides, what is logged. All are invented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.domain.dates import PartialDate
from gateway.domain.duplicates import CODES
from gateway.domain.notification import build
from gateway.domain.person import Address, PersonName, Sex
from gateway.web.accounts import create_token, create_user
from gateway.web.pages.duplicate_words import EVIDENCE, FACTS
from tests.duplicates_world import say
from tests.unit.web.conftest import SignIn, csrf_of
from tests.web_world import HERE, OTHER_HOSPITAL, PASSWORD, THERE, TestClient, World, birth, death

pytestmark = pytest.mark.slow

MOTHER, HERS, THEIRS = "999190000001", "Nguyễn Thị Thúy Hòa", "NGUYỄN THỊ THÚY HOÀ"


@pytest.fixture
def pair(world: World) -> str:
    """hs-sinh (here) and hs-xa-khac (there) tell of one mother and day; the pair's id."""
    with world.store.write() as conn:
        create_user(conn, "dieu-phoi", "officer", "Cán bộ Điều Phối", PASSWORD, communes=["*"])
        create_user(conn, "hai-xa", "officer", "Cán bộ Hai Xã", PASSWORD, communes=[HERE.code, THERE.code])
    common = {"mother__personal_id": MOTHER, "child__sex": Sex.FEMALE}
    here = {"mother__name": PersonName("Nguyễn", "Thị Thúy", "Hòa"), "mother__address": Address("12 đường Thử")}
    say(world, "hs-sinh", "birth", **common, **here, child__born=PartialDate.parse("202611230815"))
    there = {"mother__name": PersonName("NGUYỄN", "THỊ THÚY", "HOÀ"), "paper__number": "00001.GCS.99002.26"}
    say(world, "hs-xa-khac", "birth", **common, **there, child__born=PartialDate.parse("202611230905"))
    with world.store.read() as conn:
        return str(conn.exec_driver_sql("SELECT id FROM possible_duplicate").scalar_one())


def post(client: TestClient, pair_id: str, **typed: str) -> Any:
    page = client.get(f"/trung-lap/{pair_id}").text
    seen = page.split('name="seen" value="')[1].split('"')[0] if 'name="seen"' in page else ""
    form = {"csrf": csrf_of(client.get("/trung-lap").text), "seen": seen, **typed}
    return client.post(f"/trung-lap/{pair_id}", data=form, follow_redirects=False)


def state_of(world: World, pair_id: str) -> str:
    with world.store.read() as conn:
        sql = "SELECT state FROM possible_duplicate WHERE id = ?"
        return str(conn.exec_driver_sql(sql, (pair_id,)).scalar_one())


# Who sees what


@pytest.mark.parametrize(
    ("name", "status"), [("dieu-phoi", 200), ("can-bo", 200), ("kiem-tra", 200), ("benh-vien", 403), ("quan-tri", 403)]
)
def test_officers_and_auditors_open_the_page(sign_in: SignIn, pair: str, name: str, status: int) -> None:
    assert sign_in(name).get("/trung-lap").status_code == status
    assert sign_in(name).get(f"/trung-lap/{pair}").status_code == status


def test_nobody_sees_it_without_signing_in(anyone: TestClient, pair: str) -> None:
    assert anyone.get(f"/trung-lap/{pair}", follow_redirects=False).headers["location"].startswith("/dang-nhap")


@pytest.mark.parametrize("name", ["dieu-phoi", "hai-xa", "kiem-tra"])
def test_who_may_see_both_sees_them_side_by_side(world: World, sign_in: SignIn, pair: str, name: str) -> None:
    page = sign_in(name).get("/trung-lap").text
    for word in (HERS, THEIRS, "23/11/2026 08:15", "23/11/2026 09:05", "hs-sinh", "hs-xa-khac", "12 đường Thử"):
        assert word in page
    assert "<strong>Giống nhau:</strong> số định danh của mẹ; họ tên mẹ; ngày sinh của trẻ; giới tính của trẻ." in page
    assert "<strong>Khác nhau:</strong> giờ sinh (chênh hơn 10 phút)." in page
    assert OTHER_HOSPITAL.facility_name in page
    reads = [entry for entry in world.entries("read") if entry["why"] == "duplicate"]
    assert [(entry["subject"], entry["who"]) for entry in reads] == [("hs-sinh", name), ("hs-xa-khac", name)]


def test_each_fact_is_marked_as_it_compares(sign_in: SignIn, pair: str) -> None:
    page = sign_in("dieu-phoi").get(f"/trung-lap/{pair}").text
    rows = {row.split('scope="row">')[1].split("<")[0]: row for row in page.split("<tr>") if 'scope="row">' in row}
    assert "Giống" in rows["Họ, chữ đệm, tên (mẹ)"]
    assert "Khác" in rows["Giờ, ngày sinh của trẻ"]
    assert "Một bên thiếu" in rows["Số giấy chứng sinh"]


@pytest.mark.parametrize(("name", "commune"), [("can-bo", THERE.name), ("can-bo-khac", HERE.name)])
def test_an_officer_of_one_commune_learns_only_that_there_is_another(
    world: World, sign_in: SignIn, pair: str, name: str, commune: str
) -> None:
    client = sign_in(name)
    page = client.get("/trung-lap").text
    assert commune in page
    for word in (HERS, THEIRS, MOTHER, "08:15", "09:05", "12 đường Thử", "00001.GCS"):
        assert word not in page
    assert ("hs-sinh" in page, "hs-xa-khac" in page) == (name == "can-bo", name == "can-bo-khac")
    assert [entry for entry in world.entries("read") if entry["why"] == "duplicate"] == []
    assert '<form method="post" action="/trung-lap' not in page
    assert post(client, pair, same="1", why="x").status_code == 403
    assert state_of(world, pair) == "open"


def test_an_officer_of_a_third_commune_learns_nothing(world: World, sign_in: SignIn, pair: str) -> None:
    with world.store.write() as conn:
        create_user(conn, "xa-ba", "officer", "Cán bộ Xã Ba", PASSWORD, communes=["99999"])
    client = sign_in("xa-ba")
    assert pair not in client.get("/trung-lap").text
    assert client.get(f"/trung-lap/{pair}").status_code == 404
    assert post(client, "khong-co", same="1", why="x").status_code == 404


@pytest.mark.parametrize(("name", "shown"), [("dieu-phoi", True), ("kiem-tra", True), ("can-bo", False)])
def test_the_link_counts_what_the_reader_may_see_in_whole(sign_in: SignIn, pair: str, name: str, shown: bool) -> None:
    page = sign_in(name).get("/").text
    assert ('Trùng lặp <b class="count">1<' in page) is shown
    assert "/trung-lap" not in sign_in("benh-vien").get("/").text


def test_a_cases_own_page_names_the_other_commune_and_no_person(sign_in: SignIn, pair: str) -> None:
    page = sign_in("can-bo").get("/ho-so/hs-sinh").text
    box = page.split('id="h-duplicates"')[1].split("</section>")[0]
    assert "Có thể trùng với hồ sơ khác" in box
    assert THERE.name in box
    assert f"/trung-lap/{pair}" in box
    assert "hs-xa-khac" not in box
    assert 'id="h-duplicates"' not in sign_in("can-bo").get("/ho-so/hs-tu").text


def test_pages_follow_one_another_without_gap(world: World, sign_in: SignIn, pair: str) -> None:
    for number in range(12):
        world.clock.pass_seconds(1)
        world.add_dossier(f"them-{number}", birth())
        say(
            world, f"them-{number}", "birth", mother__passport=f"C99{number // 2}",
            child__born=PartialDate.parse("20261123"),
        )  # fmt: skip
        world.add_dossier(f"nua-{number}", birth())
        say(
            world, f"nua-{number}", "birth", mother__passport=f"C99{number // 2}",
            child__born=PartialDate.parse("20261123"),
        )  # fmt: skip
    client, found = sign_in("dieu-phoi"), list[str]()
    address = "/trung-lap"
    while address:
        page = client.get(address).text
        found += [part.split('"')[0] for part in page.split('<section class="card" id="')[1:]]
        address = page.split('<a href="/trung-lap?sau=')[1].split('"')[0] if "Xem tiếp" in page else ""
        address = f"/trung-lap?sau={address}" if address else ""
    with world.store.read() as conn:
        every = conn.exec_driver_sql("SELECT id FROM possible_duplicate ORDER BY proposed_at, id").scalars().all()
    assert len(every) > 20
    assert found == list(every)


# What is decided


def test_two_children_stay_two_cases(world: World, sign_in: SignIn, pair: str) -> None:
    client = sign_in("dieu-phoi")
    answer = post(client, pair, same="0", why="Hai bà mẹ, đã gọi cả hai bệnh viện.")
    assert (answer.status_code, answer.headers["location"]) == (303, "/trung-lap?xong=1")
    assert "Đã ghi quyết định" in client.get("/trung-lap?xong=1").text
    assert state_of(world, pair) == "different"
    assert client.get(f"/trung-lap/{pair}").status_code == 404
    assert 'id="h-duplicates"' not in client.get("/ho-so/hs-sinh").text
    assert {entry["subject"] for entry in world.entries("decided")} == {"hs-sinh", "hs-xa-khac"}


def test_an_officer_of_both_communes_decides_too(world: World, sign_in: SignIn, pair: str) -> None:
    assert post(sign_in("hai-xa"), pair, same="0", why="Đã hỏi.").status_code == 303


def test_what_is_missing_comes_back_with_what_was_typed(world: World, sign_in: SignIn, pair: str) -> None:
    client = sign_in("dieu-phoi")
    answer = post(client, pair, same="0", why=" ")
    assert answer.status_code == 422
    assert "Hãy ghi căn cứ của quyết định." in answer.text
    answer = post(client, pair, same="2", why="Đã hỏi <b>kỹ</b>.")
    assert answer.status_code == 422
    assert "Đã hỏi &lt;b&gt;kỹ&lt;/b&gt;." in answer.text
    assert state_of(world, pair) == "open"


def test_cases_that_contradict_are_not_merged_and_the_page_says_why(world: World, sign_in: SignIn, pair: str) -> None:
    answer = post(sign_in("dieu-phoi"), pair, same="1", why="Chuyển viện.")  # the hours of birth differ
    assert answer.status_code == 422
    assert "Chưa gộp được" in answer.text
    assert state_of(world, pair) == "open"


def test_a_case_that_changed_since_the_look_is_to_be_looked_at_again(world: World, sign_in: SignIn, pair: str) -> None:
    answer = post(sign_in("dieu-phoi"), pair, same="0", why="Đã hỏi.", seen="1.1")
    assert answer.status_code == 422
    assert "vừa có thông tin mới" in answer.text


def test_the_auditor_decides_nothing(world: World, sign_in: SignIn, pair: str) -> None:
    client = sign_in("kiem-tra")
    assert "Căn cứ" not in client.get(f"/trung-lap/{pair}").text
    assert post(client, pair, same="0", why="x").status_code == 403


def test_a_form_of_another_session_is_refused(world: World, sign_in: SignIn, pair: str) -> None:
    form = {"csrf": "x", "same": "0", "why": "x"}
    assert sign_in("dieu-phoi").post(f"/trung-lap/{pair}", data=form).status_code == 403


def test_two_notices_of_one_death_become_one_case(world: World, sign_in: SignIn, pair: str) -> None:
    world.add_dossier("hs-tu-2", death(THERE), feed=OTHER_HOSPITAL)
    for case_id in ("hs-tu", "hs-tu-2"):
        say(world, case_id, "death", deceased__personal_id="999050000009", death__at=PartialDate.parse("20261110"))
    client = sign_in("dieu-phoi")
    page = client.get("/trung-lap").text
    found = next(part.split('"')[0] for part in page.split('<section class="card" id="')[2:])
    assert "Hai người khác nhau" in page
    assert post(client, found, same="1", why="Cùng số định danh, đã hỏi gia đình.").status_code == 303
    assert state_of(world, found) == "same"


# The same for machines


@pytest.fixture
def token(world: World) -> Callable[..., dict[str, str]]:
    def make(role: str, *communes: str) -> dict[str, str]:
        with world.store.write() as conn:
            text = create_token(conn, f"may-{role}", role, world.now, communes=communes)
        return {"Authorization": f"Bearer {text}"}

    return make


def test_the_list_holds_ids_and_codes_and_of_a_case_out_of_reach_the_commune(
    anyone: TestClient, token: Any, pair: str
) -> None:
    whole = anyone.get("/api/duplicates", headers=token("officer", "*")).json()["items"][0]
    assert (whole["id"], whole["differ"]) == (pair, ["born.instant"])
    assert [case["id"] for case in whole["cases"]] == ["hs-sinh", "hs-xa-khac"]
    part = anyone.get("/api/duplicates", headers=token("officer", HERE.code)).json()["items"][0]
    assert part["cases"][1] == {"commune_code": THERE.code, "reachable": False}
    for word in (MOTHER, "Hòa", "HOÀ", "2026-11-23"):
        assert word not in str(whole)


@pytest.mark.parametrize("role", ["hospital", "admin"])
def test_hospitals_and_administrators_do_not_read_it(anyone: TestClient, token: Any, pair: str, role: str) -> None:
    assert anyone.get("/api/duplicates", headers=token(role)).status_code == 403


def test_an_officers_token_decides_once(world: World, anyone: TestClient, token: Any, pair: str) -> None:
    headers, address = token("officer", "*"), f"/api/duplicates/{pair}"
    assert anyone.post(address, json={"same": False, "why": " "}, headers=headers).status_code == 422
    assert anyone.post(address, json={"same": True, "why": "x"}, headers=headers).status_code == 409
    stale = {"same": False, "why": "x", "seen": [1, 1]}
    assert anyone.post(address, json=stale, headers=headers).json()["error"]["code"] == "duplicate.not_decided"
    told = anyone.post(address, json={"same": False, "why": "Đã hỏi.", "seen": [2, 2]}, headers=headers)
    assert told.json() == {"id": pair, "state": "different"}
    assert anyone.post(address, json={"same": False, "why": "x"}, headers=headers).status_code == 404


def test_a_browsers_session_and_a_token_of_one_commune_do_not_decide(
    world: World, anyone: TestClient, sign_in: SignIn, token: Any, pair: str
) -> None:
    body, address = {"same": False, "why": "x"}, f"/api/duplicates/{pair}"
    assert sign_in("dieu-phoi").post(address, json=body).status_code == 401
    assert anyone.post(address, json=body, headers=token("officer", HERE.code)).status_code == 403
    assert anyone.post(address, json=body, headers=token("auditor")).status_code == 403
    assert state_of(world, pair) == "open"


# Words


def test_every_code_has_words_and_every_fact_exists() -> None:
    assert set(EVIDENCE) == {code for codes in CODES.values() for code in codes}
    for kind, facts in FACTS.items():
        build(kind, dict.fromkeys(facts))
