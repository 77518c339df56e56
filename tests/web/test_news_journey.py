"""An officer sees and answers what the hospital sends after the dossier, in a real browser without JavaScript."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from gateway.store.session import Store
from gateway.store.vault import Vault
from tests.news_world import NewsWorld
from tests.web.conftest import Visit
from tests.web_world import add_people, birth, death

CODE = "3f9c1d2ab47e60915c21"
FIRST, CORRECTED = birth(), birth(meHoTen="Nguyễn Thị Thu Hoài", nksNgaySinh="21.11.2026", maGCS="")


@pytest.fixture
def world(_sqlite_template: Path, tmp_path: Path, vault: Vault, clock: object) -> Iterator[NewsWorld]:
    """A birth whose mother and day were corrected, and a death as it came."""
    file = tmp_path / "news.sqlite"
    shutil.copy(_sqlite_template, file)
    store = Store.open(f"sqlite:///{file}")
    add_people(store)
    made = NewsWorld(store, vault, clock)
    made.deliver(CODE, FIRST)
    made.deliver("a81c33d09b7e5f42c6d1", death())
    made.deliver(CODE, CORRECTED)
    yield made
    store.close()


def test_a_correction_is_read_marked_as_seen_and_no_longer_new(world: NewsWorld, visit: Visit) -> None:
    page = visit("can-bo")
    expect(page.locator("tbody tr").first).to_contain_text("Cơ sở y tế sửa thông tin")
    page.get_by_role("link", name="Con bà Nguyễn Thị Thu Hoài").click()
    table = page.get_by_role("table", name="Mục đã sửa")
    mother = table.get_by_role("row", name="Người mẹ")
    expect(mother).to_contain_text("Nguyễn Thị Thu Hòa")
    expect(mother.get_by_text("Nguyễn Thị Thu Hoài", exact=True)).to_be_visible()
    mother.locator("summary").click()
    expect(mother.get_by_text("NK1[NK1-3.1 = MTH]-2")).to_be_visible()
    page.get_by_role("button", name="Đánh dấu đã xem").click()
    expect(table).to_have_count(0)
    expect(page.get_by_text("Đã xem thông tin sửa")).to_be_visible()
    page.get_by_role("link", name="Về bàn làm việc").click()
    expect(page.get_by_text("Cơ sở y tế sửa thông tin")).to_have_count(0)
    assert world.item(CODE)[0] == "received"


def test_a_withdrawal_is_kept_with_a_reason_and_agreed_to_the_second_time(world: NewsWorld, visit: Visit) -> None:
    world.deliver(CODE, replace(CORRECTED, withdrawn=True))
    page = visit("can-bo")
    page.get_by_role("link", name="Có thay đổi 1").click()
    page.get_by_role("link", name="Con bà Nguyễn Thị Thu Hoài").click()
    expect(page.get_by_role("heading", name="Cơ sở y tế xin rút hồ sơ")).to_be_visible()
    expect(page.get_by_role("button", name="Tiếp nhận hồ sơ")).to_have_count(0)

    page.locator("summary", has_text="Giữ hồ sơ").click()
    page.get_by_role("button", name="Giữ hồ sơ").click()
    expect(page.get_by_text("Hãy ghi rõ lý do giữ hồ sơ.")).to_be_visible()
    page.get_by_label("Lý do giữ hồ sơ").fill("Cháu đang ở cùng mẹ tại phường.")
    page.get_by_role("button", name="Giữ hồ sơ").click()
    expect(page.get_by_text("Cháu đang ở cùng mẹ tại phường.")).to_be_visible()
    expect(page.get_by_role("button", name="Tiếp nhận hồ sơ")).to_be_visible()

    world.deliver(CODE, CORRECTED)
    world.deliver(CODE, replace(CORRECTED, withdrawn=True))
    page.reload()
    page.locator("summary", has_text="Đồng ý rút hồ sơ").click()
    page.get_by_role("button", name="Đồng ý rút hồ sơ").click()
    expect(page.get_by_text("Đã rút", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Giữ hồ sơ")).to_have_count(0)
    assert [entry["action"] for entry in world.entries("decided")] == ["keep", "agree"]


def test_an_earlier_version_is_downloaded_from_the_history(visit: Visit) -> None:
    page = visit("can-bo")
    page.goto(f"/ho-so/{CODE}")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="bản 1").click()
    assert waiting.value.suggested_filename == f"ho-so-{CODE}-1.xml"
    assert "Nguyễn Thị Thu Hòa" in Path(waiting.value.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [360, 1280])
def test_pages_with_news_need_no_sideways_scrolling_and_label_every_box(
    world: NewsWorld, visit: Visit, width: int
) -> None:
    page = visit("can-bo")
    page.set_viewport_size({"width": width, "height": 800})
    for dossier in (CORRECTED, replace(CORRECTED, withdrawn=True)):
        world.deliver(CODE, dossier)
        for path in ("/", "/?trang_thai=thay-doi", f"/ho-so/{CODE}"):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        for box in page.locator("input:not([type=hidden]), textarea").all():
            expect(page.locator(f'label[for="{box.get_attribute("id")}"]')).to_have_count(1)
