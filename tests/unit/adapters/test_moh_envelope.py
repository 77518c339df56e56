"""The MoH XML envelope: which of its files are opened, what they tell, and what is said of those that cannot be."""

from __future__ import annotations

import base64

import pytest

from gateway.domain.case import Rank
from gateway.errors import UnreadableMessage
from tests.hospital_messages import FEED, XML9, envelope, fields, moh_events, xml9
from tests.moh_messages import FILE, READER, xml1


def test_every_row_of_xml9_is_a_birth() -> None:
    raw = envelope(
        XML1="<TONG_HOP><KET_QUA_DTRI>1</KET_QUA_DTRI></TONG_HOP>", XML9=xml9(fields(**XML9), fields(**XML9))
    )
    assert [(event.kind, event.mapping, event.rank) for event in moh_events(raw)] == [("birth", "xml9", Rank.XML9)] * 2
    assert len(moh_events(xml9(fields(**XML9)).encode())) == 1


@pytest.mark.parametrize("outcome", ["5", "8"])
def test_a_stay_that_ended_in_death_is_a_death(outcome: str) -> None:
    (event,) = moh_events(envelope(XML1=xml1(KET_QUA_DTRI=outcome)))
    assert (event.kind, event.relevance, event.mapping, event.patients) == ("death", "death", "xml1_death", ("BN-7",))


@pytest.mark.parametrize("outcome", ["1", "2", "3", "4", "6", "7", "", None])
def test_any_other_outcome_is_not(outcome: str | None) -> None:
    assert moh_events(envelope(XML1=xml1(KET_QUA_DTRI=outcome))) == []


@pytest.mark.parametrize("born", ["202611200815", "20261025", "", "00000000"])
def test_a_newborn_or_undated_patient_of_xml1_is_read_without_its_name(born: str) -> None:
    (event,) = moh_events(envelope(XML1=xml1(NGAY_SINH=born)))
    assert event.mapping == "xml1_newborn_death"


def test_an_envelope_without_births_or_deaths_is_kept_under_its_patient() -> None:
    raw = envelope(XML1=xml1(KET_QUA_DTRI="1"), XML3="not opened")
    assert (moh_events(raw), READER.patient_of(raw, FEED)) == ([], "BN-7")


@pytest.mark.parametrize(
    ("content", "code", "where"),
    [
        (b"***", "moh.file_not_base64", "/NOIDUNGFILE"),
        (b"PEhTREw", "moh.file_not_base64", "/NOIDUNGFILE"),
        ("<oops", "xml.malformed", "/NOIDUNGFILE: line 1"),
        ("không phải XML", "xml.malformed", "/NOIDUNGFILE: line 1"),
        ('<!DOCTYPE a SYSTEM "x"><a/>', "xml.has_dtd", "/NOIDUNGFILE: DOCTYPE"),
        ("<a>" * 65 + "</a>" * 65, "xml.too_deep", "/NOIDUNGFILE: line 1"),
        (b"", "xml.malformed", "/NOIDUNGFILE: line 1"),
    ],
)
def test_a_file_that_cannot_be_opened_is_told_and_takes_no_other_along(
    content: bytes | str, code: str, where: str
) -> None:
    alone, beside = envelope(XML9=content), envelope(XML9=content, XML1=xml1())
    with pytest.raises(UnreadableMessage) as caught:
        moh_events(alone)
    assert (caught.value.code, READER.header(alone).type) == (code, "GIAMDINHHS")
    assert caught.value.where.startswith(f"{FILE}{where}")
    assert [event.mapping for event in moh_events(beside)] == ["xml1_death"]
    error = READER.unusable(beside, FEED)
    assert error is not None
    assert (error.code, error.where.startswith(f"{FILE}[1]{where}")) == (code, True)


def test_base64_may_hold_line_ends_blanks_and_a_byte_order_mark() -> None:
    inner = base64.encodebytes("\ufeff".encode() + xml9(fields(**XML9)).encode()).replace(b"\n", b"\r\n \t ")
    assert [event.mapping for event in moh_events(envelope(XML9=inner))] == ["xml9"]


def test_a_file_may_hold_its_xml_as_text() -> None:
    raw = envelope(XML9=f"<![CDATA[<?xml version='1.0'?>{xml9(fields(**XML9))}]]>".encode())
    assert [event.mapping for event in moh_events(raw)] == ["xml9"]
    assert READER.split(raw) == [raw]


def test_every_record_of_an_envelope_is_opened_and_their_number_is_compared() -> None:
    one = envelope(XML9=xml9(fields(**XML9)))
    record = one[one.index(b"<HOSO>") : one.index(b"</DANHSACHHOSO>")]
    for stated, found in (("2", []), ("02", []), ("3", ["3≠2"]), ("hai", ["2"])):
        raw = one.replace(record, record * 2).replace(
            b"<DANHSACHHOSO>", f"<SOLUONGHOSO>{stated}</SOLUONGHOSO><DANHSACHHOSO>".encode()
        )
        events = moh_events(raw)
        assert len(events) == 2
        said = [finding for finding in events[1].findings if finding.code == "message.count_differs"]
        assert [finding.detail for finding in said] == found


@pytest.mark.parametrize("kind", [f"XML{number}" for number in range(16)])
def test_the_tables_of_the_decision_are_known_and_need_not_be_opened(kind: str) -> None:
    files: dict[str, str | bytes] = {"XML9": xml9(fields(**XML9))} | ({} if kind == "XML9" else {kind: b"***"})
    assert [finding.code for finding in moh_events(envelope(**files))[0].findings] == []


@pytest.mark.parametrize("kind", ["XML16", "XML01", "HSDLGCS", ""])
def test_a_file_of_an_unknown_kind_is_kept_and_reported(kind: str) -> None:
    raw = envelope(XML9=xml9(fields(**XML9)), KHAC=b"***").replace(b"KHAC", kind.encode())
    (event,) = moh_events(raw)
    assert [(finding.code, finding.where) for finding in event.findings] == [
        ("message.part_unknown", f"{FILE}[2]"),
    ]
    assert READER.unusable(raw, FEED) is None
