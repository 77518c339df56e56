"""Seals that implementations of other people accept, and refuse once a byte is changed: xmlsec1, openssl and signxml;
RSA and P-256, key in a PEM file and on a device, with and without a timestamp."""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from lxml import etree
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from adapters.signing.pem_file import PemFileKey
from adapters.signing.pkcs11 import Pkcs11Key
from gateway.sealing.certificates import is_trusted
from gateway.sealing.timestamp import add_timestamp, read_timestamp, signature_digest, timestamp_request
from gateway.sealing.xades import sign
from gateway.testing.dossiers import AT, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey, rsa_key
from gateway.testing.software_token import make_software_token
from gateway.testing.timestamp_authority import FOR_TIMESTAMPS, FakeTimestampAuthority

DS = "{http://www.w3.org/2000/09/xmldsig#}"
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
PROPERTIES = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"
AUTHORITY = FakeTimestampAuthority()
CHANGES = [
    (b"23.11.2026", b"24.11.2026"),
    (b"<xades:SigningTime>2026", b"<xades:SigningTime>2025"),
    (b"</header>", b"</header> "),
]
SEALS = [f"{kind} {place}{stamp}" for kind in ("ecdsa", "rsa") for place in ("file", "device") for stamp in ("", " T")]


class StoppedClock:
    def now(self) -> datetime:
        return AT

    def new_id(self) -> str:
        return "0" * 20


@pytest.fixture(scope="module")
def seals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, FakeSigningKey]]:
    """Every kind of seal, with the key that made it."""
    directory = tmp_path_factory.mktemp("seals")
    made = {"ecdsa": FakeSigningKey(), "rsa": FakeSigningKey(rsa_key())}
    token = make_software_token(directory, made)
    sealed = {}
    for kind, key in made.items():
        pair = directory / f"{kind}-key.pem", directory / f"{kind}-cert.pem"
        pair[0].write_bytes(key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        pair[1].write_bytes(key.certificates[0].public_bytes(Encoding.PEM))
        in_file, on_device = PemFileKey(*pair, StoppedClock()), Pkcs11Key(**token.options(kind), clock=StoppedClock())
        for place, signing in (("file", in_file), ("device", on_device)):
            xml = sign(sample_dossier_xml(), signing, AT)
            sealed[f"{kind} {place}"] = (xml, key)
            sealed[f"{kind} {place} T"] = (add_timestamp(xml, AUTHORITY.timestamp(signature_digest(xml))), key)
    return sealed


def run(*command: str | Path) -> bool:
    program = shutil.which(str(command[0]))
    assert program, f"{command[0]} is missing; install it: apt-get install -y {command[0]}"
    return subprocess.run([program, *command[1:]], capture_output=True, timeout=20).returncode == 0


def xmlsec1(xml: bytes, key: FakeSigningKey, directory: Path) -> bool:
    certificate, document = directory / "cert.pem", directory / "dossier.xml"
    certificate.write_bytes(key.certificates[0].public_bytes(Encoding.PEM))
    document.write_bytes(xml)
    time = f"{AT:%Y-%m-%d %H:%M:%S}"
    options = ["--id-attr:Id", PROPERTIES, "--verification-time", time, "--trusted-pem", certificate]
    return run("xmlsec1", "--verify", *options, document)


def openssl(xml: bytes, key: FakeSigningKey, directory: Path) -> bool:
    """SignatureValue over canonical SignedInfo by openssl, and the three digests by hand."""
    root = etree.fromstring(xml)
    signature = root.find(f"{DS}Signature")
    value = b64decode(signature.findtext(f"{DS}SignatureValue"))
    if isinstance(key.private_key, ec.EllipticCurvePrivateKey):
        value = encode_dss_signature(int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))
    signed, public, raw = directory / "signed", directory / "public.pem", directory / "signature"
    signed.write_bytes(etree.tostring(signature[0], method="c14n"))
    pem = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public.write_bytes(key.certificates[0].public_key().public_bytes(*pem))
    raw.write_bytes(value)
    parts = [signature.find(f".//{XADES}SignedProperties"), signature[2]]
    content = [etree.tostring(part, method="c14n") for part in parts]
    root.remove(signature)
    content.insert(0, etree.tostring(root, method="c14n"))
    digests = [b64decode(node.text) for node in signature[0].iter(f"{DS}DigestValue")]
    holds = run("openssl", "dgst", "-sha256", "-verify", public, "-signature", raw, signed)
    return holds and digests == [sha256(part).digest() for part in content]


def signxml(xml: bytes, key: FakeSigningKey, _directory: Path) -> bool:
    expected = XAdESSignatureConfiguration(expect_references=3, verification_time=AT)
    try:
        XAdESVerifier().verify(xml, x509_cert=key.certificates[0], expect_config=expected)
    except SignXMLException:
        return False
    return True


@pytest.mark.parametrize("verifier", [xmlsec1, openssl, signxml])
@pytest.mark.parametrize("name", SEALS)
def test_others_accept_a_seal_and_refuse_a_changed_byte(
    seals: dict[str, tuple[bytes, FakeSigningKey]], name: str, verifier: Callable[..., bool], tmp_path: Path
) -> None:
    xml, key = seals[name]
    assert verifier(xml, key, tmp_path)
    for old, new in CHANGES[: 3 if name.endswith("device") else 1]:
        assert old in xml
        assert not verifier(xml.replace(old, new, 1), key, tmp_path)


def openssl_ts(xml: bytes, digest: bytes, directory: Path) -> bool:
    token, root = directory / "token", directory / "root.pem"
    token.write_bytes(b64decode(etree.fromstring(xml).findtext(f".//{XADES}EncapsulatedTimeStamp")))
    root.write_bytes(AUTHORITY.trust[0].public_bytes(Encoding.PEM))
    time = str(int(AT.timestamp()))
    options = ["-digest", digest.hex(), "-in", token, "-token_in", "-CAfile", root, "-attime", time]
    return run("openssl", "ts", "-verify", *options)


def test_openssl_accepts_the_timestamp_over_the_canonical_signature_value_and_over_nothing_else(
    seals: dict[str, tuple[bytes, FakeSigningKey]], tmp_path: Path
) -> None:
    for name in ("ecdsa device T", "rsa file T"):
        xml, _key = seals[name]
        value = etree.fromstring(xml).find(f".//{DS}SignatureValue")
        assert openssl_ts(xml, sha256(etree.tostring(value, method="c14n")).digest(), tmp_path)
        assert not openssl_ts(xml, sha256(value.text.encode()).digest(), tmp_path)


def test_a_timestamp_of_openssl_as_the_authority_is_understood(tmp_path: Path) -> None:
    """Its clock is the machine's, so its certificate is valid now."""
    root = FakeSigningKey(name="Goc", at=datetime.now(UTC), authority=True)
    key = FakeSigningKey(rsa_key(), name="openssl", at=datetime.now(UTC), issuer=root, extensions=[FOR_TIMESTAMPS])
    digest = sha256(b"content").digest()
    names = ("query", "key.pem", "cert.pem", "root.pem", "token", "serial", "openssl.cnf")
    query, key_file, certificate, chain, token, serial, settings = (tmp_path / name for name in names)
    query.write_bytes(timestamp_request(digest, 2**62 + 1))
    key_file.write_bytes(key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(key.certificates[0].public_bytes(Encoding.PEM))
    chain.write_bytes(root.certificates[0].public_bytes(Encoding.PEM))
    settings.write_text(
        f"[tsa]\ndefault_tsa=own\n[own]\nserial={serial}\ndefault_policy=1.2.3.4\ndigests=sha256\n"
        "signer_digest=sha256\nordering=yes\ness_cert_id_chain=no\ness_cert_id_alg=sha256\n"
    )
    options = ["-config", settings, "-queryfile", query, "-signer", certificate, "-inkey", key_file, "-chain", chain]
    assert run("openssl", "ts", "-reply", *options, "-token_out", "-out", token)
    stamp = read_timestamp(token.read_bytes())
    assert (stamp.digest, stamp.nonce, stamp.policy) == (digest, 2**62 + 1, "1.2.3.4")
    assert is_trusted(list(stamp.chain), root.certificates, stamp.at)
