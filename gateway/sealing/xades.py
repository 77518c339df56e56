"""Seal a dossier: an enveloped XAdES-B-B signature (ETSI EN 319 132-1) over the whole document.

SHA-256 with ECDSA P-256 or RSA of 2048 bits or more. Canonical XML 1.1, not the exclusive form: with that one signxml
made signatures that other tools refuse. Three references are signed: the document, the signed properties (claimed time,
certificate digest) and the certificate. Everything a signature adds is fixed by document, key and time, except the
random number inside ECDSA.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.util import namespaces
from signxml.xades.xades import XAdESDataObjectFormat, XAdESSigner

from gateway.errors import SettingsError
from gateway.mapping.safe_xml import XmlElement, parse_xml
from gateway.ports.signing import SigningKey

_FORMAT = XAdESDataObjectFormat(Description="Hồ sơ hộ tịch điện tử (urn:vn:hotich:1)", MimeType="text/xml")

_SIGNING_TIME = f"{{{namespaces.xades}}}SigningTime"


class _DossierSigner(XAdESSigner):
    """signxml's signer with the time given from outside and fixed Ids: a dossier has exactly one signature."""

    def __init__(self, method: SignatureMethod, at: datetime) -> None:
        super().__init__(
            data_object_format=_FORMAT,
            signature_algorithm=method,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1,
        )
        self._at = at

    def _get_token(self, length: int = 4) -> str:
        return "1"

    def add_signing_time(self, signed_signature_properties: Any, sig_root: Any, signing_settings: Any) -> None:
        time = etree.SubElement(signed_signature_properties, _SIGNING_TIME, nsmap=self.namespaces)
        time.text = self._at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sign(xml: bytes, signing_key: SigningKey, at: datetime) -> bytes:
    """`xml` with an enveloped signature as its last element, in canonical form. `at` is the claimed time, aware.

    Raises SettingsError for a key that is too weak or of another kind, UnreadableMessage when `xml` is not XML.
    """
    signer = _DossierSigner(_method(signing_key.private_key), at)
    silence_content_logging()
    signed: XmlElement = signer.sign(
        parse_xml(xml), key=signing_key.private_key, cert=signing_key.certificates, always_add_key_value=False
    )
    sealed: bytes = etree.tostring(signed, method="c14n")
    return sealed


def _method(key: Any) -> SignatureMethod:
    """The algorithm for a key. Devices offer the key's interface without its class, so ask for what it can tell."""
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return SignatureMethod.RSA_SHA256
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return SignatureMethod.ECDSA_SHA256
    raise SettingsError("signing.key_weak", "dossiers are signed with ECDSA P-256 or RSA of 2048 bits or more")


def silence_content_logging() -> None:
    """signxml logs whole documents at debug level; they are persons' data and must not reach a log."""
    logging.getLogger("signxml.processor").disabled = True
