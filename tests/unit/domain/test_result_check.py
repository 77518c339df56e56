from __future__ import annotations

from datetime import date

import pytest

from gateway.domain.finding import FINDINGS
from gateway.domain.result_check import check_result, fits_child

BORN = date(2026, 11, 20)
TODAY = date(2026, 11, 23)
RIGHT = {
    "so": "123/2026",
    "quyenSo": "01/2026",
    "trangSo": "23",
    "ngayDangKy": "23.11.2026",
    "soDinhDanh": "999326000001",
}


def found(kind: str = "birth", sex: str = "2", **changed: str) -> list[tuple[str, str]]:
    findings = check_result(kind, RIGHT | changed, BORN, sex, TODAY)
    return [(finding.code.removeprefix("result."), finding.where) for finding in findings]


def test_a_right_result_has_no_findings() -> None:
    assert found() == []
    assert found("death", soDinhDanh="") == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("so", "", "missing"),
        ("trangSo", " ", "missing"),
        ("soDinhDanh", "", "missing"),
        ("so", "123", "number"),
        ("so", "١٢٣/2026", "number"),
        ("quyenSo", "01-KS", "number"),
        ("trangSo", "2a", "page"),
        ("so", "123/2025", "year_differs"),
        ("quyenSo", "01/2027", "year_differs"),
        ("ngayDangKy", "23/11/2026", "day"),
        ("ngayDangKy", "31.02.2026", "day"),
        ("ngayDangKy", "24.11.2026", "in_future"),
        ("ngayDangKy", "19.11.2026", "before_event"),
        ("soDinhDanh", "99932600001", "id_not_12_digits"),
        ("soDinhDanh", "999226000001", "id_differs"),  # a boy's
        ("soDinhDanh", "999325000001", "id_differs"),  # of the year before
        ("soDinhDanh", "999126000001", "id_differs"),  # of 1926
    ],
)
def test_each_departure_has_its_code_and_field(field: str, value: str, code: str) -> None:
    assert (code, field) in found(**{field: value})
    assert f"result.{code}" in FINDINGS


def test_a_day_in_the_future_is_not_told_again_as_a_wrong_year() -> None:
    assert found(ngayDangKy="23.11.2027") == [("in_future", "ngayDangKy")]


def test_the_day_of_the_event_itself_is_a_day_of_registration() -> None:
    assert found(ngayDangKy="20.11.2026") == []


def test_a_death_brings_no_new_identifier() -> None:
    assert found("death") == [("id_unexpected", "soDinhDanh")]


def test_an_empty_result_lacks_everything() -> None:
    assert len(check_result("birth", {}, None, "", TODAY)) == 5
    assert len(check_result("death", {}, None, "", TODAY)) == 4


@pytest.mark.parametrize(("sex", "born_year"), [("3", 2026), ("", 0), ("2", 0), ("", 2026)])
def test_what_is_not_known_of_the_child_contradicts_nothing(sex: str, born_year: int) -> None:
    assert fits_child("999326000001", sex, born_year)


@pytest.mark.parametrize(
    ("number", "sex", "year"),
    [
        ("999050000001", "1", 1950),
        ("999150000001", "2", 1950),
        ("999499000001", "1", 2199),
        ("999200000001", "1", 2000),
    ],
)
def test_every_century_has_its_digits(number: str, sex: str, year: int) -> None:
    assert fits_child(number, sex, year)
    assert not fits_child(number, "2" if sex == "1" else "1", year)
    assert not fits_child(number, sex, year + 100)
