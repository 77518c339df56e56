"""The answers of the civil-status exchange, as JSON objects. Each says that it comes from a simulator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.domain.office import OFFICE_ZONE
from gateway.simulators.book import Dossier
from gateway.simulators.moj_facts import Facts
from gateway.simulators.moj_fields import Problem
from gateway.simulators.registration import result_text

SIMULATION = " (mô phỏng: hotich simulate moj)"
TAKEN = "Tiếp nhận hồ sơ thành công"
TAKEN_BEFORE = "Hồ sơ đã được tiếp nhận trước đó"
UNKNOWN_CODE = "987"
"""An error code that no list has."""

Answer = dict[str, Any]


def answer(status: int | str, description: str, value: Any = None) -> Answer:
    """`status` 1 for done; `value` only where it is given."""
    told = {"status": status, "statusDescription": description + SIMULATION, "errorCode": "", "errorDescription": ""}
    return told if value is None else told | {"value": value}


def error(status: int | str, code: str, words: str) -> Answer:
    """A no: one of the exchange's codes and what it says."""
    told = answer(status, "Không thành công")
    return told | {"errorCode": code, "errorDescription": words}


def known_error(facts: Facts, status: int | str, code: str, problems: Iterable[Problem] = ()) -> Answer:
    """A no by its code, with what is wrong with which field."""
    details = "; ".join(f"{problem.field}: {problem.words}" for problem in problems)
    words = facts.errors[code]
    return error(status, code, f"{words}: {details}" if details else words)


def taken(verdict: str) -> Answer:
    """nhanHoSoDKHT and dangKyHoTich: taken now; or a no that says that it was taken before."""
    return answer("1", TAKEN) if verdict == "accepted" else error("0", "", TAKEN_BEFORE)


def unauthorised(facts: Facts) -> Answer:
    """The token is missing or not good any more."""
    return known_error(facts, "0", "100")


def row_of(dossier: Dossier, facts: Facts) -> Answer:
    """One row of `value`, of layKetQua and traTrangThaiHoSo; capNhatTrangThaiHoSo… tells the same."""
    officer = "Cán bộ mô phỏng" if dossier.state in (2, 4, 6) else ""
    return {
        "maDonVi": dossier.agency,
        "module": dossier.module,
        "maHoSo": dossier.code,
        "maHoSoLT": dossier.linked_code,
        "maHoSoMCDT": dossier.code,
        "errors": "",
        "trangThai": dossier.state,
        "thoiGianThucHien": f"{datetime.fromtimestamp(dossier.state_at, OFFICE_ZONE):%d/%m/%Y %H:%M:%S}",
        "ghiChu": facts.states[str(dossier.state)] + SIMULATION,
        "ketQuaXuLy": result_text(dossier, facts),
        "nguoiXuLy": officer,
        "chucDanh": "Công chức tư pháp - hộ tịch" if officer else "",
        "phongBanXuLy": "",
        "noiDungXuLy": dossier.words,
        "hanBoSungHoSo": dossier.supplement_by,
    }


def rows(status: int | str, told: Sequence[Mapping[str, Any]]) -> Answer:
    """The rows asked for."""
    return answer(status, "Thành công", list(told))
