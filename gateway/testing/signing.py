"""A signing key to test with, made in memory, and the contract every signing key must keep."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from gateway.ports.signing import SigningKey
from gateway.sealing.verify import verify_dossier
from gateway.sealing.xades import sign
from gateway.testing.dossiers import AT, sample_dossier_xml


class FakeSigningKey:
    """ports.signing.SigningKey made in memory: ECDSA P-256, or the private key given; self-signed, or issued by
    `issuer`. Its certificate has `extensions`, critical, and is valid for a year on both sides of `at`."""

    def __init__(
        self,
        private_key: Any = None,
        *,
        name: str = "Khoa thu nghiem",
        at: datetime = AT,
        issuer: FakeSigningKey | None = None,
        authority: bool = False,
        extensions: Iterable[x509.ExtensionType] = (),
    ) -> None:
        self.private_key: Any = private_key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(
            issuer.certificates[0].subject if issuer else subject,
            subject,
            self.private_key.public_key(),
            x509.random_serial_number(),
            at - timedelta(days=365),
            at + timedelta(days=365),
        ).add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        certificate = builder.sign((issuer or self).private_key, hashes.SHA256())
        self.certificates: list[x509.Certificate] = [certificate, *(issuer.certificates if issuer else [])]


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """One RSA key of 2048 bits for the whole run: making one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class SigningContract:
    """What every signing key promises. Subclass in a test module and say how to make the key."""

    def make_key(self) -> SigningKey:
        raise NotImplementedError

    def test_the_first_certificate_is_of_the_key(self) -> None:
        key = self.make_key()
        assert key.certificates[0].public_key() == key.private_key.public_key()

    def test_what_it_seals_verifies(self) -> None:
        key = self.make_key()
        at = max(key.certificates[0].not_valid_before_utc + timedelta(seconds=1), AT).astimezone(UTC)
        report = verify_dossier(sign(sample_dossier_xml(), key, at), key.certificates)
        assert report.ok, report.words("en")

    def test_threads_that_seal_at_once_all_get_seals_that_verify(self) -> None:
        key = self.make_key()
        at = max(key.certificates[0].not_valid_before_utc + timedelta(seconds=1), AT).astimezone(UTC)
        with ThreadPoolExecutor(4) as threads:
            sealed = list(threads.map(lambda _: sign(sample_dossier_xml(), key, at), range(12)))
        assert all(verify_dossier(xml, key.certificates).ok for xml in sealed)

    def test_asking_again_gives_the_same_certificates(self) -> None:
        key = self.make_key()
        assert key.certificates == key.certificates
