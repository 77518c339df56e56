"""From the registration to the family's door in a real browser: hospital and officer, without JavaScript."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from gateway.pipeline.desk import decide
from gateway.store.session import Store
from gateway.store.tables import CaseRow, DeskItem
from gateway.store.vault import Vault
from tests.waiting_world import SAMPLES, WaitingWorld
from tests.web.conftest import Visit
from tests.web_world import HERE, add_people

CASE = "ks-thu"
NUMBERS = {"so": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "ngayDangKy": "23.11.2026"}


@pytest.fixture
def world(
    _sqlite_template: Path, tmp_path: Path, vault: Vault, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WaitingWorld]:
    """A birth of this commune, on the desk."""
    file = tmp_path / "browser.sqlite"
    shutil.copy(_sqlite_template, file)
    store = Store.open(f"sqlite:///{file}")
    add_people(store)
    monkeypatch.setitem(SAMPLES, CASE, "birth/newborn-admitted-with-pv1-4-n")
    made = WaitingWorld(store, vault, clock)
    made.open_cases(CASE)
    with store.write() as conn:
        conn.execute(update(CaseRow).values(commune_code=HERE.code))
        conn.execute(update(DeskItem).values(commune_code=HERE.code))
    yield made
    store.close()


def test_papers_go_from_the_hospitals_wish_to_the_familys_hands(world: WaitingWorld, visit: Visit) -> None:
    hospital = visit("benh-vien")
    hospital.goto(f"/trao-giay/{CASE}")
    expect(hospital.get_by_text("chưa đăng ký", exact=False).first).to_be_visible()
    hospital.get_by_role("button", name="Ghi cách trao").click()
    expect(hospital.get_by_text("Hãy chọn cách trao.")).to_be_visible()
    hospital.get_by_label("Hội Liên hiệp Phụ nữ mang đến nhà").check()
    hospital.get_by_label("Ngày trao").fill("2026-11-23")
    hospital.get_by_role("button", name="Ghi cách trao").click()
    expect(hospital.get_by_text("Phòng Kế hoạch ghi")).to_be_visible()

    decided = decide(world.services, CASE, "register", "can-bo", "", NUMBERS | {"soDinhDanh": "999226000777"})
    assert decided == {}
    world.work()

    officer = visit("can-bo")
    officer.get_by_role("link", name="Trao giấy tờ").click()
    row = officer.get_by_role("row").filter(has_text="Thư chúc mừng")
    expect(row.get_by_text("Giấy khai sinh")).to_be_visible()
    row.get_by_role("button", name="Đã trao").click()
    expect(officer.get_by_text("đã trao 1 trên 1")).to_be_visible()

    row.get_by_role("link").click()
    with officer.expect_download() as letter:
        officer.get_by_role("link", name="tải để in, ký (PDF)").click()
    assert letter.value.path().read_bytes().startswith(b"%PDF-")
    expect(officer.get_by_text("Trần Thị Cán Bộ ghi")).to_be_visible()

    officer.get_by_role("button", name="Bỏ dấu đã trao").click()
    officer.get_by_role("link", name="Xem hồ sơ").click()
    expect(officer.get_by_text("Hội Liên hiệp Phụ nữ mang đến nhà, ngày 23/11/2026")).to_be_visible()
    for width in (360, 1280):
        officer.set_viewport_size({"width": width, "height": 800})
        for path in ("/trao-giay", f"/trao-giay/{CASE}", "/thu"):
            officer.goto(path)
            assert officer.evaluate("document.documentElement.scrollWidth") <= width, path

    officer.goto("/trao-giay")
    officer.emulate_media(media="print")
    expect(officer.locator(".box").first).to_be_visible()
    expect(officer.get_by_text("Người nhận ký")).to_be_visible()
    expect(officer.get_by_role("button", name="Đã trao")).to_have_count(0)
