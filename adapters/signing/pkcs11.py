"""A signing key on a device that never lets it out (HSM, USB token, SoftHSM2), with cryptography's interface."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from pkcs11 import KeyType, Mechanism
from pkcs11.util.ec import encode_ecdsa_signature

from adapters.signing.device import Device
from adapters.signing.own_certificates import check_certificates, load_certificates, read_file
from gateway.errors import SettingsError, Unreachable
from gateway.ports.clock import Clock, SystemClock
from gateway.sealing.certificates import issued, read_certificates, weakness

_PROBE = b"hotich-gateway: does the key belong to its certificate?"


class Pkcs11Key:
    """ports.signing.SigningKey on a device: RSA of 2048 bits or more (PKCS#1 v1.5) or ECDSA P-256.

    `module` is the device's library (.so), `token` and `key` are labels, `pin_file` holds the user's PIN on one line;
    `certificate` is a PEM file, signer first, then its chain; without it both are read from the device.
    Raises SettingsError when one of them is not there, the PIN is wrong, key and certificate do not belong together, or
    the certificate is not valid now.
    """

    development_only = False

    def __init__(
        self,
        module: Path,
        token: str,
        key: str,
        pin_file: Path,
        certificate: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not module.is_file():
            raise SettingsError("signing.file_unreadable", f"{module} is not there; install the device's library")
        self._device = Device(module, token, key, read_file(pin_file).decode("utf-8", "replace").strip())
        key_type, on_token = self._device.start()
        where = str(certificate) if certificate else f"the certificate of key {key} on token {token}"
        self._certificates = load_certificates(certificate) if certificate else _chain(on_token, where)
        if reason := weakness(self._certificates[0]):
            words = f"{where}: {reason}; dossiers are sealed with ECDSA P-256 or RSA of 2048 bits or more"
            raise SettingsError("signing.key_weak", words)
        public_key: Any = self._certificates[0].public_key()
        kind = DeviceRsaKey if isinstance(public_key, rsa.RSAPublicKey) else DeviceEcKey
        self.private_key: Any = kind(self._device, public_key)
        proved = public_key if key_type == kind.kind and _signs_for(self.private_key) else None
        check_certificates(where, self._certificates, proved, (clock or SystemClock()).now())

    @property
    def certificates(self) -> list[x509.Certificate]:
        return list(self._certificates)

    def close(self) -> None:
        """Give the session back; the next signature opens another."""
        self._device.drop()


class DeviceRsaKey(rsa.RSAPrivateKey):
    """An RSA key that can sign, PKCS#1 v1.5 with SHA-256, and nothing else."""

    kind = KeyType.RSA

    def __init__(self, device: Device, public_key: rsa.RSAPublicKey) -> None:
        self._device, self._public_key = device, public_key

    @property
    def key_size(self) -> int:
        return self._public_key.key_size

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public_key

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        _only_sha256(algorithm)
        return self._device.sign(bytes(data), Mechanism.SHA256_RSA_PKCS)

    def decrypt(self, ciphertext: Any, padding: Any) -> NoReturn:
        _refuse()

    def private_numbers(self) -> NoReturn:
        _refuse()

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> NoReturn:
        _refuse()

    def __copy__(self) -> DeviceRsaKey:
        return self

    def __deepcopy__(self, memo: Any) -> DeviceRsaKey:
        return self


class DeviceEcKey(ec.EllipticCurvePrivateKey):
    """An ECDSA P-256 key that can sign SHA-256 digests, and nothing else. The digest is made here: devices know plain
    CKM_ECDSA, few the mechanism that digests too."""

    kind = KeyType.EC

    def __init__(self, device: Device, public_key: ec.EllipticCurvePublicKey) -> None:
        self._device, self._public_key = device, public_key

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public_key.curve

    @property
    def key_size(self) -> int:
        return self._public_key.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public_key

    def sign(self, data: Any, signature_algorithm: Any) -> bytes:
        _only_sha256(signature_algorithm.algorithm)
        der: bytes = encode_ecdsa_signature(self._device.sign(sha256(data).digest(), Mechanism.ECDSA))
        return der

    def exchange(self, algorithm: Any, peer_public_key: Any) -> NoReturn:
        _refuse()

    def private_numbers(self) -> NoReturn:
        _refuse()

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> NoReturn:
        _refuse()

    def __copy__(self) -> DeviceEcKey:
        return self

    def __deepcopy__(self, memo: Any) -> DeviceEcKey:
        return self


def _refuse() -> NoReturn:
    raise NotImplementedError("a key on a device only signs")


def _only_sha256(algorithm: Any) -> None:
    if not isinstance(algorithm, SHA256):
        raise NotImplementedError("the gateway signs with SHA-256")


def _signs_for(key: DeviceRsaKey | DeviceEcKey) -> bool:
    """Whether what the device signs verifies with the certificate's key: one signature at start."""
    try:
        if isinstance(key, DeviceRsaKey):
            signed = key.sign(_PROBE, padding.PKCS1v15(), SHA256())
            key.public_key().verify(signed, _PROBE, padding.PKCS1v15(), SHA256())
        else:
            algorithm = ec.ECDSA(SHA256())
            key.public_key().verify(key.sign(_PROBE, algorithm), _PROBE, algorithm)
    except InvalidSignature:
        return False
    except Unreachable as error:
        words = "the signing device has the key but signs nothing with it; look at its log"
        raise SettingsError("signing.device_unusable", words) from error
    return True


def _chain(on_token: list[tuple[bool, bytes]], where: str) -> list[x509.Certificate]:
    """The key's own certificate, then those above it as far as the token has them."""
    try:
        own = read_certificates([der for is_own, der in on_token if is_own][:1])
        others = read_certificates([der for is_own, der in on_token if not is_own])
    except ValueError as error:
        raise SettingsError("signing.certificate_unreadable", f"{where} cannot be read") from error
    if not own:
        words = f"{where} is not there; put it on the token or set signing.certificate to a PEM file"
        raise SettingsError("signing.no_certificate", words)
    chain = own
    while above := [each for each in others if each not in chain and issued(each, chain[-1])]:
        chain.append(above[0])
    return chain
