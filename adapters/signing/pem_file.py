"""Signing keys in PEM files: for development and for small offices without a signing device.

A production seal belongs on a device (PKCS#11); `create_development_key` makes a pair whose certificate says, in its
own subject, that nothing signed with it has legal value.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from adapters.signing.own_certificates import check_certificates, load_certificates, read_file
from gateway.errors import SettingsError
from gateway.ports.clock import Clock, SystemClock

DEVELOPMENT = "PHAT TRIEN - KHONG CO GIA TRI PHAP LY"  # "development, no legal value", the certificate's organisation


class PemFileKey:
    """A private key and its certificate (then its chain) in PEM files; see ports.signing.SigningKey.

    Raises SettingsError when a file is missing or unreadable, the two do not belong together, the certificate is not
    valid now or its chain is broken, or the key is weaker than ECDSA P-256 / RSA 2048.
    """

    def __init__(self, path_key: Path | str, path_cert: Path | str, clock: Clock | None = None) -> None:
        self.path_key, self.path_cert = Path(path_key), Path(path_cert)
        self._key = _load_key(self.path_key)
        self._certificates = load_certificates(self.path_cert)
        now = (clock or SystemClock()).now()
        check_certificates(str(self.path_cert), self._certificates, self._key.public_key(), now)

    @property
    def private_key(self) -> Any:
        return self._key

    @property
    def certificates(self) -> list[x509.Certificate]:
        return list(self._certificates)

    @property
    def development_only(self) -> bool:
        """Whether the certificate itself says that its signatures have no legal value."""
        return any(name.value == DEVELOPMENT for name in self._certificates[0].subject)


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(read_file(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError("signing.key_unreadable", f"{path} holds no PEM private key without a password") from error
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return key
    raise SettingsError("signing.key_weak", f"{path} must hold an ECDSA P-256 key or an RSA key of 2048 bits or more")


def create_development_key(directory: Path | str, common_name: str, clock: Clock | None = None) -> PemFileKey:
    """Make `signing-key.pem` and `signing-cert.pem` (both 0600) in `directory`, or load them when they are there.

    P-256, self-signed, ten years. An existing pair is never overwritten: dossiers in the field were signed with it.
    """
    directory = Path(directory)
    path_key, path_cert = directory / "signing-key.pem", directory / "signing-cert.pem"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone_in(directory):
        if not (path_key.exists() or path_cert.exists()):
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _self_signed(key, common_name, clock or SystemClock())
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            _write_private(path_key, pem)
            _write_private(path_cert, certificate.public_bytes(serialization.Encoding.PEM))
    return PemFileKey(path_key, path_cert, clock)


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Processes that start at once take turns: the second finds what the first made."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _self_signed(key: ec.EllipticCurvePrivateKey, common_name: str, clock: Clock) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )
    now = clock.now().replace(microsecond=0)
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    # A day of grace backwards: machines of one office do not agree on the time to the second.
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=3650))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    return builder.sign(key, hashes.SHA256())


def _write_private(path: Path, content: bytes) -> None:
    """Write a new file only its owner can read; O_EXCL, so that nothing is ever overwritten."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
