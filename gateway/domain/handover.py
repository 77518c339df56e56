"""Handover of papers: how a family gets the giấy khai sinh or the trích lục khai tử with the letter. Pure.

The province asks for papers at the facility while mother and child are still there, or brought home by the Women's
Union; the office is the way that is always open (DOMAIN 1).
"""

from __future__ import annotations

from datetime import date, timedelta
from types import MappingProxyType

CHOICES = MappingProxyType(
    {
        "facility": "Tại cơ sở y tế",
        "home": "Hội Liên hiệp Phụ nữ mang đến nhà",
        "office": "Tại trụ sở UBND xã",
    }
)
"""Choice → its name, in the order a list has them."""
FARTHEST_DAYS = 90
"""So many days ahead a handover may be planned: a later day is a slip of the pen."""
CLOSED = ("cancelled", "merged", "refused")
"""States of a case in which there is nothing to hand over."""
PAPERS = MappingProxyType({"birth": "birth_certificate", "death": "death_certificate"})
"""Kind → the code of its paper in the dated table `labels`."""


def check_plan(state: str, done: bool, choice: str, day: str, today: date) -> dict[str, str]:
    """What is wrong with a plan: field → sentence. `state` is the case's; `done` when the papers were handed over."""
    if state in CLOSED:
        return {"choice": "Hồ sơ này đã kết thúc, không có giấy tờ để trao."}
    if done:
        return {"choice": "Giấy tờ đã trao. Nếu đánh dấu nhầm, hãy bỏ dấu trước."}
    wrong = {} if choice in CHOICES else {"choice": "Hãy chọn cách trao."}
    try:
        planned = date.fromisoformat(day)
    except ValueError:
        return {**wrong, "day": "Hãy nhập ngày trao."}
    if planned < today:
        return {**wrong, "day": "Ngày trao không được trước hôm nay."}
    if planned > today + timedelta(FARTHEST_DAYS):
        return {**wrong, "day": f"Ngày trao không quá {FARTHEST_DAYS} ngày kể từ hôm nay."}
    return wrong


def check_done(planned: bool, registered: bool) -> str:
    """Why papers cannot be marked as handed over; "" when they can. Only what is registered has papers."""
    if not planned:
        return "Hãy chọn cách trao trước."
    return "" if registered else "Hồ sơ chưa đăng ký nên chưa có giấy tờ để trao."


def may_mark(role: str, choice: str) -> bool:
    """Who may say that papers were handed over: the commune's officer always, the hospital where it does it itself."""
    return role == "officer" or (role == "hospital" and choice == "facility")
