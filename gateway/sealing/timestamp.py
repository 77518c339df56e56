"""Timestamps on seals: XAdES-T, a SignatureTimeStamp (ETSI EN 319 132-1 section 5.3) from an authority (RFC 3161).

The authority signs the digest of ds:SignatureValue, in Canonical XML 1.1, together with its own time. So the signature
existed then, whatever clock its signer had. The token is an unsigned property: whoever takes it away leaves a seal with
a claimed time only, but nobody can put another time in.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.sealing.certificates import read_certificates
from gateway.sealing.xades import C14N, standing_alone

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_VALUE, _VALUE_END = b"<ds:SignatureValue>", b"</ds:SignatureValue>"
_PROPERTIES_END = b"</xades:QualifyingProperties>"


class BrokenTimestamp(ValueError):
    """Bytes that are no timestamp, or one that does not hold; the words say why and hold no value of it."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """What a token says, once its signature held. `digest` (SHA-256) is what was timestamped; `chain` the authority's
    certificate and those that came with it; nobody vouches for them yet. `at` is aware."""

    at: datetime
    digest: bytes
    nonce: int | None
    policy: str
    serial: int
    chain: tuple[x509.Certificate, ...]

    @property
    def authority(self) -> str:
        """The authority's name (RFC 4514)."""
        return self.chain[0].subject.rfc4514_string()


def signature_digest(sealed: bytes) -> bytes:
    """What a timestamp of a dossier sealed by `xades.sign` is over: SHA-256 of its canonical ds:SignatureValue."""
    start = sealed.rindex(_VALUE)
    value = sealed[start : sealed.index(_VALUE_END, start) + len(_VALUE_END)]
    return sha256(standing_alone(value.decode("ascii"))).digest()


def add_timestamp(sealed: bytes, token: bytes) -> bytes:
    """The sealed dossier with a token (DER) as its SignatureTimeStamp, still in canonical form."""
    before, end, after = sealed.rpartition(_PROPERTIES_END)
    text = (
        "<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:SignatureTimeStamp>"
        f'<ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>'
        f"<xades:EncapsulatedTimeStamp>{b64encode(token).decode('ascii')}</xades:EncapsulatedTimeStamp>"
        "</xades:SignatureTimeStamp></xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
    )
    return b"".join((before, text.encode("ascii"), end, after))


def read_timestamp(token: bytes) -> Timestamp:
    """Read a TimeStampToken (DER) and check everything in it that needs no trust: its form, its signature, that its
    certificate is an authority's (RFC 3161 section 2.3), the one the signature names, and was valid then.

    Raises BrokenTimestamp."""
    try:
        signed = _signed_data(token)
        info: Any = signed["encap_content_info"]["content"].parsed
        ders = [choice.chosen.dump() for choice in signed["certificates"] if choice.name == "certificate"]
        chain = _signer_first(read_certificates(ders), signed["signer_infos"][0])
        _check_signature(signed, chain[0])
        imprint = info["message_imprint"]
        if imprint["hash_algorithm"]["algorithm"].native != "sha256":
            raise BrokenTimestamp("imprint not SHA-256")
        stamp = Timestamp(
            at=info["gen_time"].native,
            digest=imprint["hashed_message"].native,
            nonce=info["nonce"].native,
            policy=info["policy"].dotted,
            serial=info["serial_number"].native,
            chain=chain,
        )
    except BrokenTimestamp:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        # asn1crypto and foreign DER: whatever it stumbles over, it is not a token.
        raise BrokenTimestamp(f"not a token ({type(error).__name__})") from None
    if not chain[0].not_valid_before_utc <= stamp.at <= chain[0].not_valid_after_utc:
        raise BrokenTimestamp("authority's certificate not valid then")
    return stamp


def _signed_data(token: bytes) -> Any:
    content = cms.ContentInfo.load(token, strict=True)
    if content["content_type"].native != "signed_data":
        raise BrokenTimestamp("no signed data")
    signed = content["content"]
    if signed["encap_content_info"]["content_type"].native != "tst_info" or len(signed["signer_infos"]) != 1:
        raise BrokenTimestamp("not one signature over a timestamp")
    return signed


def _signer_first(certificates: list[x509.Certificate], signer: Any) -> tuple[x509.Certificate, ...]:
    """The authority's certificate, named by the signature, then the others."""
    wanted = signer["sid"].chosen
    if signer["sid"].name != "issuer_and_serial_number":
        raise BrokenTimestamp("signer not named by issuer and serial")
    serial, issuer = wanted["serial_number"].native, wanted["issuer"].dump()
    own = [each for each in certificates if each.serial_number == serial and each.issuer.public_bytes() == issuer]
    if not own:
        raise BrokenTimestamp("authority's certificate missing")
    try:
        usage = own[0].extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise BrokenTimestamp("certificate not for timestamps") from None
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise BrokenTimestamp("certificate not for timestamps")
    return (own[0], *(each for each in certificates if each != own[0]))


def _check_signature(signed: Any, certificate: x509.Certificate) -> None:
    """The signature over the signed attributes, theirs over the content, and the certificate they name (RFC 5652
    section 5.4, RFC 5816)."""
    signer = signed["signer_infos"][0]
    attributes = {attribute["type"].native: attribute["values"][0] for attribute in signer["signed_attrs"]}
    name = signer["digest_algorithm"]["algorithm"].native
    if name not in _HASHES:
        raise BrokenTimestamp("digest not accepted")
    content = signed["encap_content_info"]["content"].contents
    if attributes["message_digest"].native != _hashed(name, content):
        raise BrokenTimestamp("content changed")
    if attributes["content_type"].native != "tst_info":
        raise BrokenTimestamp("signature of other content")
    _check_named(attributes, certificate)
    signed_bytes = b"\x31" + signer["signed_attrs"].dump()[1:]  # signed as SET, carried as [0]
    _check_value(certificate.public_key(), signer, signed_bytes, _HASHES[name])


def _hashed(name: str, content: bytes) -> bytes:
    digest = hashes.Hash(_HASHES[name])
    digest.update(content)
    return digest.finalize()


def _check_named(attributes: dict[str, Any], certificate: x509.Certificate) -> None:
    if (named := attributes.get("signing_certificate_v2")) is not None:
        first = named["certs"][0]
        algorithm = _HASHES.get(first["hash_algorithm"]["algorithm"].native)
    elif (named := attributes.get("signing_certificate")) is not None:
        first, algorithm = named["certs"][0], hashes.SHA1()  # noqa: S303 the attribute's first version knows no other
    else:
        raise BrokenTimestamp("certificate not named")
    if algorithm is None or first["cert_hash"].native != certificate.fingerprint(algorithm):
        raise BrokenTimestamp("another certificate named")


def _check_value(key: Any, signer: Any, content: bytes, algorithm: hashes.HashAlgorithm) -> None:
    value, kind = signer["signature"].native, signer["signature_algorithm"].signature_algo
    try:
        if isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pkcs1v15" and key.key_size >= 2048:
            key.verify(value, content, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa" and key.curve.key_size >= 256:
            key.verify(value, content, ec.ECDSA(algorithm))
        else:
            raise BrokenTimestamp("signature algorithm not accepted")
    except InvalidSignature:
        raise BrokenTimestamp("signature does not hold") from None


def timestamp_request(digest: bytes, nonce: int, policy: str = "") -> bytes:
    """A TimeStampReq (DER, RFC 3161 section 2.4.1) for a SHA-256 digest, asking for the authority's certificate."""
    asked: dict[str, Any] = {
        "version": "v1",
        "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest},
        "nonce": nonce,
        "cert_req": True,
    }
    if policy:
        asked["req_policy"] = policy
    request: bytes = tsp.TimeStampReq(asked).dump()
    return request
