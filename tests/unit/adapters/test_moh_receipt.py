"""The receipt for an MoH XML document: a line for each paper, and refusals that say what and where."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Answer
from tests.hospital_messages import FEED, GCS, SIGNED, birth_paper, envelope, fields
from tests.moh_messages import FILE, READER, xml1


def receipt(answer: Answer) -> etree._Element:
    root = etree.fromstring(answer.body)
    assert answer.media_type == "application/xml"
    assert etree.QName(root).namespace == "urn:vn:hotich:receipt:1"
    return root


def test_the_receipt_has_a_line_for_each_paper_and_is_the_same_for_a_resend() -> None:
    paper = f"<GIAYCHUNGSINH>{fields(**GCS)}</GIAYCHUNGSINH>"
    raw = f"<HSDLGCS>{paper}{SIGNED}{paper}</HSDLGCS>".encode()
    answer = READER.answer(READER.header(raw), "AA", None, FEED, "w.3")
    root = receipt(answer)
    assert (answer.status, root.get("status"), root.get("message")) == (200, "AA", "w.3")
    assert [dict(line.attrib) for line in root] == [
        {"place": "/HSDLGCS/GIAYCHUNGSINH[1]", "result": "accepted", "signature": "invalid"},
        {"place": "/HSDLGCS/GIAYCHUNGSINH[2]", "result": "accepted", "signature": "absent"},
    ]
    assert answer == READER.answer(READER.header(raw), "AA", None, FEED, "w.3")
    assert all(str(value).encode() not in answer.body for value in GCS.values() if len(value) > 2)


def test_the_receipt_names_what_of_a_stored_document_cannot_be_used() -> None:
    raw = envelope(XML1=xml1(), XML9=b"***")
    for language, words in (("vi", "Nội dung tệp không phải base64"), ("en", "the file's content is not base64")):
        feed = replace(FEED, language=language)  # type: ignore[arg-type]
        answer = READER.answer(READER.header(raw), "AE", READER.unusable(raw, feed), feed, "w.4")
        good, bad = receipt(answer)
        assert (answer.status, good.get("result"), good.get("signature")) == (422, "accepted", None)
        assert (bad.get("result"), bad.get("code"), bad.text) == ("problem", "moh.file_not_base64", words)
        assert bad.get("where") == f"{FILE}[2]/NOIDUNGFILE"


def test_the_receipt_names_the_paper_that_a_strict_feed_does_not_take() -> None:
    strict = replace(FEED, paper_signature="require")
    answer = READER.answer(READER.header(birth_paper()), "AE", READER.unusable(birth_paper(), strict), strict, "w.5")
    (line,) = receipt(answer)
    assert (answer.status, line.get("code"), line.get("signature")) == (422, "moh.signature_required", "absent")


@pytest.mark.parametrize(
    ("code", "error", "status"),
    [
        ("AR", UnreadableMessage("xml.malformed", "line 2, column 4", "not well-formed XML"), 400),
        ("AR", UnreadableMessage("xml.too_large", "offset 9", "too large"), 413),
        ("AR", UnreadableMessage("receive.duplicate", "", "other content", "205"), 409),
        ("AR", UnreadableMessage("receive.store_failed", "", "cannot store now"), 503),
        ("AE", UnreadableMessage("moh.bytes_undecodable", "//HO_TEN, line 1", "byte 9 …"), 422),
    ],
)
def test_a_refusal_names_code_place_and_says_it_in_vietnamese(code: str, error: UnreadableMessage, status: int) -> None:
    answer = READER.answer(None, code, error, FEED, "")
    (told,) = receipt(answer)
    assert (answer.code, answer.status) == (code, status)
    assert (told.get("code"), told.get("where")) == (error.code, error.where)
    assert told.text and not told.text.isascii()
