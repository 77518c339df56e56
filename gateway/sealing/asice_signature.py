"""META-INF/signatures0.xml of a container: one XAdES signature (ETSI EN 319 132-1, B-B level) over all its files.

Each file is an external reference with the SHA-256 of its bytes; the signed properties hold claimed time, digest of the
signer's certificate and media types. The XML has one form: `write` makes the same bytes of the same facts, so whoever
checks a signature reads the facts out of it and writes them again. Nothing can hide in what differs.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from gateway.errors import SettingsError, UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, parse_xml
from gateway.ports.signing import SigningKey
from gateway.sealing.asice_zip import ContentFile
from gateway.sealing.certificates import read_certificates, weakness

_ASIC, _DS, _XADES = (
    "http://uri.etsi.org/02918/v1.2.1#",
    "http://www.w3.org/2000/09/xmldsig#",
    "http://uri.etsi.org/01903/v1.3.2#",
)
_NAMESPACES = {"asic": _ASIC, "ds": _DS, "xades": _XADES}
_C14N = "http://www.w3.org/2006/12/xml-c14n11"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
_RSA = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_PROPERTIES_TYPE = "http://uri.etsi.org/01903#SignedProperties"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_P256_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedFile:
    """What a signature says of one file."""

    name: str
    media_type: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Signature:
    """The facts of a signature. `certificates`: the signer's first, then its chain; `value` as in ds:SignatureValue."""

    files: tuple[SignedFile, ...]
    certificates: tuple[x509.Certificate, ...]
    at: datetime
    value: bytes = b""


def sign_files(files: Sequence[ContentFile], key: SigningKey, at: datetime) -> bytes:
    """signatures0.xml over the files. `at` is the claimed time, aware, kept to the second. Raises SettingsError for a
    key that is weaker than ECDSA P-256 or RSA of 2048 bits."""
    signed = tuple(SignedFile(file.name, file.media_type, sha256(file.content).digest()) for file in files)
    signature = Signature(signed, tuple(key.certificates), at.astimezone(UTC).replace(microsecond=0))
    if weakness(signature.certificates[0]):
        raise SettingsError("signing.key_weak", "containers are signed with ECDSA P-256 or RSA of 2048 bits or more")
    info = _canonical(_tree(signature)[0][0])
    if not _is_rsa(signature):
        r, s = decode_dss_signature(key.private_key.sign(info, ec.ECDSA(hashes.SHA256())))
        value = r.to_bytes(_P256_BYTES, "big") + s.to_bytes(_P256_BYTES, "big")
    else:
        value = key.private_key.sign(info, padding.PKCS1v15(), hashes.SHA256())
    return write(replace(signature, value=value))


def write(signature: Signature) -> bytes:
    """The signature as canonical XML."""
    return _canonical(_tree(signature))


def holds(signature: Signature) -> bool:
    """Whether the signature's value is the certificate's key over these facts."""
    info, key = _canonical(_tree(signature)[0][0]), signature.certificates[0].public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature.value, info, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey) and len(signature.value) == 2 * _P256_BYTES:
            r, s = (int.from_bytes(half, "big") for half in _halves(signature.value))
            key.verify(encode_dss_signature(r, s), info, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def read(xml: bytes) -> Signature:
    """The facts of signatures0.xml. Raises UnreadableMessage `asice.signature_form` when it is not exactly what
    `write` makes of them. Whether the signature holds is another question."""
    try:
        signature = _read(parse_xml(xml))
        if write(signature) == xml:
            return signature
    except (UnreadableMessage, ValueError, TypeError, IndexError, etree.LxmlError):
        pass  # whatever is missing or odd: it is not what we write
    raise UnreadableMessage("asice.signature_form", "META-INF/signatures0.xml", "not a signature this gateway writes")


def _halves(value: bytes) -> tuple[bytes, bytes]:
    return value[:_P256_BYTES], value[_P256_BYTES:]


def _is_rsa(signature: Signature) -> bool:
    return isinstance(signature.certificates[0].public_key(), rsa.RSAPublicKey)


def _canonical(element: XmlElement) -> bytes:
    written: bytes = etree.tostring(element, method="c14n")
    return written


def _add(parent: XmlElement, name: str, text: str | None = None, **attributes: str) -> XmlElement:
    prefix, local = name.split(":")
    element = etree.SubElement(parent, f"{{{_NAMESPACES[prefix]}}}{local}", attributes)
    element.text = text
    return element


def _tree(signature: Signature) -> XmlElement:
    """The document; its first child's first child is ds:SignedInfo."""
    root: XmlElement = etree.Element(f"{{{_ASIC}}}XAdESSignatures", nsmap=_NAMESPACES)
    parent = _add(root, "ds:Signature", Id="signature-0")
    info = _add(parent, "ds:SignedInfo")
    _add(parent, "ds:SignatureValue", b64encode(signature.value).decode())
    data = _add(_add(parent, "ds:KeyInfo"), "ds:X509Data")
    for certificate in signature.certificates:
        _add(data, "ds:X509Certificate", b64encode(certificate.public_bytes(Encoding.DER)).decode())
    _write_references(info, signature, _write_properties(_add(parent, "ds:Object"), signature))
    return root


def _write_properties(holder: XmlElement, signature: Signature) -> bytes:
    """The signed properties; their digest."""
    qualifying = _add(holder, "xades:QualifyingProperties", Target="#signature-0")
    properties = _add(qualifying, "xades:SignedProperties", Id="properties-0")
    own = _add(properties, "xades:SignedSignatureProperties")
    _add(own, "xades:SigningTime", signature.at.strftime(_TIME))
    certificate = _add(_add(own, "xades:SigningCertificateV2"), "xades:Cert")
    _write_digest(
        _add(certificate, "xades:CertDigest"), sha256(signature.certificates[0].public_bytes(Encoding.DER)).digest()
    )
    data = _add(properties, "xades:SignedDataObjectProperties")
    for number, file in enumerate(signature.files):
        described = _add(data, "xades:DataObjectFormat", ObjectReference=f"#file-{number}")
        _add(described, "xades:MimeType", file.media_type)
    return sha256(_canonical(properties)).digest()


def _write_references(info: XmlElement, signature: Signature, properties_digest: bytes) -> None:
    _add(info, "ds:CanonicalizationMethod", Algorithm=_C14N)
    _add(info, "ds:SignatureMethod", Algorithm=_RSA if _is_rsa(signature) else _ECDSA)
    for number, file in enumerate(signature.files):
        _write_digest(_add(info, "ds:Reference", Id=f"file-{number}", URI=quote(file.name)), file.digest)
    reference = _add(info, "ds:Reference", Type=_PROPERTIES_TYPE, URI="#properties-0")
    _add(_add(reference, "ds:Transforms"), "ds:Transform", Algorithm=_C14N)
    _write_digest(reference, properties_digest)


def _write_digest(parent: XmlElement, digest: bytes) -> None:
    _add(parent, "ds:DigestMethod", Algorithm=_SHA256)
    _add(parent, "ds:DigestValue", b64encode(digest).decode())


def _read(root: Any) -> Signature:
    references = root.findall(".//{*}SignedInfo/{*}Reference")[:-1]
    types = root.findall(".//{*}DataObjectFormat/{*}MimeType")
    files = tuple(
        SignedFile(unquote(reference.get("URI", "")), media.text or "", b64decode(reference.findtext("{*}DigestValue")))
        for reference, media in zip(references, types, strict=True)
    )
    ders = [b64decode(node.text or "") for node in root.iterfind(".//{*}X509Certificate")]
    certificates = tuple(read_certificates(ders))
    at = datetime.strptime(root.findtext(".//{*}SigningTime") or "", _TIME).replace(tzinfo=UTC)
    return Signature(files, certificates, at, b64decode(root.findtext(".//{*}SignatureValue") or ""))
