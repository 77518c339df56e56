"""Results of the civil-status exchange: names, dates and papers in every shape that was seen or may be."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from adapters.commune import moj_result
from adapters.commune.moj_result import read_outcome
from gateway.errors import Misunderstood
from gateway.ports.commune import Outcome
from tests.moj_world import CODE, whole_table

PDF = b"%PDF-1.4\n" + bytes(range(256)) + b"\n%%EOF\n"


def outcome(**result: Any) -> Outcome:
    return read_outcome({"trangThai": 4, "ketQuaXuLy": result}, CODE, whole_table, b"evidence")


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    "written",
    ["04.03.2027", "4.3.2027", "04/03/2027", "04/03/2027 10:15:00", "2027-03-04T10:15:00+07:00"],
)
def test_a_day_is_told_with_dots_however_it_was_written(written: str) -> None:
    assert outcome(ngayDangKy=written).result == {"ngayDangKy": "04.03.2027"}


@pytest.mark.parametrize("written", ["03.2027", "31/04/2027", "4.3.27", "04.03.2027x", "٠٤.٠٣.٢٠٢٧", "0000-01-01"])
def test_what_is_no_day_is_not_guessed(written: str) -> None:
    with pytest.raises(Misunderstood) as raised:
        outcome(ngayDangKy=written)
    assert raised.value.evidence == b"evidence"
    assert written not in raised.value.message


def test_a_death_is_registered_without_day_and_identifier() -> None:
    told = outcome(soDangKy="7/2026", quyenSo="01/2026", trangSo="7", nktHoTen="Phạm Thử Nghiệm")
    assert told == Outcome("registered", CODE, "", {"so": "7/2026", "quyenSo": "01/2026", "trangSo": "7"})


def test_the_exchanges_own_name_of_a_number_goes_before_the_registers() -> None:
    assert outcome(so="8/2026", soDangKy="7/2026").result["so"] == "7/2026"
    assert outcome(so="8/2026").result["so"] == "8/2026"


def test_only_what_the_register_gives_is_kept() -> None:
    kept = outcome(soDangKy=" 7/2026 ", trangSo=None, quyenSo=True, soDinhDanh={"x": 1}, meHoTen="Đặng Thị Thúy Hòa")
    assert kept.result == {"so": "7/2026"}


@pytest.mark.parametrize("name", ["giayKhaiSinh", "giayKhaiTu", "duLieuTepDinhKem"])
def test_a_paper_is_read_from_whichever_field_holds_it(name: str) -> None:
    text = base64_of(PDF)
    wrapped = "\r\n".join((text[:76], text[76:]))
    assert outcome(**{name: wrapped}).paper == PDF


@pytest.mark.parametrize(
    "text",
    ["", "12/2026", "https://example.test/giay.pdf", base64_of(b"<html/>"), base64_of(PDF[:100]), "%PDF-1.4", "giấy"],
)
def test_what_is_no_pdf_is_left_out_and_the_registration_counts(text: str) -> None:
    told = outcome(soDangKy="7/2026", giayKhaiSinh=text)
    assert (told.state, told.result, told.paper) == ("registered", {"so": "7/2026"}, b"")


def test_a_paper_that_is_too_large_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moj_result, "MAX_PAPER_BYTES", len(PDF) - 1)
    assert outcome(soDangKy="7/2026", giayKhaiSinh=base64_of(PDF)).paper == b""
    monkeypatch.setattr(moj_result, "MAX_PAPER_BYTES", len(PDF))
    assert outcome(soDangKy="7/2026", giayKhaiSinh=base64_of(PDF)).paper == PDF
