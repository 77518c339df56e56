"""Vietnamese text in the two legacy encodings without a codec in Python: TCVN3 and VNI.

Both are older than Unicode on the desktop and were fonts first: the bytes say which glyph, the font says which letter.

- **TCVN3** ("ABC", the third set of TCVN 5712:1993): one byte a letter. It has every small letter, and of the capitals
  only Ă Â Đ Ê Ô Ơ Ư. Capitals with a tone mark are small letters set in a capital font (.VnTimeH), so NGUYỄN is stored
  as N G U Y ễ N.
- **VNI** (VNI-Windows): a base letter in ASCII (or ơ, ư at their own byte), followed by a byte for its marks; a few
  letters (đ, ỵ and those of i) are one byte. Other bytes of 0x80 to 0xBF are those of windows-1252.

Decoding raises UnicodeDecodeError with the offset of the first byte that the encoding does not define; nothing is
replaced. Letters are exact. Ambiguous in TCVN3 is only the case of letters with a tone mark: see `restore_capitals`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

TCVN3_LETTERS: dict[int, str] = dict(
    zip(
        bytes.fromhex(
            "A1A2A3A4A5A6A7 A8A9AAABACADAE"
            "B5B6B7B8B9 BBBCBDBEC6 C7C8C9CACB CCCECFD0D1 D2D3D4D5D6 D7D8DCDDDE"
            "DFE1E2E3E4 E5E6E7E8E9 EAEBECEDEE EFF1F2F3F4 F5F6F7F8F9 FAFBFCFDFE"
        ),
        "ĂÂÊÔƠƯĐăâêôơưđ" + "àảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíị" + "òỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",
        strict=True,
    )
)
"""Byte → letter, above ASCII."""

_TCVN3_TABLE = "".join(
    chr(byte) if byte < 0x80 else "\xa0" if byte == 0xA0 else TCVN3_LETTERS.get(byte, "\ufffe") for byte in range(256)
)

_TONES = "F9F8FBF5EF"  # acute, grave, hook, tilde, dot below
_CIRCUMFLEX = "E2E1E0E5E3E4"  # alone, then with each tone
_BREVE = "EAE9E8FAFCEB"
_VNI_MARKED = {
    "a": (_TONES + _CIRCUMFLEX + _BREVE, "áàảãạâấầẩẫậăắằẳẵặ"),
    "e": (_TONES + _CIRCUMFLEX, "éèẻẽẹêếềểễệ"),
    "o": (_TONES + _CIRCUMFLEX, "óòỏõọôốồổỗộ"),
    "u": (_TONES, "úùủũụ"),
    "y": (_TONES[:8], "ýỳỷỹ"),
    "\xf4": (_TONES, "ớờởỡợ"),
    "\xf6": (_TONES, "ứừửữự"),
}
_VNI_ALONE = ("F4F6F1EDECE6F3F2EE", "ơưđíìỉĩịỵ")


def _list_vni_letters() -> dict[str, str]:
    """One or two bytes, as Latin-1 characters → letter. Byte values of capitals are lower by 0x20, and a capital's mark
    may be either: the base decides."""
    found = {}
    for byte, letter in zip(bytes.fromhex(_VNI_ALONE[0]), _VNI_ALONE[1], strict=True):
        found[chr(byte)], found[chr(byte - 0x20)] = letter, letter.upper()
    for base, (marks, letters) in _VNI_MARKED.items():
        for byte, letter in zip(bytes.fromhex(marks), letters, strict=True):
            for mark in (byte, byte - 0x20):
                found[base + chr(mark)] = letter
                found[chr(ord(base) - 0x20) + chr(mark)] = letter.upper()
    return found


VNI_LETTERS = _list_vni_letters()
"""Bytes, as Latin-1 characters → letter."""

_VNI_PIECE = re.compile("|".join(sorted(VNI_LETTERS, key=len, reverse=True)) + "|[\x80-\xff]")
_UNUSED = b"\x81\x8d\x8f\x90\x9d"
_WINDOWS_1252 = {chr(byte): bytes([byte]).decode("cp1252") for byte in range(0x80, 0xC0) if byte not in _UNUSED}
_WORDS = re.compile(r"[^\W\d_]+(?: +[^\W\d_]+)*")
_HAS_BOTH_CASES = frozenset("ăâêôơưđ") | frozenset("abcdefghijklmnopqrstuvwxyz")
"""Small letters whose capital TCVN3 can write."""


def decode_tcvn3(raw: bytes) -> str:
    """TCVN3 bytes as text, capitals restored. Raises UnicodeDecodeError."""
    try:
        text = codecs.charmap_decode(raw, "strict", _TCVN3_TABLE)[0]
    except UnicodeDecodeError as error:
        raise UnicodeDecodeError("tcvn3", raw, error.start, error.end, "no letter of TCVN3") from None
    return restore_capitals(text)


def restore_capitals(text: str) -> str:
    """Text whose capitals with tone marks were typed in a capital font: NGUYễN THị Hà → NGUYỄN THỊ HÀ.

    A word is in capitals when it has two or more capitals and no small letter other than those whose capital TCVN3
    lacks. A word with fewer capitals ("Hà", "Lý", "á") may be either: it is in capitals when words beside it are and
    none of them is in small letters, else it stays. So a name of one such word ("Hà" alone in its component) and a
    capital with a tone at the start of a word ("Ánh", sent as "ánh") keep the case they came in; names are compared
    without case, so nothing but their look depends on it.
    """
    return _WORDS.sub(lambda run: _in_one_case(run[0]), text)


def _in_one_case(run: str) -> str:
    words = run.split(" ")
    kinds = [_case_of(word) for word in words]
    all_capital = "capital" in kinds and "small" not in kinds
    return " ".join(
        word.upper() if kind == "capital" or (all_capital and kind == "either") else word
        for word, kind in zip(words, kinds, strict=True)
    )


def _case_of(word: str) -> str:
    if any(letter in _HAS_BOTH_CASES for letter in word):
        return "small"
    return "capital" if sum(letter.isupper() for letter in word) > 1 else "either"


def decode_vni(raw: bytes) -> str:
    """VNI bytes as text. Raises UnicodeDecodeError."""

    def letter(match: re.Match[str]) -> str:
        piece = match[0]
        if (found := VNI_LETTERS.get(piece)) is not None:
            return found
        try:
            return _WINDOWS_1252[piece]
        except KeyError:
            raise UnicodeDecodeError("vni", raw, match.start(), match.end(), "no letter of VNI") from None

    return _VNI_PIECE.sub(letter, raw.decode("latin-1"))


DECODERS: dict[str, Callable[[bytes], str]] = {"tcvn3": decode_tcvn3, "vni": decode_vni}
"""Codec name → its decoder, for those Python lacks."""

NAMES = {"tcvn3": "tcvn3", "tcvn-3": "tcvn3", "abc": "tcvn3", "vni": "vni", "vni-windows": "vni"}
"""What a feed's `encoding` may call them, in small letters → codec name."""
