"""CHUKYDONVI: what is said of a signature, and that nothing but the paper itself can be what was signed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.hospital.moh_signature import load_trust
from adapters.hospital.moh_xml import MohReader
from gateway.domain.finding import DETAILS
from gateway.errors import SettingsError, UnreadableMessage
from gateway.ports.hospital import Feed
from tests.hospital_messages import FEED, GBT, GCS, birth_paper, fields, load_catalogue, read_all
from tests.moh_signatures import (
    C14N,
    DS,
    ENVELOPED,
    RSA_SHA1,
    SHA1,
    Signer,
    authority,
    facility,
    make_signer,
    other_authority,
    sign,
    xmlsec1_accepts,
)

READER = MohReader()
UNSIGNED = birth_paper("<CHUKYDONVI/>")
ISSUED = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return replace(FEED, paper_certificates=(authority().pem(tmp_path / "ca.pem"),))


def verdicts(raw: bytes, feed: Feed) -> list[tuple[str, str]]:
    """The code behind `paper.signature_` and the detail, for each paper."""
    found = [finding for event in READER.events(raw, feed) for finding in event.findings]
    chosen = [finding for finding in found if finding.code.startswith("paper.signature_")]
    return [(finding.code.removeprefix("paper.signature_"), finding.detail) for finding in chosen]


def verdict(raw: bytes, feed: Feed) -> str:
    ((status, detail),) = verdicts(raw, feed)
    assert status in ("valid", "absent") or detail in DETAILS
    return status


def two_papers(first: str, second: str) -> bytes:
    papers = [f"<GIAYCHUNGSINH Id='{name}'>{fields(**GCS)}</GIAYCHUNGSINH>" for name in (first, second)]
    return f"<HSDLGCS>{papers[0]}{papers[1]}<CHUKYDONVI/></HSDLGCS>".encode()


def test_a_signature_of_a_trusted_authoritys_certificate_is_valid(feed: Feed, tmp_path: Path) -> None:
    raw = sign(UNSIGNED, facility())
    assert verdict(raw, feed) == "valid"
    assert xmlsec1_accepts(tmp_path / "paper.xml", raw, feed.paper_certificates[0], "GIAYCHUNGSINH")


def test_the_verdict_is_the_papers_signature_in_the_notification(feed: Feed) -> None:
    catalogue = load_catalogue()
    for raw, expected in ((sign(UNSIGNED, facility()), "valid"), (UNSIGNED, "absent")):
        (reading,) = read_all(catalogue, READER, raw, feed)
        assert reading.notification.paper.signature == expected
        assert reading.provenance["paper.signature"].path == "$signature"


def test_a_trusted_certificate_may_be_the_facilitys_own(tmp_path: Path) -> None:
    pinned = replace(FEED, paper_certificates=(facility().pem(tmp_path / "leaf.pem"),))
    assert verdict(sign(UNSIGNED, facility()), pinned) == "valid"


def test_a_death_notice_is_judged_alike(feed: Feed) -> None:
    raw = f"<HSDLGBT><GIAYBAOTU Id='g1'>{fields(**GBT)}</GIAYBAOTU><CHUKYDONVI/></HSDLGBT>".encode()
    assert verdict(sign(raw, facility()), feed) == "valid"
    assert verdict(sign(raw, facility()).replace(b"Kh\xc3\xb4ng r\xc3\xb5", b"Tai n\xe1\xba\xa1n"), feed) == "invalid"


def test_an_enveloped_signature_inside_the_paper_is_valid_and_covers_all_the_rest(feed: Feed, tmp_path: Path) -> None:
    inside = UNSIGNED.replace(b"<CHUKYDONVI/>", b"").replace(b"</GIAYCHUNGSINH>", b"<CHUKYDONVI/></GIAYCHUNGSINH>")
    raw = sign(inside, facility(), transforms=(ENVELOPED, C14N))
    assert verdict(raw, feed) == "valid"
    assert xmlsec1_accepts(tmp_path / "paper.xml", raw, feed.paper_certificates[0], "GIAYCHUNGSINH")
    (event,) = READER.events(raw, feed)
    assert event.findings[-1].where == "/HSDLGCS/GIAYCHUNGSINH/CHUKYDONVI"
    assert verdict(raw.replace(b"3200", b"3201"), feed) == "invalid"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("space", [b'xmlns="urn:vn:moh" xmlns:x="urn:any"', b'xmlns:ds="%s"' % DS.encode()])
def test_namespaces_line_ends_and_either_unicode_form_change_nothing(
    feed: Feed, tmp_path: Path, form: str, space: bytes
) -> None:
    text = unicodedata.normalize(form, UNSIGNED.decode()).replace("><", ">\r\n  <")  # type: ignore[arg-type]
    raw = sign(text.encode().replace(b"<HSDLGCS>", b"<HSDLGCS " + space + b">"), facility())
    assert verdict(raw, feed) == "valid"
    node = "urn:vn:moh:GIAYCHUNGSINH" if b"moh" in space else "GIAYCHUNGSINH"
    assert xmlsec1_accepts(tmp_path / "paper.xml", raw, feed.paper_certificates[0], node)


@pytest.mark.parametrize("tag", ["HOTEN_NND", "SO_CCCD_NND", "TEN_CON", "NGAY_CT"])
def test_any_changed_character_makes_it_invalid(feed: Feed, tag: str) -> None:
    raw = sign(UNSIGNED, facility())
    changed = raw.replace(f"</{tag}>".encode(), f" </{tag}>".encode())
    assert (changed != raw, verdicts(changed, feed)) == (True, [("invalid", "the content is not what was signed")])


def test_a_comment_is_not_signed_and_so_not_read(feed: Feed) -> None:
    raw = sign(UNSIGNED, facility()).replace(b"Hoa</HOTEN_NND>", b"<!-- -->Hoa<!--X--></HOTEN_NND>")
    raw = raw.replace(b"00012.GCS.99001.26", b"00012.GCS<!-- -->.99001.26")
    (reading,) = read_all(load_catalogue(), READER, raw, feed)
    assert verdict(raw, feed) == "valid"
    hidden = sign(birth_paper("<CHUKYDONVI/>", TINH_TRANG_CON="Thai chết lưu"), facility())
    (event,) = READER.events(hidden.replace(b"Thai ", b"<!-- -->Thai<!-- --> "), feed)
    assert (event.relevance, event.findings[0].code) == ("related", "birth.still")
    assert reading.notification.mother.name.full == "Nguyễn Thị Hoa"  # type: ignore[union-attr]
    assert reading.notification.paper.number == "00012.GCS.99001.26"


def _weak_digest() -> bytes:
    return sign(UNSIGNED, facility(), digest=SHA1)


def _weak_method() -> bytes:
    return sign(UNSIGNED, facility(), method=RSA_SHA1)


def _short_key() -> bytes:
    return sign(UNSIGNED, make_signer("Khóa ngắn", authority(), bits=1024))


def _expired() -> bytes:
    return sign(UNSIGNED, make_signer("Hết hạn", authority(), ends=ISSUED.replace(month=11, day=20, hour=16)))


def _not_yet() -> bytes:
    return sign(UNSIGNED, make_signer("Chưa có hiệu lực", authority(), begins=ISSUED.replace(day=22)))


def _stranger() -> bytes:
    return sign(UNSIGNED, make_signer("Nơi khác", other_authority()))


def _self_made() -> bytes:
    return sign(UNSIGNED, make_signer("Tự ký"))


def _no_day() -> bytes:
    return sign(birth_paper("<CHUKYDONVI/>", NGAY_CT=None), facility())


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_weak_digest, "the algorithm or the key is too weak"),
        (_weak_method, "the algorithm or the key is too weak"),
        (_short_key, "the algorithm or the key is too weak"),
        (_expired, "the certificate was not valid on the day of issue"),
        (_not_yet, "the certificate was not valid on the day of issue"),
        (_stranger, "the certificate is not trusted"),
        (_self_made, "the certificate is not trusted"),
        (_no_day, "the paper has no day of issue"),
    ],
)
def test_a_signature_that_fits_may_be_untrusted(feed: Feed, make: Callable[[], bytes], reason: str) -> None:
    assert verdicts(make(), feed) == [("untrusted", reason)]
    assert reason in DETAILS


def test_without_certificates_of_the_feed_nothing_is_trusted_and_an_unsigned_paper_is_no_news(feed: Feed) -> None:
    assert verdicts(sign(UNSIGNED, facility()), FEED) == [("untrusted", "no certificates are set for this feed")]
    assert verdicts(UNSIGNED, FEED) == []
    assert verdicts(UNSIGNED, feed) == [("absent", "")]


def test_a_certificate_that_began_or_ended_on_the_day_of_issue_was_valid_on_it(feed: Feed) -> None:
    midday = ISSUED.replace(hour=5)
    small_hours = ISSUED.replace(day=20, hour=18)  # one in the morning of the 21st in Việt Nam
    made = [make_signer("Mới", authority(), begins=midday)]
    made += [make_signer("Cũ", authority(), ends=end) for end in (midday, small_hours)]
    for signer in made:
        assert verdict(sign(UNSIGNED, signer), feed) == "valid"


def test_a_certificate_between_authority_and_facility_may_come_in_any_order(feed: Feed) -> None:
    middle = make_signer("CA trung gian", authority(), authority=True)
    leaf = make_signer("Trạm y tế", middle)
    assert verdict(sign(UNSIGNED, leaf), feed) == "valid"
    turned = Signer(leaf.key, middle.certificate, (leaf.certificate,))
    assert verdict(sign(UNSIGNED, turned), feed) == "valid"
    assert verdict(sign(UNSIGNED, Signer(leaf.key, leaf.certificate)), feed) == "untrusted"


def test_one_signature_may_cover_several_papers_and_covers_no_other(feed: Feed) -> None:
    raw = two_papers("g1", "g2")
    assert verdicts(sign(raw, facility(), uris=("#g1", "#g2")), feed) == [("valid", "")] * 2
    assert verdicts(sign(raw, facility(), uris=("#g2",)), feed) == [
        ("invalid", "no signature covers this paper"),
        ("valid", ""),
    ]


def test_each_paper_may_have_its_own_signature_behind_it(feed: Feed) -> None:
    one = sign(UNSIGNED, facility()).removesuffix(b"</HSDLGCS>")
    paper = f"<GIAYCHUNGSINH Id='g2'>{fields(**GCS)}</GIAYCHUNGSINH>".encode()
    assert verdicts(one + paper + b"</HSDLGCS>", feed) == [("valid", ""), ("absent", "")]
    assert verdicts(one + paper + b"<CHUKYDONVI>x</CHUKYDONVI></HSDLGCS>", feed)[1][0] == "invalid"


# Attacks. Each begins with a genuine signature and makes something else be read.


def _duplicate_id(raw: bytes) -> bytes:
    forged = raw[raw.index(b"<GIAYCHUNGSINH") : raw.index(b"<CHUKYDONVI")].replace(b"Hoa", b"Gian")
    return raw.replace(b"<HSDLGCS>", b"<HSDLGCS>" + forged)


def _duplicate_id_in_another_spelling(raw: bytes) -> bytes:
    return _duplicate_id(raw).replace(b'Id="g1"', b'ID="g1"', 1)


def _duplicate_xml_id(raw: bytes) -> bytes:
    return _duplicate_id(raw).replace(b'Id="g1"', b'xml:id="g1"', 1)


def _moved_into_the_signature(raw: bytes) -> bytes:
    start, end = raw.index(b"<GIAYCHUNGSINH"), raw.index(b"<CHUKYDONVI")
    paper = raw[start:end]
    forged = paper.replace(b'Id="g1"', b'Id="g9"').replace(b"Hoa", b"Gian")
    return (raw[:start] + forged + raw[end:]).replace(b"</Signature>", b"<Object>" + paper + b"</Object></Signature>")


def _moved_aside(raw: bytes) -> bytes:
    start, end = raw.index(b"<GIAYCHUNGSINH"), raw.index(b"<CHUKYDONVI")
    paper = raw[start:end]
    forged = paper.replace(b'Id="g1"', b'Id="g9"').replace(b"Hoa", b"Gian")
    return raw[:start] + forged + raw[end:].replace(b"</HSDLGCS>", b"<KHAC>" + paper + b"</KHAC></HSDLGCS>")


def _without_its_id(raw: bytes) -> bytes:
    return raw.replace(b' Id="g1"', b"", 1)


@pytest.mark.parametrize(
    "attack",
    [
        _duplicate_id,
        _duplicate_id_in_another_spelling,
        _duplicate_xml_id,
        _moved_into_the_signature,
        _moved_aside,
        _without_its_id,
    ],
)
def test_a_signature_wrapped_around_another_paper_never_makes_it_valid(
    feed: Feed, attack: Callable[[bytes], bytes]
) -> None:
    raw = attack(sign(UNSIGNED, facility()))
    for event in READER.events(raw, feed):
        names = event.scope.select(READER.compile("HOTEN_NND"))
        said = [finding.code for finding in event.findings if finding.code == "paper.signature_valid"]
        assert not said or names == ["Nguyễn Thị Hoa"]  # what is called valid is what was signed
    first = READER.events(raw, feed)[0]
    assert "paper.signature_invalid" in [finding.code for finding in first.findings]


@pytest.mark.parametrize("uri", ["", "http://127.0.0.1/paper.xml", "#xpointer(id('g1'))", "#", "g1", "#nobody"])
def test_a_reference_to_anything_but_one_element_by_its_id_does_not_verify(feed: Feed, uri: str) -> None:
    assert verdict(sign(UNSIGNED, facility(), uris=(uri,)), feed) == "invalid"
    assert verdict(sign(UNSIGNED, facility(), uris=("#g1", uri)), feed) == "invalid"


def test_a_reference_to_another_element_does_not_verify(feed: Feed) -> None:
    named = UNSIGNED.replace(b"<HSDLGCS>", b'<HSDLGCS Id="all">').replace(b"<TEN_CON>", b'<TEN_CON Id="part">')
    for uri in ("#all", "#part"):
        assert verdict(sign(named, facility(), uris=("#g1", uri)), feed) == "invalid"
        assert verdict(sign(named, facility(), uris=(uri,)), feed) == "invalid"


@pytest.mark.parametrize(
    "transform",
    [
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/2000/09/xmldsig#base64",
        f"{C14N}#WithComments",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "",
    ],
)
def test_a_transform_beyond_the_known_does_not_verify(feed: Feed, transform: str) -> None:
    raw = sign(UNSIGNED, facility(), transforms=(transform,))
    assert verdicts(raw, feed) == [("invalid", "an algorithm is not accepted")]
    assert verdict(sign(UNSIGNED, facility(), transforms=(C14N, C14N)), feed) == "invalid"


@pytest.mark.parametrize(
    ("pattern", "put"),
    [
        (rb"<SignatureValue>.*?</SignatureValue>", b""),
        (rb"<SignatureValue>.*?</SignatureValue>", b"<SignatureValue>****</SignatureValue>"),
        (rb"<SignatureValue>.*?</SignatureValue>", b"<SignatureValue>QQ==</SignatureValue>"),
        (rb"(<KeyInfo.*?</KeyInfo>)", rb"\1\1"),
        (rb"(<SignedInfo>.*?</SignedInfo>)", rb"\1\1"),
        (rb"<X509Certificate>.*?</X509Certificate>", b"<X509Certificate>QQ==</X509Certificate>"),
        (rb"#rsa-sha256", b"#hmac-sha256"),
        (rb"xmlenc#sha256", b"xmlenc#sha1"),
        (rb'<CanonicalizationMethod Algorithm="[^"]*"/>', b""),
        (rb"<Reference URI=.*</Reference>", b""),
        (rb'<DigestMethod Algorithm="[^"]*"/>', b""),
    ],
)
def test_a_signature_with_a_part_missing_doubled_or_changed_is_invalid(feed: Feed, pattern: bytes, put: bytes) -> None:
    raw = sign(UNSIGNED, facility())
    broken, times = re.subn(pattern, put, raw, flags=re.DOTALL)
    assert (times > 0, verdict(broken, feed)) == (True, "invalid")


@pytest.mark.parametrize("put", [b"HEAD", b"TAIL"])
@pytest.mark.parametrize("name", [b"Id", b"ID", b"id", b"xml:id"])
def test_an_id_that_occurs_twice_makes_no_paper_valid_wherever_it_stands(feed: Feed, put: bytes, name: bytes) -> None:
    double = b"<KHAC %s='g1'/>" % name
    raw = sign(UNSIGNED, facility())
    head, tail = b"<HSDLGCS>", b"</HSDLGCS>"
    raw = raw.replace(head, head + double) if put == b"HEAD" else raw.replace(tail, double + tail)
    assert verdicts(raw, feed) == [("invalid", "a reference does not name exactly one element")]


def test_another_canonical_form_of_the_signature_itself_does_not_verify(feed: Feed) -> None:
    for other in ("http://www.w3.org/2006/12/xml-c14n11", "http://www.w3.org/2001/10/xml-exc-c14n#", ""):
        assert verdicts(sign(UNSIGNED, facility(), c14n=other), feed) == [("invalid", "an algorithm is not accepted")]
    raw = sign(UNSIGNED, facility(), of_key_info=(ENVELOPED, C14N))
    assert verdicts(raw, feed) == [("invalid", "an algorithm is not accepted")]


def test_a_signature_without_a_certificate_is_invalid(feed: Feed) -> None:
    raw = sign(UNSIGNED, facility(), with_certificate=False)
    assert verdicts(raw, feed) == [("invalid", "the signature brings no certificate")]


def test_the_certificate_beside_a_strangers_signature_lends_it_nothing(feed: Feed) -> None:
    thief = make_signer("Kẻ gian")
    posing = Signer(thief.key, facility().certificate, (thief.certificate,))
    assert verdict(sign(UNSIGNED, posing), feed) == "untrusted"
    assert verdict(sign(UNSIGNED, Signer(thief.key, facility().certificate)), feed) == "invalid"


def test_what_xmlsec1_refuses_is_not_valid_here(feed: Feed, tmp_path: Path) -> None:
    raw = sign(UNSIGNED, facility())
    for changed in (raw.replace(b"Hoa", b"Lan"), sign(UNSIGNED, make_signer("Nơi khác", other_authority()))):
        assert not xmlsec1_accepts(tmp_path / "paper.xml", changed, feed.paper_certificates[0], "GIAYCHUNGSINH")
        assert verdict(changed, feed) != "valid"


def test_a_feed_that_requires_signatures_takes_only_valid_papers(feed: Feed) -> None:
    strict = replace(feed, paper_signature="require")
    raw = sign(two_papers("g1", "g2"), facility(), uris=("#g2",))
    assert [event.scope.select(READER.compile("@Id")) for event in READER.events(raw, strict)] == [["g2"]]
    error = READER.unusable(raw, strict)
    assert error is not None
    assert (error.code, error.where) == ("moh.signature_required", "/HSDLGCS/GIAYCHUNGSINH[1]")
    assert READER.unusable(raw, feed) is None
    assert READER.unusable(sign(UNSIGNED, facility()), strict) is None


def _altered() -> bytes:
    return sign(UNSIGNED, facility()).replace(b"Hoa", b"Lan")


@pytest.mark.parametrize("make", [lambda: UNSIGNED, _stranger, _altered])
def test_a_document_of_which_nothing_is_taken_is_unreadable_and_opens_no_case(
    feed: Feed, make: Callable[[], bytes]
) -> None:
    strict = replace(feed, paper_signature="require")
    with pytest.raises(UnreadableMessage) as refused:
        READER.events(make(), strict)
    assert refused.value.code == "moh.signature_required"
    assert "Hoa" not in str(refused.value) + refused.value.where


def test_a_certificate_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pem", tmp_path):
        with pytest.raises(SettingsError, match="paper_certificates"):
            READER.check_feed(replace(FEED, paper_certificates=(str(path),)))
    assert len(load_trust((authority().pem(tmp_path / "ca.pem"),))) == 1
