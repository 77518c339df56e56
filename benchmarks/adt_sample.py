"""An invented ADT^A01 of about 1.8 KB, as an irrelevant admission and as a birth, for the HL7 v2 benchmarks."""

from __future__ import annotations

_MSH = "MSH|^~\\&|HIS_MAU|99001|HOTICH|UBND|20261123081500+0700||ADT^A01^ADT_A01|{id}|P|2.5|||||VNM|UNICODE UTF-8"
_ADDRESS = "12 Tràng Thi^Phường Quy Nhơn^^Tỉnh Gia Lai^590000^VNM^P^^21583"
_IDS = "BN00000042^^^BV_MAU&1.2.3&ISO^MR~999000000042^^^BCA&1.2.4&ISO^NI~DN4999000000042^^^BHXH&1.2.5&ISO^HC"
_NAMES = "Nguyễn^Hương^Thị^^^^L~NGUYỄN^HƯƠNG^THỊ^^^^D"
_DOCTOR = "BS0007^Đặng^Yến^Thị^^BS.^^^BV_MAU"

IRRELEVANT = "\r".join(
    [
        _MSH,
        f"EVN|A01|20261123081500+0700|||{_DOCTOR}",
        (
            f"PID|1||{_IDS}||{_NAMES}||19780314|F|||{_ADDRESS}~{_ADDRESS}||0912000111^PRN^CP||vi^Tiếng Việt"
            "|M^Đã kết hôn^HL70002|KHONG^Không^TONGIAO|V000000042^^^BV_MAU^VN||||01^Dân tộc Kinh^DANTOC"
            "||||VNM^Việt Nam^ISO3166|||"
        ),
        f"PD1|||BỆNH VIỆN MẪU^^99001|{_DOCTOR}",
        f"NK1|1|Trần^Dũng^Văn|SPO^Vợ/chồng^HL70063|{_ADDRESS}|0982000222^PRN^CP",
        f"PV1|1|I|KHOA_NOI^P204^G3^BV_MAU|E|||{_DOCTOR}|||MED||||7|||{_DOCTOR}|BHYT|V000000042^^^BV_MAU^VN"
        + "|" * 25
        + "20261123081500+0700",
        "PV2|||J18.9^Viêm phổi \\T\\ sốt\\.br\\theo dõi^ICD10",
        "DG1|1|ICD10|J18.9^Viêm phổi, không đặc hiệu^ICD10|Viêm phổi \\T\\ sốt cao \\S\\ 39|20261123081500+0700|A",
        "IN1|1|BHYT^Bảo hiểm y tế|01^BHXH|BẢO HIỂM XÃ HỘI VIỆT NAM|7 Tràng Thi^^Hoàn Kiếm^Hà Nội^100000^VNM",
        "OBX|1|NM|8310-5^Nhiệt độ cơ thể^LN||38.5|Cel^Cel^UCUM|||||F|||20261123081500+0700",
        "OBX|2|NM|8867-4^Nhịp tim^LN||92|/min^/min^UCUM|||||F|||20261123081500+0700",
        "OBX|3|NM|8480-6^Huyết áp tâm thu^LN||120|mm[Hg]^mm[Hg]^UCUM|||||F|||20261123081500+0700",
        "OBX|4|NM|9279-1^Nhịp thở^LN||18|/min^/min^UCUM|||||F|||20261123081500+0700",
        "ZVN|1|Ghi chú nội bộ của bệnh viện\\.br\\dòng hai",
    ]
)


def irrelevant(control_id: str) -> bytes:
    """An adult's admission: neither birth nor death."""
    return IRRELEVANT.format(id=control_id).encode("utf-8") + b"\r"
