"""Certificates made for a test: an authority, and what it signs for servers and clients."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Issued:
    """A certificate with its key in one PEM file, and its SHA-256 fingerprint as people read it."""

    file: Path
    fingerprint: str


class Authority:
    """A certificate authority; `file` is its own certificate."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory, self.name = directory, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(name, self.key, 3650, authority=True)
        self.file = directory / f"{name}-ca.pem"
        self.file.write_bytes(self.certificate.public_bytes(_PEM))

    def issue(self, common_name: str, days: int = 10) -> Issued:
        """A certificate for localhost and 127.0.0.1, valid from long ago; negative `days`: expired so long ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(common_name, key, days, authority=False)
        file = self.directory / f"{self.name}-{common_name}-{days}.pem"
        private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(private + certificate.public_bytes(_PEM))
        return Issued(file, certificate.fingerprint(hashes.SHA256()).hex(":").upper())

    def _sign(
        self, common_name: str, key: ec.EllipticCurvePrivateKey, days: int, *, authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        usage = x509.KeyUsage(True, False, False, False, False, authority, authority, False, False)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(common_name)).issuer_name(_name(self.name)).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )  # fmt: skip


def client_context(trusted: Authority, shown: Issued | None = None) -> ssl.SSLContext:
    """What a client trusts, and the certificate it presents."""
    context = ssl.create_default_context(cafile=str(trusted.file))
    if shown is not None:
        context.load_cert_chain(shown.file)
    return context


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
