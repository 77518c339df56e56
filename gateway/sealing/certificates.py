"""Judging a signer's certificate: is its key strong enough, and does somebody we trust vouch for it?"""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import verification

_READS = (
    x509.Certificate.public_key,
    lambda certificate: certificate.subject.rfc4514_string(),
    lambda certificate: certificate.extensions,
    lambda certificate: (certificate.not_valid_before_utc, certificate.not_valid_after_utc),
)


def read_certificates(ders: list[bytes]) -> list[x509.Certificate]:
    """Certificates from DER, read far enough that later looks at them cannot fail. Raises ValueError."""
    certificates = []
    for der in ders:
        try:
            certificate = x509.load_der_x509_certificate(der)
            for read in _READS:
                read(certificate)
        except (ValueError, x509.InvalidVersion, x509.DuplicateExtension, UnsupportedAlgorithm) as error:
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
    """Whether the signer's certificate (first in `chain`) is itself trusted, or leads through the rest of the chain to
    a trusted authority, as of `at`. Revocation is not looked up: that needs the network and is the reader's to ask."""
    if chain[0] in trust:
        return True
    if at is None or not trust:
        return False
    # Document signing certificates carry none of the names and usages that web policies demand; authorities must still
    # say that they are authorities.
    anyone = verification.ExtensionPolicy.permit_all()
    authority = anyone.require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, None)
    builder = verification.PolicyBuilder().store(verification.Store(trust)).time(at)
    verifier = builder.extension_policies(ca_policy=authority, ee_policy=anyone).build_client_verifier()
    try:
        verifier.verify(chain[0], chain[1:])
    except verification.VerificationError:
        return False
    return True
