"""TCVN3, VNI and windows-1258: every Vietnamese letter, and sentences, there and back."""

from __future__ import annotations

import unicodedata

import pytest

from adapters.hospital.hl7v2_charset import choose_charset, decode, decode_text
from adapters.hospital.vietnamese_bytes import TCVN3_LETTERS, VNI_LETTERS, decode_tcvn3, decode_vni
from gateway.errors import SettingsError

SMALL = "àảãáạăằẳẵắặâầẩẫấậèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵđ"
ACCENTED = SMALL + SMALL.upper()
SENTENCES = (
    "Nguyễn Thị Ngọc Ánh sinh con trai lúc bảy giờ mười lăm phút, cân nặng ba nghìn hai trăm gam.",
    "Phường Quy Nhơn, tỉnh Gia Lai; thường trú: 12 Lê Lợi, thị trấn Tuy Phước.",
    "Bệnh nhân tử vong do viêm phổi nặng, suy hô hấp cấp; người nhà xin đưa về.",
    "Trẻ đẻ thường, khóc ngay, da hồng hào, phản xạ tốt.",
    "Đặng Hữu Nghĩa và vợ là Võ Thị Kiều Oanh, dân tộc Kinh, quốc tịch Việt Nam.",
    "Ông Ksor H'Rin ở làng Kép, xã Ia Mơ Nông; bà Y Bhiêu ở thôn Đắk Rơ Wa.",
    "Chị ấy vừa uống thuốc, huyết áp ổn định; ngoài ra không rõ nguyên nhân.",
    "QUYẾT ĐỊNH VỀ VIỆC ĐĂNG KÝ KHAI SINH, KHAI TỬ LƯU ĐỘNG",
    "Kỹ thuật viên xét nghiệm ghi: mẫu máu gót chân, ngày thứ ba.",
    "Nghỉ lễ Giỗ Tổ, trực gác đủ người; ỷ lại vào ca sau là sai quy chế, khuỷu tay, ngoằn ngoèo.",
)


def to_tcvn3(text: str) -> bytes:
    """As a capital font writes: a capital that TCVN3 lacks is its small letter."""
    bytes_of = {letter: byte for byte, letter in TCVN3_LETTERS.items()}
    return b"".join(
        letter.encode("ascii") if letter.isascii() else bytes([bytes_of.get(letter) or bytes_of[letter.lower()]])
        for letter in unicodedata.normalize("NFC", text)
    )


def to_vni(text: str) -> bytes:
    pieces = {
        letter: piece
        for piece, letter in VNI_LETTERS.items()
        if len(piece) == 1 or piece[1].isupper() == letter.isupper()
    }
    return "".join(pieces.get(letter, letter) for letter in unicodedata.normalize("NFC", text)).encode("latin-1")


def to_1258(text: str) -> bytes:
    """Base letters of the set, then combining tones, as Windows writes."""
    found = b""
    for letter in unicodedata.normalize("NFC", text):
        try:
            found += letter.encode("cp1258")
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", letter)
            tone = next(mark for mark in parts if mark in "\u0300\u0301\u0303\u0309\u0323")
            base = unicodedata.normalize("NFC", parts.replace(tone, ""))
            found += base.encode("cp1258") + tone.encode("cp1258")
    return found


def test_there_are_134_accented_vietnamese_letters() -> None:
    assert len(set(ACCENTED)) == 134
    assert set(TCVN3_LETTERS.values()) == set(SMALL) | set("ĂÂÊÔƠƯĐ")
    assert set(VNI_LETTERS.values()) == set(ACCENTED)


def test_the_tables_hold_the_byte_values_that_texts_about_them_print() -> None:
    country, motto = "Cộng hòa xã hội chủ nghĩa Việt Nam", "Độc lập - Tự do"
    assert decode_tcvn3(b"C\xe9ng h\xdfa x\xb7 h\xe9i ch\xf1 ngh\xdca Vi\xd6t Nam") == country
    assert decode_tcvn3(b"\xa7\xe9c l\xcbp - T\xf9 do") == motto
    assert decode_vni("Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam".encode("latin-1")) == country
    assert decode_vni("Ñoäc laäp - Töï do".encode("latin-1")) == motto


def test_the_letters_of_tcvn3_in_the_order_of_their_bytes_are_those_of_the_standard() -> None:
    by_byte = "ĂÂÊÔƠƯĐăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
    assert "".join(TCVN3_LETTERS[byte] for byte in sorted(TCVN3_LETTERS)) == by_byte


def test_the_letters_of_vni_are_those_its_fonts_show() -> None:
    shown = (
        "aù aø aû aõ aï aâ aá aà aå aã aä aê aé aè aú aü aë eù eø eû eõ eï eâ eá eà eå eã eä "
        "í ì æ ó ò où oø oû oõ oï oâ oá oà oå oã oä ô ôù ôø ôû ôõ ôï uù uø uû uõ uï ö öù öø öû öõ öï yù yø yû yõ î ñ"
    )
    letters = "á à ả ã ạ â ấ ầ ẩ ẫ ậ ă ắ ằ ẳ ẵ ặ é è ẻ ẽ ẹ ê ế ề ể ễ ệ í ì ỉ ĩ ị ó ò ỏ õ ọ ô ố ồ ổ ỗ ộ ơ ớ ờ ở ỡ ợ "
    letters += "ú ù ủ ũ ụ ư ứ ừ ử ữ ự ý ỳ ỷ ỹ ỵ đ"
    assert decode_vni(shown.encode("latin-1")) == letters
    assert decode_vni(shown.upper().encode("latin-1")) == letters.upper()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("letter", ACCENTED)
def test_every_accented_letter_comes_back_from_vni_and_windows_1258(letter: str, form: str) -> None:
    sent = unicodedata.normalize(form, letter)  # type: ignore[arg-type]
    assert decode(to_vni(sent), "vni") == letter
    assert decode(to_1258(sent), "cp1258") == letter


@pytest.mark.parametrize("letter", SMALL + "ĂÂÊÔƠƯĐ")
def test_every_letter_of_tcvn3_comes_back(letter: str) -> None:
    assert decode(to_tcvn3(letter), "tcvn3") == letter


@pytest.mark.parametrize("letter", SMALL.upper())
def test_every_capital_comes_back_from_tcvn3_in_a_word_of_capitals(letter: str) -> None:
    assert decode(to_tcvn3(f"NG{letter}N"), "tcvn3") == f"NG{letter}N"


@pytest.mark.parametrize("sentence", SENTENCES)
def test_sentences_come_back_whole(sentence: str) -> None:
    assert decode(to_vni(sentence), "vni") == sentence
    assert decode(to_1258(sentence), "cp1258") == sentence
    # Only the case of a toned capital that begins a word in small letters is lost.
    assert decode(to_tcvn3(sentence), "tcvn3") == sentence.replace("Ánh", "ánh")
    assert decode(to_tcvn3(sentence.upper()), "tcvn3") == sentence.upper()


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("NGUYễN THị Hà", "NGUYỄN THỊ HÀ"),
        ("Nguyễn Thị Hà", "Nguyễn Thị Hà"),
        ("Hà", "Hà"),
        ("Lý", "Lý"),
        ("á", "á"),
        ("LÊ Võ á", "LÊ VÕ Á"),
        ("TP Hà Nội", "TP Hà Nội"),
        ("THị xã", "THỊ xã"),
    ],
)
def test_capitals_of_a_capital_font_are_told_by_the_words_around(stored: str, read: str) -> None:
    assert decode_tcvn3(to_tcvn3(stored)) == read


def test_a_mark_of_either_case_belongs_to_the_letter_before_it() -> None:
    assert decode_vni("TuaÁn TuAán".encode("latin-1")) == "Tuấn TuẤn"


@pytest.mark.parametrize(
    ("raw", "codec", "offset"),
    [(b"ab\x80", "tcvn3", 2), (b"\xff", "tcvn3", 0), (b"ho\xb0a", "tcvn3", 2), (b"Lan \xf9", "vni", 4),
     (b"b\xd7", "vni", 1), (b"x\x81", "vni", 1), (b"xyz\xd2\xff\xfe", "ascii", 3)],
)  # fmt: skip
def test_undefined_bytes_are_refused_at_their_offset_and_never_replaced(raw: bytes, codec: str, offset: int) -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        decode(raw, codec)
    assert caught.value.start == offset
    assert decode_text(raw, codec) is None


@pytest.mark.parametrize(
    ("name", "codec"), [("TCVN3", "tcvn3"), ("abc", "tcvn3"), ("VNI", "vni"), ("windows-1258", "cp1258")]
)
def test_a_feed_names_its_legacy_encoding_as_people_do(name: str, codec: str) -> None:
    assert choose_charset(to_tcvn3("tiếng"), "", name) == (codec, None)


@pytest.mark.parametrize("name", ["klingon", "utf-16", "hex", "cp037"])
def test_an_encoding_in_which_separators_cannot_be_found_is_refused(name: str) -> None:
    with pytest.raises(SettingsError):
        choose_charset(b"\xe9", "", name)


def test_utf_8_bytes_are_utf_8_whatever_the_feed_says() -> None:
    for name in ("windows-1258", "tcvn3", "vni"):
        codec, finding = choose_charset("Thị".encode(), "", name)
        assert (codec, finding) == ("utf-8", None)


def test_a_label_the_feeds_setting_contradicts_is_a_finding() -> None:
    codec, finding = choose_charset(b"Th\xde", "8859/1", "tcvn3")
    assert codec == "tcvn3"
    assert finding is not None and finding.code == "message.charset_contradicts"
    assert choose_charset(b"Th\xde", "ASCII", "tcvn3") == ("tcvn3", None)
