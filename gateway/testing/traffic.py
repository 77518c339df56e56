"""Invented HL7 v2 traffic by number: births and everyday admissions, the same for the same number.

Personal identifiers start with 999, a province part that nobody has. The people are made of common names.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Đặng", "Bùi", "Đỗ", "Hồ", "Võ")
_GIVEN = ("Hương", "Lan", "Mai", "Trang", "Ngọc", "Thảo", "Hằng", "Yến", "Vân", "Phượng")
_COMMUNES = (
    ("21583", "Phường Quy Nhơn"),
    ("21907", "Phường Bình Định"),
    ("21808", "Xã Tây Sơn"),
    ("23575", "Phường Pleiku"),
)
_HOME = "Tổ 4^^Phường Quy Nhơn^52^^VNM^H^^21583"
_START = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


def birth(number: int, control_id: str | None = None) -> bytes:
    """An ADT^A01 of a newborn with mother and father, about 1 KB, carriage returns between segments."""
    at = _START + timedelta(minutes=7 * number % 4000)
    mother = f"{_FAMILY[number % 10]}^{_GIVEN[number // 10 % 10]}^Thị"
    father = f"{_FAMILY[(number + 3) % 10]}^{_GIVEN[(number + 5) % 10]}^Văn"
    commune, name = _COMMUNES[number % len(_COMMUNES)]
    address = f"Tổ {number % 40 + 1}^^{name}^52^^VNM^H^^{commune}"
    child = f"SS{number:08d}^^^BV_QN_MAU^MR||BB^{_FAMILY[number % 10]}||{at:%Y%m%d%H%M}|{'MF'[number % 2]}"
    segments = (
        _msh(control_id or f"KS{number:08d}", at),
        f"EVN|A01|{at:%Y%m%d%H%M%S}+0700",
        f"PID|1||{child}|||{address}||||||||||ME{number:08d}^^^BV_QN_MAU^MR|01^Kinh||N",
        f"NK1|1|{mother}|MTH^Mẹ^HL70063|{address}||||||||||||19950412|||||||||||||||||9993950{number:05d}^^^BCA^NI",
        f"NK1|2|{father}|FTH^Cha^HL70063|{address}||||||||||||19930105|||||||||||||||||9992930{number:05d}^^^BCA^NI",
        f"PV1|1|I|SAN^P1^G1^BV_QN_MAU|N|||||||||||||||V{number:08d}",
    )
    return "\r".join(segments).encode() + b"\r"


def admission(number: int, control_id: str | None = None) -> bytes:
    """An ADT^A01 of an adult: neither birth nor death."""
    at = _START + timedelta(minutes=number % 4000)
    numbers = f"BN{number:08d}^^^BV_QN_MAU^MR~9991800{number % 100000:05d}^^^BCA^NI"
    name = f"{_FAMILY[number % 10]}^{_GIVEN[number % 7]}^Thị"
    segments = (
        _msh(control_id or f"NV{number:08d}", at),
        f"EVN|A01|{at:%Y%m%d%H%M%S}+0700",
        f"PID|1||{numbers}||{name}||19800512|F|||{_HOME}||0999000000||vi|M|||||||||||||||N",
        f"NK1|1|{_FAMILY[(number + 1) % 10]}^Hùng^Văn|SPO^Chồng^HL70063",
        f"PV1|1|I|NOI^P{number % 30}^G2^BV_QN_MAU|E|||||||||||||||V{number:08d}",
        "DG1|1|ICD10|J18.9^Viêm phổi, không đặc hiệu^ICD10",
    )
    return "\r".join(segments).encode() + b"\r"


def _msh(control_id: str, at: datetime) -> str:
    route = "HIS_MAU|BV_QN_MAU|HOTICH|UBND"
    return f"MSH|^~\\&|{route}|{at:%Y%m%d%H%M%S}+0700||ADT^A01^ADT_A01|{control_id}|P|2.5|||||VNM|UNICODE UTF-8"
