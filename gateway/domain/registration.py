"""What an officer may do with a dossier on the desk, and the register's rules for what is recorded.

An item of the desk has a state, which only the officer changes, and maybe news from the facility that the officer has
not answered: "corrected" (a newer version; to be seen) or "withdrawing" (the facility takes the dossier back; to be
agreed to, or the dossier kept). Both are kept in one column as "accepted" or "accepted+withdrawing".

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
    "cancelled": (),
}
"""State of a dossier on the desk → what the officer may do with it."""

CORRECTED, WITHDRAWING = "corrected", "withdrawing"
NEWS = {"": (), CORRECTED: ("seen",), WITHDRAWING: ("agree", "keep")}
"""News from the facility → what the officer answers it with."""

RESULT_OF = {
    "accept": "accepted",
    "ask": "needs_more",
    "refuse": "refused",
    "register": "registered",
    "agree": "cancelled",
}
"""Action → the state it leads to; `seen` and `keep` leave the state as it is."""

_NEEDS_WORDS = {
    "ask": "Hãy ghi rõ lý do hoặc nội dung cần bổ sung.",
    "refuse": "Hãy ghi rõ lý do hoặc nội dung cần bổ sung.",
    "keep": "Hãy ghi rõ lý do giữ hồ sơ.",
}
_UNANSWERED = "Cơ sở y tế đang xin rút hồ sơ này. Hãy trả lời yêu cầu đó trước."
_NOT_NOW = "Hồ sơ đã kết thúc hoặc thao tác này không dùng được ở trạng thái hiện tại."
_NOT_BY_A_CLICK = (
    "Việc đã đăng ký không hủy được tại đây. Hãy ghi xã bắt đầu thủ tục nào, từ ngày nào hoặc theo văn bản nào."
)


def kept_as(state: str, news: str = "") -> str:
    """State and news as the desk's column holds them."""
    return f"{state}+{news}" if news else state


def state_and_news(kept: str) -> tuple[str, str]:
    """The reverse of `kept_as`."""
    state, _, news = kept.partition("+")
    return state, news


def actions_of(state: str, news: str = "") -> tuple[str, ...]:
    """What the officer may do now. A withdrawal is answered before anything else: whoever registers, asks or refuses
    what the facility says never happened would act on nothing."""
    return NEWS[news] if news == WITHDRAWING else (*STATES.get(state, ()), *NEWS[news])


def state_after(state: str, action: str) -> str:
    """Where an action leads. What is registered stays so: to agree to its withdrawal records only that the commune
    begins the procedure by which the law corrects or revokes a registration, outside of this gateway."""
    return state if (state, action) == ("registered", "agree") else RESULT_OF.get(action, state)


def check_decision(
    kind: str, state: str, action: str, words: str, result: Mapping[str, str], today: date, news: str = ""
) -> dict[str, str]:
    """What is wrong with a decision: field → sentence for the officer. Empty when it may be recorded. `today` is the
    office's day: nothing is registered in the future."""
    if action not in actions_of(state, news):
        return {"action": _UNANSWERED if news == WITHDRAWING else _NOT_NOW}
    if not words.strip():
        if action in _NEEDS_WORDS:
            return {"words": _NEEDS_WORDS[action]}
        if (state, action) == ("registered", "agree"):
            return {"words": _NOT_BY_A_CLICK}
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
