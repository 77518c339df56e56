"""The character set of an MoH XML document: declared, set for the feed, or wrong."""

from __future__ import annotations

import base64
import re
import unicodedata
from dataclasses import replace

import pytest

from gateway.errors import UnreadableMessage
from tests.hospital_messages import FEED, birth_paper, envelope, fields, moh_events, xml9
from tests.moh_messages import READER

PLACE_TCVN3 = bytes(0xAE if letter == "đ" else ord(letter) for letter in "12 đuong Lua Moi")


def in_windows_1258(text: str) -> bytes:
    """The letters that windows-1258 has, their tone marks behind them."""
    letters = unicodedata.normalize("NFD", text)
    for mark in ("\u0302", "\u0306", "\u031b"):  # circumflex, breve, horn belong to the letter there
        letters = re.sub(f"(.)([\u0300\u0301\u0303\u0309\u0323]?){mark}", rf"\1{mark}\2", letters)
        letters = re.sub(f".{mark}", lambda pair: unicodedata.normalize("NFC", pair[0]), letters)
    return letters.encode("cp1258")


@pytest.mark.parametrize("declaration", ["", "<?xml version='1.0' encoding='UTF-8'?>", "<?xml version='1.0'?>"])
def test_the_feeds_character_set_counts_where_the_declaration_is_absent_or_wrong(declaration: str) -> None:
    raw = declaration.encode() + in_windows_1258(birth_paper(TEN_CON=None).decode())
    with pytest.raises(UnreadableMessage) as caught:
        moh_events(raw)
    assert (caught.value.code, caught.value.where) == ("moh.bytes_undecodable", "//HOTEN_NND, line 1")
    assert READER.unusable(raw, FEED) is not None
    legacy = replace(FEED, encoding="cp1258")
    (event,) = moh_events(raw, legacy)
    (name,) = event.scope.select(READER.compile("HOTEN_NND"))
    assert unicodedata.normalize("NFC", name) == "Nguyễn Thị Hoa"
    contradicted = ["message.charset_contradicts"] if "UTF-8" in declaration else []
    assert [finding.code for finding in event.findings] == contradicted
    assert (READER.unusable(raw, legacy), READER.header(raw).sender) == (None, "99001")


def test_a_true_declaration_needs_no_setting_and_utf_8_needs_neither() -> None:
    declared = b"<?xml version='1.0' encoding='windows-1258'?>"
    (event,) = moh_events(declared + in_windows_1258(birth_paper(TEN_CON=None).decode()))
    assert event.findings == ()
    (event,) = moh_events(declared + birth_paper(), replace(FEED, encoding="cp1258"))
    assert [finding.code for finding in event.findings] == ["message.charset_contradicts"]
    assert event.scope.select(READER.compile("HOTEN_NND")) == ["Nguyễn Thị Hoa"]
    assert moh_events(b"<?xml version='1.0' encoding='khong-co'?>" + birth_paper())[0].findings == ()


def test_utf_16_is_read_by_its_mark() -> None:
    raw = f"<?xml version='1.0' encoding='utf-16'?>{birth_paper().decode()}".encode("utf-16")
    (event,) = moh_events(raw)
    assert event.scope.select(READER.compile("HOTEN_NND")) == ["Nguyễn Thị Hoa"]


def test_tcvn3_is_read_in_the_document_and_in_the_files_of_an_envelope() -> None:
    old = replace(FEED, encoding="tcvn3")
    raw = birth_paper(NOI_CU_TRU_NND="@@").replace("Nguyễn Thị Hoa".encode(), b"Hoa")
    raw = raw.replace("Trần Văn Nam".encode(), b"Nam").replace("Con bà Hoa".encode(), b"")
    raw = raw.replace("Bình thường".encode(), b"").replace(b"@@", PLACE_TCVN3)
    (event,) = moh_events(raw, old)
    assert event.scope.select(READER.compile("NOI_CU_TRU_NND")) == ["12 đuong Lua Moi"]
    row = xml9(fields(NGAY_SINH_CON="20261120", NOI_SINH_CON="@@")).encode().replace(b"@@", PLACE_TCVN3)
    (event,) = moh_events(envelope(XML9=base64.b64encode(row)), old)
    assert event.scope.select(READER.compile("NOI_SINH_CON")) == ["12 đuong Lua Moi"]
    with pytest.raises(UnreadableMessage, match="byte"):
        moh_events(envelope(XML9=base64.b64encode(row)))
