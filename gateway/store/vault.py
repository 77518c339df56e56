"""The vault: seals personal data for the store and makes keyed digests for its indexes.

Every record has a data key of its own, wrapped by a master key (envelope encryption, AES-256-GCM twice). Rotating the
master key re-wraps 60 bytes a record, not the data. A sealed blob is

    version (1 byte) | master key id (4) | nonce (12) | wrapped data key (48) | AES-GCM(data key, data)

The data key is used once, so its nonce is constant. The wrapping authenticates the first five bytes, the data layer the
version. A master key may wrap 2^32 records (random 96-bit nonces, NIST SP 800-38D section 8.3); rotate it long before.

The directory holds `master-<number>.key` (the highest number seals, all unseal) and `index.key`, each 32 bytes as
hexadecimal text, readable by their owner only. `index.key` is never rotated: digests in indexes must stay comparable.
"""

from __future__ import annotations

import os
import secrets
from hashlib import blake2b, sha256
from pathlib import Path
from unicodedata import normalize

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import GatewayError, SettingsError

_VERSION = b"\x01"
_HEAD = 5
_WRAPPED = _HEAD + 12 + 48
_ONCE = bytes(12)
_KEY_BYTES = 32
_log = structlog.get_logger(__name__)


class Vault:
    """Seals, unseals and digests. Threads may share it."""

    def __init__(self, directory: Path, masters: dict[bytes, AESGCM], newest: bytes, index_key: bytes) -> None:
        self.directory = directory
        self._masters = masters
        self._head = _VERSION + newest
        self._seal_with = masters[newest]
        self._index_key = index_key

    @classmethod
    def open(cls, directory: Path | str) -> Vault:
        """Read the keys. A directory without any key gets its first ones, and the log says so: back them up.

        Raises SettingsError when keys are missing, malformed, or readable by others.
        """
        directory = Path(directory)
        if not _master_files(directory) and not (directory / "index.key").exists():
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_key(directory / "index.key")
            _write_key(directory / "master-0001.key")
            _log.warning("vault.keys_made", directory=str(directory))
        files = _master_files(directory)
        if not files:
            raise SettingsError("settings.keys", "the key directory holds no master key; restore it")
        keys = [read_private_file(file) for file in files]
        masters = {_key_id(key): AESGCM(key) for key in map(_parsed, keys)}
        return cls(directory, masters, _key_id(_parsed(keys[-1])), _parsed(read_private_file(directory / "index.key")))

    def rotate(self) -> Vault:
        """Make a new master key; the vault returned seals with it and still unseals everything older."""
        number = int(_master_files(self.directory)[-1].stem.partition("-")[2]) + 1
        _write_key(self.directory / f"master-{number:04d}.key")
        return Vault.open(self.directory)

    def seal(self, data: bytes) -> bytes:
        """Encrypt one record."""
        head, random = self._head, os.urandom(12 + _KEY_BYTES)
        nonce, data_key = random[:12], random[12:]
        wrapped = self._seal_with.encrypt(nonce, data_key, head)
        return head + nonce + wrapped + AESGCM(data_key).encrypt(_ONCE, data, _VERSION)

    def unseal(self, sealed: bytes) -> bytes:
        """Decrypt one record. SettingsError when its master key is not here, GatewayError when it was altered."""
        try:
            return AESGCM(self._data_key(sealed)).decrypt(_ONCE, sealed[_WRAPPED:], _VERSION)
        except InvalidTag:
            raise _altered() from None

    def rewrap(self, sealed: bytes) -> bytes:
        """The same record under the newest master key; its data are not touched."""
        nonce = os.urandom(12)
        try:
            data_key = self._data_key(sealed)
        except InvalidTag:
            raise _altered() from None
        return self._head + nonce + self._seal_with.encrypt(nonce, data_key, self._head) + sealed[_WRAPPED:]

    def key(self, *parts: str | bytes) -> bytes:
        """16 bytes that stand for `parts` in an index: equal for equal parts (text compared in NFC), else unrelated."""
        digest = blake2b(key=self._index_key, digest_size=16)
        for part in parts:
            data = normalize("NFC", part).encode() if isinstance(part, str) else part
            digest.update(len(data).to_bytes(8, "big"))
            digest.update(data)
        return digest.digest()

    def _data_key(self, sealed: bytes) -> bytes:
        head = sealed[:_HEAD]
        if head[:1] != _VERSION or len(sealed) < _WRAPPED + 16:
            raise GatewayError("vault.altered", "a sealed record is cut short or of an unknown version")
        master = self._masters.get(head[1:])
        if master is None:
            raise SettingsError("settings.keys", f"master key {head[1:].hex()} is missing from the key directory")
        return master.decrypt(sealed[_HEAD : _HEAD + 12], sealed[_HEAD + 12 : _WRAPPED], head)


def _altered() -> GatewayError:
    return GatewayError("vault.altered", "a sealed record was altered or sealed with another key")


def read_private_file(file: Path) -> bytes:
    """A key file's bytes. Raises SettingsError when it is absent or others may read it."""
    try:
        if file.stat().st_mode & 0o077:
            raise SettingsError("settings.keys", f"others may read {file.name}; make its mode 0600")
        return file.read_bytes()
    except OSError as error:
        raise SettingsError("settings.keys", f"{file.name} in the key directory cannot be read") from error


def write_private_file(file: Path, content: bytes) -> None:
    """Write a new key file, mode 0600, on the disk before returning. FileExistsError when it is there already."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _master_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("master-*.key"))


def _write_key(file: Path) -> None:
    write_private_file(file, secrets.token_hex(_KEY_BYTES).encode() + b"\n")


def _parsed(content: bytes) -> bytes:
    try:
        key = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise SettingsError("settings.keys", "a key file does not hold 64 hexadecimal digits")
    return key


def _key_id(key: bytes) -> bytes:
    return sha256(b"hotich master key" + key).digest()[:4]
