"""What `hotich feeds check NAME` says: for every code what is found and what mends it, in Vietnamese and English.

Words in braces are filled in by the check. `FINDINGS` are remedies for findings (gateway.domain.finding) by code;
{detail} is what the finding adds, often the name of a code table, {place} where in the message it is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """`level` is error (messages are lost or refused, or no dossier can be right), warning, or ok."""

    level: str
    vi: str
    en: str
    mend_vi: str = ""
    mend_en: str = ""


_SET = "Ghi {key} trong [feeds.{feed}] của hotich.toml", "Set {key} in [feeds.{feed}] of hotich.toml"
CHECKS: dict[str, Words] = {
    "settings.missing": Words("error", "Chưa khai {key}", "{key} is not set", *_SET),
    "settings.facility_code": Words(
        "warning", "facility_code không phải 5 chữ số", "facility_code is not 5 digits",
        "Ghi mã cơ sở khám chữa bệnh (MACSKCB)", "Write the facility's code (MACSKCB)",
    ),
    "settings.commune": Words(
        "error", "facility_commune {value} không có trong danh mục xã hiện hành",
        "facility_commune {value} is not on today's list of communes",
        "Ghi mã xã hiện hành nơi đặt cơ sở (5 chữ số)", "Write today's code of the commune it lies in (5 digits)",
    ),
    "settings.wrong": Words(
        "error", "Cấu hình sai: {words}", "Wrong settings: {words}",
        "Sửa hotich.toml rồi chạy lại lệnh này", "Correct hotich.toml and run this again",
    ),
    "settings.mappings": Words(
        "error", "Quy tắc đọc có lỗi: {words}", "The mappings have mistakes: {words}",
        "Chạy `hotich check` và sửa từng dòng", "Run `hotich check` and correct each line",
    ),
    "settings.senders_none": Words(
        "error", "Không có dấu hiệu nào để nhận ra nơi gửi", "Nothing tells this sender from others",
        "Khai senders (MSH-3|MSH-4, MACSKCB), ports, client_certificates, addresses hoặc folder",
        "Set senders (MSH-3|MSH-4, MACSKCB), ports, client_certificates, addresses or folder",
    ),
    "settings.senders_claimed": Words(
        "error", "{sender} cũng được khai ở nguồn {other}", "{sender} also belongs to feed {other}",
        "Để mỗi nơi gửi chỉ thuộc một nguồn", "Give each sender to one feed",
    ),
    "settings.senders_anyone": Words(
        "warning", "senders = \"*\" nhận thông điệp của bất kỳ ai", "senders = \"*\" takes anyone's messages",
        "Ghi rõ từng nơi gửi; môi trường production từ chối \"*\"", "Name the senders; production refuses \"*\"",
    ),
    "settings.ok": Words("ok", "Cấu hình đủ", "The settings are complete"),
    "overlay.none": Words("ok", "Không có quy tắc riêng", "No mappings of its own"),
    "overlay.in_force": Words("ok", "Quy tắc riêng đang dùng: {words}", "Mappings of its own in force: {words}"),
    "port.closed": Words(
        "error", "Không ai lắng nghe ở {address} ({what})", "Nobody listens at {address} ({what})",
        "Chạy `hotich serve`, xem tường lửa và cổng trong hotich.toml",
        "Start `hotich serve`; look at the firewall and the port in hotich.toml",
    ),
    "port.open": Words("ok", "{address} ({what}) đang mở", "{address} ({what}) is open"),
    "certificate.unreadable": Words(
        "error", "Không đọc được chứng thư {path}", "The certificate {path} cannot be read",
        "Kiểm tra đường dẫn, quyền đọc và định dạng PEM", "Check path, permission and the PEM format",
    ),
    "certificate.expired": Words(
        "error", "Chứng thư {path} hết hạn ngày {day}", "The certificate {path} expired on {day}",
        "Xin cấp và cài chứng thư mới", "Get a new one and install it",
    ),
    "certificate.early": Words(
        "error", "Chứng thư {path} chỉ có hiệu lực từ {day}", "The certificate {path} is valid from {day} only",
        "Kiểm tra đồng hồ máy chủ, hoặc chờ tới ngày đó", "Check the server's clock, or wait until then",
    ),
    "certificate.soon": Words(
        "warning", "Chứng thư {path} hết hạn ngày {day}", "The certificate {path} expires on {day}",
        "Xin cấp chứng thư mới trước ngày đó", "Get a new one before that day",
    ),
    "certificate.ok": Words("ok", "Chứng thư {path} còn hạn tới {day}", "The certificate {path} is valid until {day}"),
    "folder.trouble": Words(
        "error", "Thư mục {path} không dùng được ({why})", "The folder {path} cannot be used ({why})",
        "Tạo thư mục và cho người dùng chạy cổng quyền đọc, ghi, vào; done và refused không được là liên kết",
        "Make it, let the gateway's user read, write and enter it; done and refused must not be links",
    ),
    "folder.other_marks": Words(
        "error", "Nguồn có folder mà cũng khai addresses hoặc client_certificates: tệp sẽ bị từ chối",
        "The feed has a folder and also addresses or client_certificates: its files are refused",
        "Tách thư mục thành một nguồn riêng", "Make the folder a feed of its own",
    ),
    "folder.stuck": Words(
        "warning", "{count} tệp nằm chờ trong thư mục, lâu nhất {minutes} phút",
        "{count} files wait in the folder, the oldest for {minutes} minutes",
        "Xem cổng có chạy không; xóa tệp rỗng", "See whether the gateway runs; remove empty files",
    ),
    "folder.refused": Words(
        "warning", "{count} tệp bị từ chối nằm trong refused/", "{count} refused files lie in refused/",
        "Đọc tệp .txt và .ack bên cạnh, sửa rồi gửi lại", "Read the .txt and .ack beside them, correct and send again",
    ),
    "folder.ok": Words("ok", "Thư mục {path} dùng được", "The folder {path} is usable"),
    "answer.secret": Words(
        "error", "Không đọc được tệp khóa {path} (answer_secret)", "The file {path} (answer_secret) cannot be read",
        "Kiểm tra đường dẫn, quyền đọc; tệp phải có đúng một dòng", "Check path and permission; one line must be in it",
    ),
    "answer.closed": Words(
        "error", "Không kết nối được tới {address} để báo kết quả", "{address}, where answers go, cannot be reached",
        "Xem hệ thống nhận của bệnh viện có chạy không, tường lửa và answer_to",
        "See whether the hospital's receiver runs, the firewall, and answer_to",
    ),
    "answer.folder": Words(
        "error", "Không ghi được vào thư mục trả kết quả {address}", "The folder for answers {address} is not writable",
        "Tạo thư mục và cho người dùng chạy cổng quyền ghi", "Make it and let the gateway's user write to it",
    ),
    "answer.in_clear": Words(
        "warning", "Kết quả đi tới {address} không mã hóa", "Answers go to {address} unencrypted",
        "Dùng mllps:// hoặc https://, hoặc đường truyền riêng (VPN)",
        "Use mllps:// or https://, or a private line (VPN)",
    ),
    "answer.ok": Words("ok", "Nơi nhận kết quả {address} dùng được", "Answers can go to {address}"),
    "traffic.no_database": Words(
        "warning", "Chưa có cơ sở dữ liệu nên chưa xem được thông điệp đã nhận",
        "No database yet, so received messages were not looked at",
        "Chạy `hotich serve` một lần", "Start `hotich serve` once",
    ),
    "traffic.never": Words(
        "warning", "Chưa nhận được thông điệp nào", "No message has come yet",
        "Gửi một thông điệp mẫu; xem nơi gửi có bị từ chối không", "Send a sample; see whether its sender is refused",
    ),
    "traffic.silent": Words(
        "warning", "Thông điệp cuối cùng đã {hours} giờ", "The last message came {hours} hours ago",
        "Hỏi quản trị HIS xem kênh gửi còn chạy không", "Ask the HIS's administrator whether it still sends",
    ),
    "traffic.last": Words("ok", "Thông điệp cuối cùng lúc {at}", "The last message came at {at}"),
    "traffic.refused": Words(
        "error", "Trong 24 giờ bị từ chối {count} lần: {code}", "Refused {count} times in 24 hours: {code}",
        "{mend_vi}", "{mend_en}",
    ),
    "traffic.unusable": Words(
        "error", "{count} thông điệp được lưu nhưng nội dung không dùng được: {code} ở {place}",
        "{count} messages stored with unusable content: {code} at {place}",
        "Sửa ở nơi gửi rồi gửi lại; xem encoding của nguồn",
        "Correct the sender and send again; see the feed's encoding",
    ),
    "traffic.strangers": Words(
        "warning", "Trong 24 giờ có {count} thông điệp của nơi gửi không rõ bị từ chối",
        "{count} messages of unknown senders were refused in 24 hours",
        "Nếu là của nguồn này: thêm đúng MSH-3|MSH-4 (hoặc MACSKCB) vào senders",
        "If they are this feed's: add exactly MSH-3|MSH-4 (or MACSKCB) to senders",
    ),
    "clock.ahead": Words(
        "warning", "Đồng hồ nơi gửi chạy trước tới {seconds} giây", "The sender's clock is ahead by up to {seconds} s",
        "Chỉnh đồng hồ (NTP) và múi giờ của HIS; xem offset của nguồn",
        "Set the HIS's clock (NTP) and time zone; see the feed's offset",
    ),
    "clock.behind": Words(
        "warning", "Giờ ghi trong thông điệp thường sớm hơn lúc nhận {seconds} giây",
        "Messages usually say a time {seconds} s before they come",
        "Xem HIS có gửi trễ theo lô, sai đồng hồ hay sai múi giờ không",
        "See whether the HIS sends late, or its clock or time zone is wrong",
    ),
    "clock.ok": Words("ok", "Đồng hồ nơi gửi khớp", "The sender's clock agrees"),
    "finding": Words(
        "warning", "{count} lần {code} ở {place}: {vi}", "{count} times {code} at {place}: {en}",
        "{mend_vi}", "{mend_en}",
    ),
    "finding.info": Words("ok", "{count} lần {code} ở {place}: {vi}", "{count} times {code} at {place}: {en}"),
    "field.never": Words(
        "warning", "{kind_vi}: không bao giờ có {label} ({field})",
        "{kind}: {field} never arrives ({label})",
        "Cho HIS gửi ({paths}), nếu không xã phải hỏi gia đình hoặc cơ sở",
        "Let the HIS send it ({paths}); else the commune asks the family or the facility",
    ),
    "field.ok": Words("ok", "{kind_vi}: mọi mục tờ khai cần đều có lần gửi tới", "{kind}: every field needed has come"),
    "sample.refused": Words(
        "error", "Mẫu thứ {number} sẽ bị trả lời {code}", "Sample {number} would be answered {code}",
        "Chạy `hotich try` với mẫu đó để xem lý do", "Run `hotich try` on it to see why",
    ),
}  # fmt: skip

_ADD_CODE = (
    "Thêm dòng cho mã của bệnh viện vào codes/{detail}.csv trong quy tắc riêng (overlay) của nguồn",
    "Add a row for the hospital's code to codes/{detail}.csv in the feed's overlay",
)
_LOOK = "Xem giá trị ở {place} tại nơi gửi", "Look at the value at {place} in the sending system"
_ENCODING = (
    "Ghi đúng bảng mã vào MSH-18 (UNICODE UTF-8), hoặc khai encoding của nguồn",
    "Say the right character set in MSH-18 (UNICODE UTF-8), or set the feed's encoding",
)
FINDINGS: dict[str, tuple[str, str]] = {
    "value.no_crosswalk": _ADD_CODE,
    "value.unreadable": ("Gửi {place} đúng kiểu: {detail}", "Send {place} in its type: {detail}"),
    "value.missing": ("Cho HIS gửi {place}", "Let the HIS send {place}"),
    "message.bytes_undecodable": _ENCODING,
    "message.charset_contradicts": _ENCODING,
    "id.not_12_digits": (
        "Gửi đủ 12 chữ số của số định danh; CMND 9 số để ở loại giấy tờ riêng",
        "Send all 12 digits; a 9-digit CMND goes under its own type",
    ),
    "commune.unknown": (
        "Gửi mã xã hiện hành, hoặc đủ tên xã, huyện, tỉnh; xem unit_list của nguồn",
        "Send today's commune code, or commune, district and province by name; see the feed's unit_list",
    ),
    "commune.split": ("Gửi mã xã hiện hành thay cho mã cũ", "Send today's commune code instead of the old one"),
    "name.placeholder": (
        "Không cần sửa: gia đình sẽ khai tên", "Nothing to mend: the family names the child",
    ),
}  # fmt: skip

REFUSALS: dict[str, tuple[str, str]] = {
    "receive.control_id_reused": (
        "HIS dùng lại MSH-10 cho nội dung khác: sửa, hoặc đặt control_id_reuse = \"accept\"",
        "The HIS uses an MSH-10 again for other content: mend it, or set control_id_reuse = \"accept\"",
    ),
    "receive.format_not_taken": ("Thêm định dạng này vào formats", "Add the format to formats"),
    "receive.too_large": (
        "Chia nhỏ tệp, hoặc tăng max_message_bytes", "Split the file, or raise max_message_bytes",
    ),
}  # fmt: skip
LOOK = _LOOK
ASK = (
    "Đọc ERR-2, ERR-3, ERR-8 trong trả lời mà HIS nhận được; xem docs/errors.md",
    "Read ERR-2, ERR-3, ERR-8 of the answer the HIS got; see docs/errors.md",
)
