"""The connector to the civil-status exchange: what it learns of a dossier that was handed in."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from adapters.commune.moj_rest import MojRest
from gateway.errors import Misconfigured, Misunderstood, Unreachable
from gateway.ports.commune import Outcome
from gateway.testing.hostile_http import HostileServer, Response
from tests.moj_world import CODE, FarSide, ordinary, said, sent

PENDING = Outcome("pending", CODE)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
RESULT = {
    "soDangKy": "45/2026",
    "quyenSo": "01/2026",
    "trangSo": 45,
    "ngayDangKy": "24/11/2026",
    "soDinhDanh": "999226000777",
    "nksHoTen": "Nguyễn Thử Nghiệm",
}
TOLD = {
    "so": "45/2026",
    "quyenSo": "01/2026",
    "trangSo": "45",
    "ngayDangKy": "24.11.2026",
    "soDinhDanh": "999226000777",
}


def test_a_linked_dossier_without_news_is_one_question(commune: MojRest, far_side: FarSide) -> None:
    commune.submit(sent())
    assert commune.status(sent()) == PENDING
    assert far_side.asked == ["nhanHoSoDKHT", "layKetQua"]


def test_an_unknown_dossier_is_asked_for_in_both_ways(commune: MojRest, far_side: FarSide) -> None:
    assert commune.status(sent()) is None
    assert far_side.asked == ["layKetQua", "traTrangThaiHoSo"]


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"trangThai": 1}, PENDING),
        ({"trangThai": "3", "ghiChu": "đã xem"}, Outcome("accepted", CODE, "đã xem")),
        (
            {"trangThai": 2, "noiDungXuLy": "Thiếu tên trẻ", "hanBoSungHoSo": "30/11/2026 17:00:00"},
            Outcome("needs_more", CODE, "Thiếu tên trẻ (hạn bổ sung: 30/11/2026 17:00:00)"),
        ),
        ({"trangThai": 6, "noiDungXuLy": "Không thuộc xã"}, Outcome("refused", CODE, "Không thuộc xã")),
        ({"trangThai": 4, "ketQuaXuLy": ""}, Outcome("accepted", CODE)),
        ({"trangThai": 4, "ketQuaXuLy": RESULT}, Outcome("registered", CODE, "", TOLD)),
        (
            {"trangThai": 4, "ketQuaXuLy": orjson.dumps(RESULT).decode()},
            Outcome("registered", CODE, "", TOLD),
        ),
        (
            {"trangThai": 4, "ketQuaXuLy": RESULT | {"giayKhaiSinh": base64.b64encode(PDF).decode()}},
            Outcome("registered", CODE, "", TOLD, PDF),
        ),
    ],
)
def test_each_state_is_told_with_what_belongs_to_it(
    commune: MojRest, far_side: FarSide, row: dict[str, Any], outcome: Outcome
) -> None:
    far_side.rows[CODE] = [row]
    assert commune.status(sent()) == outcome


def test_the_result_of_an_ordinary_dossier_is_fetched_once_it_is_registered(
    commune: MojRest, far_side: FarSide
) -> None:
    commune.submit(ordinary())
    assert commune.status(ordinary()) == PENDING
    far_side.rows[CODE] = [{"trangThai": 4, "ketQuaXuLy": RESULT}]
    assert commune.status(ordinary()) == Outcome("registered", CODE, "", TOLD)
    assert far_side.asked == ["dangKyHoTich", "traTrangThaiHoSo", "traTrangThaiHoSo", "layKetQua"]


def test_the_state_alone_tells_where_the_result_says_nothing(commune: MojRest, far_side: FarSide) -> None:
    commune.submit(sent())
    far_side.rows[CODE] = [{"trangThai": 3}]
    far_side.always["layKetQua"] = said(0)
    assert commune.status(sent()) == Outcome("accepted", CODE)


@pytest.mark.parametrize("code", ["500", "777"])
def test_a_result_refused_for_a_reason_of_its_own_is_not_passed_over(
    commune: MojRest, far_side: FarSide, code: str
) -> None:
    commune.submit(sent())
    far_side.always["layKetQua"] = said(0, errorCode=code)
    with pytest.raises(Misunderstood):
        commune.status(sent())


@pytest.mark.parametrize("code", ["200", 200])
def test_a_registration_that_is_not_complete_is_pending(commune: MojRest, far_side: FarSide, code: Any) -> None:
    far_side.always["layKetQua"] = far_side.always["traTrangThaiHoSo"] = said(0, errorCode=code)
    assert commune.status(sent()) == PENDING


def test_a_state_without_a_list_around_it_is_read(commune: MojRest, far_side: FarSide) -> None:
    for answer in (said("1", maHoSo=CODE, trangThai=3), said("1", value={"maHoSo": CODE, "trangThai": 3})):
        far_side.always["traTrangThaiHoSo"] = answer
        assert commune.status(ordinary()) == Outcome("accepted", CODE)


def test_a_state_of_error_is_asked_for_again(commune: MojRest, far_side: FarSide) -> None:
    far_side.rows[CODE] = [{"trangThai": 0}]
    with pytest.raises(Unreachable):
        commune.status(sent())
    far_side.always["traTrangThaiHoSo"] = said(0, statusDescription="Đã có lỗi")
    with pytest.raises(Unreachable):
        commune.status(ordinary())


def test_two_rows_that_say_the_same_are_one(commune: MojRest, far_side: FarSide) -> None:
    far_side.rows[CODE] = [{"trangThai": 3}, {"trangThai": 3}]
    assert commune.status(sent()) == Outcome("accepted", CODE)


@pytest.mark.parametrize(
    "rows",
    [
        [{"trangThai": 3}, {"trangThai": 4, "ketQuaXuLy": RESULT}],
        [{"maHoSoMCDT": "H21.999-261123-0002", "trangThai": 4, "ketQuaXuLy": RESULT}],
        [{"trangThai": 3}, {"maHoSoMCDT": "H21.999-261123-0002", "trangThai": 3}],
        [{"maHoSoMCDT": "", "trangThai": 4, "ketQuaXuLy": RESULT}],
        [{"trangThai": 9}],
        [{}],
        [{"trangThai": 4, "ketQuaXuLy": "999226000777"}],
        [{"trangThai": 4, "ketQuaXuLy": "không phải JSON"}],
        [{"trangThai": 4, "ketQuaXuLy": RESULT | {"ngayDangKy": "31.02.2026"}}],
        [{"trangThai": 4, "ketQuaXuLy": RESULT | {"ngayDangKy": "hôm qua"}}],
    ],
)
def test_an_answer_that_cannot_be_this_dossiers_is_no_answer(
    commune: MojRest, far_side: FarSide, rows: list[dict[str, Any]]
) -> None:
    far_side.rows[CODE] = rows
    with pytest.raises(Misunderstood) as raised:
        commune.status(sent())
    assert b"maHoSoMCDT" in raised.value.evidence
    assert "999226000777" not in raised.value.message


@pytest.mark.parametrize(
    "answer",
    [said("1"), said("1", value=[]), said("1", value=[CODE]), said("1", value=CODE), said("0", errorCode="500")],
    ids=["nothing", "no row", "a code in a list", "a code", "wrong data"],
)
def test_an_answer_without_a_state_does_not_pass_for_a_dossier_that_arrived(
    commune: MojRest, far_side: FarSide, answer: Response
) -> None:
    far_side.always["traTrangThaiHoSo"] = answer
    with pytest.raises(Misunderstood):
        commune.status(sent())


@pytest.mark.parametrize("operation", ["layKetQua", "traTrangThaiHoSo"])
def test_a_refusal_of_us_is_noticed_when_asking_too(commune: MojRest, far_side: FarSide, operation: str) -> None:
    far_side.always[operation] = said(0, errorCode="106")
    with pytest.raises(Misconfigured):
        commune.status(sent())


def test_the_province_is_that_of_the_settings_else_the_dossiers(
    client: Callable[..., MojRest], server: HostileServer
) -> None:
    client().status(sent())
    client(province="64").status(sent())
    asked = [orjson.loads(request.body)["maTinh"] for request in server.requests if request.path == "/layKetQua"]
    assert asked == ["52", "64"]
