"""The reader of MoH XML and the parts of its envelope that several test modules use. Everybody is invented."""

from __future__ import annotations

from adapters.hospital.moh_xml import MohReader
from tests.hospital_messages import fields

READER = MohReader()


XML1 = {
    "MA_LK": "LK-1",
    "MA_BN": "BN-7",
    "HO_TEN": "Lê Văn Bình",
    "NGAY_SINH": "195001020000",
    "GIOI_TINH": "1",
    "NGAY_VAO": "202611180900",
    "NGAY_RA": "202611220500",
    "KET_QUA_DTRI": "5",
    "MA_CSKCB": "99001",
}


def xml1(**changes: str | None) -> str:
    return f"<TONG_HOP>{fields(**(XML1 | changes))}</TONG_HOP>"


FILE = "/GIAMDINHHS/THONGTINHOSO/DANHSACHHOSO/HOSO/FILEHOSO"
