"""Is this sealed dossier what was signed, by whom, and does that signer count?

"Intact" is strict: the bytes are in the canonical form they were sealed in, hold exactly one signature in exactly the
shape `xades.sign` makes, and every digest and the signature hold. So no byte can change unnoticed, not even one that
Canonical XML would forgive, and a signature moved around other content (wrapping) is refused. Trust and the
certificate's dates are told apart from intactness: an intact dossier may be sealed by a stranger.
"""

# The entry, for those who build on it (ASiC-E): verify_dossier(xml: bytes, trust: Sequence[Certificate] | None = None)
# -> Report. `trust` holds signers or their issuers and timestamp authorities' issuers alike; it never raises.

from __future__ import annotations

import logging
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import XmlElement
from gateway.sealing.certificates import is_trusted, read_certificates, trust_anchor, was_valid, weakness
from gateway.sealing.dossier_xml import parse_dossier
from gateway.sealing.report import Report, TimestampReport
from gateway.sealing.shape import SealBroken, canonical_root, the_signature
from gateway.sealing.timestamp import BrokenTimestamp, read_timestamp
from gateway.sealing.xades import XADES

_XADES = f"{{{XADES}}}"


def verify_dossier(xml: bytes, trust: Sequence[x509.Certificate] | None = None) -> Report:
    """Check a sealed dossier. `trust`: certificates of signers, of their issuers and of timestamp authorities' issuers,
    as many as there were over the years; None leaves trust open. The certificate is judged at the time of the timestamp
    where there is one that counts, else at the time the signer claims.

    Never raises for bad content: whatever is wrong is in the report.
    """
    silence_content_logging()
    try:
        root = canonical_root(xml)
        signature = the_signature(root)
        chain = _chain(signature)
        document = parse_dossier(_signed_bytes(xml, chain[0]))
    except SealBroken as broken:
        return Report(intact=False, problem=broken.code, detail=broken.detail)
    except UnreadableMessage as error:
        return Report(intact=False, problem="form.not_a_dossier", detail=error.where)
    stamp = _timestamp(signature, trust)
    claimed = _claimed_time(signature)
    judged_at = stamp.at if stamp is not None and stamp.counts else claimed
    anchor = None if trust is None else trust_anchor(chain, list(trust), judged_at)
    return Report(
        intact=True,
        trusted=None if trust is None else anchor is not None,
        signer=chain[0].subject.rfc4514_string(),
        certificate_serial=f"{chain[0].serial_number:x}",
        valid_from=chain[0].not_valid_before_utc,
        valid_to=chain[0].not_valid_after_utc,
        signed_at=claimed,
        problem=_problem(stamp, chain[0], judged_at, trust is None or anchor is not None),
        detail=stamp.detail if stamp else "",
        document=document,
        issuers=tuple(certificate.subject.rfc4514_string() for certificate in chain[1:]),
        trusted_by=anchor.subject.rfc4514_string() if anchor else "",
        timestamp=stamp,
    )


def silence_content_logging() -> None:
    """signxml logs whole documents at debug level; they are persons' data and must not reach a log."""
    logging.getLogger("signxml.processor").disabled = True


def _chain(signature: XmlElement) -> list[x509.Certificate]:
    """The certificates in KeyInfo, the signer's first. Their digest is compared before anything reads them."""
    signed_info, _, key_info, _ = signature
    claimed = signed_info.findall("{*}Reference")[2].findtext("{*}DigestValue") or ""
    if b64encode(sha256(etree.tostring(key_info, method="c14n")).digest()).decode("ascii") != claimed:
        raise SealBroken("signature.broken", "KeyInfo")
    try:
        ders = [b64decode(node.text or "") for node in key_info.iterfind("{*}X509Data/{*}X509Certificate")]
        chain = read_certificates(ders)
    except ValueError:
        raise SealBroken("signature.shape", "X509Certificate") from None
    if not chain:
        raise SealBroken("signature.shape", "X509Certificate")
    return chain


def _signed_bytes(xml: bytes, certificate: x509.Certificate) -> bytes:
    """Check the signature with signxml; the canonical bytes of the document it covers."""
    if reason := weakness(certificate):
        raise SealBroken("certificate.weak", reason)
    expected = XAdESSignatureConfiguration(
        location="./",
        expect_references=3,
        signature_methods=frozenset({SignatureMethod.ECDSA_SHA256, SignatureMethod.RSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
        verification_time=certificate.not_valid_before_utc,  # the dates are judged apart, in _problem
    )
    try:
        results = XAdESVerifier().verify(xml, x509_cert=certificate, expect_config=expected)
    except (SignXMLException, etree.LxmlError, ValueError, KeyError, AttributeError, TypeError) as error:
        # signxml meets malformed signatures with these; every one of them means the signature does not hold.
        raise SealBroken("signature.broken", type(error).__name__) from None
    return results[0].signed_data


def _claimed_time(signature: XmlElement) -> datetime | None:
    text = signature.findtext(f".//{_XADES}SigningTime")
    try:
        claimed = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return claimed if claimed.tzinfo else claimed.replace(tzinfo=UTC)


def _timestamp(signature: XmlElement, trust: Sequence[x509.Certificate] | None) -> TimestampReport | None:
    """What the seal's timestamp is worth; None without one."""
    text = signature.findtext(f".//{_XADES}EncapsulatedTimeStamp")
    if text is None:
        return None
    try:
        stamp = read_timestamp(b64decode(text))
    except BrokenTimestamp as error:
        return TimestampReport("broken", detail=str(error))
    digest = sha256(etree.tostring(signature[1], method="c14n", with_tail=False)).digest()
    return TimestampReport(
        "valid" if stamp.digest == digest else "other",
        at=stamp.at,
        authority=stamp.authority,
        serial=f"{stamp.serial:x}",
        policy=stamp.policy,
        trusted=None if trust is None else is_trusted(list(stamp.chain), list(trust), stamp.at),
    )


def _problem(
    stamp: TimestampReport | None, certificate: x509.Certificate, judged_at: datetime | None, trusted: bool
) -> str:
    if stamp is not None and stamp.state != "valid":
        return f"timestamp.{stamp.state}"
    if judged_at is None or not was_valid(certificate, judged_at):
        return "certificate.not_valid_then"
    return "" if trusted else "certificate.not_trusted"
