from __future__ import annotations

from datetime import date

import pytest

from gateway.domain.registration import check_decision

TODAY = date(2026, 11, 23)
RIGHT = {
    "so": "123/2026",
    "quyenSo": "01/2026",
    "trangSo": "23",
    "ngayDangKy": "23.11.2026",
    "soDinhDanh": "999326000001",
}


def test_a_complete_registration_is_accepted() -> None:
    assert check_decision("birth", "received", "register", "", RIGHT, TODAY) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [("so", "123"), ("quyenSo", "một"), ("trangSo", "2a"), ("ngayDangKy", "31.02.2026"), ("ngayDangKy", "23/11/2026"),
     ("soDinhDanh", "99932600001")],
)  # fmt: skip
def test_each_wrong_number_is_named(name: str, value: str) -> None:
    assert list(check_decision("birth", "received", "register", "", {**RIGHT, name: value}, TODAY)) == [name]


def test_a_death_needs_no_new_identifier() -> None:
    assert check_decision("death", "accepted", "register", "", {**RIGHT, "soDinhDanh": ""}, TODAY) == {}


@pytest.mark.parametrize("action", ["ask", "refuse"])
def test_asking_and_refusing_need_a_reason(action: str) -> None:
    assert "words" in check_decision("birth", "received", action, "  ", {}, TODAY)
    assert check_decision("birth", "received", action, "Thiếu giấy kết hôn", {}, TODAY) == {}


@pytest.mark.parametrize("state", ["registered", "refused"])
def test_a_finished_dossier_takes_no_decision(state: str) -> None:
    assert "action" in check_decision("birth", state, "accept", "", {}, TODAY)


def test_nothing_is_registered_in_the_future() -> None:
    tomorrow = {**RIGHT, "ngayDangKy": "24.11.2026"}
    assert list(check_decision("birth", "received", "register", "", tomorrow, TODAY)) == ["ngayDangKy"]
    assert check_decision("birth", "received", "register", "", tomorrow, date(2026, 11, 24)) == {}


@pytest.mark.parametrize(("name", "value"), [("so", "123/2025"), ("quyenSo", "01/2027")])
def test_number_and_book_end_with_the_year_of_registration(name: str, value: str) -> None:
    wrong = check_decision("birth", "received", "register", "", {**RIGHT, name: value}, TODAY)
    assert list(wrong) == [name]
    assert "2026" in wrong[name]


def test_a_wrong_day_is_not_told_again_as_a_wrong_year() -> None:
    typed = {**RIGHT, "ngayDangKy": "23.11.2027"}
    assert list(check_decision("birth", "received", "register", "", typed, TODAY)) == ["ngayDangKy"]


def test_digits_of_other_scripts_are_no_digits_of_the_register() -> None:
    typed = {**RIGHT, "so": "١٢٣/2026", "soDinhDanh": "٩٩٩٣٢٦٠٠٠٠٠١"}
    assert set(check_decision("birth", "received", "register", "", typed, TODAY)) == {"so", "soDinhDanh"}
