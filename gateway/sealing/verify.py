"""Is this sealed dossier what was signed, by whom, and does that signer count?

"Intact" is strict: the bytes are in the canonical form they were sealed in, hold exactly one signature in exactly the
shape `xades.sign` makes, and every digest and the signature hold. So no byte can change unnoticed, not even one that
Canonical XML would forgive, and a signature moved around other content (wrapping) is refused. Trust and the
certificate's dates are told apart from intactness: an intact dossier may be sealed by a stranger.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.util import namespaces
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, parse_xml
from gateway.sealing.certificates import is_trusted, read_certificates, weakness
from gateway.sealing.dossier_xml import NAMESPACE, parse_dossier
from gateway.sealing.report import Report
from gateway.sealing.xades import silence_content_logging

_SIGNATURE = f"{{{namespaces.ds}}}Signature"
_XADES = f"{{{namespaces.xades}}}"
_SHAPE = [f"{{{namespaces.ds}}}{name}" for name in ("SignedInfo", "SignatureValue", "KeyInfo", "Object")]
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_C14N = "http://www.w3.org/2006/12/xml-c14n11"


class _SealError(Exception):
    """A check failed; `code` is a key of report.PROBLEMS, `detail` a place or reason without any value."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def verify_dossier(xml: bytes, trust: Sequence[x509.Certificate] | None = None) -> Report:
    """Check a sealed dossier. `trust`: certificates of signers or of their issuers; None leaves trust open.

    Never raises for bad content: whatever is wrong is in the report.
    """
    silence_content_logging()
    try:
        root = _canonical_root(xml)
        signature = _the_signature(root)
        chain = _chain(signature)
        document = parse_dossier(_signed_bytes(xml, chain[0]))
    except _SealError as broken:
        return Report(intact=False, problem=broken.code, detail=broken.detail)
    except UnreadableMessage as error:
        return Report(intact=False, problem="form.not_a_dossier", detail=error.where)
    signed_at = _claimed_time(signature)
    trusted = None if trust is None else is_trusted(chain, list(trust), signed_at)
    return Report(
        intact=True,
        trusted=trusted,
        signer=chain[0].subject.rfc4514_string(),
        certificate_serial=f"{chain[0].serial_number:x}",
        valid_from=chain[0].not_valid_before_utc,
        valid_to=chain[0].not_valid_after_utc,
        signed_at=signed_at,
        problem=_certificate_problem(chain[0], signed_at, trusted),
        document=document,
    )


def _canonical_root(xml: bytes) -> XmlElement:
    try:
        root: Any = parse_xml(xml)
    except UnreadableMessage as error:
        raise _SealError("xml.unreadable", error.where) from None
    try:
        canonical = etree.tostring(root.getroottree(), method="c14n", with_comments=False)
    except etree.C14NError:  # e.g. a relative namespace name has no canonical form
        raise _SealError("form.not_canonical") from None
    if canonical != xml:
        raise _SealError("form.not_canonical")
    return root


def _the_signature(root: XmlElement) -> XmlElement:
    """The one signature, as last child of the dossier, in the shape that covers the whole document."""
    if root.tag != f"{{{NAMESPACE}}}dossier":
        raise _SealError("form.not_a_dossier", "/")
    signatures = list(root.iter(_SIGNATURE))
    if not signatures:
        raise _SealError("signature.absent")
    signature = signatures[0]
    if len(signatures) > 1 or signature.getparent() is not root or signature.getnext() is not None:
        raise _SealError("signature.shape", "Signature")
    if [child.tag for child in signature] != _SHAPE:
        raise _SealError("signature.shape", "Signature/*")
    _check_shape(signature)
    return signature


def _check_shape(signature: XmlElement) -> None:
    """Exactly the three references `xades.sign` makes, and no content that none of them covers."""
    signed_info, value, key_info, holder = signature
    if len(holder) != 1 or len(holder[0]) != 1 or holder[0][0].tag != f"{_XADES}SignedProperties":
        raise _SealError("signature.shape", "Object")
    qualifying, properties = holder[0], holder[0][0]
    references = list(signed_info.iterfind("{*}Reference"))
    expected = ["", f"#{properties.get('Id')}", f"#{key_info.get('Id')}"]
    if [reference.get("URI") for reference in references] != expected:
        raise _SealError("signature.shape", "Reference/@URI")
    transforms = [[node.get("Algorithm") for node in reference.iter("{*}Transform")] for reference in references]
    if transforms != [[_ENVELOPED, _C14N], [], []]:
        raise _SealError("signature.shape", "Transform")
    own = signature.get("Id")
    bare = {holder: {}, value: {}, signature: {"Id": own}, qualifying: {"Target": f"#{own}"}}
    if any(dict(node.attrib) != attributes for node, attributes in bare.items()):
        raise _SealError("signature.shape", "@*")
    between = [node.text for node in (signature, holder, qualifying)]
    between += [node.tail for node in (*signature, qualifying, properties)]
    if any(between) or len(value) or not _is_plain_base64(value.text or ""):
        raise _SealError("signature.shape", "text()")


def _is_plain_base64(text: str) -> bool:
    """Whether `text` is the one spelling of its bytes: no white space, no stray bits before the padding."""
    try:
        return b64encode(b64decode(text, validate=True)).decode("ascii") == text
    except (binascii.Error, ValueError):
        return False


def _chain(signature: XmlElement) -> list[x509.Certificate]:
    """The certificates in KeyInfo, the signer's first. Their digest is compared before anything reads them."""
    signed_info, _, key_info, _ = signature
    claimed = signed_info.findall("{*}Reference")[2].findtext("{*}DigestValue") or ""
    if b64encode(sha256(etree.tostring(key_info, method="c14n")).digest()).decode("ascii") != claimed:
        raise _SealError("signature.broken", "KeyInfo")
    try:
        ders = [b64decode(node.text or "") for node in key_info.iterfind("{*}X509Data/{*}X509Certificate")]
        chain = read_certificates(ders)
    except ValueError:
        raise _SealError("signature.shape", "X509Certificate") from None
    if not chain:
        raise _SealError("signature.shape", "X509Certificate")
    return chain


def _signed_bytes(xml: bytes, certificate: x509.Certificate) -> bytes:
    """Check the signature with signxml; the canonical bytes of the document it covers."""
    if reason := weakness(certificate):
        raise _SealError("certificate.weak", reason)
    expected = XAdESSignatureConfiguration(
        location="./",
        expect_references=3,
        signature_methods=frozenset({SignatureMethod.ECDSA_SHA256, SignatureMethod.RSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
        verification_time=certificate.not_valid_before_utc,  # the dates are judged apart, in _certificate_problem
    )
    try:
        results = XAdESVerifier().verify(xml, x509_cert=certificate, expect_config=expected)
    except (SignXMLException, etree.LxmlError, ValueError, KeyError, AttributeError, TypeError) as error:
        # signxml meets malformed signatures with these; every one of them means the signature does not hold.
        raise _SealError("signature.broken", type(error).__name__) from None
    return results[0].signed_data


def _claimed_time(signature: XmlElement) -> datetime | None:
    text = signature.findtext(f".//{_XADES}SigningTime")
    try:
        claimed = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return claimed if claimed.tzinfo else claimed.replace(tzinfo=UTC)


def _certificate_problem(certificate: x509.Certificate, signed_at: datetime | None, trusted: bool | None) -> str:
    if signed_at is None or not certificate.not_valid_before_utc <= signed_at <= certificate.not_valid_after_utc:
        return "certificate.not_valid_then"
    return "certificate.not_trusted" if trusted is False else ""
