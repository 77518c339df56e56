"""What an officer records when a birth or death is registered, and the register's rules for it.

Number, book and page as in the register (digitisation rules: `so` and `quyenSo` end with the year of registration,
dates are dd.MM.yyyy).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

RESULT_FIELDS = ("so", "quyenSo", "trangSo", "ngayDangKy", "soDinhDanh")
"""Registration number, book, page, date of registration, the child's personal identifier (births only)."""

STATES = {
    "received": ("accept", "ask", "refuse", "register"),
    "accepted": ("ask", "refuse", "register"),
    "needs_more": ("accept", "ask", "refuse", "register"),
    "registered": (),
    "refused": (),
}
"""State of a dossier on the desk → what the officer may do with it."""

RESULT_OF = {"accept": "accepted", "ask": "needs_more", "refuse": "refused", "register": "registered"}
"""Action → the state it leads to."""


def check_decision(
    kind: str, state: str, action: str, words: str, result: Mapping[str, str], today: date
) -> dict[str, str]:
    """What is wrong with a decision: field → sentence for the officer. Empty when it may be recorded. `today` is the
    office's day: nothing is registered in the future."""
    if action not in STATES.get(state, ()):
        return {"action": "Hồ sơ đã kết thúc hoặc thao tác này không dùng được ở trạng thái hiện tại."}
    if action in ("ask", "refuse") and not words.strip():
        return {"words": "Hãy ghi rõ lý do hoặc nội dung cần bổ sung."}
    return _check_result(kind, result, today) if action == "register" else {}


def _check_result(kind: str, result: Mapping[str, str], today: date) -> dict[str, str]:
    wrong = {name: "Hãy nhập mục này." for name in ("so", "quyenSo", "trangSo", "ngayDangKy") if not result.get(name)}
    if "so" not in wrong and not re.fullmatch(r"[0-9]{1,5}/[0-9]{4}", result["so"]):
        wrong["so"] = "Số đăng ký có dạng số/năm, ví dụ 123/2026."
    if "quyenSo" not in wrong and not re.fullmatch(r"[0-9]{1,4}/[0-9]{4}", result["quyenSo"]):
        wrong["quyenSo"] = "Quyển số có dạng số/năm, ví dụ 01/2026."
    if "trangSo" not in wrong and not re.fullmatch(r"[0-9]{1,4}", result["trangSo"]):
        wrong["trangSo"] = "Trang số chỉ gồm chữ số."
    wrong = _check_dates(result, today, wrong)
    number = result.get("soDinhDanh", "")
    if kind == "birth" and not re.fullmatch(r"[0-9]{12}", number):
        wrong["soDinhDanh"] = "Số định danh cá nhân của trẻ gồm đúng 12 chữ số."
    if kind == "death" and number and not re.fullmatch(r"[0-9]{12}", number):
        wrong["soDinhDanh"] = "Số định danh cá nhân gồm đúng 12 chữ số."
    return wrong


def _check_dates(result: Mapping[str, str], today: date, wrong: Mapping[str, str]) -> dict[str, str]:
    """The day of registration, and the years that number and book carry; `wrong` with what is found added."""
    if "ngayDangKy" in wrong:
        return dict(wrong)
    day = _dotted_date(result["ngayDangKy"])
    if day is None:
        return {**wrong, "ngayDangKy": "Ngày đăng ký có dạng ngày.tháng.năm, ví dụ 23.11.2026."}
    if day > today:
        return {**wrong, "ngayDangKy": f"Ngày đăng ký không được sau hôm nay, {today:%d.%m.%Y}."}
    other_year = {
        name: f"Năm của {label} phải là năm đăng ký, {day.year}."
        for name, label in (("so", "số đăng ký"), ("quyenSo", "quyển số"))
        if name not in wrong and result[name][-4:] != f"{day.year:04}"
    }
    return {**wrong, **other_year}


def _dotted_date(text: str) -> date | None:
    match = re.fullmatch(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})", text)
    if match is None:
        return None
    try:
        return date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        return None
