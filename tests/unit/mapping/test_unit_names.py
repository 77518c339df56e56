from __future__ import annotations

import unicodedata

import pytest

from gateway.mapping.unit_names import UnitName, alike, official_name, plain, read_name, readings, same_unit


def parts(name: UnitName) -> tuple[str, str]:
    return name.type, name.marked


@pytest.mark.parametrize(
    ("level", "text", "type_", "name"),
    [
        ("commune", "Phường Quy Nhơn", "phuong", "quy nhơn"),
        ("commune", "P.Quy Nhơn", "phuong", "quy nhơn"),
        ("commune", "F.5", "phuong", "5"),
        ("commune", "P05", "phuong", "5"),
        ("commune", "TT. Ba Tơ", "thi tran", "ba tơ"),
        ("commune", "ĐK Phú Quốc", "dac khu", "phú quốc"),
        ("commune", "X. Hòa  Hội", "xa", "hòa hội"),
        ("district", "Q10", "quan", "10"),
        ("district", "T.P. Quy Nhơn", "thanh pho", "quy nhơn"),
        ("district", "TX.Hoài Nhơn", "thi xa", "hoài nhơn"),
        ("province", "Tp.HCM", "thanh pho", "hcm"),
        ("province", "TPHCM", "thanh pho", "hcm"),
        ("province", "T. Bình Định", "tinh", "bình định"),
    ],
)
def test_types_are_read_in_full_and_short(level: str, text: str, type_: str, name: str) -> None:
    for form in ("NFC", "NFD"):
        assert parts(read_name(level, unicodedata.normalize(form, text))) == (type_, name)


@pytest.mark.parametrize("name", ["Phương Mai", "Phượng Sơn", "Xá Lượng", "Quản Bạ", "Xã"])
def test_a_name_that_only_looks_like_a_type_is_a_name(name: str) -> None:
    level = "district" if name == "Quản Bạ" else "commune"
    assert [parts(read) for read in readings(level, name)] == [("", name.casefold())]


def test_without_marks_both_ways_to_read_are_kept() -> None:
    assert [parts(read) for read in readings("commune", "xa dung")] == [("xa", "dung"), ("", "xa dung")]
    assert official_name("commune", "Xã Xa Dung").key in {read.key for read in readings("commune", "xa dung")}


def test_a_name_may_begin_with_its_own_type() -> None:
    official = official_name("commune", "Phường Phường Đúc")
    assert any(same_unit(read, official) for read in readings("commune", "Phường Đúc"))


def test_marks_count_when_the_writer_uses_them() -> None:
    official = official_name("commune", "Xã Thạnh An")
    assert same_unit(read_name("commune", "xa thanh an"), official)
    assert not same_unit(read_name("commune", "Xã Thanh An"), official)
    assert not same_unit(read_name("commune", "Phường Thạnh An"), official)


def test_both_styles_of_tone_marks_and_every_apostrophe_are_one_name() -> None:
    assert read_name("commune", "Xã Phước Hoà") == read_name("commune", "Xã Phước Hòa")
    assert len({read_name("commune", f"Xã Ea H{mark}leo") for mark in "'’‘ʼ`"}) == 1


def test_likeness_beside_a_code_forgives_marks_types_blanks_and_i_for_y() -> None:
    official = official_name("commune", "Phường Quy Nhơn")
    assert alike(read_name("commune", "xa Qui Nhon"), official)
    assert not alike(read_name("commune", "Phường Quy Nhơn Nam"), official)
    assert not same_unit(read_name("commune", "Qui Nhơn"), official)


def test_plain_text_has_no_marks_case_punctuation_or_leading_zeros() -> None:
    assert plain("  Phường 01 - ĐẶC  khu ") == "phuong 1 dac khu"
