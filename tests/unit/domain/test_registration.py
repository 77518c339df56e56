from __future__ import annotations

from datetime import date

import pytest

from gateway.domain.registration import NEWS, STATES, check_decision, kept_as, state_after, state_and_news

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


def decided(state: str, action: str, words: str = "", news: str = "") -> dict[str, str]:
    return check_decision("birth", state, action, words, {}, TODAY, news)


@pytest.mark.parametrize("state", STATES)
def test_state_and_news_share_a_column_and_come_apart_again(state: str) -> None:
    for news in NEWS:
        assert state_and_news(kept_as(state, news)) == (state, news)


@pytest.mark.parametrize("state", STATES)
def test_a_correction_may_be_marked_as_seen_in_any_state_and_changes_none(state: str) -> None:
    assert decided(state, "seen", news="corrected") == {}
    assert "action" in decided(state, "seen")
    assert state_after(state, "seen") == state


@pytest.mark.parametrize("state", STATES)
def test_a_withdrawal_is_answered_before_anything_else(state: str) -> None:
    for action in STATES["received"]:
        assert "rút" in decided(state, action, "lý do", "withdrawing")["action"]
    assert "words" in decided(state, "keep", " ", "withdrawing")
    assert decided(state, "keep", "Trẻ đang ở cùng mẹ", "withdrawing") == {}
    assert state_after(state, "keep") == state


@pytest.mark.parametrize("action", ["agree", "keep"])
def test_nobody_answers_a_withdrawal_that_was_not_asked_for(action: str) -> None:
    assert "action" in decided("accepted", action, "lý do")
    assert "action" in decided("accepted", action, "lý do", "corrected")


def test_agreeing_cancels_what_is_not_registered() -> None:
    for state in ("received", "accepted", "needs_more", "refused"):
        assert decided(state, "agree", "", "withdrawing") == {}
        assert state_after(state, "agree") == "cancelled"


def test_what_is_registered_is_not_cancelled_by_a_click() -> None:
    assert "thủ tục" in decided("registered", "agree", " ", "withdrawing")["words"]
    assert decided("registered", "agree", "Lập hồ sơ thu hồi ngày 24.11.2026", "withdrawing") == {}
    assert state_after("registered", "agree") == "registered"
