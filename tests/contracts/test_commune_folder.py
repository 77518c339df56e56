"""The folder of containers and receipts keeps the contract of a commune's system."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.commune.folder import FolderSystem
from gateway.ports.clock import Clock
from gateway.ports.commune import CommuneSystem
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.testing.commune import CorrectionsContract
from tests.commune_folder_world import Commune, make_commune


class TestFolder(CorrectionsContract):
    @pytest.fixture(autouse=True)
    def _commune(self, _sqlite_template: Path, tmp_path: Path, vault: Vault, clock: Clock) -> Iterator[None]:
        file = tmp_path / "hotich.sqlite"
        shutil.copy(_sqlite_template, file)
        store = Store.open(f"sqlite:///{file}")
        self.commune: Commune = make_commune(tmp_path, store, vault, clock)
        yield
        store.close()

    def make_commune(self) -> FolderSystem:
        return self.commune.system

    def decide(self, commune: CommuneSystem, code: str, state: str) -> None:
        newest = max(int(name.removesuffix(".asice").rpartition("-v")[2]) for name in self.commune.waiting())
        self.commune.put("accepted" if state == "kept" else state, newest, code)
