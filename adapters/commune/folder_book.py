"""What was put into the outbox and what the commune answered, kept by the gateway: the partner takes files away.

    <code>/v<version>.json     this version was sent: no personal data
    <code>/r<version>.sealed   the last receipt for it, encrypted

Each file is whole or not there; who changes a dossier's directory holds its lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from adapters.commune.folder_files import opened, read, replace, telling, write_new
from adapters.commune.folder_receipt import Receipt
from gateway.store.vault import Vault

_SENT = re.compile(r"v([0-9]{1,9})\.json")
_MODE = 0o600
_LOCK, _LOCK_FLAGS = ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """What is known of one dossier; `directory` is the descriptor of `path`, locked."""

    path: Path
    directory: int
    vault: Vault

    def sent(self) -> dict[int, bool]:
        """Versions that were sent → whether each is a withdrawal."""
        with telling(self.path), os.scandir(self.directory) as entries:
            versions = sorted(int(found[1]) for entry in entries if (found := _SENT.fullmatch(entry.name)))
        return {version: orjson.loads(self._read(f"v{version}.json"))["withdrawn"] for version in versions}

    def note_sent(self, version: int, about: dict[str, Any]) -> None:
        """Remember, durably, that a version is as good as sent."""
        self._write(f"v{version}.json", orjson.dumps(about))

    def receipts(self) -> dict[int, Receipt]:
        """The last receipt for each version that has one."""
        return {version: found for version in self.sent() if (found := self._receipt(version))}

    def note_receipt(self, version: int, receipt: Receipt) -> None:
        """Remember the newest receipt for a version."""
        told = {
            "state": receipt.state,
            "words": receipt.words,
            "result": receipt.result,
            "paper": b64encode(receipt.paper).decode(),
        }
        self._write(f"r{version}.sealed", self.vault.seal(orjson.dumps(told)))

    def _receipt(self, version: int) -> Receipt | None:
        sealed = self._read(f"r{version}.sealed")
        if not sealed:
            return None
        told = orjson.loads(self.vault.unseal(sealed))
        return Receipt(told["state"], told["words"], told["result"], b64decode(told["paper"]))

    def _read(self, name: str) -> bytes:
        with telling(self.path):
            return read(self.directory, name, _LIMIT) or b""

    def _write(self, name: str, content: bytes) -> None:
        unfinished = f".{name}.new"
        with telling(self.path):
            write_new(self.directory, unfinished, content, _MODE)
            replace(self.directory, unfinished, name)


class Book:
    """The pages of all dossiers in one directory."""

    def __init__(self, directory: Path, vault: Vault) -> None:
        self._directory, self._vault = directory, vault

    def has(self, code: str) -> bool:
        """Whether there is a page for a dossier."""
        return (self._directory / code).is_dir()

    @contextlib.contextmanager
    def page(self, code: str) -> Iterator[Page]:
        """A dossier's page, made when it is not there; nobody else changes it meanwhile."""
        if not self.has(code):
            with opened(self._directory) as parent:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(code, 0o700, dir_fd=parent)
                os.fsync(parent)
        path = self._directory / code
        # A file and not the directory itself: network file systems lock only what is open for writing.
        with opened(path) as handle, os.fdopen(os.open(_LOCK, _LOCK_FLAGS, _MODE, dir_fd=handle), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Page(path, handle, self._vault)
