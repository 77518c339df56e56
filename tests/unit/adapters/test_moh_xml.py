"""The MoH XML reader: which papers a message holds, what they are, and what is refused."""

from __future__ import annotations

import orjson
import pytest

from adapters.hospital.moh_xml import MohReader
from gateway.domain.case import Rank
from gateway.errors import UnreadableMessage
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

READER = MohReader()
XML1 = {
    "MA_LK": "LK-1",
    "MA_BN": "BN-7",
    "HO_TEN": "Lê Văn Bình",
    "NGAY_SINH": "195001020000",
    "GIOI_TINH": "1",
    "NGAY_VAO": "202611180900",
    "NGAY_RA": "202611220500",
    "KET_QUA_DTRI": "5",
    "MA_CSKCB": "99001",
}


def xml1(**changes: str | None) -> str:
    return f"<TONG_HOP>{fields(**(XML1 | changes))}</TONG_HOP>"


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


def test_a_signature_is_reported_as_unchecked() -> None:
    assert codes(birth_paper(SIGNED)) == ["paper.signature_unchecked"]
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
        (
            envelope(XML1=xml1(), XML9=b"***"),
            "moh.file_not_base64",
            "/GIAMDINHHS/THONGTINHOSO/DANHSACHHOSO/HOSO/FILEHOSO[2]",
        ),
        (
            envelope(XML9="<oops"),
            "xml.malformed",
            "/GIAMDINHHS/THONGTINHOSO/DANHSACHHOSO/HOSO/FILEHOSO/NOIDUNGFILE: line 1",
        ),
        (envelope(XML9='<!DOCTYPE a SYSTEM "x"><a/>'), "xml.has_dtd", "/GIAMDINHHS/"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(raw: bytes, code: str, where: str) -> None:
    for read in (READER.header, moh_events):
        with pytest.raises(UnreadableMessage) as caught:
            read(raw)
        assert caught.value.code == code
        assert caught.value.where.startswith(where)


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


def test_the_receipt_is_json_and_the_same_for_a_resend() -> None:
    answer = READER.answer(READER.header(birth_paper()), "AA", None, FEED, "w.3")
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert orjson.loads(answer.body) == {"status": "AA", "message_id": "w.3", "error": None}
    assert answer == READER.answer(READER.header(birth_paper()), "AA", None, FEED, "w.3")


@pytest.mark.parametrize(
    ("code", "error", "status"),
    [
        ("AR", UnreadableMessage("xml.malformed", "line 2, column 4", "not well-formed XML"), 400),
        ("AR", UnreadableMessage("xml.too_large", "offset 9", "too large"), 413),
        ("AR", UnreadableMessage("receive.duplicate", "", "other content", "205"), 409),
        ("AR", UnreadableMessage("receive.store_failed", "", "cannot store now"), 503),
        ("AE", UnreadableMessage("moh.no_paper", "/HSDLGCS", "no paper"), 422),
    ],
)
def test_a_refusal_names_code_place_and_says_it_in_vietnamese(code: str, error: UnreadableMessage, status: int) -> None:
    answer = READER.answer(None, code, error, FEED, "")
    told = orjson.loads(answer.body)["error"]
    assert (answer.code, answer.status) == (code, status)
    assert (told["code"], told["where"], bool(told["text_vi"])) == (error.code, error.where, True)
