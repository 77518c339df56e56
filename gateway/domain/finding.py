"""Findings: facts about data that an officer or a hospital technician reads. They are values, never exceptions.

`FINDINGS` is the one list of codes with severity and the sentence in Vietnamese and English; docs/errors.md is compared
with it by a test. Sentences hold no personal data; `where` points at the place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`ERROR`: the value cannot be used; `WARNING`: a person should look; `INFO`: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class FindingKind:
    severity: Severity
    vi: str
    en: str


E_, W_, I_ = Severity.ERROR, Severity.WARNING, Severity.INFO
FINDINGS: dict[str, FindingKind] = {
    "value.unreadable": FindingKind(E_, "Giá trị không đọc được", "The value cannot be read as its type"),
    "value.no_crosswalk": FindingKind(
        E_, "Mã không có trong bảng đối chiếu, không chuyển tiếp", "The code has no crosswalk and is not passed on"
    ),
    "value.truncated": FindingKind(
        W_, "Giá trị đã bị nơi gửi cắt ngắn", "The sender cut the value short (truncation character)"
    ),
    "value.missing": FindingKind(E_, "Thiếu thông tin bắt buộc", "A required value is missing"),
    "value.shortened": FindingKind(
        I_, "Biểu mẫu chỉ nhận ngày đầy đủ hoặc năm: tháng không ghi vào được", "The form takes a whole date or a year"
    ),
    "name.placeholder": FindingKind(
        I_, "Tên tạm của bệnh viện, gia đình chưa đặt tên", "A hospital placeholder, not a name; the family owes it"
    ),
    "name.whole_in_family": FindingKind(
        I_, "Cả họ tên nằm trong một thành phần", "The whole name came in one component and was split"
    ),
    "id.not_12_digits": FindingKind(
        W_, "Số định danh không đủ 12 chữ số, không dùng", "A personal identifier that is not 12 digits; not used"
    ),
    "commune.unknown": FindingKind(
        E_, "Chưa xác định được xã/phường nơi đăng ký; cần người xử lý", "Commune unknown; a person must decide"
    ),
    "commune.split": FindingKind(
        W_, "Xã cũ đã chia tách; cần chọn một xã mới", "The old commune was split; a person chooses"
    ),
    "identity.matched": FindingKind(I_, "Khớp với CSDLQG về dân cư", "Matches the population database"),
    "identity.differs": FindingKind(
        W_, "Khác với CSDLQG về dân cư; cần kiểm tra", "Differs from the population database; check"
    ),
    "identity.close": FindingKind(
        W_, "Gần giống CSDLQG về dân cư; cần người xem", "Close to the population database; a person has to look"
    ),
    "identity.not_found": FindingKind(
        W_, "Không tìm thấy trong CSDLQG về dân cư", "Not found in the population database"
    ),
    "identity.no_answer": FindingKind(
        W_, "Chưa xác thực: CSDLQG về dân cư không trả lời", "Not verified: the population database gave no answer"
    ),
    "identity.not_asked": FindingKind(
        I_, "Không tra cứu: không có số định danh", "Not asked: no identifier to ask with"
    ),
    "kinship.confirmed": FindingKind(
        I_, "CSDLQG về dân cư ghi cha, mẹ là vợ chồng", "The population database has the parents as spouses"
    ),
    "kinship.differs": FindingKind(
        W_,
        "CSDLQG về dân cư ghi người khác là vợ hoặc chồng; cần kiểm tra",
        "The population database has another spouse than the other parent; check",
    ),
    "birth.still": FindingKind(
        W_, "Thai chết lưu, không đăng ký khai sinh", "Stillbirth: recognised, no birth dossier is opened"
    ),
    "birth.too_old": FindingKind(
        W_, "Trẻ quá 28 ngày khi được ghi là sơ sinh", "Marked newborn but older than 28 days at the event"
    ),
    "birth.surrogate": FindingKind(
        W_, "Có mang thai hộ; cán bộ xác định cha mẹ", "Surrogacy: the officer decides who the parents are"
    ),
    "birth.died": FindingKind(
        W_, "Trẻ sinh ra sống rồi chết; xem hồ sơ khai tử", "Born alive, then died: see the death dossier"
    ),
    "birth.possible_duplicate": FindingKind(
        W_, "Có thể trùng với hồ sơ khác", "Possibly the same birth as another case; a person decides"
    ),
    "death.contradiction": FindingKind(
        W_, "Dữ liệu tử vong mâu thuẫn nhau", "The message contradicts itself about the death"
    ),
    "death.possible_duplicate": FindingKind(
        W_, "Có thể trùng với hồ sơ khác", "Possibly the same death as another case; a person decides"
    ),
    "death.short_life": FindingKind(
        W_,
        "Trẻ sống chưa đủ số giờ luật định: chỉ đăng ký khai sinh, khai tử khi cha mẹ yêu cầu",
        "The child lived less than the law's hours: registered only if the parents ask",
    ),
    "death.cause_withheld": FindingKind(
        I_, "Chuỗi nguyên nhân y khoa không chuyển sang hộ tịch", "The medical cause chain stays in the hospital"
    ),
    "paper.issues_differ": FindingKind(
        W_,
        "Các lần cấp giấy cùng số nói khác nhau về đứa trẻ; cần kiểm tra",
        "Papers of one number tell of different children or mothers; check",
    ),
    "paper.signature_valid": FindingKind(
        I_, "Chữ ký của cơ sở y tế hợp lệ", "The facility's signature is valid and its certificate trusted"
    ),
    "paper.signature_untrusted": FindingKind(
        W_, "Chữ ký khớp nhưng chứng thư chưa được tin cậy", "The signature fits, but its certificate does not count"
    ),
    "paper.signature_absent": FindingKind(
        W_, "Giấy không có chữ ký của cơ sở y tế", "The paper does not bear the facility's signature"
    ),
    "paper.signature_invalid": FindingKind(
        W_, "Chữ ký của cơ sở y tế không hợp lệ", "The facility's signature is not valid"
    ),
    "paper.signature_unchecked": FindingKind(
        I_, "Chữ ký của cơ sở y tế chưa được kiểm tra", "The facility's signature was not checked"
    ),
    "case.conflict": FindingKind(
        W_, "Các thông điệp nói khác nhau; đã chọn theo thứ tự ưu tiên", "Messages disagree; precedence decided"
    ),
    "case.cancelled": FindingKind(
        W_, "Cơ sở y tế đã hủy lượt tiếp nhận hoặc ra viện này", "The facility cancelled the visit or the discharge"
    ),
    "case.merge_contradicts": FindingKind(
        W_,
        "Cơ sở y tế gộp hai số bệnh nhân, nhưng dữ liệu cho thấy là hai người",
        "A merge names two numbers one patient, but the facts are of two persons",
    ),
    "death.revived": FindingKind(
        W_, "Cơ sở y tế báo lại: người này không chết", "A later message says that the person is not dead"
    ),
    "message.clock_ahead": FindingKind(
        W_,
        "Đồng hồ của bên gửi chạy nhanh; lấy giờ cổng nhận tin",
        "The sender's clock runs ahead; the time of reception counts",
    ),
    "case.changed_after_sending": FindingKind(
        W_, "Có thay đổi sau khi đã gửi hồ sơ", "Something changed after the dossier was sent"
    ),
    "message.bytes_undecodable": FindingKind(
        E_, "Có byte không đọc được theo bảng mã đã khai báo", "Bytes cannot be decoded in the declared character set"
    ),
    "message.charset_contradicts": FindingKind(
        W_, "Bảng mã khai báo sai so với nội dung", "The declared character set is not the one the bytes are in"
    ),
    "message.count_differs": FindingKind(
        W_, "Số hồ sơ ghi trong thông điệp khác số hồ sơ nhận được", "The number of records stated is not what came"
    ),
    "message.part_unknown": FindingKind(
        I_, "Có tệp thuộc loại chưa biết, giữ nguyên", "A file of an unknown kind was kept as it is"
    ),
    "message.escape_kept": FindingKind(
        I_, "Có chuỗi thoát riêng của bệnh viện, giữ nguyên", "A local escape sequence was kept as it is"
    ),
    "message.unreadable": FindingKind(E_, "Không đọc được thông điệp", "The message cannot be read"),
    "message.not_production": FindingKind(
        I_, "Thông điệp thử, không tạo hồ sơ thật", "A test message (processing id); no real dossier"
    ),
    "result.missing": FindingKind(W_, "Kết quả đăng ký thiếu mục này", "The registration's result lacks this value"),
    "result.number": FindingKind(
        W_, "Số hoặc quyển số không theo dạng số/năm", "Number or book is not written as number/year"
    ),
    "result.page": FindingKind(W_, "Trang số không phải là số", "The page is not a number"),
    "result.year_differs": FindingKind(
        W_, "Năm của số hoặc quyển số khác năm đăng ký", "The year of number or book is not the year of registration"
    ),
    "result.day": FindingKind(
        W_, "Ngày đăng ký không theo dạng ngày.tháng.năm", "The day of registration is not written as dd.MM.yyyy"
    ),
    "result.in_future": FindingKind(W_, "Ngày đăng ký sau hôm nay", "The day of registration is in the future"),
    "result.before_event": FindingKind(
        W_, "Ngày đăng ký trước ngày sinh hoặc ngày chết", "Registered before the birth or death happened"
    ),
    "result.id_not_12_digits": FindingKind(
        W_, "Số định danh cá nhân không đủ 12 chữ số", "The personal identifier is not 12 digits"
    ),
    "result.id_differs": FindingKind(
        W_,
        "Số định danh không hợp giới tính hoặc năm sinh của trẻ",
        "The identifier's sex, century or year digits are not the child's",
    ),
    "result.id_unexpected": FindingKind(
        W_, "Kết quả khai tử có số định danh mới, cần kiểm tra", "A death was answered with a personal identifier"
    ),
    "dossier.correction": FindingKind(W_, "Hồ sơ được sửa sau khi gửi", "The dossier was corrected after it was sent"),
}


DETAILS: dict[str, str] = {
    "a single value was expected": "cần đúng một giá trị",
    "digits were expected": "chỉ được có chữ số",
    "a whole number was expected": "cần một số nguyên",
    "not a whole number": "không phải số nguyên",
    "yes or no was expected": "cần có hoặc không",
    "not a date": "không phải ngày tháng",
    "not an HL7 date or time": "không phải ngày giờ theo HL7",
    "not a date as yyyyMMdd[HHmm[ss]]": "ngày không theo dạng yyyyMMdd[HHmm[ss]]",
    "not an amount in a known unit": "số lượng không có đơn vị đã biết",
    "not a birth weight in g or kg": "không phải cân nặng khi sinh tính bằng g hoặc kg",
    "not one weight in grams": "không phải một cân nặng tính bằng gam",
    "not a gestational age in weeks or days": "không phải tuổi thai tính bằng tuần hoặc ngày",
    "not a code of the right length": "mã không đủ số chữ số",
    "no signature covers this paper": "không có chữ ký nào cho giấy này",
    "the content is not what was signed": "nội dung khác với nội dung đã ký",
    "the content has no canonical form": "nội dung không có dạng chuẩn hóa",
    "the signature does not fit the certificate": "chữ ký không khớp với chứng thư",
    "the signature is not built as it should be": "chữ ký không đúng cấu trúc",
    "the signature brings no certificate": "chữ ký không kèm chứng thư",
    "the certificate cannot be read": "không đọc được chứng thư",
    "an algorithm is not accepted": "thuật toán không được chấp nhận",
    "a reference does not name exactly one element": "tham chiếu không chỉ đúng một phần tử",
    "a reference names another element": "tham chiếu chỉ sang phần tử khác",
    "the algorithm or the key is too weak": "thuật toán hoặc khóa quá yếu",
    "no certificates are set for this feed": "nguồn gửi chưa được cấu hình chứng thư",
    "the paper has no day of issue": "giấy không ghi ngày cấp",
    "the certificate was not valid on the day of issue": "chứng thư không còn hoặc chưa có hiệu lực vào ngày cấp giấy",
    "the certificate is not trusted": "chứng thư không thuộc danh sách tin cậy",
    "the age of the child cannot be told": "không xác định được tuổi của trẻ",
    "the bytes are UTF-8": "các byte là UTF-8",
    "the feed says otherwise": "cấu hình nguồn gửi ghi khác",
    "no known format": "không thuộc định dạng nào đã biết",
    "control id re-used": "số thông điệp đã dùng cho nội dung khác",
    "name": "họ tên",
    "name close": "họ tên gần giống",
    "sex": "giới tính",
    "born": "ngày sinh",
    "personal_id": "số định danh",
    "cmnd": "số CMND",
}
"""What findings add, in English → in Vietnamese. Codes, numbers and fields' names stand for themselves."""


def _detail_in_vietnamese(detail: str) -> str:
    """English without a translation (an exception's own sentence) is left out: code and place say enough."""
    parts = (DETAILS.get(part, "" if " " in part else part) for part in detail.split(", "))
    return DETAILS.get(detail) or ", ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about data. `where` is a path in the message or a dossier field; `detail` adds non-personal facts."""

    code: str
    where: str
    detail: str = ""

    @property
    def severity(self) -> Severity:
        return FINDINGS[self.code].severity

    def as_json(self) -> dict[str, str]:
        """The shape outsiders rely on: code, severity, where, detail; plus the Vietnamese sentence."""
        kind = FINDINGS[self.code]
        tail = f": {self.detail}" if self.detail else ""
        tail_vi = f": {words}" if (words := _detail_in_vietnamese(self.detail)) else ""
        return {
            "code": self.code,
            "severity": kind.severity.value,
            "where": self.where,
            "detail": kind.en + tail,
            "detail_vi": kind.vi + tail_vi,
        }

    @classmethod
    def from_json(cls, item: dict[str, str]) -> Finding:
        """The reverse of `as_json`."""
        detail = item["detail"].removeprefix(FINDINGS[item["code"]].en).removeprefix(": ")
        return cls(item["code"], item["where"], detail)
