from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any
from unicodedata import is_normalized, normalize

import pytest

from gateway.domain.commune import Commune
from gateway.domain.letter import Letter, LetterFacts, Wording, compose, facts_of, unknown_placeholders

HERE = Commune("21583", "Phường Quy Nhơn", "52", "Tỉnh Gia Lai", "2025-07-01")
ON = date(2026, 11, 3)
BIRTH = {"nksNgaySinh": "01.02.2026", "meHoTen": "Nguyễn Thị Thu Hòa", "chaHoTen": "Đặng Văn Khánh"}
DEATH = {"nktHoTen": "Phạm Văn Thử", "nktNgaySinh": "1950", "nktNgayChet": "10.11.2026", "nktGioiTinh": "1"}
MARK = "NGUYÊN NHÂN ĐÁNH DẤU"


def letter(kind: str, said: dict[str, Any], *paragraphs: str, **changed: Any) -> Letter:
    wording = Wording(kind, "THƯ", paragraphs, **{k: v for k, v in changed.items() if k != "result"})
    return compose(facts_of(kind, said, changed.get("result", {}), "12 đường Thử", ON), wording, HERE)


def test_a_birth_is_told_to_both_parents_and_a_nameless_child_is_chau_be() -> None:
    made = letter("birth", BIRTH, "{parents} có {child} {born}.")
    assert made.to == "Ông Đặng Văn Khánh và bà Nguyễn Thị Thu Hòa"
    assert made.paragraphs == ("ông Đặng Văn Khánh và bà Nguyễn Thị Thu Hòa có cháu bé ngày 01 tháng 02 năm 2026.",)
    assert made.dateline == "Quy Nhơn, ngày 03 tháng 11 năm 2026"


def test_the_name_in_the_register_counts_more_than_the_dossiers() -> None:
    said = BIRTH | {"nksHoTen": "Đặng Thu An"}
    assert letter("birth", said, "{child}").paragraphs == ("cháu Đặng Thu An",)
    assert letter("birth", said, "{child}", result={"nksHoTen": "Đặng Thúy An"}).paragraphs == ("cháu Đặng Thúy An",)


def test_names_and_days_of_the_object_form_read_as_the_others_do() -> None:
    said = {
        "nksHoTen": {"Ho": "Đặng", "ChuDem": "Thu", "Ten": "An"},
        "nksNgaySinh": {"namSinh": "2026", "thangSinh": "02", "ngaySinh": "01"},
        "meHoTen": {"Ho": "Y", "ChuDem": "", "Ten": "Bình"},
    }
    made = letter("birth", said, "{child} {born}")
    assert (made.to, made.paragraphs) == ("Bà Y Bình", ("cháu Đặng Thu An ngày 01 tháng 02 năm 2026",))


@pytest.mark.parametrize(
    ("changed", "called"),
    [({}, "ông"), ({"nktGioiTinh": "2"}, "bà"), ({"nktGioiTinh": "3"}, ""), ({"nktNgaySinh": "10.11.2010"}, "ông"),
     ({"nktNgaySinh": "11.11.2010"}, "cháu"), ({"nktNgaySinh": ""}, "ông")],
)  # fmt: skip
def test_the_deceased_is_spoken_of_by_age_and_sex(changed: dict[str, str], called: str) -> None:
    made = letter("death", DEATH | changed, "{deceased}")
    assert made.to == " ".join(f"Gia đình {called} Phạm Văn Thử".split())


def test_a_letter_has_no_place_for_a_cause_of_death() -> None:
    said = DEATH | {"nktNguyenNhanChet": MARK, "gbtSo": MARK, "nktSoGiayToTuyThan": MARK}
    everything = " ".join(f"{{{name}}}" for name in ("deceased", "died", "registered", "commune"))
    made = letter("death", said, everything, result={"nktNguyenNhanChet": MARK, "so": MARK})
    assert MARK not in str(made.as_json())
    assert made.paragraphs
    names = {leaf.name for kind in (Letter, LetterFacts) for leaf in fields(kind)}
    assert names == {
        "kind", "subject", "day", "registered", "address", "father", "mother", "honorific",
        "office", "heading", "dateline", "to", "paragraphs", "title", "signer",
    }  # fmt: skip


def test_what_a_name_holds_is_never_filled_in_again() -> None:
    made = letter("birth", {"meHoTen": "{commune} {born}"}, "{parents}")
    assert made.paragraphs == ("bà {commune} {born}",)


def test_a_paragraph_about_something_unknown_is_left_out() -> None:
    assert letter("birth", {"meHoTen": "Hà"}, "{child} {born}", "Chúc mừng {parents}.").paragraphs == (
        "Chúc mừng bà Hà.",
    )


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_letter_is_nfc_whatever_the_hospital_sent(form: Any) -> None:
    said = {"meHoTen": normalize(form, "Đặng Thị Thúy Hòa"), "nksNgaySinh": "2026"}
    made = letter("birth", said, normalize(form, "Mừng {child} của {parents}, {born}"))
    assert made.paragraphs == ("Mừng cháu bé của bà Đặng Thị Thúy Hòa, năm 2026",)
    assert all(is_normalized("NFC", str(text)) for text in made.as_json().values())


def test_control_characters_in_a_name_become_spaces() -> None:
    assert letter("birth", {"meHoTen": "Lò\nThị\u202e Hoa\x00"}).to == "Bà Lò Thị Hoa"


def test_without_a_signer_the_letter_is_from_the_peoples_committee() -> None:
    made = letter("birth", BIRTH)
    assert (made.office, made.signer, made.title) == ("Ủy ban nhân dân\nPhường Quy Nhơn", "", "")
    signed = letter("birth", BIRTH, office="UBND phường", signer="Trần Thị Ký", title="CHỦ TỊCH")
    assert (signed.office, signed.signer, signed.title) == ("UBND phường", "Trần Thị Ký", "CHỦ TỊCH")


def test_a_placeholder_that_no_letter_knows_is_found() -> None:
    assert unknown_placeholders(Wording("x", "THƯ", ("{child} {cause}", "{born}"))) == ["cause"]
