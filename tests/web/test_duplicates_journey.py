"""A coordinator compares two cases in a real browser without JavaScript and says that they are two."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gateway.domain.dates import PartialDate
from gateway.domain.person import PersonName, Sex
from gateway.web.accounts import create_user
from tests.duplicates_world import say
from tests.web.conftest import Visit
from tests.web_world import OTHER_HOSPITAL, PASSWORD, THERE, World, birth

HERE_CASE, THERE_CASE = "3f9c1d2ab47e60915c21", "d0d0ff00000000000002"


@pytest.fixture
def pair(world: World) -> None:
    """One mother, one day, two hospitals."""
    with world.store.write() as conn:
        create_user(conn, "dieu-phoi", "officer", "Cán bộ Điều Phối", PASSWORD, communes=["*"])
    world.add_dossier(THERE_CASE, birth(THERE), feed=OTHER_HOSPITAL)
    mother = {"mother__personal_id": "999190000001", "mother__name": PersonName("Nguyễn", "Thị Thúy", "Hòa")}
    for case_id, born, sex in ((HERE_CASE, "202611230815", Sex.FEMALE), (THERE_CASE, "202611230818", Sex.MALE)):
        say(world, case_id, "birth", **mother, child__born=PartialDate.parse(born), child__sex=sex)


@pytest.mark.usefixtures("pair")
def test_two_cases_are_compared_and_told_apart(visit: Visit) -> None:
    page = visit("dieu-phoi")
    page.goto(f"/ho-so/{HERE_CASE}")
    expect(page.get_by_role("heading", name="Có thể trùng")).to_be_visible()
    page.get_by_role("link", name="So sánh hai hồ sơ").click()
    expect(page.get_by_role("row", name="Giới tính của trẻ Nữ Nam Khác")).to_be_visible()

    page.get_by_role("button", name="Hai trẻ khác nhau").click()
    expect(page.get_by_text("Hãy ghi căn cứ của quyết định.")).to_be_visible()
    page.get_by_label("Căn cứ").fill("Đã gọi hai bệnh viện: hai bà mẹ khác nhau.")
    page.get_by_role("button", name="Hai trẻ khác nhau").click()
    expect(page.get_by_text("Đã ghi quyết định")).to_be_visible()
    expect(page.get_by_text("Không có cặp hồ sơ nào chờ quyết định.")).to_be_visible()
    page.goto(f"/ho-so/{HERE_CASE}")
    expect(page.get_by_role("heading", name="Có thể trùng")).to_have_count(0)


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_needs_no_sideways_scrolling(visit: Visit, width: int) -> None:
    page = visit("dieu-phoi")
    page.set_viewport_size({"width": width, "height": 800})
    page.get_by_role("link", name="Trùng lặp 1 cặp hồ sơ").click()
    expect(page.get_by_role("heading", name="Có thể cùng một trẻ")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for box in page.locator("textarea").all():
        expect(page.locator(f'label[for="{box.get_attribute("id")}"]')).to_have_count(1)
