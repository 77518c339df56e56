"""The words pages use for states, roles, verdicts and clocks. Labels of dossier fields are data (mappings/forms)."""

from __future__ import annotations

from datetime import date

STATES = {
    "received": "Mới đến",
    "accepted": "Đã tiếp nhận",
    "needs_more": "Chờ bổ sung",
    "registered": "Đã đăng ký",
    "refused": "Đã từ chối",
}
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
}
KINDS = {"birth": "Khai sinh", "death": "Khai tử"}
ACTIONS = {
    "accept": "Tiếp nhận",
    "ask": "Yêu cầu bổ sung",
    "refuse": "Từ chối",
    "register": "Ghi kết quả đăng ký",
    "corrected": "Bệnh viện sửa thông tin",
}
PERSONS = {"child": "Trẻ", "mother": "Người mẹ", "father": "Người cha", "deceased": "Người đã chết"}
VERDICTS = {
    "matched": "Khớp với CSDL quốc gia về dân cư",
    "differs": "Khác với CSDL quốc gia về dân cư",
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
}
SOON_DAYS = 7
"""From here on a deadline is shown as pressing; the supplement by a family takes up to seven working days."""


def days_left(register_by: str, today: date) -> tuple[str, str]:
    """A deadline in words and its colour class: late, soon, fine; ("", "none") when there is no date."""
    try:
        left = (date.fromisoformat(register_by) - today).days
    except ValueError:
        return "", "none"
    if left < 0:
        return f"quá hạn {-left} ngày", "late"
    if left == 0:
        return "hết hạn hôm nay", "late"
    return f"còn {left} ngày", "soon" if left <= SOON_DAYS else "fine"
