"""Signed checkpoints: a statement of where every chain stands, to be kept by a second party.

A chain alone cannot show that its newest entries were cut off, or that all of it was made anew; a checkpoint kept
elsewhere can. It is a compact JWS (RFC 7515) signed with Ed25519 (RFC 8037, algorithm name of RFC 9864) over
`{"at": microseconds, "entries": count, "heads": {writer: {"seq": n, "hash": hex}}}`.
"""

from __future__ import annotations

from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jws
from joserfc.jwk import OKPKey
from sqlalchemy import insert, select

from gateway.messagelog.chain import NewEntry, append
from gateway.store.session import Store
from gateway.store.tables import Chain, Checkpoint
from gateway.store.vault import Vault, read_private_file, write_private_file

ALGORITHM = "Ed25519"
KEY_FILE = "checkpoint.key"
_CHAIN = Chain.__table__  # type: ignore[attr-defined]
_CHECKPOINT = Checkpoint.__table__  # type: ignore[attr-defined]


class CheckpointKey:
    """The key that signs checkpoints."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key

    @classmethod
    def open(cls, directory: Path) -> CheckpointKey:
        """Read `checkpoint.key` (PKCS#8 PEM); made when there is none. Raises SettingsError when others may read it."""
        file = directory / KEY_FILE
        if not file.exists():
            made = Ed25519PrivateKey.generate()
            write_private_file(file, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cls(OKPKey.import_key(read_private_file(file)))

    @property
    def public_pem(self) -> bytes:
        """What the second party needs, once."""
        public = self._key.public_key
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, content: bytes) -> str:
        """A compact JWS; `kid` is the key's thumbprint (RFC 7638)."""
        header = {"alg": ALGORITHM, "kid": self._key.thumbprint()}
        return jws.serialize_compact(header, content, self._key, algorithms=[ALGORITHM])


def make_checkpoint(store: Store, vault: Vault, writer: str, at: int) -> str:
    """Sign where every chain stands, keep the checkpoint, log that it was made, and return it (a compact JWS)."""
    key = CheckpointKey.open(vault.directory)
    with store.write() as conn:
        # One statement: on PostgreSQL it sees one moment of all chains.
        heads = conn.execute(select(_CHAIN.c.writer, _CHAIN.c.seq, _CHAIN.c.hash).order_by(_CHAIN.c.writer)).all()
        content = {
            "at": at,
            "entries": sum(head.seq for head in heads),
            "heads": {head.writer: {"seq": head.seq, "hash": bytes(head.hash).hex()} for head in heads},
        }
        signed = key.sign(orjson.dumps(content))
        conn.execute(insert(_CHECKPOINT).values(at=at, jws=signed))
        append(conn, vault, writer, at, [NewEntry("checkpoint", "", {"entries": content["entries"]})])
    return signed
