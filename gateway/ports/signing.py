"""What seals dossiers: a key (PEM file in development, PKCS#11 device in production) and, if wanted, the time."""

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


class TimestampAuthority(Protocol):
    """Entry point group `gateway.signing`: an authority that vouches for the time (RFC 3161)."""

    name: str

    def timestamp(self, digest: bytes) -> bytes:
        """A TimeStampToken (DER, RFC 3161 section 2.4.2) over a SHA-256 digest. Raises Unreachable, Refused,
        Misconfigured or Misunderstood."""
        ...
