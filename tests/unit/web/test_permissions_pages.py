"""Who sees which page. Another commune's dossier does not exist for an officer."""

from __future__ import annotations

import pytest

from tests.unit.web.conftest import SignIn, csrf_of
from tests.web_world import OTHER_HOSPITAL, TestClient, World

PAGES = {
    "/": {"can-bo"},
    "/ho-so/hs-sinh": {"can-bo", "kiem-tra"},
    "/ho-so/hs-sinh/dossier.xml": {"can-bo", "kiem-tra"},
    "/benh-vien": {"benh-vien"},
    "/nhat-ky": {"kiem-tra"},
    "/nguoi-dung": {"quan-tri"},
}
PEOPLE = ("can-bo", "benh-vien", "kiem-tra", "quan-tri")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("name", PEOPLE)
def test_each_page_opens_for_its_roles_only(sign_in: SignIn, path: str, name: str) -> None:
    status = sign_in(name).get(path, follow_redirects=False).status_code
    if name in PAGES[path]:
        assert status == 200
    else:
        assert status == (303 if path == "/" else 403)


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_without_signing_in(anyone: TestClient, path: str) -> None:
    answer = anyone.get(path, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/dang-nhap")


@pytest.mark.parametrize("path", ["/ho-so/hs-sinh", "/ho-so/hs-sinh/dossier.xml", "/ho-so/there-is-none"])
def test_another_communes_dossier_does_not_exist(world: World, sign_in: SignIn, path: str) -> None:
    answer = sign_in("can-bo-khac").get(path)
    assert answer.status_code == 404
    assert "Thu Hòa" not in answer.text
    assert world.entries("read") == []


def test_an_officer_decides_about_no_other_commune(sign_in: SignIn) -> None:
    client = sign_in("can-bo-khac")
    form = {"csrf": csrf_of(client.get("/").text), "version": "1", "action": "accept"}
    assert client.post("/ho-so/hs-sinh/quyet-dinh", data=form).status_code == 404


def test_the_desk_and_its_counts_hold_the_own_communes_only(sign_in: SignIn) -> None:
    page = sign_in("can-bo-khac").get("/").text
    assert "Người Xã Khác" in page
    assert "Phạm Văn Thử" not in page
    assert "Đang mở <b>1</b>" in page


def test_the_search_finds_no_other_communes_dossier(sign_in: SignIn) -> None:
    client = sign_in("can-bo-khac")
    answer = client.post("/tim", data={"csrf": csrf_of(client.get("/").text), "ma": "hs-sinh"})
    assert answer.status_code == 404


def test_the_auditor_reads_but_decides_nothing(sign_in: SignIn) -> None:
    client = sign_in("kiem-tra")
    page = client.get("/ho-so/hs-sinh").text
    assert "/quyet-dinh" not in page
    form = {"csrf": csrf_of(page), "version": "1", "action": "accept"}
    assert client.post("/ho-so/hs-sinh/quyet-dinh", data=form).status_code == 403


@pytest.mark.parametrize("name", ["benh-vien", "kiem-tra", "quan-tri"])
def test_pages_without_cases_show_no_persons(world: World, sign_in: SignIn, name: str) -> None:
    world.add_message(1)
    page = sign_in(name).get("/").text
    for person in ("Thu Hòa", "Khánh", "Phạm Văn Thử", "999197000123"):
        assert person not in page


def test_a_hospital_sees_its_own_messages_and_cases(world: World, sign_in: SignIn) -> None:
    world.add_message(1)
    world.add_message(2, OTHER_HOSPITAL)
    page = sign_in("benh-vien").get("/").text
    assert "test.1" in page
    assert "test.2" not in page
    assert "hs-sinh" in page
    assert "hs-xa-khac" not in page


def test_the_log_shows_ids_and_who_looked(world: World, sign_in: SignIn) -> None:
    sign_in("can-bo").get("/ho-so/hs-sinh")
    auditor = sign_in("kiem-tra")
    assert "Xem dữ liệu cá nhân" in auditor.get("/nhat-ky").text
    about = auditor.get("/nhat-ky?ma=hs-sinh").text
    assert "can-bo" in about
    assert "dossier" in about
