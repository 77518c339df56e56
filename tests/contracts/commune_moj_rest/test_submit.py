"""The connector to the civil-status exchange: contract, what is sent, and what is answered to a dossier."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.commune.moj_rest import MojRest
from gateway.errors import Misconfigured, Misunderstood, Refused
from gateway.ports.commune import CallingSystem, Delivery, NumberedSystem, Outcome
from gateway.testing.commune import CommuneContract
from gateway.testing.hostile_http import HostileServer, Request, Response
from tests.conftest import StillClock
from tests.moj_world import CODE, PAPER, FarSide, ordinary, said, sent, whole_table

PENDING = Outcome("pending", CODE)


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
