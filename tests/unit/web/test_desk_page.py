from __future__ import annotations

from tests.unit.web.conftest import SignIn, csrf_of
from tests.web_world import TestClient, World, birth


def test_the_desk_lists_open_dossiers_by_legal_deadline(sign_in: SignIn) -> None:
    page = sign_in("can-bo").get("/").text
    assert page.index("Phạm Văn Thử") < page.index("Con bà Nguyễn Thị Thu Hòa")
    assert "còn 2 ngày" in page
    assert "Mẹ Bị Từ Chối" not in page


def test_a_state_can_be_chosen(sign_in: SignIn) -> None:
    page = sign_in("can-bo").get("/?trang_thai=refused").text
    assert "Mẹ Bị Từ Chối" in page
    assert "Phạm Văn Thử" not in page


def test_the_search_goes_by_whole_code(sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    token = csrf_of(client.get("/").text)
    found = client.post("/tim", data={"csrf": token, "ma": " hs-sinh "}, follow_redirects=False)
    assert (found.status_code, found.headers["location"]) == (303, "/ho-so/hs-sinh")
    missed = client.post("/tim", data={"csrf": token, "ma": "Nguyễn Thị"})
    assert missed.status_code == 404
    assert 'value="Nguyễn Thị"' in missed.text


def test_a_name_search_never_reaches_the_address(sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    missed = client.post("/tim", data={"csrf": csrf_of(client.get("/").text), "ma": "Nguyễn Thị"})
    assert str(missed.url).endswith("/tim")


def test_the_dossier_is_laid_out_like_the_paper_form(sign_in: SignIn) -> None:
    page = sign_in("can-bo").get("/ho-so/hs-sinh").text
    order = ["Người yêu cầu", "Người được khai sinh", "Người mẹ", "Người cha", "Giấy chứng sinh và việc đăng ký"]
    places = [page.index(f"</span> {title}</h2>") for title in order]
    assert places == sorted(places)
    assert "Nữ (2)" in page
    assert "— gia đình bổ sung —" in page
    assert "Bệnh viện Đa khoa Thử Nghiệm, Phường Quy Nhơn, Tỉnh Gia Lai" in page


def test_each_value_tells_where_it_came_from(sign_in: SignIn) -> None:
    page = sign_in("can-bo").get("/ho-so/hs-sinh").text
    assert "NK1[NK1-3.1 = MTH]-2" in page
    assert "test.7" in page
    assert "Cơ sở dữ liệu quốc gia về dân cư" in page
    assert ">test.8<" in page


def test_verdicts_findings_debts_and_clocks_are_in_vietnamese(sign_in: SignIn) -> None:
    page = sign_in("can-bo").get("/ho-so/hs-sinh").text
    for words in (
        "Khớp với CSDL quốc gia về dân cư",
        "Khác với CSDL quốc gia về dân cư: họ tên, ngày sinh",
        "Tên tạm của bệnh viện, gia đình chưa đặt tên",
        "Gia đình bổ sung <b>7</b>",
        "19.01.2027, thứ ba",
        "còn 57 ngày",
    ):
        assert words in page


def test_the_signed_xml_is_given_as_it_came(sign_in: SignIn) -> None:
    answer = sign_in("can-bo").get("/ho-so/hs-sinh/dossier.xml")
    assert answer.content == b'<dossier xmlns="urn:vn:hotich:1" code="hs-sinh"/>'
    assert "attachment" in answer.headers["content-disposition"]


def test_looking_is_logged_before_the_page_goes_out(world: World, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    client.get("/")
    client.get("/ho-so/hs-sinh")
    reads = world.entries("read")
    assert {"subject": "hs-sinh", "who": "can-bo", "role": "officer", "why": "dossier"} in reads
    assert {entry["subject"] for entry in reads if entry["why"] == "desk"} == {"hs-sinh", "hs-tu"}


def test_many_dossiers_come_in_pages(world: World, sign_in: SignIn) -> None:
    for number in range(30):
        world.add_dossier(f"hs-{number:03d}", birth(meHoTen=f"Mẹ Số {number:03d}"))
    client: TestClient = sign_in("can-bo")
    first = client.get("/").text
    assert first.count("<tr>") == 26
    onward = first.split("sau=")[1].split('"')[0]
    second = client.get(f"/?sau={onward}").text
    assert second.count("<tr>") == 8
    assert "Mẹ Số 029" in second
