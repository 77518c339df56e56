"""Seal a dossier: an enveloped XAdES-B-B signature (ETSI EN 319 132-1) over the whole document.

SHA-256 with ECDSA P-256 or RSA of 2048 bits or more. Canonical XML 1.1, not the exclusive form: with that one signxml
made signatures that other tools refuse. Three references are signed: the document, the signed properties (claimed time,
certificate digest) and the certificate. Everything a signature adds is fixed by document, key and time, except the
random number inside ECDSA; so its few lines are written here in their canonical form instead of being built as a tree
and canonicalised five times over, which took most of the time of a seal. Tests hold it byte for byte against signxml's.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from lxml import etree

from gateway.errors import SettingsError, UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, parse_xml
from gateway.ports.signing import SigningKey
from gateway.sealing.dossier_xml import NAMESPACE

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
C14N = "http://www.w3.org/2006/12/xml-c14n11"
ENVELOPED = f"{DS}enveloped-signature"

_DESCRIPTION = "Hồ sơ hộ tịch điện tử (urn:vn:hotich:1)"
_ID = "SignXMLSignature1"
_END = b"</dossier>"
_SHA256 = '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
_METHODS = {
    "ecdsa": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "rsa": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
}


def sign(xml: bytes, signing_key: SigningKey, at: datetime) -> bytes:
    """`xml` with an enveloped signature as its last element, in canonical form. `at` is the claimed time, aware.

    Raises SettingsError for a key that is too weak or of another kind, UnreadableMessage when `xml` is not XML or not a
    dossier.
    """
    key, certificates = signing_key.private_key, signing_key.certificates
    method = _method(key)
    document = _canonical(xml)
    key_info = _key_info(certificates)
    properties = _signed_properties(certificates, at)
    signed_info = _signed_info(method, document, properties, key_info)
    value = b64encode(_signature(method, key, standing_alone(signed_info))).decode("ascii")
    signature = (
        f'<ds:Signature xmlns:ds="{DS}" xmlns:xades="{XADES}" Id="{_ID}">{signed_info}'
        f"<ds:SignatureValue>{value}</ds:SignatureValue>{key_info}<ds:Object>"
        f'<xades:QualifyingProperties Target="#{_ID}">{properties}</xades:QualifyingProperties>'
        "</ds:Object></ds:Signature>"
    )
    return b"".join((document.removesuffix(_END), signature.encode(), _END))


def standing_alone(element: str) -> bytes:
    """The canonical form of an element of the signature taken by itself: it then repeats the namespaces that its
    ancestors declare (Canonical XML 1.1 section 2.3), before its attributes."""
    stop = min(place for place in (element.find(" "), element.find(">")) if place > 0)
    names = f' xmlns="{NAMESPACE}" xmlns:ds="{DS}" xmlns:xades="{XADES}"'
    return f"{element[:stop]}{names}{element[stop:]}".encode()


def _canonical(xml: bytes) -> bytes:
    root: XmlElement = parse_xml(xml)
    if root.tag != f"{{{NAMESPACE}}}dossier" or root.nsmap != {None: NAMESPACE}:
        raise UnreadableMessage("dossier.not_valid", "/", "the document is not a dossier of urn:vn:hotich:1")
    canonical: bytes = etree.tostring(root, method="c14n", with_comments=False)
    return canonical


def _method(key: Any) -> str:
    """The algorithm for a key. Keys on devices are of these classes too (adapters.signing.pkcs11)."""
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "rsa"
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return "ecdsa"
    raise SettingsError("signing.key_weak", "dossiers are signed with ECDSA P-256 or RSA of 2048 bits or more")


def _signature(method: str, key: Any, content: bytes) -> bytes:
    if method == "rsa":
        signed: bytes = key.sign(content, padding.PKCS1v15(), hashes.SHA256())
        return signed
    r, s = decode_dss_signature(key.sign(content, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")  # XMLDSIG 1.1 section 6.4.3


def _digest(content: bytes) -> str:
    value = b64encode(sha256(content).digest()).decode("ascii")
    return f"{_SHA256}<ds:DigestValue>{value}</ds:DigestValue>"


def _key_info(certificates: list[Certificate]) -> str:
    texts = []
    for certificate in certificates:
        lines = certificate.public_bytes(Encoding.PEM).decode("ascii").splitlines(keepends=True)
        texts.append(f"<ds:X509Certificate>{''.join(lines[1:-1])}</ds:X509Certificate>")
    return f'<ds:KeyInfo Id="SignXMLCertificate1"><ds:X509Data>{"".join(texts)}</ds:X509Data></ds:KeyInfo>'


def _signed_properties(certificates: list[Certificate], at: datetime) -> str:
    digests = "".join(
        f"<xades:Cert><xades:CertDigest>{_digest(certificate.public_bytes(Encoding.DER))}"
        "</xades:CertDigest></xades:Cert>"
        for certificate in certificates
    )
    return (
        f'<xades:SignedProperties Id="{_ID}-SignedProperties1"><xades:SignedSignatureProperties>'
        f"<xades:SigningTime>{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</xades:SigningTime>"
        f"<xades:SigningCertificateV2>{digests}</xades:SigningCertificateV2></xades:SignedSignatureProperties>"
        '<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#SignXMLReference1">'
        f"<xades:Description>{_DESCRIPTION}</xades:Description><xades:MimeType>text/xml</xades:MimeType>"
        "</xades:DataObjectFormat></xades:SignedDataObjectProperties></xades:SignedProperties>"
    )


def _signed_info(method: str, document: bytes, properties: str, key_info: str) -> str:
    return (
        f'<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{_METHODS[method]}"></ds:SignatureMethod>'
        f'<ds:Reference Id="SignXMLReference1" URI=""><ds:Transforms><ds:Transform Algorithm="{ENVELOPED}">'
        f'</ds:Transform><ds:Transform Algorithm="{C14N}"></ds:Transform></ds:Transforms>{_digest(document)}'
        f'</ds:Reference><ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" '
        f'URI="#{_ID}-SignedProperties1">{_digest(standing_alone(properties))}</ds:Reference>'
        f'<ds:Reference URI="#SignXMLCertificate1">{_digest(standing_alone(key_info))}</ds:Reference></ds:SignedInfo>'
    )
