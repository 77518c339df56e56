"""A commune that exchanges files: both directories, the gateway's connector, and the commune's hand."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from adapters.commune.folder import FolderSystem
from gateway.ports.clock import Clock
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.testing.dossiers import ENVELOPE
from gateway.testing.signing import FakeSigningKey

KEY = FakeSigningKey(name="Cong ho tich thu nghiem")
PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"


@dataclass
class Commune:
    """The far side. `put` writes a receipt as a commune's system would, complete and a second old."""

    system: FolderSystem
    clock: Clock

    @property
    def outbox(self) -> Path:
        return self.system.outbox

    @property
    def inbox(self) -> Path:
        return self.system.inbox

    def waiting(self) -> list[str]:
        """What lies in the outbox for the commune to take."""
        return sorted(file.name for file in self.outbox.iterdir() if not file.name.startswith("."))

    def put(self, state: str, version: int = 1, code: str = ENVELOPE.code, **more: Any) -> Path:
        told = {"code": code, "version": version, "state": state, **more}
        return self.put_raw(f"{code}-v{version}.json", orjson.dumps(told))

    def put_raw(self, name: str, content: bytes, seconds_old: float = 2.0) -> Path:
        file = self.inbox / name
        file.write_bytes(content)
        self.age(file, seconds_old)
        return file

    def age(self, file: Path, seconds_old: float) -> None:
        at = self.clock.now().timestamp() - seconds_old
        os.utime(file, (at, at))


def make_commune(directory: Path, store: Store, vault: Vault, clock: Clock, **options: Any) -> Commune:
    system = FolderSystem("xa-tep", directory / "xa-tep", store, vault, clock, KEY, **options)
    return Commune(system, clock)
