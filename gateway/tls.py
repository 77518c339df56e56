"""TLS for listeners: server contexts from PEM files, 1.2 or later, with client certificates where an authority is
named. Whoever presents an expired certificate, or one of another authority, does not get past the handshake."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from gateway.errors import SettingsError
from gateway.ports.hospital import Origin


def server_context(
    way: str, certificate: Path | None, key: Path | None, client_ca: Path | None, *, required: bool
) -> ssl.SSLContext | None:
    """The context of one way in, None without a certificate. `way` is what its settings' names begin with; `required`:
    without a client certificate there is no connection. Raises SettingsError naming the setting."""
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # A key with a passphrase would make OpenSSL ask at the terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ValueError) as error:
        words = f"{way}_tls_certificate, {way}_tls_key: {certificate}{f', {key}' if key else ''}: {_reason(error)}"
        raise SettingsError("settings.tls_unusable", words) from error
    if client_ca is not None:
        try:
            context.load_verify_locations(client_ca)
        except (OSError, ValueError) as error:
            words = f"{way}_tls_client_ca: {client_ca}: {_reason(error)}"
            raise SettingsError("settings.tls_unusable", words) from error
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context


def _reason(error: Exception) -> str:
    """What is wrong with a PEM file; OpenSSL's own words when it has some."""
    if isinstance(error, ssl.SSLError):
        return f"not a certificate with its key in PEM without a passphrase ({error.reason or 'unreadable'})"
    return (error.strerror if isinstance(error, OSError) else None) or "unreadable"


def origin_of(address: str, ssl_object: Any) -> Origin:
    """Where a connection comes from. `ssl_object` is the transport's, None without TLS."""
    presented = ssl_object.getpeercert(binary_form=True) if ssl_object is not None else None
    if not presented:
        return Origin(address)
    names = x509.load_der_x509_certificate(presented).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    subject = str(names[0].value) if len(names) == 1 else ""
    return Origin(address, hashlib.sha256(presented).hexdigest(), subject)
