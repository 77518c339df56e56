"""Checking sealed dossiers: what is intact, who counts, and the tricks that must not work."""

from __future__ import annotations

import logging
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.xades import XAdESSigner

from gateway.domain.dossier import Correction
from gateway.sealing.dossier_xml import write_dossier
from gateway.sealing.report import PROBLEMS
from gateway.sealing.verify import verify_dossier
from gateway.sealing.xades import C14N, sign
from gateway.testing.dossiers import AT, DOSSIER, ENVELOPE, IDENTITY, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey, rsa_key

KEY = FakeSigningKey(name="Van phong xa")
DS = "{http://www.w3.org/2000/09/xmldsig#}"


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return sign(sample_dossier_xml(), KEY, AT)


def problem(xml: bytes) -> str:
    report = verify_dossier(xml, KEY.certificates)
    assert report.ok == (report.problem == "")
    return report.problem


def canonical(root) -> bytes:
    return etree.tostring(root, method="c14n")


def test_an_untouched_seal_is_intact_and_says_who_and_when(sealed: bytes) -> None:
    report = verify_dossier(sealed, KEY.certificates)
    assert (report.ok, report.intact, report.trusted) == (True, True, True)
    assert report.signer == "CN=Van phong xa"
    assert report.signed_at == AT
    assert report.document is not None
    assert report.document.dossier == DOSSIER


def test_rsa_seals_verify_too() -> None:
    key = FakeSigningKey(rsa_key())
    assert verify_dossier(sign(sample_dossier_xml(), key, AT), key.certificates).ok


def test_the_report_speaks_vietnamese_and_english(sealed: bytes) -> None:
    report = verify_dossier(sealed, KEY.certificates)
    assert "Nguyên vẹn: CÓ" in report.words("vi")
    assert "Intact: YES" in report.words("en")
    assert any("HT99-261123-0001" in line for line in report.words("vi"))
    broken = verify_dossier(sealed.replace(b"23.11", b"24.11"))
    assert "Nguyên vẹn: KHÔNG" in broken.words("vi")
    assert any(PROBLEMS["signature.broken"][1] in line for line in broken.words("en"))


def test_the_report_says_what_a_later_version_is() -> None:
    corrected = replace(DOSSIER, corrections=(Correction("meHoTen", "", "Hoa", "Hòa"),))
    for told, vi, en in (
        (corrected, "Bản sửa: 1 giá trị", "Correction, values changed: 1"),
        (replace(DOSSIER, withdrawn=True), "Rút hồ sơ", "Withdrawal"),
    ):
        report = verify_dossier(sign(write_dossier(told, ENVELOPE, {}), KEY, AT), KEY.certificates)
        assert any(line.startswith(vi) for line in report.words("vi"))
        assert any(line.startswith(en) for line in report.words("en"))
        assert (report.as_json()["withdrawn"], report.as_json()["corrections"]) == (
            told.withdrawn,
            len(told.corrections),
        )
        assert "Hòa" not in str(report.as_json())


def test_the_report_as_json_holds_no_person(sealed: bytes) -> None:
    data = verify_dossier(sealed, KEY.certificates).as_json()
    assert data["ok"]
    assert data["code"] == ENVELOPE.code
    assert "Hòa" not in str(data)


def test_without_certificates_to_trust_the_report_says_so(sealed: bytes) -> None:
    report = verify_dossier(sealed)
    assert report.ok
    assert report.trusted is None
    assert any("not checked" in line for line in report.words("en"))


def test_a_stranger_s_seal_is_intact_but_not_trusted(sealed: bytes) -> None:
    report = verify_dossier(sealed, FakeSigningKey().certificates)
    assert (report.intact, report.trusted, report.ok) == (True, False, False)
    assert report.problem == "certificate.not_trusted"
    assert not verify_dossier(sealed, []).ok


def test_a_certificate_of_a_trusted_authority_counts() -> None:
    authority = FakeSigningKey(name="Co quan chung thuc", authority=True)
    key = FakeSigningKey(name="Benh vien", issuer=authority)
    sealed = sign(sample_dossier_xml(), key, AT)
    assert verify_dossier(sealed, authority.certificates).ok
    assert (
        verify_dossier(sealed, FakeSigningKey(name="Co quan chung thuc", authority=True).certificates).trusted is False
    )


def test_who_is_no_authority_vouches_for_nobody() -> None:
    officer = FakeSigningKey(name="Can bo")
    sealed = sign(sample_dossier_xml(), FakeSigningKey(name="Gia mao", issuer=officer), AT)
    assert verify_dossier(sealed, officer.certificates[:1]).trusted is False


def test_an_officer_cannot_vouch_even_with_the_authority_s_word() -> None:
    authority = FakeSigningKey(name="Co quan chung thuc", authority=True)
    officer = FakeSigningKey(name="Can bo", issuer=authority)
    sealed = sign(sample_dossier_xml(), FakeSigningKey(name="Gia mao", issuer=officer), AT)
    assert verify_dossier(sealed, authority.certificates).trusted is False


def test_an_authority_in_between_leads_to_the_trusted_one() -> None:
    root = FakeSigningKey(name="Goc", authority=True)
    between = FakeSigningKey(name="Trung gian", issuer=root, authority=True)
    sealed = sign(sample_dossier_xml(), FakeSigningKey(name="Benh vien", issuer=between), AT)
    assert verify_dossier(sealed, root.certificates).ok


@pytest.mark.parametrize("days", [-366, 366])
def test_a_seal_outside_the_certificate_s_dates_is_told(days: int) -> None:
    report = verify_dossier(sign(sample_dossier_xml(), KEY, AT + timedelta(days=days)), KEY.certificates)
    assert report.intact
    assert report.problem == "certificate.not_valid_then"


def test_an_unsigned_dossier_is_told() -> None:
    assert problem(sample_dossier_xml()) == "signature.absent"


@pytest.mark.parametrize("junk", [b"", b"PDF", b"<a>", b"\xff\xfe", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_what_is_not_xml_is_told(junk: bytes) -> None:
    assert problem(junk) == "xml.unreadable"


def test_xml_of_another_kind_is_told() -> None:
    assert problem(b"<a></a>") == "form.not_a_dossier"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<owed>", b"<owed >"),
        (b'kind="birth"', b"kind='birth'"),
        (b"<owed>", b"<!-- note --><owed>"),
        (b"\xc4\x90\xe1\xba\xb7ng", b"&#272;&#7863;ng"),
        (b"<dossier", b"<?xml version='1.0'?><dossier"),
    ],
)
def test_bytes_that_canonical_xml_forgives_are_refused_too(sealed: bytes, old: bytes, new: bytes) -> None:
    assert old in sealed
    assert problem(sealed.replace(old, new, 1)) == "form.not_canonical"


def test_every_problem_that_can_be_told_has_words() -> None:
    assert all(vi and en for vi, en in PROBLEMS.values())


def test_a_second_signature_is_refused(sealed: bytes) -> None:
    root = etree.fromstring(sealed)
    root.append(etree.fromstring(etree.tostring(root.find(f"{DS}Signature"))))
    assert problem(canonical(root)) == "signature.shape"


def test_a_signed_dossier_wrapped_in_another_is_refused(sealed: bytes) -> None:
    """The original travels, validly signed, inside a forged dossier."""
    forged = etree.fromstring(write_dossier(replace(DOSSIER, fields={"meHoTen": "Kẻ Gian"}), ENVELOPE, IDENTITY))
    forged.append(etree.fromstring(sealed))
    assert problem(canonical(forged)) == "signature.shape"


def test_a_signature_with_the_original_hidden_in_its_object_is_refused(sealed: bytes) -> None:
    original = etree.fromstring(sealed)
    signature = original.find(f"{DS}Signature")
    forged = etree.fromstring(write_dossier(replace(DOSSIER, fields={"meHoTen": "Kẻ Gian"}), ENVELOPE, IDENTITY))
    forged.append(signature)
    original.set("Id", "original")
    signature.find(f"{DS}Object").append(original)
    signature.find(f".//{DS}Reference").set("URI", "#original")
    assert problem(canonical(forged)) == "signature.shape"


def test_a_signature_moved_to_another_dossier_is_refused(sealed: bytes) -> None:
    other = etree.fromstring(write_dossier(DOSSIER, replace(ENVELOPE, code="HT99-261123-0002"), IDENTITY))
    other.append(etree.fromstring(sealed).find(f"{DS}Signature"))
    assert problem(canonical(other)) == "signature.broken"


def test_content_beside_the_signed_properties_is_refused(sealed: bytes) -> None:
    root = etree.fromstring(sealed)
    etree.SubElement(root.find(f"{DS}Signature/{DS}Object"), f"{DS}Manifest")
    assert problem(canonical(root)) == "signature.shape"


@pytest.mark.parametrize(
    "path", ["Signature/{ns}Object", "Signature/{ns}SignatureValue", "Signature", "Signature/{ns}Object/*"]
)
def test_an_attribute_that_no_digest_covers_is_refused(sealed: bytes, path: str) -> None:
    root = etree.fromstring(sealed)
    root.find(DS + path.format(ns=DS)).set("MimeType", "text/html")
    assert problem(canonical(root)) == "signature.shape"


def test_signed_properties_of_another_signature_are_refused(sealed: bytes) -> None:
    assert problem(sealed.replace(b'Target="#SignXML', b'Target="#OtherXML')) == "signature.shape"


def test_text_that_no_digest_covers_is_refused(sealed: bytes) -> None:
    for tag in (b"<ds:Object>", b"<ds:SignedInfo>", b"<xades:SignedProperties", b"</ds:Object>"):
        assert problem(sealed.replace(tag, b"note" + tag, 1)) == "signature.shape"


def test_a_valid_signature_over_a_part_is_refused() -> None:
    """The signer is trusted, but what the reference names is not said to be the whole document."""
    part = etree.fromstring(sample_dossier_xml().replace(b"<dossier ", b'<dossier Id="part" ', 1))
    other = XAdESSigner(signature_algorithm="ecdsa-sha256", c14n_algorithm=C14N)
    signed = other.sign(part, key=KEY.private_key, cert=KEY.certificates, always_add_key_value=False)
    assert problem(canonical(signed)) == "signature.shape"


def test_a_valid_signature_over_another_canonical_form_is_refused() -> None:
    signer = XAdESSigner(
        signature_algorithm="ecdsa-sha256", c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
    )
    root = etree.fromstring(sample_dossier_xml())
    other = signer.sign(root, key=KEY.private_key, cert=KEY.certificates, always_add_key_value=False)
    assert problem(canonical(other)) == "signature.shape"


def test_the_same_signature_in_other_base64_is_refused(sealed: bytes) -> None:
    root = etree.fromstring(sealed)
    value = root.find(f"{DS}Signature/{DS}SignatureValue")
    last = value.text[-3]  # the four low bits of this letter are not part of the signature
    value.text = value.text[:-3] + chr(ord(last) + 1) + "=="
    assert b64decode(value.text) == b64decode(value.text[:-3] + last + "==")
    assert problem(canonical(root)) == "signature.shape"


def test_a_self_made_signature_of_changed_content_is_not_trusted() -> None:
    forged = write_dossier(replace(DOSSIER, fields={"meHoTen": "Kẻ Gian"}), ENVELOPE, IDENTITY)
    thief = FakeSigningKey(name="Van phong xa")
    assert problem(sign(forged, thief, AT)) == "certificate.not_trusted"


def test_a_certificate_swapped_for_a_trusted_one_breaks_the_seal() -> None:
    """The thief signs, then puts the office's certificate in."""
    thief = FakeSigningKey(name="Van phong xa")
    thief.certificates = KEY.certificates
    assert problem(sign(sample_dossier_xml(), thief, AT)) == "signature.broken"


def test_a_weak_key_seals_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.sealing import xades

    monkeypatch.setattr(xades, "_method", lambda _: "rsa")
    weak = FakeSigningKey(rsa.generate_private_key(public_exponent=65537, key_size=1024))
    assert problem(sign(sample_dossier_xml(), weak, AT)) == "certificate.weak"


def test_a_signed_document_that_is_no_valid_dossier_is_refused() -> None:
    xml = sample_dossier_xml().replace(b'version="1"', b'version="0"')
    assert problem(sign(xml, KEY, AT)) == "form.not_a_dossier"


def test_checking_logs_no_content_even_when_everything_is_logged(caplog, monkeypatch, sealed: bytes) -> None:
    monkeypatch.setattr(logging.getLogger("signxml.processor"), "disabled", False)
    with caplog.at_level(logging.DEBUG):
        verify_dossier(sealed)
    assert "meHoTen" not in caplog.text
