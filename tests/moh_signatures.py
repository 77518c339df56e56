"""Signed papers for tests: an authority, facilities' certificates, and XML signatures put together by hand, so that
each part of one can be made wrong. Keys and names are invented; nothing here is a real facility's."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{DS}enveloped-signature"
SHA256, SHA1 = "http://www.w3.org/2001/04/xmlenc#sha256", f"{DS}sha1"
RSA_SHA256, RSA_SHA1 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", f"{DS}rsa-sha1"
KEY_INFO = "KI"


@dataclass(frozen=True)
class Signer:
    """A key with its certificate and the certificates behind it."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    def pem(self, path: Path) -> str:
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return str(path)


def make_signer(
    name: str,
    issuer: Signer | None = None,
    *,
    authority: bool = False,
    begins: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    ends: datetime = datetime(2029, 1, 1, tzinfo=UTC),
    bits: int = 2048,
) -> Signer:
    """A certificate of `issuer`, or a self-signed one."""
    key = rsa.generate_private_key(65537, bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by, with_key = (issuer.certificate.subject, issuer.key) if issuer else (subject, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(with_key.public_key()), critical=False)
    )
    if authority:
        usage = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                               "key_agreement", "encipher_only", "decipher_only"), False)  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
    chain = (issuer.certificate, *issuer.chain) if issuer else ()
    return Signer(key, builder.sign(with_key, hashes.SHA256()), chain)


@cache
def authority() -> Signer:
    return make_signer("CA Mẫu", authority=True)


@cache
def facility() -> Signer:
    return make_signer("Bệnh viện Mẫu", authority())


@cache
def other_authority() -> Signer:
    return make_signer("CA Khác", authority=True)


def canonical(element: Any) -> bytes:
    """In the namespaces of its place: lxml misplaces inherited ones when it is asked for a part of a tree."""
    alone = etree.fromstring(etree.tostring(element, encoding="utf-8", with_tail=False))
    return bytes(etree.tostring(alone, method="c14n"))


def sign(
    document: bytes,
    signer: Signer,
    *,
    uris: tuple[str, ...] = ("#g1",),
    transforms: tuple[str, ...] = (C14N,),
    digest: str = SHA256,
    method: str = RSA_SHA256,
    c14n: str = C14N,
    of_key_info: tuple[str, ...] = (C14N,),
    with_certificate: bool = True,
) -> bytes:
    """The document with a signature in its CHUKYDONVI, over `uris` and over KeyInfo, as these papers have it. `""`
    as a URI signs the whole document."""
    root = etree.fromstring(document)
    block = root.find(".//{*}CHUKYDONVI")
    assert block is not None
    certificates = "".join(
        f"<X509Certificate>{b64encode(one.public_bytes(serialization.Encoding.DER)).decode()}</X509Certificate>"
        for one in (signer.certificate, *signer.chain)
    )
    data = f"<X509Data>{certificates}</X509Data>" if with_certificate else "<KeyName>khoa</KeyName>"
    references = "".join(_reference(uri, transforms, digest) for uri in uris)
    references += _reference(f"#{KEY_INFO}", of_key_info, digest)
    signature = etree.fromstring(
        f'<Signature xmlns="{DS}"><SignedInfo><CanonicalizationMethod Algorithm="{c14n}"/>'
        f'<SignatureMethod Algorithm="{method}"/>{references}</SignedInfo><SignatureValue/>'
        f'<KeyInfo Id="{KEY_INFO}">{data}</KeyInfo></Signature>'
    )
    contents = {uri: _content(root, uri) for uri in uris}  # before the signature is there: an enveloped one is left out
    block.append(signature)
    contents[f"#{KEY_INFO}"] = canonical(signature.find(f"{{{DS}}}KeyInfo"))
    for reference in signature.iter(f"{{{DS}}}Reference"):
        made = (sha1 if digest == SHA1 else sha256)(contents[reference.get("URI")]).digest()
        reference.find(f"{{{DS}}}DigestValue").text = b64encode(made).decode()
    algorithm = hashes.SHA1() if method == RSA_SHA1 else hashes.SHA256()
    made = signer.key.sign(canonical(signature[0]), padding.PKCS1v15(), algorithm)
    signature[1].text = b64encode(made).decode()
    return bytes(etree.tostring(root, encoding="UTF-8"))


def _reference(uri: str, transforms: tuple[str, ...], digest: str) -> str:
    inside = "".join(f'<Transform Algorithm="{name}"/>' for name in transforms)
    chosen = f"<Transforms>{inside}</Transforms>" if inside else ""
    return f'<Reference URI="{uri}">{chosen}<DigestMethod Algorithm="{digest}"/><DigestValue/></Reference>'


def _content(root: Any, uri: str) -> bytes:
    if not uri.startswith("#"):
        return canonical(root)
    (found,) = root.xpath("//*[@Id = $name]", name=uri[1:]) or [root]
    return canonical(found)


def xmlsec1_accepts(path: Path, document: bytes, trust: str, node: str) -> bool:
    """Whether the xmlsec1 program verifies the first signature; `node` is the name of elements whose Id counts."""
    path.write_bytes(document)
    command = ["xmlsec1", "--verify", "--id-attr:Id", node, "--id-attr:Id", f"{DS}:KeyInfo", "--trusted-pem", trust,
               "--verification-time", "2026-11-21 12:00:00", str(path)]  # fmt: skip
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
