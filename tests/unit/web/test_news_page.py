"""News from the facility on the officer's pages: what changed since the last look, a request to take a dossier back."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.domain.commune import CommuneAnswer
from gateway.domain.provenance import Provenance
from gateway.sealing.verify import verify_dossier
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.views.desk import DeskDossier, DeskLine
from gateway.web.pages.dossier import happened
from tests.news_world import NewsWorld
from tests.unit.web.conftest import SignIn, csrf_of
from tests.web_world import THERE, TestClient, birth, death

NUMBERS = {"so": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "ngayDangKy": "23.11.2026"}
MOVED = {"maTinh": "52", "maHuyen": "", "maXa": "21589", "dcChiTiet": "12 đường Thử Nghiệm"}


@pytest.fixture
def world(_people: Path, tmp_path: Path, vault: Vault, clock: object) -> Iterator[NewsWorld]:
    """A birth and a death on the desk, both in their first version."""
    file = tmp_path / "news.sqlite"
    shutil.copy(_people, file)
    store = Store.open(f"sqlite:///{file}")
    made = NewsWorld(store, vault, clock)
    made.deliver("hs", birth())
    made.deliver("hs-tu", death())
    yield made
    store.close()


def act(client: TestClient, action: str, version: int, **typed: str) -> Any:
    token = csrf_of(client.get("/ho-so/hs").text)
    form = {"csrf": token, "version": str(version), "action": action, **typed}
    return client.post("/ho-so/hs/quyet-dinh", data=form, follow_redirects=False)


def page(client: TestClient) -> str:
    return str(client.get("/ho-so/hs").text)


def test_what_changed_stands_above_the_declaration_as_people_read_it(world: NewsWorld, sign_in: SignIn) -> None:
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Thu Hoài", nksGioiTinh="1", meNoiCuTru=MOVED, maGCS=""))
    text = page(sign_in("can-bo"))
    assert text.index("Thông tin đã sửa") < text.index("Người được khai sinh</h2>")
    for before, now in (
        ("Nguyễn Thị Thu Hòa", "Nguyễn Thị Thu Hoài"),
        ("Nữ (2)", "Nam (1)"),
        (
            "12 đường Thử Nghiệm, Phường Quy Nhơn, Tỉnh Gia Lai",
            "12 đường Thử Nghiệm, Phường Quy Nhơn Tây, Tỉnh Gia Lai",
        ),
    ):
        assert text.index(f"<del>{before}</del>") < text.index(f"<ins>{now}</ins>")
    assert "<del>00123.GCS.99001.26</del>" in text
    assert text.count("<ins>") == 3
    changes = text[text.index("Thông tin đã sửa") : text.index("Đánh dấu đã xem")]
    assert "NK1[NK1-3.1 = MTH]-2" in changes
    assert "Cơ sở dữ liệu quốc gia về dân cư" in changes


def test_several_corrections_are_told_against_what_the_officer_saw_last(world: NewsWorld, sign_in: SignIn) -> None:
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Một"))
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Hai"))
    client = sign_in("can-bo")
    assert "<del>Nguyễn Thị Thu Hòa</del>" in page(client)
    assert act(client, "seen", 3).status_code == 303
    assert "Thông tin đã sửa từ" not in page(client)
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Ba"))
    assert "<del>Nguyễn Thị Hai</del>" in page(client)


def test_a_name_sent_in_another_normal_form_did_not_change(world: NewsWorld, sign_in: SignIn) -> None:
    world.deliver("hs", birth(meHoTen=unicodedata.normalize("NFD", "Nguyễn Thị Thu Hòa")))
    text = page(sign_in("can-bo"))
    assert "Các mục của tờ khai không đổi" in text
    assert "<del>" not in text


def test_parts_that_people_do_not_read_are_named(world: NewsWorld, sign_in: SignIn) -> None:
    address = {"maTinh": "52", "maHuyen": "540", "maXa": "21583", "dcChiTiet": "12 đường Thử Nghiệm"}
    world.deliver("hs", birth(meNoiCuTru=address))
    text = page(sign_in("can-bo"))
    assert "<del>maHuyen: —</del>" in text
    assert "<ins>maHuyen: 540</ins>" in text


def test_another_commune_is_told_by_its_name(world: NewsWorld, sign_in: SignIn) -> None:
    world.deliver("hs", replace(birth(THERE, noiDangKy=""), commune=CommuneAnswer(THERE, (), "father.address")))
    text = page(sign_in("can-bo-khac"))
    changes = text[text.index("Thông tin đã sửa") : text.index("Đánh dấu đã xem")]
    assert "Xã đăng ký" in changes
    assert "<ins>Phường Quy Nhơn Tây, Tỉnh Gia Lai</ins>" in changes
    assert "Nơi cư trú của người cha" in changes


def test_seen_is_logged_and_changes_no_state(world: NewsWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    act(client, "ask", 1, words="Thiếu giấy kết hôn")
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Thu Hoài"))
    assert act(client, "seen", 2).status_code == 303
    state, content = world.item("hs")
    assert (state, content["words"], content["looked"]) == ("needs_more", "Thiếu giấy kết hôn", 2)
    assert [entry["action"] for entry in world.entries("decided")] == ["ask", "seen"]
    assert act(client, "seen", 2).status_code == 422


def test_whatever_the_officer_decides_answers_a_correction(world: NewsWorld, sign_in: SignIn) -> None:
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Thu Hoài"))
    client = sign_in("can-bo")
    assert act(client, "accept", 2).status_code == 303
    assert world.item("hs")[0] == "accepted"
    assert "Thông tin đã sửa từ" not in page(client)


def test_a_correction_of_a_registered_dossier_is_shown_and_can_only_be_seen(world: NewsWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    act(client, "register", 1, **NUMBERS, soDinhDanh="999226000777")
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Thu Hoài"))
    text = page(client)
    assert "Đánh dấu đã xem" in text
    assert "Quyết định</h2>" not in text
    act(client, "seen", 2)
    state, content = world.item("hs")
    assert (state, content["result"]["so"]) == ("registered", "45/2026")


def withdrawn(reason: Any = ()) -> Any:
    return replace(birth(), withdrawn=True, findings=tuple(reason))


def test_a_withdrawal_asks_for_an_answer_and_for_nothing_else(world: NewsWorld, sign_in: SignIn) -> None:
    world.deliver("hs", withdrawn())
    text = page(sign_in("can-bo"))
    assert "Cơ sở y tế xin rút hồ sơ</h2>" in text
    assert "cơ sở y tế không nêu" in text
    assert "Đồng ý rút hồ sơ</button>" in text
    assert "Giữ hồ sơ</button>" in text
    for other in ("Tiếp nhận hồ sơ", "Ghi kết quả", "Gửi yêu cầu", "Từ chối hồ sơ", "Đánh dấu đã xem"):
        assert other not in text


def test_a_withdrawal_says_why(world: NewsWorld, sign_in: SignIn) -> None:
    world.deliver("hs", withdrawn())
    with world.store.write() as conn:
        sealed = conn.exec_driver_sql("SELECT sealed FROM dossier WHERE case_id = 'hs' AND version = 2").scalar_one()
        content = orjson.loads(world.vault.unseal(sealed))
        why = {
            "code": "case.cancelled",
            "severity": "warning",
            "where": "A11",
            "detail": "",
            "detail_vi": "Hủy nhập viện",
        }
        content["dossier"]["findings"] = [why]
        again = world.vault.seal(orjson.dumps(content))
        conn.exec_driver_sql("UPDATE dossier SET sealed = ? WHERE case_id = 'hs' AND version = 2", (again,))
    assert "Lý do: Hủy nhập viện." in page(sign_in("can-bo"))


def test_an_agreed_withdrawal_ends_the_dossier(world: NewsWorld, sign_in: SignIn) -> None:
    world.deliver("hs", withdrawn())
    client = sign_in("can-bo")
    assert act(client, "agree", 2).status_code == 303
    text = page(client)
    assert world.item("hs")[0] == "cancelled"
    assert '<span class="state cancelled">Đã rút</span>' in text
    assert '<form method="post" action="/ho-so/' not in text
    assert [entry["action"] for entry in world.entries("decided")] == ["agree"]


def test_no_clock_runs_for_what_was_taken_back() -> None:
    line = DeskLine("hs", "hs", "birth", "21583", 2, "cancelled", 0, 0, "2027-01-19", {})
    assert happened(DeskDossier(line, {}, "", "", {})).stopped == {"register_by", "supplement_by", "decide_by"}
    assert happened(DeskDossier(replace(line, state="accepted"), {}, "", "", {})).stopped == set()


def test_keeping_needs_a_reason_and_gives_the_actions_back(world: NewsWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    act(client, "accept", 1)
    world.deliver("hs", withdrawn())
    silent = act(client, "keep", 2, words=" ")
    assert silent.status_code == 422
    assert 'id="words-keep-error"' in silent.text
    assert act(client, "keep", 2, words="Trẻ đang ở cùng mẹ tại xã.").status_code == 303
    text = page(client)
    assert world.item("hs")[0] == "accepted"
    assert "Trẻ đang ở cùng mẹ tại xã." in text
    assert "Ghi kết quả</button>" in text


def test_agreeing_after_registration_names_a_procedure_and_keeps_the_result(world: NewsWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    act(client, "register", 1, **NUMBERS, soDinhDanh="999226000777")
    world.deliver("hs", withdrawn())
    assert "cổng không hủy được đăng ký" in page(client)
    silent = act(client, "agree", 2)
    assert silent.status_code == 422
    assert 'id="words-agree-error"' in silent.text
    assert act(client, "agree", 2, words="Lập hồ sơ thu hồi ngày 24.11.2026").status_code == 303
    state, content = world.item("hs")
    assert (state, content["result"]["so"]) == ("registered", "45/2026")
    assert "Lập hồ sơ thu hồi ngày 24.11.2026" in page(client)


def test_a_later_version_lifts_the_request(world: NewsWorld, sign_in: SignIn) -> None:
    world.deliver("hs", withdrawn())
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Thu Hoài"))
    text = page(sign_in("can-bo"))
    assert "Cơ sở y tế xin rút hồ sơ</h2>" not in text
    assert "Cơ sở y tế không rút nữa" in text
    assert "<ins>Nguyễn Thị Thu Hoài</ins>" in text
    assert "Tiếp nhận hồ sơ" in text


def test_the_list_marks_news_first_and_counts_it(world: NewsWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    assert "Có thay đổi <b>0</b>" in client.get("/").text
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Thu Hoài"))
    text = client.get("/").text
    assert text.index("Con bà Nguyễn Thị Thu Hoài") < text.index("Phạm Văn Thử")
    assert '<span class="mark corrected">Cơ sở y tế sửa thông tin</span>' in text
    assert "Có thay đổi <b>1</b>" in text
    assert "Đang mở <b>2</b>" in text
    act(client, "seen", 2)
    text = client.get("/").text
    assert text.index("Phạm Văn Thử") < text.index("Con bà Nguyễn Thị Thu Hoài")
    assert 'class="mark' not in text


def test_news_of_a_finished_dossier_is_on_the_first_page_too(world: NewsWorld, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    act(client, "refuse", 1, words="Không thuộc thẩm quyền")
    assert "Con bà Nguyễn Thị Thu Hòa" not in client.get("/").text
    world.deliver("hs", withdrawn())
    for path in ("/", "/?trang_thai=refused", "/?trang_thai=thay-doi"):
        assert client.get(path).text.count('<span class="mark withdrawing">Cơ sở y tế xin rút</span>') == 1
    assert "Con bà Nguyễn Thị Thu Hòa" not in client.get("/?trang_thai=accepted").text


def test_every_version_is_downloaded_as_it_was_signed(world: NewsWorld, sign_in: SignIn) -> None:
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Thu Hoài"))
    client = sign_in("can-bo")
    assert "/ho-so/hs/dossier.xml?ban=1" in page(client)
    names = {}
    for version in (1, 2):
        report = verify_dossier(client.get(f"/ho-so/hs/dossier.xml?ban={version}").content, world.key.certificates)
        assert report.ok
        assert report.document is not None
        assert report.document.envelope.version == version
        names[version] = report.document.dossier.fields["meHoTen"]
    assert names == {1: "Nguyễn Thị Thu Hòa", 2: "Nguyễn Thị Thu Hoài"}
    assert client.get("/ho-so/hs/dossier.xml").headers["content-disposition"].endswith('-2.xml"')
    assert client.get("/ho-so/hs/dossier.xml?ban=3").status_code == 404


def test_an_auditor_sees_what_changed_and_answers_nothing(world: NewsWorld, sign_in: SignIn) -> None:
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Thu Hoài"))
    text = page(sign_in("kiem-tra"))
    assert "<ins>Nguyễn Thị Thu Hoài</ins>" in text
    assert "Đánh dấu đã xem" not in text
    assert act(sign_in("kiem-tra"), "seen", 2).status_code == 403


def test_when_the_version_seen_was_erased_the_newest_tells_its_own_corrections(
    world: NewsWorld, sign_in: SignIn
) -> None:
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Một"))
    world.deliver("hs", birth(meHoTen="Nguyễn Thị Hai"))
    with world.store.write() as conn:
        conn.exec_driver_sql("DELETE FROM dossier WHERE version < 3")
    assert "<del>Nguyễn Thị Một</del>" in page(sign_in("can-bo"))


def test_the_source_of_a_person_s_edit_is_named(world: NewsWorld, sign_in: SignIn) -> None:
    edited = birth(meHoTen="Nguyễn Thị Thu Hoài")
    provenance = {**edited.provenance, "meHoTen": Provenance("desk", "mother.name", "desk#dieu-phoi")}
    world.deliver("hs", replace(edited, provenance=provenance))
    text = page(sign_in("can-bo"))
    assert "Cán bộ ghi" in text[text.index("Thông tin đã sửa") : text.index("Đánh dấu đã xem")]
