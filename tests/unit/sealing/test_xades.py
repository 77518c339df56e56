"""Sealing: signatures that xmlsec1, an implementation of other people, accepts; and what it must refuse."""

from __future__ import annotations

import logging
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.util import namespaces
from signxml.xades.xades import XAdESDataObjectFormat, XAdESSigner

from gateway.errors import SettingsError, UnreadableMessage
from gateway.sealing.xades import C14N, sign
from gateway.testing.dossiers import AT, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey, rsa_key

KEYS = {"ecdsa": FakeSigningKey, "rsa": lambda: FakeSigningKey(rsa_key())}


@pytest.fixture(params=KEYS)
def key(request: pytest.FixtureRequest) -> FakeSigningKey:
    return KEYS[request.param]()


@pytest.fixture
def xmlsec1(tmp_path: Path, key: FakeSigningKey):
    """Whether Debian's xmlsec1 accepts a document signed with the key, trusting only its certificate."""
    tool = shutil.which("xmlsec1")
    assert tool, "xmlsec1 is missing; install it: apt-get install -y xmlsec1"
    certificate = tmp_path / "cert.pem"
    certificate.write_bytes(key.certificates[0].public_bytes(Encoding.PEM))
    properties = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"
    time = AT.strftime("%Y-%m-%d %H:%M:%S")

    def accepts(xml: bytes) -> bool:
        document = tmp_path / "dossier.xml"
        document.write_bytes(xml)
        command = [tool, "--verify", "--id-attr:Id", properties, "--verification-time", time]
        command += ["--trusted-pem", str(certificate), str(document)]
        return subprocess.run(command, capture_output=True, timeout=20).returncode == 0

    return accepts


def test_xmlsec1_accepts_a_sealed_dossier(xmlsec1, key: FakeSigningKey) -> None:
    assert xmlsec1(sign(sample_dossier_xml(), key, AT))


@pytest.mark.parametrize(
    "change",
    [
        (b"23.11.2026", b"24.11.2026"),
        (b'version="1"', b'version="2"'),
        (b'by="family"', b'by="officer"'),
        (b'verdict="differs"', b'verdict="matched"'),
        (b"birth.toml#mother.name", b"birth.toml#father.name"),
        (b"<xades:SigningTime>2026", b"<xades:SigningTime>2025"),
        (b"<xades:MimeType>text/xml", b"<xades:MimeType>text/xsl"),
        (b"<ds:X509Certificate>\n", b"<ds:X509Certificate>"),
        (b"</header>", b"</header> "),
    ],
    ids=lambda change: change[0].decode(),
)
def test_xmlsec1_refuses_a_changed_dossier(xmlsec1, key: FakeSigningKey, change: tuple[bytes, bytes]) -> None:
    sealed = sign(sample_dossier_xml(), key, AT)
    old, new = change
    if old.startswith(b"<ds:X509"):
        old, new = b"<ds:X509Certificate>", b"<ds:X509Certificate> "
    assert sealed.count(old) >= 1
    assert not xmlsec1(sealed.replace(old, new, 1))


def test_xmlsec1_refuses_the_signature_of_another(xmlsec1) -> None:
    assert not xmlsec1(sign(sample_dossier_xml(), FakeSigningKey(), AT))


def test_the_signing_time_is_the_one_given(key: FakeSigningKey) -> None:
    assert b"<xades:SigningTime>2026-11-23T08:15:00Z</xades:SigningTime>" in sign(sample_dossier_xml(), key, AT)


class PlainSigner(XAdESSigner):
    """signxml, told the time and the names it would draw at random."""

    def _get_token(self, length: int = 4) -> str:
        return "1"

    def add_signing_time(self, parent, **_) -> None:
        time = etree.SubElement(parent, f"{{{namespaces.xades}}}SigningTime", nsmap=self.namespaces)
        time.text = AT.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("issuer", [None, FakeSigningKey(name="Cơ quan chứng thực", authority=True)])
def test_a_seal_is_byte_for_byte_what_signxml_makes(issuer: FakeSigningKey | None) -> None:
    key = FakeSigningKey(rsa_key(), name="Bệnh viện", issuer=issuer)
    described = XAdESDataObjectFormat("Hồ sơ hộ tịch điện tử (urn:vn:hotich:1)", "text/xml")
    signer = PlainSigner(data_object_format=described, signature_algorithm="rsa-sha256", c14n_algorithm=C14N)
    tree = etree.fromstring(sample_dossier_xml())
    signed = signer.sign(tree, key=key.private_key, cert=key.certificates, always_add_key_value=False)
    assert sign(sample_dossier_xml(), key, AT) == etree.tostring(signed, method="c14n")


@pytest.mark.parametrize("xml", [b"<a></a>", b'<dossier xmlns="urn:vn:hotich:1" xmlns:x="urn:x"></dossier>', b"<a>"])
def test_what_is_no_dossier_is_not_signed(xml: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        sign(xml, FakeSigningKey(), AT)


def test_a_dossier_in_another_spelling_is_sealed_in_its_canonical_form() -> None:
    xml = sample_dossier_xml().replace(b"<owed>", b"<owed ><!-- note -->").replace(b'kind="birth"', b"kind='birth'")
    key = FakeSigningKey(rsa_key())
    assert sign(xml, key, AT) == sign(sample_dossier_xml(), key, AT)


def test_rsa_seals_are_the_same_bytes_for_the_same_time() -> None:
    key = FakeSigningKey(rsa_key())
    assert sign(sample_dossier_xml(), key, AT) == sign(sample_dossier_xml(), key, AT)


@pytest.mark.parametrize(
    "weak",
    [
        lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024),
        lambda: ec.generate_private_key(ec.SECP384R1()),
    ],
    ids=["RSA 1024", "P-384"],
)
def test_weak_or_unusual_keys_are_refused(weak) -> None:
    with pytest.raises(SettingsError) as refused:
        sign(sample_dossier_xml(), FakeSigningKey(weak()), AT)
    assert refused.value.code == "signing.key_weak"


def test_sealing_logs_no_content_even_when_everything_is_logged(caplog, monkeypatch, key: FakeSigningKey) -> None:
    monkeypatch.setattr(logging.getLogger("signxml.processor"), "disabled", False)
    with caplog.at_level(logging.DEBUG):
        sign(sample_dossier_xml(), key, AT)
    assert "meHoTen" not in caplog.text
