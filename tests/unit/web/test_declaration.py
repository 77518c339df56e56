from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.domain.dossier import as_json
from gateway.web.pages.declaration import ShownSection, labels_of, lay_out, subject_of
from gateway.web.pages.words import days_left
from tests.web_world import FORMS, SmallCatalogue, birth, death

ON = date(2026, 11, 23)


def laid_out(dossier: Any) -> dict[str, ShownSection]:
    sections = lay_out(FORMS[dossier.kind], as_json(dossier), SmallCatalogue(), ON)
    return {section.role: section for section in sections}


def test_every_field_of_the_dossier_stands_somewhere() -> None:
    for dossier in (birth(), death()):
        sections = laid_out(dossier).values()
        shown = sum(len(section.rows) + len(section.empty) for section in sections)
        assert shown == len(dossier.fields)


def test_a_field_the_form_file_does_not_know_is_shown_last() -> None:
    told = birth()
    sections = laid_out(replace(told, fields={**told.fields, "nksMoi": "mới"}))
    assert list(sections)[-1] == "rest"
    assert sections["rest"].rows[0].value == "mới"


def test_an_unknown_code_is_shown_as_it_is() -> None:
    rows = {row.name: row.value for row in laid_out(birth(meDanToc="99"))["mother"].rows}
    assert rows["meDanToc"] == "99"


def test_an_address_in_an_unknown_commune_keeps_its_words() -> None:
    place = {"maXa": "00000", "dcChiTiet": "thôn 3"}
    rows = {row.name: row for row in laid_out(birth(meNoiCuTru=place))["mother"].rows}
    assert rows["meNoiCuTru"].value == "thôn 3"


def test_an_address_that_names_its_commune_does_not_name_it_twice() -> None:
    place = {"maXa": "21583", "dcChiTiet": "tổ 3, Phường Quy Nhơn, Tỉnh Gia Lai"}
    rows = {row.name: row for row in laid_out(birth(meNoiCuTru=place))["mother"].rows}
    assert rows["meNoiCuTru"].value == "tổ 3, Phường Quy Nhơn, Tỉnh Gia Lai"


def test_a_list_names_the_child_else_the_mother_else_the_father() -> None:
    form = FORMS["birth"]
    assert subject_of(form, {"nksHoTen": "Trần Minh", "meHoTen": "Mẹ"}) == "Trần Minh"
    assert subject_of(form, {"nksHoTen": "", "meHoTen": "Mẹ"}) == "Con bà Mẹ"
    assert subject_of(form, {"chaHoTen": "Cha"}) == "Con ông Cha"
    assert subject_of(form, {}) == "(chưa rõ họ tên)"


def shown(name: str, value: Any) -> str:
    """What the officer reads in one field."""
    rows = [row for section in laid_out(birth(**{name: value})).values() for row in section.rows]
    return next((row.value for row in rows if row.name == name), "")


NOBODY = {"Ho": "", "ChuDem": "", "Ten": ""}


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ({"Ho": "Nguyễn", "ChuDem": "Thị", "Ten": "Hoa"}, "Nguyễn Thị Hoa"),
        ({"Ho": "Siu", "ChuDem": "", "Ten": "H'Nghiệm"}, "Siu H'Nghiệm"),
        ({"Ho": "", "ChuDem": "", "Ten": "Hoa"}, "Hoa"),
        (NOBODY, ""),
    ],
)
def test_a_name_in_parts_is_read_in_vietnamese_order(name: dict[str, str], read: str) -> None:
    assert shown("meHoTen", name) == read


@pytest.mark.parametrize(
    ("year", "month", "day", "read"),
    [
        ("2026", "11", "03", "03.11.2026"),
        ("1950", "07", "", "tháng 7 năm 1950"),
        ("1950", "10", "", "tháng 10 năm 1950"),
        ("1950", "", "", "năm 1950"),
        ("", "", "", ""),
    ],
)
def test_a_date_in_parts_is_read_as_far_as_it_is_known(year: str, month: str, day: str, read: str) -> None:
    assert shown("meNgaySinh", {"namSinh": year, "thangSinh": month, "ngaySinh": day}) == read


def test_an_address_in_parts_is_read_as_one_line() -> None:
    place = {"maTinh": "52", "maXa": "21583", "dcChiTiet": "12 Lê Lợi", "quocGia": "VN"}
    assert shown("meNoiCuTru", place) == "12 Lê Lợi, Phường Quy Nhơn, Tỉnh Gia Lai"
    assert shown("meNoiCuTru", {**place, "dcChiTiet": ""}) == "Phường Quy Nhơn, Tỉnh Gia Lai"


def test_an_address_abroad_names_its_country() -> None:
    place = {"maTinh": "", "maXa": "", "dcChiTiet": "5 Rue Imaginaire", "quocGia": "FR"}
    assert shown("meNoiCuTru", place) == "5 Rue Imaginaire, FR"  # the small table of countries has Việt Nam only
    assert shown("meNoiCuTru", {**place, "quocGia": "VN"}) == "5 Rue Imaginaire, Việt Nam"


def test_an_object_no_form_had_yet_is_shown_and_never_as_code() -> None:
    assert shown("meNoiCuTru", {"so": "12", "duong": "Lê Lợi"}) == "12, Lê Lợi"


def test_an_empty_object_is_a_field_left_blank() -> None:
    sections = laid_out(birth(chaHoTen=NOBODY))
    assert "Họ, chữ đệm, tên" in sections["father"].empty


def test_a_list_names_a_person_by_a_name_in_parts() -> None:
    form, mother = FORMS["birth"], {"Ho": "Nguyễn", "ChuDem": "Thị", "Ten": "Hoa"}
    assert subject_of(form, {"nksHoTen": NOBODY, "meHoTen": mother}) == "Con bà Nguyễn Thị Hoa"
    assert subject_of(form, {"nksHoTen": mother, "meHoTen": mother}) == "Nguyễn Thị Hoa"
    assert subject_of(form, {"nksHoTen": NOBODY, "meHoTen": NOBODY, "chaHoTen": NOBODY}) == "(chưa rõ họ tên)"
    assert subject_of(FORMS["death"], {"nktHoTen": mother}) == "Nguyễn Thị Hoa"


def test_a_finding_about_a_part_is_shown_under_its_field() -> None:
    labels = labels_of(FORMS["birth"])
    assert labels["meNoiCuTru.quocGia"] == labels["meNoiCuTru"]


def test_days_left_are_told_in_words() -> None:
    assert days_left("2026-11-22", ON) == ("quá hạn 1 ngày", "late")
    assert days_left("2026-11-23", ON) == ("hôm nay là ngày cuối", "soon")
    assert days_left("2026-11-30", ON) == ("còn 7 ngày", "soon")
    assert days_left("2026-12-01", ON) == ("còn 8 ngày", "fine")
    assert days_left("", ON) == ("", "none")


@pytest.mark.parametrize("place", ["death.indicated", "death.at", "child.born", "case", "A11"])
def test_a_finding_points_at_its_place_in_words(place: str) -> None:
    assert labels_of(FORMS["death"])[place] not in ("", place)
