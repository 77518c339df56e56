"""The key that seals dossiers: a PEM file in development, a PKCS#11 device in production."""

from __future__ import annotations

from typing import Any, Protocol

from cryptography.x509 import Certificate


class SigningKey(Protocol):
    """Entry point group `gateway.signing`."""

    @property
    def private_key(self) -> Any:
        """An object with cryptography's private-key interface (`sign`): ECDSA P-256 or RSA of 2048 bits or more."""
        ...

    @property
    def certificates(self) -> list[Certificate]:
        """Signing certificate first, then its chain."""
        ...
