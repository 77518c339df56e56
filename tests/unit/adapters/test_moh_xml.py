"""The MoH XML reader: which papers a message holds, what they are, and what is refused."""

from __future__ import annotations

import pytest
from lxml import etree

from gateway.domain.case import Rank
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import BatchReader, ContentReader
from tests.hospital_messages import (
    FEED,
    GCS,
    SIGNED,
    XML9,
    birth_paper,
    death_paper,
    envelope,
    fields,
    moh_events,
    xml9,
)
from tests.moh_messages import READER


def codes(raw: bytes) -> list[str]:
    return [finding.code for event in moh_events(raw) for finding in event.findings]


def test_xml_is_recognised_unless_it_is_fhir() -> None:
    assert READER.recognises(b"\xef\xbb\xbf<?xml version='1.0'?><HSDLGCS/>")
    assert READER.recognises("<?xml version='1.0' encoding='utf-16'?><HSDLGCS/>".encode("utf-16"))
    assert not READER.recognises(b'<Bundle xmlns="http://hl7.org/fhir"/>')
    assert not READER.recognises(b'{"resourceType"') and not READER.recognises(b"MSH|^~\\&|")


def test_the_header_has_no_control_id_and_names_the_facility() -> None:
    header = READER.header(birth_paper())
    assert (header.type, header.control_id, header.sender, header.sent_at) == (
        "HSDLGCS",
        "",
        "99001",
        "2026-11-20T17:00:00+00:00",
    )
    assert READER.header(death_paper()).sender == "99001"
    assert READER.header(envelope(XML9=xml9(fields(**XML9)))).type == "GIAMDINHHS"


def test_a_birth_paper_is_a_birth_and_its_patient_number_is_not_the_childs() -> None:
    (event,) = moh_events(birth_paper())
    assert (event.kind, event.relevance, event.mapping, event.rank) == ("birth", "birth", "giay_chung_sinh", Rank.PAPER)
    assert (event.patients, event.occurred, event.findings) == ((), "2026-11-20T17:00:00+00:00", ())


def test_a_death_paper_is_a_death_of_the_patient_it_numbers() -> None:
    (event,) = moh_events(death_paper())
    assert (event.kind, event.relevance, event.mapping, event.rank) == ("death", "death", "giay_bao_tu", Rank.PAPER)
    assert event.patients == ("BN-9",)


def test_every_paper_of_a_document_is_its_own_event() -> None:
    paper = f"<GIAYCHUNGSINH>{fields(**GCS)}</GIAYCHUNGSINH>"
    assert len(moh_events(f"<HSDLGCS>{paper}{SIGNED}{paper}</HSDLGCS>".encode())) == 2
    assert len(moh_events(paper.encode())) == 1


def test_a_default_namespace_changes_nothing() -> None:
    raw = birth_paper().replace(b"<HSDLGCS>", b'<HSDLGCS xmlns="urn:any">')
    assert [event.mapping for event in moh_events(raw)] == ["giay_chung_sinh"]


@pytest.mark.parametrize("state", ["Thai chết lưu", "THAI CHẾT", "chết lưu 30 tuần", "Tử thai"])
def test_a_stillbirth_is_recognised_and_opens_no_case(state: str) -> None:
    (event,) = moh_events(birth_paper(TINH_TRANG_CON=state))
    assert (event.relevance, [finding.code for finding in event.findings]) == ("related", ["birth.still"])


@pytest.mark.parametrize("state", ["Chết sau sinh 2 giờ", "đã tử vong"])
def test_a_child_who_died_after_birth_is_a_birth_with_a_finding(state: str) -> None:
    (event,) = moh_events(birth_paper(TINH_TRANG_CON=state))
    assert (event.relevance, [finding.code for finding in event.findings]) == ("birth", ["birth.died"])


@pytest.mark.parametrize("state", ["Bình thường", "Không chết", "Sống, khóc to", ""])
def test_a_living_child_raises_nothing_and_the_mothers_living_children_are_no_evidence(state: str) -> None:
    (event,) = moh_events(birth_paper(TINH_TRANG_CON=state, SO_CON_SONG="0"))
    assert (event.relevance, event.findings) == ("birth", ())


def test_surrogacy_is_flagged_and_read_by_its_own_rules() -> None:
    (event,) = moh_events(birth_paper(HOTEN_MTH="Vũ Thị Mai", SO_CCCD_MTH="999185000004"))
    assert (event.mapping, codes(birth_paper(HOTEN_MTH="Vũ Thị Mai"))) == ("birth_surrogacy", ["birth.surrogate"])
    assert event.relevance == "birth"
    assert codes(birth_paper(HOTEN_MTH="", MA_BHXH_MTH="0000000000")) == []


def test_a_signature_that_is_none_is_reported_with_its_reason() -> None:
    (event,) = moh_events(birth_paper(SIGNED))
    (finding,) = event.findings
    assert (finding.code, finding.detail) == ("paper.signature_invalid", "no signature covers this paper")
    assert finding.where == "/HSDLGCS/GIAYCHUNGSINH/following-sibling::CHUKYDONVI[1]"
    assert codes(birth_paper("<CHUKYDONVI/>")) == []


def test_clinical_causes_are_said_to_stay_in_the_hospital() -> None:
    assert codes(death_paper(BENH_ICD10_ID="I21.9")) == ["death.cause_withheld"]


@pytest.mark.parametrize(
    ("raw", "code", "where"),
    [
        (b"<HSDLGCS><GIAYCHUNGSINH></HSDLGCS>", "xml.malformed", "line 1, column"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><HSDLGCS>&x;</HSDLGCS>', "xml.has_dtd", "DOCTYPE"),
        (b"<HSDLXYZ/>", "moh.root_unknown", "/*"),
        (b"<HSDLGCS/>", "moh.no_paper", "/HSDLGCS"),
        (b"<GIAMDINHHS/>", "moh.no_file", "/GIAMDINHHS"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(raw: bytes, code: str, where: str) -> None:
    for read in (READER.header, moh_events):
        with pytest.raises(UnreadableMessage) as caught:
            read(raw)
        assert caught.value.code == code
        assert caught.value.where.startswith(where)


def test_documents_behind_one_another_are_as_many_messages() -> None:
    one = b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\r\n" + birth_paper()
    two = b"<?xml version='1.0'?>\n" + death_paper()
    parts = READER.split(one + b"\r\n" + two)
    assert [READER.header(part).type for part in parts] == ["HSDLGCS", "HSDLGBT"]
    assert READER.split(one) == [one]
    answers = [READER.answer(READER.header(part), "AA", None, FEED, f"rx.{place}") for place, part in enumerate(parts)]
    bound = READER.answer_batch(one + two, answers, FEED, "rx.0")
    assert [receipt.get("message") for receipt in etree.fromstring(bound.body)] == ["rx.0", "rx.1"]
    assert isinstance(READER, BatchReader) and isinstance(READER, ContentReader)


def test_a_paper_issued_again_on_the_same_day_comes_after_the_first() -> None:
    first, again = (moh_events(birth_paper(CAP_LAN_DAU=flag))[0].occurred for flag in ("1", "0"))
    assert first < again < moh_events(birth_paper(NGAY_CT="20261122"))[0].occurred
    first, again = (moh_events(death_paper(SO_BAOTU_BD=number))[0].occurred for number in (None, "5"))
    assert first < again


def test_a_paths_grammar_is_checked_at_start() -> None:
    assert str(READER.compile("HO_TEN_NND | HOTEN_NND")) == "HO_TEN_NND | HOTEN_NND"
    for wrong in ("HO_TEN[", "", "a b", "//"):
        with pytest.raises(ValueError, match="XPath"):
            READER.compile(wrong)


def test_values_are_trimmed_and_empty_ones_left_out() -> None:
    (event,) = moh_events(birth_paper(TEN_CON="  Lan \n", GHI_CHU=" "))
    assert event.scope.select(READER.compile("TEN_CON")) == ["Lan"]
    assert event.scope.select(READER.compile("GHI_CHU")) == []
    assert event.scope.select(READER.compile("@Id")) == ["g1"]


def test_unread_lists_valued_fields_that_no_rule_selected_or_asked_about() -> None:
    (event,) = moh_events(birth_paper())
    assert "GHI_CHU" not in event.scope.unread()
    for tag in GCS:
        if tag not in ("MA_BN", "LOAI_GIAYTO_NND"):
            event.scope.select(READER.compile(tag))
    event.scope.select(READER.compile("SO_CCCD_NND[not(../LOAI_GIAYTO_NND = '3')]"))
    assert event.scope.unread() == ["MA_BN"]


def test_only_the_papers_signature_is_a_variable() -> None:
    (event,) = moh_events(birth_paper())
    assert event.scope.select(READER.compile("$signature")) == ["absent"]
    with pytest.raises(ValueError, match=r"\$signature"):
        READER.compile("$chu_ky")
