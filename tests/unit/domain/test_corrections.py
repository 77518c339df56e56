"""What a new version says otherwise than the version that left before."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from gateway.domain.commune import Commune, CommuneAnswer
from gateway.domain.corrections import corrections_between
from gateway.domain.dossier import Correction, as_json, from_json
from gateway.domain.provenance import Provenance
from gateway.testing.dossiers import DOSSIER

SENT = as_json(DOSSIER)
ADDRESS = DOSSIER.fields["meNoiCuTru"]


def test_nothing_changed_is_no_correction() -> None:
    assert corrections_between(SENT, DOSSIER) == ()


def test_a_text_that_changed_says_before_now_and_where_it_was_read() -> None:
    said = {"nksNgaySinh": Provenance("w.9", "PID-7", "adt_birth.toml#child.born")}
    new = replace(DOSSIER, fields={**DOSSIER.fields, "nksNgaySinh": "24.11.2026"}, provenance=said)
    assert corrections_between(SENT, new) == (
        Correction("nksNgaySinh", "", "23.11.2026", "24.11.2026", "w.9", "PID-7"),
    )


def test_an_object_is_compared_part_by_part() -> None:
    new = replace(DOSSIER, fields={**DOSSIER.fields, "meNoiCuTru": {**ADDRESS, "dcChiTiet": "tổ 4"}})
    assert corrections_between(SENT, new) == (Correction("meNoiCuTru", "dcChiTiet", "tổ 3, <khu> A & B", "tổ 4"),)


def test_what_is_gone_has_an_empty_new_value_and_no_source() -> None:
    fields = {name: value for name, value in DOSSIER.fields.items() if name != "meHoTen"}
    assert corrections_between(SENT, replace(DOSSIER, fields=fields)) == (
        Correction("meHoTen", "", "Đặng Thị Thúy Hòa", ""),
    )


def test_what_is_new_had_no_old_value() -> None:
    new = replace(DOSSIER, fields={**DOSSIER.fields, "nksHoTen": "Đặng Hòa Bình"})
    assert corrections_between(SENT, new) == (Correction("nksHoTen", "", "", "Đặng Hòa Bình"),)


def test_a_text_that_became_an_object_is_told_whole_and_in_parts() -> None:
    parts = {"namSinh": "2026", "thangSinh": "11", "ngaySinh": ""}
    new = replace(DOSSIER, fields={**DOSSIER.fields, "nksNgaySinh": parts})
    assert set(corrections_between(SENT, new)) == {
        Correction("nksNgaySinh", "", "23.11.2026", ""),
        Correction("nksNgaySinh", "namSinh", "", "2026"),
        Correction("nksNgaySinh", "thangSinh", "", "11"),
    }


def test_a_name_in_another_normal_form_is_the_same_name() -> None:
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "Đặng Thị Thúy Hòa")
        assert corrections_between(SENT, replace(DOSSIER, fields={**DOSSIER.fields, "meHoTen": name})) == ()


def test_another_commune_is_a_correction_even_where_the_form_has_no_field_for_it() -> None:
    moved = CommuneAnswer(Commune("21589", "Phường Quy Nhơn Tây", "52", "Gia Lai", "2025-07-01"), (), "father.address")
    assert corrections_between(SENT, replace(DOSSIER, commune=moved)) == (
        Correction("commune", "", "21553", "21589", path="father.address"),
    )
    assert corrections_between(SENT, replace(DOSSIER, commune=CommuneAnswer(None))) == ()


def test_a_withdrawn_dossier_is_neither_ready_nor_waiting() -> None:
    assert replace(DOSSIER, withdrawn=True).status == "withdrawn"
    assert replace(DOSSIER, withdrawn=True, missing=("nksNgaySinh",)).status == "withdrawn"
    assert DOSSIER.status == "ready"


def test_corrections_and_withdrawal_are_kept_and_older_records_have_none() -> None:
    told = replace(DOSSIER, corrections=(Correction("meHoTen", "", "a", "b", "w.1", "PID-5"),), withdrawn=True)
    assert from_json(as_json(told)) == told
    older = {name: value for name, value in SENT.items() if name not in ("corrections", "withdrawn")}
    assert from_json(older) == DOSSIER
