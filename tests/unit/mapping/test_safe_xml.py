"""The one XML parser refuses what strangers put into XML, names the place, and quotes nothing."""

from __future__ import annotations

import pytest

from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import local_name, parse_xml


def refusal(raw: bytes, **limits: int) -> UnreadableMessage:
    with pytest.raises(UnreadableMessage) as caught:
        parse_xml(raw, **limits)
    return caught.value


def test_vietnamese_text_survives_in_utf8_and_utf16() -> None:
    text = '<?xml version="1.0" encoding="{}"?><a>Nguyễn Thị Hoà</a>'
    assert parse_xml(text.format("UTF-8").encode()).text == "Nguyễn Thị Hoà"
    assert parse_xml(text.format("UTF-16").encode("utf-16")).text == "Nguyễn Thị Hoà"
    assert parse_xml(b"\xef\xbb\xbf<a>B\xc3\xa9</a>").text == "Bé"


def test_an_external_entity_is_refused_and_never_read() -> None:
    raw = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    assert refusal(raw).code == "xml.has_dtd"


@pytest.mark.parametrize("place", [b"<a>&k;</a>", b'<a b="&k;"/>'])
def test_an_entity_flood_is_refused_before_it_fills_the_memory(place: bytes) -> None:
    levels = b"".join(b'<!ENTITY %c "%s">' % (name + 1, b"&%c;" % name * 50) for name in range(97, 107))
    raw = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + levels + b"]>" + place
    assert refusal(raw).code in ("xml.has_dtd", "xml.malformed")


def test_a_doctype_without_entities_is_refused_too() -> None:
    assert refusal(b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>').where == "DOCTYPE"


def test_a_malformed_document_is_refused_at_its_line_without_quoting_it() -> None:
    error = refusal(b"<a>\n<HO_TEN>Nguy\xe1\xbb\x85n V\xc4\x83n B\xc3\xad</TEN></a>")
    assert (error.code, error.where.startswith("line 2")) == ("xml.malformed", True)
    assert "Nguyễn" not in str(error) and "Nguyễn" not in error.where


@pytest.mark.parametrize("raw", [b"", b"<a", b"<a>\xff</a>", b'<?xml version="1.0" encoding="nowhere"?><a/>', b"hello"])
def test_what_is_no_xml_is_refused(raw: bytes) -> None:
    assert refusal(raw).code == "xml.malformed"


def test_depth_and_size_are_limited() -> None:
    assert refusal(b"<a>" * 65 + b"</a>" * 65).code == "xml.too_deep"
    assert parse_xml(b"<a>" * 64 + b"</a>" * 64) is not None
    assert refusal(b"<a/>" + b" " * 100, max_bytes=50).code == "xml.too_large"


def test_a_sender_known_to_declare_a_wrong_encoding_can_be_overruled() -> None:
    raw = b'<?xml version="1.0" encoding="us-ascii"?><a>Tr\xe1\xba\xa7n</a>'
    assert parse_xml(raw, encoding="utf-8").text == "Trần"


def test_names_are_local_and_comments_have_none() -> None:
    root = parse_xml(b'<x:a xmlns:x="urn:x"><!-- c --></x:a>')
    assert (local_name(root), local_name(root[0])) == ("a", "")
