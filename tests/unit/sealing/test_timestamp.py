"""Timestamps on seals: what they prove, and the tricks that must not work."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree

from gateway.sealing.report import Report
from gateway.sealing.timestamp import add_timestamp, signature_digest
from gateway.sealing.verify import verify_dossier
from gateway.sealing.xades import sign
from gateway.testing import timestamp_authority
from gateway.testing.dossiers import AT, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey
from gateway.testing.timestamp_authority import FakeTimestampAuthority

KEY = FakeSigningKey(name="Benh vien")
AUTHORITY = FakeTimestampAuthority(AT + timedelta(minutes=2))
TRUST = [*KEY.certificates, *AUTHORITY.trust]
SEALED = sign(sample_dossier_xml(), KEY, AT)
YEAR = timedelta(days=365)


def stamped(sealed: bytes = SEALED, authority: FakeTimestampAuthority = AUTHORITY) -> bytes:
    return add_timestamp(sealed, authority.timestamp(signature_digest(sealed)))


def checked(xml: bytes, trust: list[x509.Certificate] | None = TRUST) -> Report:
    return verify_dossier(xml, trust)


def test_a_trusted_timestamp_says_when_and_who() -> None:
    report = checked(stamped())
    assert report.ok
    assert report.timestamp is not None
    assert (report.timestamp.at, report.timestamp.trusted) == (AUTHORITY.at, True)
    assert report.judged_at == AUTHORITY.at
    assert report.signed_at == AT
    assert any("CN=Dau thoi gian thu" in line and "trusted" in line for line in report.words("en"))
    assert any(line.startswith("Dấu thời gian: 15:17") for line in report.words("vi"))
    assert report.as_json()["timestamp"]["state"] == "valid"


def test_a_seal_without_one_says_that_its_time_is_a_claim() -> None:
    report = checked(SEALED)
    assert report.ok
    assert report.timestamp is None
    assert report.judged_at == report.signed_at
    assert "Timestamp: none: the time is only what the signer claims" in report.words("en")
    assert report.as_json()["timestamp"] is None


def test_an_authority_not_trusted_proves_nothing_and_harms_nothing() -> None:
    report = checked(stamped(), KEY.certificates)
    assert report.ok
    assert report.timestamp is not None
    assert not report.timestamp.counts
    assert report.judged_at == AT
    assert any("does not count" in line for line in report.words("en"))


def test_an_authority_nobody_was_asked_about_is_told_as_such() -> None:
    report = checked(stamped(), None)
    assert report.ok
    assert any("authority not checked" in line for line in report.words("en"))


def test_the_timestamp_of_another_seal_is_refused() -> None:
    other = sign(sample_dossier_xml(), KEY, AT + timedelta(seconds=1))
    report = checked(add_timestamp(SEALED, AUTHORITY.timestamp(signature_digest(other))))
    assert (report.intact, report.problem) == (True, "timestamp.other")
    assert report.judged_at == AT
    assert any("OF ANOTHER SIGNATURE" in line for line in report.words("en"))


@pytest.mark.parametrize("where", [60, 400, -1])
def test_a_changed_token_is_refused(where: int) -> None:
    token = bytearray(AUTHORITY.timestamp(signature_digest(SEALED)))
    token[where] ^= 1
    report = checked(add_timestamp(SEALED, bytes(token)))
    assert report.problem == "timestamp.broken"
    assert report.detail
    assert any("BROKEN" in line for line in report.words("en"))


def test_another_time_in_a_signed_token_is_refused() -> None:
    token = AUTHORITY.timestamp(signature_digest(SEALED))
    assert token.count(b"20261123081700Z") == 1
    report = checked(add_timestamp(SEALED, token.replace(b"20261123081700Z", b"20251123081700Z")))
    assert (report.problem, report.detail) == ("timestamp.broken", "content changed")


@pytest.mark.parametrize("token", [b"", b"0", b"0\x00", KEY.certificates[0].public_bytes(Encoding.DER)])
def test_what_is_no_token_is_refused(token: bytes) -> None:
    assert checked(add_timestamp(SEALED, token)).problem == "timestamp.broken"


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), "not for timestamps"),
        (
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING]),
            "not for timestamps",
        ),
        (x509.SubjectAlternativeName([x509.DNSName("a.example")]), "not for timestamps"),
    ],
)
def test_a_certificate_for_something_else_makes_no_timestamps(usage: x509.ExtensionType, words: str) -> None:
    """Or every trusted signer could set the clock."""
    authority = FakeTimestampAuthority(root=AUTHORITY.root, usage=usage)
    report = checked(stamped(authority=authority))
    assert report.problem == "timestamp.broken"
    assert words in report.detail


def test_a_token_from_after_the_authority_s_certificate_ended_is_refused() -> None:
    authority = FakeTimestampAuthority(AT + 2 * YEAR, valid_around=AT)
    report = checked(stamped(authority=authority), [*KEY.certificates, *authority.trust])
    assert report.problem == "timestamp.broken"
    assert "not valid then" in report.detail


def test_the_signer_cannot_be_its_own_authority() -> None:
    root = FakeSigningKey(name="Goc dau thoi gian", authority=True)
    own = FakeTimestampAuthority(root=root)
    report = checked(stamped(authority=own))
    assert report.timestamp is not None
    assert report.timestamp.trusted is False


def test_another_certificate_for_the_same_key_does_not_pass_as_the_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token names its certificate by digest (RFC 5816)."""
    authority = FakeTimestampAuthority(root=AUTHORITY.root)
    own = authority.key.certificates[0].public_bytes(Encoding.DER)
    named = {own: b"another certificate"}
    monkeypatch.setattr(timestamp_authority, "sha256", lambda content: sha256(named.get(content, content)))
    report = checked(stamped(authority=authority))
    assert (report.problem, report.detail) == ("timestamp.broken", "another certificate named")


@pytest.mark.parametrize(
    ("signed", "stamp", "problem"),
    [
        (AT, AT + 2 * YEAR, "certificate.not_valid_then"),
        (AT - 2 * YEAR, AT, ""),
        (AT + 2 * YEAR, AT, ""),
    ],
    ids=["backdated after the end", "a clock far behind", "a clock far ahead"],
)
def test_the_certificate_is_judged_at_the_timestamp_not_at_the_claim(signed, stamp, problem: str) -> None:
    authority = FakeTimestampAuthority(stamp)
    sealed = stamped(sign(sample_dossier_xml(), KEY, signed), authority)
    report = checked(sealed, [*KEY.certificates, *authority.trust])
    assert report.problem == problem
    assert checked(sealed, KEY.certificates).problem == ("" if signed == AT else "certificate.not_valid_then")


def test_a_seal_from_before_its_certificate_ended_still_counts_and_the_words_say_so() -> None:
    report = checked(stamped())
    later = AT + YEAR + timedelta(days=10)
    assert any("10 days ago" in line for line in report.words("en", later))
    assert any("hết hạn 10 ngày" in line for line in report.words("vi", later))
    assert not any("ended meanwhile" in line for line in report.words("en", AT))


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (timedelta(days=0), "When signed: valid, 365 days left"),
        (timedelta(days=370), "When signed: ended 5 days before"),
        (timedelta(days=-370), "When signed: not yet valid for 5 days"),
    ],
)
def test_the_words_say_how_the_certificate_stood_when_it_was_signed(shift: timedelta, words: str) -> None:
    assert words in checked(sign(sample_dossier_xml(), KEY, AT + shift)).words("en")


def test_seals_of_the_old_and_of_the_new_key_verify_side_by_side() -> None:
    authority = FakeSigningKey(name="Co quan chung thuc", at=AT + YEAR, authority=True)
    new = FakeSigningKey(name="Benh vien", at=AT + YEAR, issuer=authority)
    trust = [*KEY.certificates, *authority.certificates]
    old_report = checked(SEALED, trust)
    new_report = checked(sign(sample_dossier_xml(), new, AT + YEAR), trust)
    assert (old_report.ok, old_report.trusted_by) == (True, "CN=Benh vien")
    assert (new_report.ok, new_report.trusted_by) == (True, "CN=Co quan chung thuc")
    assert new_report.issuers == ("CN=Co quan chung thuc",)


XADES = "{http://uri.etsi.org/01903/v1.3.2#}"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda unsigned: unsigned.append(etree.Element(f"{XADES}Note")),
        lambda unsigned: unsigned[0].append(unsigned[0][0].__copy__()),
        lambda unsigned: unsigned.set("Id", "x"),
        lambda unsigned: unsigned[0][0].set("Id", "x"),
        lambda unsigned: unsigned[0][0][0].set("Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#"),
        lambda unsigned: setattr(unsigned, "text", "note"),
        lambda unsigned: setattr(unsigned[0], "tail", "note"),
        lambda unsigned: setattr(unsigned[0][0][1], "text", unsigned[0][0][1].text + "\n"),
        lambda unsigned: unsigned[0][0].remove(unsigned[0][0][0]),
    ],
)
def test_nothing_else_hides_among_the_unsigned_properties(spoil) -> None:
    root = etree.fromstring(stamped())
    spoil(root.find(f".//{XADES}UnsignedProperties"))
    assert checked(etree.tostring(root, method="c14n")).problem == "signature.shape"


def test_a_second_timestamp_is_refused() -> None:
    assert checked(stamped(stamped())).problem in {"signature.shape", "form.not_canonical"}


def test_the_timestamp_is_the_last_change_and_takes_nothing_from_the_seal() -> None:
    token = AUTHORITY.timestamp(signature_digest(SEALED))
    xml = add_timestamp(SEALED, token)
    assert signature_digest(xml) == signature_digest(SEALED)
    start = xml.index(b"<xades:UnsignedProperties>")
    end = xml.index(b"</xades:UnsignedProperties>") + len(b"</xades:UnsignedProperties>")
    assert xml[:start] + xml[end:] == SEALED
    assert b64encode(token) in xml
