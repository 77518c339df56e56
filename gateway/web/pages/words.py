"""The words pages use for states, roles, verdicts and clocks. Labels of dossier fields are data (mappings/forms)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from gateway.domain.clocks import Clock
from gateway.domain.time_left import Left

STATES = {
    "received": "Mới đến",
    "accepted": "Đã tiếp nhận",
    "needs_more": "Chờ bổ sung",
    "registered": "Đã đăng ký",
    "refused": "Đã từ chối",
    "cancelled": "Đã rút",
}
NEWS = {"corrected": "Cơ sở y tế sửa thông tin", "withdrawing": "Cơ sở y tế xin rút"}
"""News from the facility that the officer has not answered."""
CASE_STATES = {
    "collecting": "Đang gom thông tin",
    "waiting": "Chờ người xử lý",
    "ready": "Sẵn sàng gửi",
    "sealed": "Đã ký số",
    "sent": "Đã gửi xã",
    "pending": "Xã đang xử lý",
    "accepted": "Xã đã tiếp nhận",
    "needs_more": "Xã chờ bổ sung",
    "registered": "Đã đăng ký",
    "refused": "Xã từ chối",
    "rejected": "Hệ thống của xã báo dữ liệu sai",
    "undelivered": "Chưa gửi được",
    "corrected": "Đã gửi bản sửa, xã chưa trả lời",
    "withdrawing": "Đã xin rút, xã chưa trả lời",
    "cancelled": "Đã rút",
    "merged": "Đã gộp vào hồ sơ khác",
}
"""Every state of a case's journey (gateway.domain.journey), and those of a dossier on its way."""
KINDS = {"birth": "Khai sinh", "death": "Khai tử"}
ACTIONS = {
    "accept": "Tiếp nhận",
    "ask": "Yêu cầu bổ sung",
    "refuse": "Từ chối",
    "register": "Ghi kết quả đăng ký",
    "corrected": "Bệnh viện sửa thông tin",
    "withdrawn": "Cơ sở y tế xin rút hồ sơ",
    "restored": "Cơ sở y tế không rút nữa",
    "seen": "Đã xem thông tin sửa",
    "agree": "Đồng ý rút hồ sơ",
    "keep": "Giữ hồ sơ",
}
SEXES = {"male": "Nam", "female": "Nữ", "undetermined": "Chưa xác định được"}
PERSONS = {"child": "Trẻ", "mother": "Người mẹ", "father": "Người cha", "deceased": "Người đã chết"}
VERDICTS = {
    "matched": "Khớp với CSDL quốc gia về dân cư",
    "differs": "Khác với CSDL quốc gia về dân cư",
    "close": "Gần giống CSDL quốc gia về dân cư, cần người xem",
    "not_found": "Không tìm thấy trong CSDL quốc gia về dân cư",
    "no_answer": "Chưa xác thực: CSDL quốc gia về dân cư không trả lời",
    "not_asked": "Không tra cứu: không có số định danh",
}
DIFFERING = {
    "name": "họ tên",
    "born": "ngày sinh",
    "personal_id": "số định danh",
    "cmnd": "số CMND",
    "sex": "giới tính",
    "address": "nơi cư trú",
}
OWED_BY = {
    "family": "Gia đình bổ sung",
    "facility": "Cơ sở y tế bổ sung",
    "commune": "UBND xã ghi",
    "officer": "Cán bộ quyết định",
}
CLOCKS = {
    "register_by": "Hạn đăng ký",
    "send_paper_by": "Hạn cơ sở y tế gửi giấy",
    "decide_by": "Hạn xã giải quyết",
    "supplement_by": "Hạn gia đình bổ sung",
}
SOURCES = {
    "population": "Cơ sở dữ liệu quốc gia về dân cư",
    "desk": "Cán bộ ghi",
    "settings": "Cấu hình của cơ sở y tế tại cổng",
    "gateway": "Tính theo quy định",
}
BASES = {
    "mother.address": "Nơi cư trú của người mẹ",
    "father.address": "Nơi cư trú của người cha",
    "deceased.address": "Nơi cư trú cuối cùng của người chết",
    "death.place": "Nơi chết",
    "facility.address": "Địa chỉ cơ sở y tế",
    "address": "Địa chỉ",
}
"""Whose address decides the competent commune."""
RESULTS = {
    "so": "Số đăng ký",
    "quyenSo": "Quyển số",
    "trangSo": "Trang số",
    "ngayDangKy": "Ngày đăng ký",
    "soDinhDanh": "Số định danh cá nhân",
}
WITHDRAWAL_REASONS = ("case.cancelled", "death.revived", "case.merged")
"""Findings that say why a facility takes a dossier back."""
FACTS = {
    "child.born": "Ngày, giờ sinh",
    "child.sex": "Giới tính của trẻ",
    "death.at": "Ngày, giờ chết",
    "death.indicated": "Chỉ báo người bệnh đã chết",
    "case": "Cả hồ sơ",
    "EVN-2": "Giờ của sự việc",
    "A11": "Tin hủy lượt tiếp nhận",
    "A13": "Tin hủy việc ra viện",
}
"""Where a finding points, when that is neither a field of the form nor a place in a message."""
HOLDS = {"death.contradiction": "Dữ liệu tử vong mâu thuẫn", "birth.surrogate": "Có mang thai hộ"}
"""Findings that hold a dossier back (pipeline.prepare.HOLDING)."""
HOLD_WORDS = {
    "death.contradiction": "Có chỗ ghi người này đã chết, có chỗ phủ nhận. Hãy hỏi lại cơ sở y tế. Cho đi tiếp là xác"
    " nhận người này đã chết; nếu không phải, hãy để nguyên và yêu cầu cơ sở y tế gửi tin sửa.",
    "birth.surrogate": "Ai là cha, mẹ của trẻ phải do người có thẩm quyền xác định (Luật Hôn nhân và gia đình 2014,"
    " Điều 94). Cho đi tiếp là xác nhận đã kiểm tra phần cha, mẹ.",
}
"""The same, for whoever has to settle it: what to look at, and what letting the case go on says."""
RELEVANCE = {"birth": "Sinh", "death": "Tử", "related": "Liên quan", "other": "Khác", "unreadable": "Không đọc được"}
LOG_KINDS = {
    "received": "Nhận thông điệp",
    "refused": "Từ chối thông điệp",
    "interpreted": "Đọc hiểu",
    "correlated": "Gộp vào hồ sơ",
    "identified": "Tra cứu dân cư",
    "prepared": "Lập hồ sơ",
    "sealed": "Ký số",
    "forwarded": "Gửi xã",
    "followed": "Theo dõi",
    "decided": "Cán bộ quyết định",
    "read": "Xem dữ liệu cá nhân",
    "signed_in": "Đăng nhập",
    "checkpoint": "Điểm chốt",
    "gave_up": "Dừng thử lại",
    "merged": "Gộp hai hồ sơ",
    "conditional": "Ghi nhớ điều kiện gửi",
    "called": "Hệ thống xã báo kết quả",
    "partner_rests": "Bị từ chối, nghỉ chờ sửa",
    "partner_works": "Dùng lại được",
    "answered": "Báo lại cơ sở y tế",
    "not_answered": "Không báo lại cơ sở y tế",
    "verified": "Dân cư trả lời sau",
    "letter": "Làm thư",
    "handover": "Hẹn trao giấy tờ",
}
SOON_DAYS = 7
"""From here on a deadline is shown as pressing; the supplement by a family takes up to seven working days."""
DONE = {
    "register_by": ("đã đăng ký trong hạn", "đã đăng ký sau hạn"),
    # When the last correction came says nothing about when the first data did: nobody is accused of being late.
    "send_paper_by": ("đã gửi trong hạn", "đã có dữ liệu, chưa rõ có gửi trong hạn không"),
    "decide_by": ("xã đã trả lời trong hạn", "xã đã trả lời sau hạn"),
    "supplement_by": ("đã bổ sung trong hạn", "đã bổ sung sau hạn"),
}
"""A clock whose matter is settled: in time, not in time."""
WEEKDAYS = ("thứ hai", "thứ ba", "thứ tư", "thứ năm", "thứ sáu", "thứ bảy", "chủ nhật")
_UNVERIFIED = re.compile(r"[\s,;:]*\bunverified$")


@dataclass(frozen=True, slots=True)
class ShownClock:
    """One clock as a page shows it. `left` says what is left and until when; `pressing` is its colour class: late,
    soon, fine, none. `doubts` are sentences about what is not certain."""

    label: str
    left: str
    pressing: str
    rule: str = ""
    source: str = ""
    doubts: tuple[str, ...] = ()


def clock_words(name: str, told: tuple[Clock, Left] | str) -> ShownClock:
    """A clock in words; `told` is a bare ISO end in dossiers made before clocks were kept whole."""
    if isinstance(told, str):
        return ShownClock(CLOCKS.get(name, name), day_words(told), "none")
    clock, left = told
    doubts = ["Căn cứ chưa được kiểm chứng."] if clock.unverified else []
    if not clock.holidays_known:
        doubts.append("Chưa có lịch nghỉ lễ của năm này: ngày nghỉ lễ chưa được trừ.")
    source = _UNVERIFIED.sub("", clock.source)
    return ShownClock(clock.label, _left_words(clock, left), _pressing(clock, left), clock.rule, source, tuple(doubts))


def day_words(iso: str) -> str:
    """ISO day or minute → "22.01.2027, thứ sáu" or "13:30 ngày 09.11.2026, thứ hai"; other text stays as it is."""
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    day = f"{at:%d.%m.%Y}, {WEEKDAYS[at.weekday()]}"
    return f"{at:%H:%M} ngày {day}" if "T" in iso else day


def _left_words(clock: Clock, left: Left) -> str:
    if left.state == "waits":
        return f"{clock.waits} đầy đủ (mới biết {_partly(clock.starts)})" if clock.starts else clock.waits
    working = clock.unit == "working_days"
    match left.state:
        case "met" | "missed":
            words = DONE[clock.name][left.state == "missed"]
        case "stopped":
            words = "hồ sơ đã kết thúc"
        case "last_day":
            words = "hôm nay là ngày cuối"
        case "overdue":
            words = f"quá hạn {left.days} ngày" if left.days else f"quá hạn {_hours(left.minutes)}".rstrip()
        case _ if left.minutes:
            words = f"còn {_hours(left.minutes)}"
        case _:
            words = f"còn {left.days} ngày làm việc" if working else f"còn {left.days} ngày"
    return f"{words} (hạn {day_words(clock.ends)})"


def _pressing(clock: Clock, left: Left) -> str:
    if left.state in ("overdue", "last_day"):
        return "late" if left.state == "overdue" else "soon"
    if left.state != "running":
        return "none"
    return "soon" if left.days <= SOON_DAYS else "fine"


def _hours(minutes: int) -> str:
    """Working time: "2 giờ 30 phút làm việc"; "" for none."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} giờ"] * bool(hours) + [f"{rest} phút"] * bool(rest)
    return " ".join([*parts, "làm việc"]) if parts else ""


def _partly(iso: str) -> str:
    """A date whose day is unknown: "năm 1950", "tháng 03.1950"."""
    year, _, month = iso.partition("-")
    return f"tháng {month}.{year}" if month else f"năm {year}"


def days_left(register_by: str, today: date) -> tuple[str, str]:
    """A deadline in words and its colour class: late, soon, fine; ("", "none") when there is no date."""
    try:
        left = (date.fromisoformat(register_by) - today).days
    except ValueError:
        return "", "none"
    if left < 0:
        return f"quá hạn {-left} ngày", "late"
    if left == 0:
        return "hôm nay là ngày cuối", "soon"
    return f"còn {left} ngày", "soon" if left <= SOON_DAYS else "fine"
