"""The officer's working day in a real browser without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Visit
from tests.web_world import World


def test_an_officer_asks_for_more_and_then_registers_a_birth(world: World, visit: Visit) -> None:
    page = visit("can-bo")
    expect(page.get_by_role("heading", name="Bàn làm việc")).to_be_visible()
    expect(page.get_by_text("Người Xã Khác")).to_have_count(0)
    page.get_by_role("link", name="Con bà Nguyễn Thị Thu Hòa").click()

    page.get_by_text("Yêu cầu bổ sung", exact=True).click()
    page.get_by_label("Nội dung cần bổ sung").fill("Gia đình cho biết tên của cháu.")
    page.get_by_role("button", name="Gửi yêu cầu").click()
    expect(page.get_by_text("Chờ bổ sung", exact=True)).to_be_visible()
    expect(page.get_by_text("Gia đình cho biết tên của cháu.")).to_be_visible()

    page.get_by_text("Ghi kết quả đăng ký", exact=True).click()
    page.get_by_label("Quyển số").fill("01/2026")
    page.get_by_label("Số", exact=True).fill("45")
    page.get_by_label("Trang số").fill("45")
    page.get_by_label("Ngày đăng ký").fill("23.11.2026")
    page.get_by_label("Số định danh cá nhân của trẻ").fill("999226000777")
    page.get_by_role("button", name="Ghi kết quả").click()
    wrong = page.get_by_label("Số", exact=True)
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Quyển số")).to_have_value("01/2026")

    wrong.fill("45/2026")
    page.get_by_role("button", name="Ghi kết quả").click()
    expect(page.get_by_text("Đã đăng ký", exact=True)).to_be_visible()
    expect(page.get_by_text("999226000777")).to_be_visible()
    expect(page.get_by_role("button", name="Ghi kết quả")).to_have_count(0)
    assert [entry["action"] for entry in world.entries("decided")] == ["ask", "register"]


def test_an_officer_refuses_a_death_with_a_reason(visit: Visit) -> None:
    page = visit("can-bo")
    page.get_by_role("link", name="Phạm Văn Thử").click()
    page.get_by_text("Từ chối", exact=True).click()
    page.get_by_role("button", name="Từ chối hồ sơ").click()
    expect(page.get_by_text("Hãy ghi rõ lý do")).to_be_visible()
    page.get_by_label("Lý do từ chối").fill("Không thuộc thẩm quyền.")
    page.get_by_role("button", name="Từ chối hồ sơ").click()
    expect(page.get_by_text("Đã từ chối", exact=True)).to_be_visible()


def test_the_source_of_a_value_opens_by_keyboard(visit: Visit) -> None:
    page = visit("can-bo")
    page.goto("/ho-so/3f9c1d2ab47e60915c21")
    origin = page.locator("details.origin").first
    origin.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(origin.get_by_text("Vị trí")).to_be_visible()


def test_a_dossier_of_another_commune_is_not_found(visit: Visit) -> None:
    page = visit("can-bo")
    answer = page.goto("/ho-so/c0ffee00000000000001")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_text("hồ sơ thuộc xã khác")).to_be_visible()


def test_signing_out_closes_the_desk(visit: Visit) -> None:
    page = visit("can-bo")
    page.get_by_role("button", name="Đăng xuất").click()
    page.goto("/")
    expect(page.get_by_role("heading", name="Đăng nhập")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "heading"),
    [("benh-vien", "Hồ sơ và thông điệp của đơn vị"), ("kiem-tra", "Nhật ký bằng chứng"), ("quan-tri", "Người dùng")],
)
def test_each_role_arrives_at_its_own_page(visit: Visit, name: str, heading: str) -> None:
    expect(visit(name).get_by_role("heading", name=heading)).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_needs_sideways_scrolling(visit: Visit, width: int) -> None:
    page = visit("can-bo")
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/ho-so/3f9c1d2ab47e60915c21"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_field_of_every_form_has_a_label(visit: Visit) -> None:
    page = visit("can-bo")
    page.goto("/ho-so/3f9c1d2ab47e60915c21")
    for box in page.locator("input:not([type=hidden]), textarea").all():
        identity = box.get_attribute("id")
        expect(page.locator(f'label[for="{identity}"]')).to_have_count(1)
