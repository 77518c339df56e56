"""Envelopes as a right client sends them, with invented people."""

from __future__ import annotations

import base64
import json
import unicodedata
from pathlib import Path
from typing import Any

from gateway.mapping.wire import wire_text

SAMPLES = Path(__file__).parents[3] / "sample_messages"
COMMUNE = "21583"
NAME = "Nguyễn Thị Hoài Thương"


def fields_of(sample: str) -> dict[str, Any]:
    """The dossier's fields of a sample."""
    (case,) = json.loads((SAMPLES / sample / "dossier.json").read_text(encoding="utf-8"))
    fields: dict[str, Any] = case["dossier"]["fields"]
    return fields


BIRTH = fields_of("birth/born-at-a-commune-health-station")
FILE = {
    "id": 1,
    "loaiGiayTo": 0,
    "tenGiayTo": "Giấy chứng sinh",
    "tenTepDinhKem": "giay-chung-sinh.xml",
    "huyGiayTo": 0,
    "duLieuTepDinhKem": base64.b64encode(b"<HSDLGCS/>").decode(),
}


def code(number: int) -> str:
    return f"H21.999-261123-{number:04d}"


def birth(number: int = 1, **changed: Any) -> dict[str, Any]:
    """nhanHoSoDKHT for a birth; `changed` are fields of the birth object, None takes one away."""
    fields = {**BIRTH, "noiDangKy": COMMUNE, "meHoTen": NAME, **changed}
    told = {name: value for name, value in fields.items() if value is not None}
    return {
        "maDonVi": COMMUNE,
        "module": "LTKS",
        "maHoSoLT": "",
        "maHoSoMCDT": code(number),
        "ngayTiepNhan": "23/11/2026 10:15:00",
        "data": json.dumps(told, ensure_ascii=False),
        "fileDinhKem": [dict(FILE)],
    }


def ordinary(text: str, number: int = 1) -> dict[str, Any]:
    """dangKyHoTich for a birth with `text` as its data."""
    return {"maDonVi": int(COMMUNE), "module": "KS", "maHoSo": code(number), "ngayTiepNhan": "2026-11-23", "data": text}


def ordinary_birth(number: int = 1, **changed: str) -> dict[str, Any]:
    """dangKyHoTich for a birth."""
    fields = {"noiDangKy": COMMUNE, "nksHoTen": "Lê Hoài Nam", "nksGioiTinh": "1", "nksNgaySinh": "20.11.2026"}
    return ordinary(wire_text("xml", fields | changed), number)


def decomposed(text: str) -> str:
    """The text in NFD."""
    return unicodedata.normalize("NFD", text)
