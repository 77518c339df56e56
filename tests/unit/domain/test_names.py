"""Which spellings of a Vietnamese name are one name. Every person here is invented."""

from __future__ import annotations

import unicodedata

import pytest

from gateway.domain.names import comparable, same_name

SAME = [
    # the same letters
    ("Nguyễn Văn An", "Nguyễn Văn An"),
    ("NGUYỄN VĂN AN", "Nguyễn Văn An"),
    ("nguyễn văn an", "Nguyễn Văn An"),
    ("NguyỄn VăN aN", "Nguyễn Văn An"),
    ("TRẦN THỊ ƯỚC", "Trần Thị Ước"),
    ("ĐẶNG THỊ ĐÀO", "Đặng Thị Đào"),
    # spaces
    ("  Nguyễn   Văn  An ", "Nguyễn Văn An"),
    ("Nguyễn\u00a0Văn\u00a0An", "Nguyễn Văn An"),
    ("Nguyễn\tVăn\nAn", "Nguyễn Văn An"),
    ("Nguyễn\u3000Văn An", "Nguyễn Văn An"),
    # invisible characters of word processors
    ("Nguyễn\u200b Văn An", "Nguyễn Văn An"),
    ("\ufeffNguyễn Văn An", "Nguyễn Văn An"),
    ("Nguyễn Văn\u00ad An", "Nguyễn Văn An"),
    # both styles of placing the tone mark
    ("Lê Thị Hòa", "Lê Thị Hoà"),
    ("LÊ THỊ HÒA", "Lê Thị Hoà"),
    ("Lê Thị Thúy", "Lê Thị Thuý"),
    ("Lê Thị Thùy", "Lê Thị Thuỳ"),
    ("Lê Thị Thủy", "Lê Thị Thuỷ"),
    ("Lê Thị Thụy", "Lê Thị Thuỵ"),
    ("Lê Thị Khỏe", "Lê Thị Khoẻ"),
    ("Lê Thị Hóa", "Lê Thị Hoá"),
    ("Lê Thị Họa", "Lê Thị Hoạ"),
    ("Lê Văn Tỏa", "Lê Văn Toả"),
    ("Lê Văn Tòan", "Lê Văn Toàn"),
    ("Hùynh Văn Qúy", "Huỳnh Văn Quý"),
    ("Lê Thị Thúy Hòa", "Lê Thị Thuý Hoà"),
    # Đ written with the letter eth by legacy converters
    ("Ðặng Văn Ðức", "Đặng Văn Đức"),
    ("ðặng văn ðức", "Đặng Văn Đức"),
    # compound surnames and one-word names
    ("TÔN NỮ THỊ BÍCH", "Tôn Nữ Thị Bích"),
    ("Tôn  Thất Hoà", "Tôn Thất Hòa"),
    ("CÔNG TẰNG TÔN NỮ MAI", "Công Tằng Tôn Nữ Mai"),
    ("Sùng", "SÙNG"),
    # peoples of the highlands and the delta
    ("H'Hen Niê", "H'HEN NIÊ"),
    ("Y Ngông Niê Kđăm", "Y NGÔNG NIÊ KĐĂM"),
    ("Đinh Thị Hrưnh", "ĐINH THỊ HRƯNH"),
    ("K'Brêuh", "k'brêuh"),
    ("Ka Nhoòng", "KA NHOÒNG"),
    ("Rơ Châm Pyưnh", "RƠ CHÂM PYƯNH"),
    ("Siu H'Bia", "siu  h'bia"),
    ("Thạch Sà Rây", "THẠCH SÀ RÂY"),
    ("Giàng A Phớn", "GIÀNG A PHỚN"),
    # a foreign parent
    ("Renée Müller", "RENÉE MÜLLER"),
    ("Hélène Béranger", "HÉLÈNE BÉRANGER"),
]

DIFFERENT = [
    # other words, more words, fewer words, another order
    ("Nguyễn Văn An", "Nguyễn Văn Ân"),
    ("Nguyễn Văn An", "Nguyễn An"),
    ("Nguyễn Văn An", "Nguyễn Văn An Anh"),
    ("Nguyễn Văn An", "An Nguyễn Văn"),
    ("Nguyễn Văn An", "NguyễnVăn An"),
    # another tone or letter is another name
    ("Lê Thị Hoa", "Lê Thị Hòa"),
    ("Lê Thị Hòa", "Lê Thị Hóa"),
    ("Lê Thị Hỏa", "Lê Thị Họa"),
    ("Lê Thị Mía", "Lê Thị Mĩa"),
    ("Lê Thị Thu", "Lê Thị Thư"),
    ("Lê Văn Của", "Lê Văn Cửa"),
    ("Lê Thị Dung", "Lê Thị Đung"),
    ("Lê Thị Tý", "Lê Thị Tỷ"),
    # without marks: never by itself
    ("Nguyen Van An", "Nguyễn Văn An"),
    ("NGUYEN VAN AN", "Nguyễn Văn An"),
    ("Dang Van Duc", "Đặng Văn Đức"),
    ("Nguyên Văn An", "Nguyễn Văn An"),
    # i and y: a person looks
    ("Lý Văn Mỹ", "Lí Văn Mĩ"),
    ("Nguyễn Thị Vy", "Nguyễn Thị Vi"),
    ("Lê Quý", "Lê Quí"),
    # apostrophes: a person looks
    ("K'Brêuh", "K’Brêuh"),
    ("K'Brêuh", "KBrêuh"),
    ("K'Brêuh", "K Brêuh"),
    ("H'Hen Niê", "H`Hen Niê"),
    ("H'Hen Niê", "HʼHen Niê"),
    # other alphabets that look alike
    ("Аn", "An"),
    # nobody
    ("", ""),
    ("", "Nguyễn Văn An"),
    ("\u200b", "\u200b"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_these_are_one_name(one: str, other: str) -> None:
    assert same_name(one, other)
    assert same_name(other, one)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_decomposed_letters_change_nothing(one: str, other: str) -> None:
    assert same_name(unicodedata.normalize("NFD", one), unicodedata.normalize("NFC", other))
    assert same_name(unicodedata.normalize("NFC", one), unicodedata.normalize("NFD", other))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_these_are_not_one_name_without_a_person(one: str, other: str, form: str) -> None:
    assert not same_name(unicodedata.normalize(form, one), other)
    assert not same_name(other, unicodedata.normalize(form, one))


def test_the_comparable_form_is_one_case_one_space_one_tone_style() -> None:
    assert comparable(" ÐẶNG  THỊ THUÝ HOÀ") == "đặng thị thúy hòa"
