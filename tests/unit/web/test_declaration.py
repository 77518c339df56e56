from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from gateway.domain.dossier import as_json
from gateway.web.pages.declaration import ShownSection, lay_out, subject_of
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


def test_days_left_are_told_in_words() -> None:
    assert days_left("2026-11-22", ON) == ("quá hạn 1 ngày", "late")
    assert days_left("2026-11-23", ON) == ("hết hạn hôm nay", "late")
    assert days_left("2026-11-30", ON) == ("còn 7 ngày", "soon")
    assert days_left("2026-12-01", ON) == ("còn 8 ngày", "fine")
    assert days_left("", ON) == ("", "none")
