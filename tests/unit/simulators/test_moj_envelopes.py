"""What the simulated exchange takes and what it refuses, with which words."""

from __future__ import annotations

import base64
import json
from datetime import date
from typing import Any

import pytest

from gateway.plugins import find_mappings
from gateway.simulators.moj_envelopes import Examiner, Refusal, Submission
from gateway.simulators.moj_facts import load_facts
from gateway.simulators.moj_fields import wire_forms
from tests.unit.simulators.moj_world import (
    BIRTH,
    FILE,
    NAME,
    SAMPLES,
    birth,
    code,
    decomposed,
    ordinary,
    ordinary_birth,
)


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    forms, catalogue = wire_forms(find_mappings()["default"], load_facts(), date(2026, 11, 23))
    return Examiner(load_facts(), forms, frozenset(unit.code for unit in catalogue.units.communes()))


def refused(examiner: Examiner, told: dict[str, Any], operation: str = "nhanHoSoDKHT") -> dict[str, str]:
    examined = examiner.examine(operation, told)
    assert isinstance(examined, Refusal)
    return {problem.field: f"{examined.error} {problem.words}" for problem in examined.problems}


def taken(examiner: Examiner, told: dict[str, Any], operation: str = "nhanHoSoDKHT") -> Submission:
    examined = examiner.examine(operation, told)
    assert isinstance(examined, Submission), examined
    return examined


def test_every_dossier_of_the_samples_is_taken(examiner: Examiner) -> None:
    cases = [case for file in sorted(SAMPLES.glob("*/*/dossier.json")) for case in json.loads(file.read_text("utf-8"))]
    ready = [case for case in cases if case["status"] == "ready"]
    wires = {form.name: form for form in examiner.forms}
    problems = {
        f"{place}": found for place, case in enumerate(ready) if (found := wires_problems(examiner, case["dossier"]))
    }
    assert not problems
    assert {case["dossier"]["form"] for case in ready} == set(wires)


def wires_problems(examiner: Examiner, dossier: dict[str, Any]) -> list[Any]:
    (form,) = [form for form in examiner.forms if (form.name, form.module) == (dossier["form"], dossier["module"])]
    return form.problems(dossier["fields"])


def test_a_birth_is_taken_with_what_it_says(examiner: Examiner) -> None:
    found = taken(examiner, birth(7))
    assert (found.code, found.agency, found.kind, found.module) == (code(7), "21583", "birth", "LTKS")
    assert found.fields["meHoTen"] == NAME
    assert [(file.name, file.size) for file in found.files] == [("giay-chung-sinh.xml", 10)]


def test_an_ordinary_birth_is_taken_as_xml(examiner: Examiner) -> None:
    found = taken(examiner, ordinary_birth(8, nksHoTen=decomposed("Phạm Đức Hoà")), "dangKyHoTich")
    assert (found.code, found.agency) == (code(8), "21583")
    assert found.fields["nksHoTen"] == decomposed("Phạm Đức Hoà")


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"maDonVi": None}, "maDonVi", "500 thiếu"),
        ({"maDonVi": 21583}, "maDonVi", "500 phải là chuỗi ký tự"),
        ({"maDonVi": "2158"}, "maDonVi", "106 không phải mã đơn vị hành chính cấp xã đang dùng"),
        ({"maDonVi": "99999"}, "maDonVi", "106 không phải mã đơn vị hành chính cấp xã đang dùng"),
        ({"module": "KS"}, "module", "500 phải là LTKS hoặc LTKT"),
        ({"module": "LTKH"}, "module", "500 phải là LTKS hoặc LTKT"),
        ({"maHoSoMCDT": "K1"}, "maHoSoMCDT", "500 phải có dạng <cơ quan>-<yyMMdd>-<nnnn>"),
        ({"maHoSoMCDT": "H21.999-261323-0001"}, "maHoSoMCDT", "500 phải có dạng <cơ quan>-<yyMMdd>-<nnnn>"),
        ({"maHoSoLT": "L1"}, "maHoSoLT", "500 sai định dạng"),
        ({"ngayTiepNhan": "2026-11-23"}, "ngayTiepNhan", "500 phải có dạng dd/MM/yyyy HH:mm:ss"),
        ({"ngayTiepNhan": "3/11/2026 1:15:00"}, "ngayTiepNhan", "500 phải có dạng dd/MM/yyyy HH:mm:ss"),
        ({"ngayTiepNhan": "31/02/2026 10:15:00"}, "ngayTiepNhan", "500 phải có dạng dd/MM/yyyy HH:mm:ss"),
        ({"data": dict(BIRTH)}, "data", "500 phải là chuỗi ký tự"),
        ({"data": "<hotich/>"}, "data", "500 không phải văn bản JSON"),
        ({"data": "[]"}, "data", "500 phải là một đối tượng JSON"),
        ({"data": "{}"}, "data", "500 phải là một đối tượng JSON"),
        ({"fileDinhKem": None}, "fileDinhKem", "500 thiếu"),
        ({"fileDinhKem": {}}, "fileDinhKem", "500 phải là danh sách"),
        ({"fileDinhKem": ["a"]}, "fileDinhKem[0].", "500 không hợp lệ"),
        ({"fileDinhKem": [FILE | {"id": "1"}]}, "fileDinhKem[0].id", "500 phải là số nguyên"),
        ({"fileDinhKem": [FILE | {"duLieuTepDinhKem": "a"}]}, "fileDinhKem[0].duLieuTepDinhKem",
         "500 không phải base64 hoặc rỗng"),
        ({"fileDinhKem": [FILE | {"duLieuTepDinhKem": "ảnh"}]}, "fileDinhKem[0].duLieuTepDinhKem",
         "500 không phải base64 hoặc rỗng"),
        ({"fileDinhKem": [FILE | {"duLieuTepDinhKem": ""}]}, "fileDinhKem[0].duLieuTepDinhKem",
         "500 không phải base64 hoặc rỗng"),
        ({"fileDinhKem": [FILE | {"ten": "x"}]}, "fileDinhKem[0].ten", "500 trường không có trong đặc tả"),
        ({"maTinh": "52"}, "maTinh", "500 trường không có trong đặc tả"),
    ],
)  # fmt: skip
def test_a_wrong_envelope_is_refused(examiner: Examiner, changed: dict[str, Any], field: str, words: str) -> None:
    told = {name: value for name, value in (birth() | changed).items() if value is not None}
    assert refused(examiner, told)[field] == words


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"nksGioiTinh": None}, "nksGioiTinh", "500 bắt buộc nhập"),
        ({"nksGioiTinh": ""}, "nksGioiTinh", "500 bắt buộc nhập"),
        ({"nksGioiTinh": "4"}, "nksGioiTinh", "500 mã không có trong danh mục"),
        ({"nksGioiTinh": 1}, "nksGioiTinh", "500 phải là chuỗi ký tự"),
        ({"nksNgaySinh": "2026-11-20"}, "nksNgaySinh", "500 sai định dạng"),
        ({"nksNgaySinh": "11.2026"}, "nksNgaySinh", "500 sai định dạng"),
        ({"meNgaySinh": "31.13.1997"}, "meNgaySinh", "500 sai định dạng"),
        ({"loaiDangKy": "9"}, "loaiDangKy", "500 mã không có trong danh mục"),
        ({"maGCS": "81.GCS.99001.26"}, "maGCS", "500 sai định dạng"),
        ({"meDanToc": "Kinh"}, "meDanToc", "500 mã không có trong danh mục"),
        ({"meSoDDCN": "99970870000"}, "meSoDDCN", "500 sai định dạng"),
        ({"nycLoaiGiayToTuyThan": "x"}, "nycLoaiGiayToTuyThan", "500 mã không có trong danh mục"),
        ({"noiDangKy": "21808"}, "noiDangKy", "500 khác maDonVi"),
        ({"nksTen": "An"}, "nksTen", "500 trường không có trong biểu mẫu"),
        ({"meNoiCuTru": "Thôn 1"}, "meNoiCuTru", "500 phải là đối tượng {maTinh, maHuyen, maXa, dcChiTiet}"),
        ({"meNoiCuTru": {"maTinh": "Gia Lai"}}, "meNoiCuTru.maTinh", "500 sai định dạng"),
        ({"meNoiCuTru": {"maThon": "1"}}, "meNoiCuTru.maThon", "500 trường không có"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_by_name(examiner: Examiner, changed: dict[str, Any], field: str, words: str) -> None:
    assert refused(examiner, birth(**changed)) == {field: words}


@pytest.mark.parametrize("text", ["20.11.2026", "2026"])
def test_a_date_may_be_a_year_alone(examiner: Examiner, text: str) -> None:
    assert taken(examiner, birth(nksNgaySinh=text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "500 không phải XML"),
        ("<hotich></hotich>", "500 phải là <hotich><hoso>…</hoso></hotich>"),
        ("<hoso><nksHoTen>An</nksHoTen></hoso>", "500 phải là <hotich><hoso>…</hoso></hotich>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><hotich><hoso/></hotich>', "500 không phải XML"),
        ("<hotich><hoso><a>1</a><a>2</a></hoso></hotich>",
         "500 phần tử lặp lại, hoặc có nội dung không phải phần tử"),
    ],
)  # fmt: skip
def test_xml_of_another_shape_is_refused(examiner: Examiner, text: str, words: str) -> None:
    assert refused(examiner, ordinary(text), "dangKyHoTich") == {"data": words}


def test_the_commune_of_an_ordinary_dossier_is_a_number(examiner: Examiner) -> None:
    told = ordinary_birth() | {"maDonVi": "21583"}
    assert refused(examiner, told, "dangKyHoTich") == {"maDonVi": "500 phải là số nguyên"}
    told = ordinary_birth(noiDangKy="00004") | {"maDonVi": 4}
    assert taken(examiner, told, "dangKyHoTich").agency == "00004"


def test_fields_of_the_linked_form_are_unknown_in_the_ordinary_one(examiner: Examiner) -> None:
    told = ordinary_birth(meSoDDCN="999708700001")
    assert refused(examiner, told, "dangKyHoTich") == {"meSoDDCN": "500 trường không có trong biểu mẫu"}


def test_no_value_is_repeated_in_what_is_refused(examiner: Examiner) -> None:
    told = birth(meHoTen=None, **{NAME: "1"}) | {"maHoSoLT": NAME}
    words = " ".join(refused(examiner, told).values())
    assert NAME not in words


def test_what_is_the_same_does_not_depend_on_the_day_or_the_files(examiner: Examiner) -> None:
    one, other = birth(), birth()
    other["ngayTiepNhan"] = "24/11/2026 08:00:00"
    other["fileDinhKem"] = [FILE | {"duLieuTepDinhKem": base64.b64encode(b"2").decode()}]
    assert taken(examiner, one).digest == taken(examiner, other).digest
    assert taken(examiner, one).digest != taken(examiner, birth(meHoTen="Trần Thị Én")).digest
