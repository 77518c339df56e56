"""What an officer may do with a dossier on the desk, and the register's rules for what is recorded.

An item of the desk has a state, which only the officer changes, and maybe news from the facility that the officer has
not answered: "corrected" (a newer version; to be seen) or "withdrawing" (the facility takes the dossier back; to be
agreed to, or the dossier kept). Both are kept in one column as "accepted" or "accepted+withdrawing".

Number, book, page and day as domain.result_check has them: the same rules for what is typed and for what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from gateway.domain.finding import Finding
from gateway.domain.result_check import PERSONAL_ID, check_result

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
_FORMS = {
    "so": "Số đăng ký có dạng số/năm, ví dụ 123/2026.",
    "quyenSo": "Quyển số có dạng số/năm, ví dụ 01/2026.",
    "trangSo": "Trang số chỉ gồm chữ số.",
    "ngayDangKy": "Ngày đăng ký có dạng ngày.tháng.năm, ví dụ 23.11.2026.",
    "soDinhDanh": "Số định danh cá nhân gồm đúng 12 chữ số.",
}
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
    """The register's rules (domain.result_check) as sentences beside the officer's fields, the first of each."""
    wrong: dict[str, str] = {}
    for finding in check_result(kind, result, None, "", today):
        wrong.setdefault(finding.where, _sentence(finding, result, today))
    if kind == "death" and re.fullmatch(PERSONAL_ID, result.get("soDinhDanh", "")):
        wrong.pop("soDinhDanh", None)  # the deceased's own number may be written down with the registration
    return wrong


def _sentence(finding: Finding, result: Mapping[str, str], today: date) -> str:
    match finding.code:
        case "result.in_future":
            return f"Ngày đăng ký không được sau hôm nay, {today:%d.%m.%Y}."
        case "result.year_differs":
            label = "số đăng ký" if finding.where == "so" else "quyển số"
            return f"Năm của {label} phải là năm đăng ký, {result['ngayDangKy'][-4:]}."
        case "result.missing" if finding.where != "soDinhDanh":
            return "Hãy nhập mục này."
    return _FORMS[finding.where]
