"""Judging a signer's certificate: is its key strong enough, and does somebody we trust vouch for it?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import verification

_READS = (
    x509.Certificate.public_key,
    lambda certificate: certificate.subject.rfc4514_string(),
    lambda certificate: certificate.extensions,
    lambda certificate: certificate.serial_number,
    lambda certificate: (certificate.not_valid_before_utc, certificate.not_valid_after_utc),
)
_UNUSABLE = (
    ValueError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    UnsupportedAlgorithm,
    CryptographyDeprecationWarning,  # where warnings are errors: what is no certificate by RFC 5280
)


def read_certificates(ders: list[bytes]) -> list[x509.Certificate]:
    """Certificates from DER, read far enough that later looks at them cannot fail. Raises ValueError."""
    certificates = []
    for der in ders:
        try:
            certificate = x509.load_der_x509_certificate(der)
            for read in _READS:
                read(certificate)
        except _UNUSABLE as error:
            raise ValueError("not a usable certificate") from error
        certificates.append(certificate)
    return certificates


def weakness(certificate: x509.Certificate) -> str:
    """Why the key is not acceptable; "" for ECDSA P-256 and RSA of 2048 bits or more."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "" if key.key_size >= 2048 else f"RSA of {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "" if isinstance(key.curve, ec.SECP256R1) else f"curve {key.curve.name}"
    return "neither RSA nor ECDSA"


def is_trusted(chain: list[x509.Certificate], trust: list[x509.Certificate], at: datetime | None) -> bool:
    """Whether `trust_anchor` finds somebody who vouches for the signer."""
    return trust_anchor(chain, trust, at) is not None


def trust_anchor(
    chain: list[x509.Certificate], trust: list[x509.Certificate], at: datetime | None
) -> x509.Certificate | None:
    """Who of `trust` vouches for the signer's certificate (first in `chain`) as of `at`: the certificate itself, or an
    authority it leads to through the rest of the chain. Revocation is not looked up: that needs the network and is the
    reader's to ask."""
    if chain[0] in trust:
        return chain[0]
    if at is None or not trust:
        return None
    # Document signing certificates carry none of the names and usages that web policies demand; authorities must still
    # say that they are authorities.
    anyone = verification.ExtensionPolicy.permit_all()
    authority = anyone.require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, None)
    builder = verification.PolicyBuilder().store(verification.Store(trust)).time(at)
    verifier = builder.extension_policies(ca_policy=authority, ee_policy=anyone).build_client_verifier()
    try:
        return verifier.verify(chain[0], chain[1:]).chain[-1]
    except verification.VerificationError:
        return None


def was_valid(certificate: x509.Certificate, at: datetime) -> bool:
    """Whether `at` lies within the certificate's dates."""
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def days_left(certificate: x509.Certificate, at: datetime) -> int:
    """Whole days until the certificate ends; negative once it has."""
    return (certificate.not_valid_after_utc - at).days


def issued(above: x509.Certificate, below: x509.Certificate) -> bool:
    """Whether `above` signed `below`: name and signature; two authorities may have one name."""
    try:
        below.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def chain_problem(certificates: Sequence[x509.Certificate], at: datetime) -> str:
    """Why these certificates, signer first, are none to sign with at `at`; "" when they are. Dates are the signer's
    alone to judge (`was_valid`), except that no authority above may have ended."""
    try:
        usage = certificates[0].extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        return "its key usage allows no signatures (digitalSignature or nonRepudiation)"
    for below, above in pairwise(certificates):
        if not issued(above, below):
            return f"certificate {certificates.index(above) + 1} did not issue the one before it; put the signer first"
        if not was_valid(above, at):
            return f"the authority's certificate {certificates.index(above) + 1} is not valid today"
    return ""
