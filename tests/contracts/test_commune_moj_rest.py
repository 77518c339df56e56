"""The connector to the civil-status exchange: contract, wire, answers of every kind, and a network that fails."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.commune.moj_rest import MojRest
from gateway.errors import Misconfigured, Misunderstood, PortError, Refused, SettingsError, Unreachable
from gateway.plugins import make
from gateway.ports.commune import CallingSystem, Delivery, NumberedSystem, Outcome
from gateway.testing.commune import CommuneContract
from gateway.testing.hostile_http import RETRY_AFTER, HostileServer, Request, Response
from tests.conftest import StillClock
from tests.moj_world import CODE, PAPER, FarSide, moj, ordinary, said, sent, whole_table

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


@pytest.fixture
def far_side() -> FarSide:
    return FarSide()


@pytest.fixture
def server(far_side: FarSide) -> Iterator[HostileServer]:
    with HostileServer(far_side) as server:
        yield server


@pytest.fixture
def client(server: HostileServer) -> Iterator[Callable[..., MojRest]]:
    """Makes clients of the far side, with the options a test wants."""
    made: list[MojRest] = []

    def make_client(**options: Any) -> MojRest:
        made.append(moj(server.url, **options))
        return made[-1]

    yield make_client
    for each in made:
        each.close()


@pytest.fixture
def commune(client: Callable[..., MojRest]) -> MojRest:
    return client(agency="H21.999")


class Filled(MojRest):
    """The connector, given the contract's deliveries with a wire form filled in, as the pipeline would."""

    def submit(self, delivery: Delivery) -> Outcome:
        return super().submit(_filled(delivery))

    def status(self, delivery: Delivery) -> Outcome | None:
        return super().status(_filled(delivery))


def _filled(delivery: Delivery) -> Delivery:
    return replace(sent(delivery.code), version=delivery.version)


class TestMojRest(CommuneContract):
    @pytest.fixture(autouse=True)
    def _commune(self, server: HostileServer) -> Iterator[None]:
        self.commune = Filled("moj", whole_table, StillClock(), server.url)
        yield
        self.commune.close()

    def make_commune(self) -> MojRest:
        return self.commune


def test_the_connector_is_numbered_and_may_be_called(commune: MojRest) -> None:
    assert isinstance(commune, NumberedSystem)
    assert isinstance(commune, CallingSystem)


# What is sent


def test_a_linked_dossier_goes_out_with_its_papers_and_its_seal(commune: MojRest, far_side: FarSide) -> None:
    dossier = sent(attachments=(PAPER,))
    assert commune.submit(dossier) == PENDING
    told = dict(far_side.book[CODE])
    files = told.pop("fileDinhKem")
    assert told == {
        "maDonVi": "21553",
        "module": "LTKS",
        "maHoSoLT": "",
        "maHoSoMCDT": CODE,
        "ngayTiepNhan": "23/11/2026 15:15:00",  # 08:15 UTC in Việt Nam
        "data": dossier.text,
    }
    assert [(file["id"], file["tenGiayTo"], file["tenTepDinhKem"], file["huyGiayTo"]) for file in files] == [
        (1, "Giấy chứng sinh", "giay-chung-sinh.xml", 0),
        (2, "Hồ sơ điện tử có chữ ký số", "ho-so.xml", 0),
    ]
    contents = [base64.b64decode(file["duLieuTepDinhKem"]) for file in files]
    assert contents == [PAPER.content, dossier.sealed]


def test_the_seal_stays_at_home_and_the_code_is_repeated_when_the_settings_say_so(
    client: Callable[..., MojRest], far_side: FarSide
) -> None:
    commune = client(attach_seal=False, repeat_code=True)
    commune.submit(sent())
    assert (far_side.book[CODE]["fileDinhKem"], far_side.book[CODE]["maHoSoLT"]) == ([], CODE)


def test_the_object_form_goes_to_the_linked_service_too(commune: MojRest, far_side: FarSide) -> None:
    commune.submit(sent(form="nhanHoSoDKHT-2025"))
    assert far_side.asked == ["nhanHoSoDKHT"]


def test_an_ordinary_dossier_goes_out_as_xml_text(commune: MojRest, far_side: FarSide) -> None:
    late = ordinary(received_at=sent().received_at.replace(hour=17, minute=30))  # type: ignore[union-attr]
    assert commune.submit(late) == PENDING
    assert far_side.asked == ["dangKyHoTich"]
    assert far_side.book[CODE] == {
        "maDonVi": 21553,
        "module": "KS",
        "maHoSo": CODE,
        "ngayTiepNhan": "2026-11-24",  # already the next day in Việt Nam
        "data": late.text,
    }


@pytest.mark.parametrize(
    ("dossier", "code"),
    [
        (sent(form="portal"), "commune.form_unknown"),
        (sent(form=""), "commune.form_unknown"),
        (sent(withdrawn=True), "commune.takes_no_withdrawal"),
    ],
    ids=["another form", "no form", "a withdrawal"],
)
def test_what_there_is_no_operation_for_is_refused_unsent(
    commune: MojRest, far_side: FarSide, dossier: Delivery, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        commune.submit(dossier)
    assert (refused.value.code, far_side.asked) == (code, [])
    assert not isinstance(refused.value, Misconfigured)


def test_headers_of_the_settings_and_the_token_go_with_every_question(
    client: Callable[..., MojRest], server: HostileServer, far_side: FarSide, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("first\n")
    commune = client(token=tmp_path / "token", headers={"X-Road-Client": "VN/GOV/H21/hotich"})
    commune.submit(sent())
    commune.status(sent())
    for request in server.requests:
        assert request.headers["authorization"] == "Bearer first"
        assert request.headers["x-road-client"] == "VN/GOV/H21/hotich"


# What is answered to a dossier


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("where", ["errorDescription", "statusDescription"])
def test_a_dossier_that_was_there_is_taken_whatever_the_code(
    commune: MojRest, far_side: FarSide, form: Any, where: str
) -> None:
    words: Any = unicodedata.normalize(form, "HỒ SƠ  ĐÃ ĐƯỢC TIẾP NHẬN ngày 23/11/2026")
    far_side.always["nhanHoSoDKHT"] = said("0", 200, **{"errorCode": "500", where: words})
    assert commune.submit(sent()) == PENDING


def test_words_about_one_field_do_not_make_a_dossier_taken(commune: MojRest, far_side: FarSide) -> None:
    wrong = [{"maGCS": "giấy này đã được tiếp nhận ở hồ sơ khác"}]
    far_side.always["nhanHoSoDKHT"] = said("0", errorCode="500", errorDescription="sai", value=wrong)
    assert commune.submit(sent()).state == "rejected"


@pytest.mark.parametrize("code", ["101", "106", "108", 100, 106])
def test_a_refusal_that_is_about_us_is_no_fault_of_the_dossier(
    commune: MojRest, far_side: FarSide, code: str | int
) -> None:
    far_side.always["nhanHoSoDKHT"] = said("0", errorCode=code, errorDescription="Đặng Thị Thúy Hòa")
    with pytest.raises(Misconfigured) as refused:
        commune.submit(sent())
    assert refused.value.code == "commune.refuses_us"
    assert str(code) in refused.value.message
    assert "Hòa" not in refused.value.message
    assert "Hòa".encode() in refused.value.evidence


def test_what_the_exchange_finds_wrong_is_told_in_its_own_words(commune: MojRest, far_side: FarSide) -> None:
    wrong = [{"truong": "nksNgaySinh", "loi": "sai định dạng"}, "thiếu meHoTen"]
    far_side.always["nhanHoSoDKHT"] = said("0", errorCode="500", errorDescription="Dữ liệu sai", value=wrong)
    words = "Dữ liệu sai\ntruong: nksNgaySinh, loi: sai định dạng\nthiếu meHoTen"
    assert commune.submit(sent()) == Outcome("rejected", CODE, words)


def test_a_rejection_without_words_has_those_of_our_table(commune: MojRest, far_side: FarSide) -> None:
    far_side.always["nhanHoSoDKHT"] = said("0", errorCode="500")
    assert commune.submit(sent()).words == "500 DATA_INCORRECT"


@pytest.mark.parametrize(
    "answer",
    [
        said("0", errorCode="777", errorDescription="Đặng Thị Thúy Hòa"),
        said("0", errorCode="Đặng Thị Thúy Hòa"),
        said("0", errorDescription="Đặng Thị Thúy Hòa"),
        said("0", errorCode="201", errorDescription="Đặng Thị Thúy Hòa"),
        said("2", errorDescription="Đặng Thị Thúy Hòa"),
        said("1", http=400, errorDescription="Đặng Thị Thúy Hòa"),
        Response(200, '["Đặng Thị Thúy Hòa"]'.encode(), "application/json"),
        Response(200, "<html>Đặng Thị Thúy Hòa</html>".encode(), "application/json"),
        Response(400, "Đặng Thị Thúy Hòa".encode(), "text/plain"),
    ],
)
def test_an_answer_that_fits_nothing_is_kept_as_evidence_and_not_repeated(
    commune: MojRest, far_side: FarSide, answer: Response
) -> None:
    far_side.always["nhanHoSoDKHT"] = answer
    with pytest.raises(Misunderstood) as raised:
        commune.submit(sent())
    assert raised.value.evidence == answer.body
    assert "Hòa" not in raised.value.message
    assert len(far_side.asked) == 1


@pytest.mark.parametrize("status", [404, 405, 410])
def test_an_address_without_the_operation_is_a_mistake_of_the_settings(
    commune: MojRest, far_side: FarSide, status: int
) -> None:
    far_side.always["nhanHoSoDKHT"] = Response(status, b"<h1>Not Found</h1>", "text/html")
    with pytest.raises(Misconfigured) as refused:
        commune.submit(sent())
    assert refused.value.code == "commune.no_such_address"


def test_a_token_that_ended_is_renewed_once_and_the_dossier_goes_out(
    client: Callable[..., MojRest], server: HostileServer, far_side: FarSide, tmp_path: Path
) -> None:
    tokens = iter(("first", "second", "third"))
    far_side.check = lambda request: _guard(request, tokens, "Bearer second")
    (tmp_path / "secret").write_text("s3cret")
    options = {"token_url": f"{server.url}/token", "client_id": "hotich", "client_secret": tmp_path / "secret"}
    assert client(**options).submit(sent()) == PENDING
    assert far_side.asked == ["token", "nhanHoSoDKHT", "token", "nhanHoSoDKHT"]


def test_a_new_token_that_is_refused_too_is_not_renewed_again(
    client: Callable[..., MojRest], far_side: FarSide, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("old")
    far_side.check = lambda request: _guard(request, iter(()), "Bearer new")
    commune = client(token=tmp_path / "token")
    with pytest.raises(Misconfigured):
        commune.submit(sent())
    assert len(far_side.asked) == 2
    (tmp_path / "token").write_text("new")
    assert commune.submit(sent()) == PENDING


def _guard(request: Request, tokens: Iterator[str], wanted: str) -> Response | None:
    """A door that answers 200 with code 100 to a wrong token."""
    if request.path == "/token":
        told = orjson.dumps({"access_token": next(tokens), "expires_in": 3600})
        return Response(200, told, "application/json")
    return None if request.headers["authorization"] == wanted else said("0", errorCode="100")


def test_whatever_else_comes_with_a_yes_the_dossier_is_taken(commune: MojRest, far_side: FarSide) -> None:
    for value in ("G22.99.05-261123-0001", [CODE], [{"maHoSoLT": "G22.99.05-261123-0001"}], 1, None):
        far_side.always["nhanHoSoDKHT"] = said("1", value=value)
        assert commune.submit(sent()) == PENDING


# What becomes of a dossier


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


# The network


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("time_out", Unreachable),
        ("reset_unanswered", Unreachable),
        ("reset_in_answer", Unreachable),
        ("short_answer", Unreachable),
        ("html_502", Unreachable),
        ("status_429", Unreachable),
        ("status_500", Unreachable),
        ("empty", Misunderstood),
        ("html_200", Misunderstood),
        ("redirect", Misunderstood),
        ("huge", Misunderstood),
        ("status_401", Misconfigured),
        ("status_403", Misconfigured),
    ],
)
def test_a_fault_is_one_of_the_ports_exceptions_and_the_next_dossier_goes(
    client: Callable[..., MojRest], server: HostileServer, fault: str, expected: type[PortError]
) -> None:
    commune = client(timeout_seconds=0.3)
    server.script.append(fault)
    with pytest.raises(expected) as raised:
        commune.submit(sent())
    assert type(raised.value) is expected
    assert raised.value.retry_after == (RETRY_AFTER if fault == "status_429" else 0.0)
    assert CODE not in raised.value.message and "Hòa" not in raised.value.message
    assert commune.submit(sent()) == PENDING


@pytest.mark.parametrize(
    ("fault", "arrived"), [("reset_unanswered", PENDING), ("short_answer", PENDING), ("status_500", None)]
)
def test_after_an_answer_was_lost_the_status_says_whether_the_dossier_arrived(
    commune: MojRest, server: HostileServer, fault: str, arrived: Outcome | None
) -> None:
    server.script.append(fault)
    with pytest.raises(Unreachable):
        commune.submit(sent())
    assert commune.status(sent()) == arrived


def test_an_exchange_that_fails_again_and_again_is_left_alone(
    client: Callable[..., MojRest], server: HostileServer
) -> None:
    commune = client(breaker_failures=2, breaker_seconds=60)
    server.always = "status_500"
    for _ in range(4):
        with pytest.raises(Unreachable) as raised:
            commune.submit(sent())
    assert len(server.requests) == 2
    assert raised.value.retry_after > 0


# Settings


def test_an_agency_comes_from_the_table_else_from_the_settings(client: Callable[..., MojRest]) -> None:
    def table(name: str) -> Any:
        return {"21553": "H21.888"} if name == "commune_agencies" else whole_table(name)

    class Agencies(dict[str, str]):
        def column(self, code: str, _column: str) -> str | None:
            return self.get(code)

    commune = client(table=lambda name: Agencies(table(name)), agency="H21.999")
    assert commune.agency_of("21553", "52", date(2026, 11, 23)) == "H21.888"
    assert commune.agency_of("21583", "52", date(2026, 11, 23)) == "H21.999"


def test_a_commune_without_an_agency_is_a_mistake_of_the_settings(client: Callable[..., MojRest]) -> None:
    with pytest.raises(Misconfigured) as raised:
        client().agency_of("21553", "52", date(2026, 11, 23))
    assert "commune_systems.moj.agency" in raised.value.message


@pytest.mark.parametrize(
    "options",
    [
        {"url": "ftp://example.test"},
        {"token": "none"},
        {"token": "secret", "token_url": "https://example.test/token"},
        {"token_url": "https://example.test/token", "client_id": "hotich"},
        {"client_id": "hotich", "client_secret": "secret"},
        {"callback_secret": "none"},
        {"certificate": "none"},
        {"colour": "red"},
    ],
)
def test_settings_that_cannot_work_are_refused_at_start(options: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    offered = {"table": whole_table, "clock": StillClock(), "name": "moj"}
    usable = {"url": "https://example.test/moj", "token": "secret", "callback_secret": "secret", "province": "52"}
    make("commune_systems.moj", MojRest, usable, offered, tmp_path).close()
    with pytest.raises(SettingsError):
        make("commune_systems.moj", MojRest, {"url": "https://example.test"} | options, offered, tmp_path)
