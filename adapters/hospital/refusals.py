"""How a refusal is told over HTTP, alike for every format answered by a document: status and Vietnamese sentence.

| status | when |
|---|---|
| 200 | accepted (a format may prefer 201) |
| 400 | not a message of this format |
| 403 | the sender is unknown, or its feed does not take this format |
| 409 | the same control id came with other content (HL7 table 0357, code 205) |
| 413 | too large |
| 422 | stored, content unusable (AE, CE) |
| 500 | a defect of the gateway; the message is refused |
| 503 | cannot be stored now; send it again |
"""

from __future__ import annotations

from gateway.errors import UnreadableMessage

SENTENCES = {
    400: "Không đọc được thông điệp",
    403: "Không chấp nhận nơi gửi này",
    409: "Mã thông điệp đã dùng cho nội dung khác",
    413: "Thông điệp quá lớn",
    422: "Đã lưu nhưng nội dung không dùng được",
    500: "Cổng tiếp nhận gặp lỗi, thông điệp chưa được nhận",
    503: "Tạm thời chưa lưu được, hãy gửi lại",
}
_REASONS = {
    "too_large": 413,
    "unknown_sender": 403,
    "format_not_taken": 403,
    "defect": 500,
    "store_failed": 503,
    "closing": 503,
}


def status_of(code: str, error: UnreadableMessage | None) -> int:
    """The HTTP status of an acknowledgement `code` (AA, AE, AR or CA, CE, CR) and its error."""
    if error is None and code.endswith("A"):
        return 200
    if error is None or code.endswith("E"):
        return 422
    if error.hl7_code == "205":
        return 409
    return _REASONS.get(error.code.partition(".")[2], 400)
