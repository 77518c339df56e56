"""A coordinator settles a waiting case in a real browser without JavaScript; it then lies on the commune's desk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from gateway.store.session import Store
from gateway.store.vault import Vault
from tests.waiting_world import SAMPLES, VAN_CANH, WaitingWorld, add_settlers
from tests.web.conftest import Visit


@pytest.fixture
def world(_sqlite_template: Path, tmp_path: Path, vault: Vault, clock: object) -> Iterator[WaitingWorld]:
    """Every way of waiting, once."""
    file = tmp_path / "waiting.sqlite"
    shutil.copy(_sqlite_template, file)
    store = Store.open(f"sqlite:///{file}")
    add_settlers(store)
    made = WaitingWorld(store, vault, clock)
    made.open_cases(*SAMPLES)
    yield made
    store.close()


def test_a_split_commune_is_settled_and_the_dossier_lies_on_its_desk(world: WaitingWorld, visit: Visit) -> None:
    page = visit("dieu-phoi")
    page.get_by_role("link", name="Chờ xử lý 5 hồ sơ").click()
    page.locator("a[href='/cho-xu-ly/cho-chia-tach']").click()
    subject = page.get_by_role("heading", level=1).inner_text()
    expect(page.get_by_text("có thể thuộc 2 xã hiện nay")).to_be_visible()

    page.get_by_role("radio", name="Xã Vân Canh").check()
    page.get_by_role("button", name="Giao hồ sơ").click()
    expect(page.get_by_text("Hãy ghi căn cứ của quyết định.")).to_be_visible()
    expect(page.get_by_role("radio", name="Xã Vân Canh")).to_be_checked()
    page.get_by_label("Căn cứ").fill("Sổ tạm trú ghi thôn thuộc Vân Canh.")
    page.get_by_role("button", name="Giao hồ sơ").click()
    expect(page.get_by_text("Đã ghi quyết định.")).to_be_visible()
    expect(page.get_by_text("Giao cho Xã Vân Canh, Tỉnh Gia Lai")).to_be_visible()

    world.work()
    page.get_by_role("link", name="Xem lại").click()
    expect(page.get_by_text("Mới đến", exact=True)).to_be_visible()
    assert world.desk() == {"cho-chia-tach": VAN_CANH}
    officer = visit("can-bo-van-canh")
    expect(officer.get_by_role("link", name=subject)).to_be_visible()


def test_any_commune_is_found_by_name_and_what_was_typed_stays(world: WaitingWorld, visit: Visit) -> None:
    page = visit("dieu-phoi")
    page.goto("/cho-xu-ly/cho-khong-ro")
    page.get_by_label("Căn cứ").fill("Theo lời gia đình.")
    page.get_by_label("Tìm xã theo mã hoặc tên").fill("quy nhon tay")
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="Phường Quy Nhơn Tây").check()
    expect(page.get_by_label("Căn cứ")).to_have_value("Theo lời gia đình.")
    page.get_by_role("button", name="Giao hồ sơ").click()
    expect(page.get_by_text("Đã ghi quyết định.")).to_be_visible()
    world.work()
    assert world.desk() == {"cho-khong-ro": "21589"}


@pytest.mark.parametrize("width", [360, 1280])
def test_no_waiting_page_needs_sideways_scrolling(visit: Visit, width: int) -> None:
    page = visit("dieu-phoi")
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/cho-xu-ly", *(f"/cho-xu-ly/{case_id}" for case_id in SAMPLES)):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for box in page.locator("input:not([type=hidden]):not([type=radio]), textarea").all():
            expect(page.locator(f'label[for="{box.get_attribute("id")}"]')).to_have_count(1)
