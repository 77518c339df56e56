"""A far side of the civil-status exchange for tests: in this process, strict about every name and type it takes."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from adapters.commune.moj_rest import MojRest
from gateway.mapping.codes import Table, read_table
from gateway.ports.commune import Attachment, Delivery
from gateway.testing.commune import delivery
from gateway.testing.dossiers import AT
from gateway.testing.hostile_http import Request, Response
from tests.conftest import StillClock

CODES = Path(__file__).parents[1] / "mappings" / "codes"
CODE = "H21.999-261123-0001"
PAPER = Attachment("giay-chung-sinh.xml", "HSDLGCS", "application/xml", b"<HSDLGCS/>")
LINKED: dict[str, type] = {
    "maDonVi": str,
    "module": str,
    "maHoSoLT": str,
    "maHoSoMCDT": str,
    "ngayTiepNhan": str,
    "data": str,
    "fileDinhKem": list,
}
ORDINARY: dict[str, type] = {"maDonVi": int, "module": str, "maHoSo": str, "ngayTiepNhan": str, "data": str}
FILE: dict[str, type] = {
    "id": int,
    "loaiGiayTo": int,
    "tenGiayTo": str,
    "tenTepDinhKem": str,
    "huyGiayTo": int,
    "duLieuTepDinhKem": str,
}
QUESTIONS: dict[str, dict[str, type]] = {
    "nhanHoSoDKHT": LINKED,
    "dangKyHoTich": ORDINARY,
    "traTrangThaiHoSo": {"maDonVi": str, "module": str, "maHoSo": str},
    "layKetQua": {"maDinhDanhHoSo": list, "maTinh": str, "module": str},
    "danhMuc": {"loaiDanhMuc": int},
}


@cache
def whole_table(name: str) -> Table:
    """A shipped code table, all of its rows."""
    mistakes: list[Any] = []
    table = read_table(name, f"codes/{name}.csv", (CODES / f"{name}.csv").read_bytes(), mistakes)
    assert mistakes == []
    return Table(name, table.rows)


def sent(code: str = CODE, **changed: Any) -> Delivery:
    """An invented birth on its way to the linked service."""
    filled: dict[str, Any] = {
        "province_code": "52",
        "procedure": "1.001193",
        "form": "nhanHoSoDKHT",
        "module": "LTKS",
        "text": '{"meHoTen":"Đặng Thị Thúy Hòa","maGCS":""}',
        "received_at": AT,
    }
    return replace(delivery(), code=code, **(filled | changed))


def ordinary(code: str = CODE, **changed: Any) -> Delivery:
    """An invented birth on its way to the ordinary service."""
    text = "<hotich><hoso><meHoTen>Đặng Thị Thúy Hòa</meHoTen></hoso></hotich>"
    return sent(code, **({"form": "dangKyHoTich", "module": "KS", "text": text} | changed))


def moj(url: str, **options: Any) -> MojRest:
    """A client of the far side at `url`."""
    usual: dict[str, Any] = {"name": "moj", "table": whole_table, "clock": StillClock(), "url": url}
    return MojRest(**(usual | options))


def said(status: int | str = 1, http: int = 200, **told: Any) -> Response:
    """One answer of the exchange."""
    body = {"status": status, "statusDescription": "", "errorCode": "", "errorDescription": ""} | told
    return Response(http, orjson.dumps(body), "application/json")


@dataclass
class FarSide:
    """The answers of an exchange. `book` is what it holds, by code; `rows` what it tells of a dossier instead of "1
    received"; `next` answers the next question of an operation, or all of them with `always`."""

    book: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    always: dict[str, Response] = field(default_factory=dict)
    entries: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    check: Callable[[Request], Response | None] = lambda _request: None

    def __call__(self, request: Request) -> Response:
        operation = request.path.strip("/")
        self.asked.append(operation)
        refused = self.check(request)
        if refused is not None:
            return refused
        if operation in self.always:
            return self.always[operation]
        told = orjson.loads(request.body)
        if request.headers["content-type"] != "application/json" or not fits(told, QUESTIONS[operation]):
            return said(0, errorCode="500", errorDescription="sai đặc tả")
        answers = {"layKetQua": self._result, "traTrangThaiHoSo": self._state, "danhMuc": self._catalogue}
        return answers.get(operation, self._take)(told)

    def _take(self, told: Mapping[str, Any]) -> Response:
        code = told.get("maHoSoMCDT") or told["maHoSo"]
        day = r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d" if "maHoSoMCDT" in told else r"\d{4}-\d\d-\d\d"
        files = told.get("fileDinhKem", [])
        if not re.fullmatch(day, told["ngayTiepNhan"]) or not all(fits(each, FILE) for each in files):
            return said("0", errorCode="500", errorDescription="sai đặc tả")
        for each in files:
            base64.b64decode(each["duLieuTepDinhKem"], validate=True)
        if code in self.book:
            return said("0", errorCode="999", errorDescription=f"Hồ sơ {code} đã được tiếp nhận trước đó")
        self.book[code] = told
        return said("1", statusDescription="Tiếp nhận thành công")

    def _state(self, told: Mapping[str, Any]) -> Response:
        code = told["maHoSo"]
        if code not in self.book:
            return said(0, errorCode=201, errorDescription="hồ sơ không tồn tại")
        row = self.rows.get(code, [{"trangThai": 1}])[0]
        return said(1, value=[{"maHoSo": code, "trangThai": row["trangThai"]}])

    def _result(self, told: Mapping[str, Any]) -> Response:
        assert len(told["maDinhDanhHoSo"]) == 1
        (code,) = told["maDinhDanhHoSo"]
        usual = [{"trangThai": 1}] if code in self.book else []
        return said(1, value=[{"maHoSoMCDT": code} | row for row in self.rows.get(code, usual)])

    def _catalogue(self, told: Mapping[str, Any]) -> Response:
        entries = self.entries.get(told["loaiDanhMuc"])
        return said(0, errorCode="302") if entries is None else said(1, value=entries)


def fits(told: Any, types: Mapping[str, type]) -> bool:
    """Whether an object has these fields, no other, of these types."""
    return isinstance(told, dict) and {name: type(value) for name, value in told.items()} == dict(types)
