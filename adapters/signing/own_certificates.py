"""Our own signing certificate and its chain: read from PEM, and checked before anything is sealed with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from gateway.errors import SettingsError
from gateway.sealing.certificates import chain_problem, was_valid


def read_file(path: Path) -> bytes:
    """The file's bytes. Raises SettingsError naming it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError("signing.file_unreadable", f"{path} cannot be read: {error.strerror}") from error


def load_certificates(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file, in its order. Raises SettingsError."""
    try:
        return x509.load_pem_x509_certificates(read_file(path))
    except ValueError as error:
        raise SettingsError("signing.certificate_unreadable", f"{path} holds no PEM certificate") from error


def check_certificates(where: str, certificates: Sequence[x509.Certificate], public_key: Any, now: datetime) -> None:
    """Refuse to start with a certificate that no seal would count with. `where` names it for people.

    Raises SettingsError: it is of another key, not valid at `now`, not meant for signatures, or its chain is out of
    order, broken or has ended.
    """
    certificate = certificates[0]
    if certificate.public_key() != public_key:
        words = f"{where} is not the certificate of the signing key; name a key and its own certificate"
        raise SettingsError("signing.key_mismatch", words)
    if not was_valid(certificate, now):
        raise SettingsError(
            "signing.certificate_not_valid_now",
            f"{where} is valid from {certificate.not_valid_before_utc:%Y-%m-%d} to "
            f"{certificate.not_valid_after_utc:%Y-%m-%d}, not today; renew it",
        )
    if problem := chain_problem(certificates, now):
        raise SettingsError("signing.chain_broken", f"{where}: {problem}")
