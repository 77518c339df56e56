"""What the steps need from outside, gathered once at start. Tests build it from fakes (gateway.testing)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.mapping.catalogue import Catalogue
from gateway.ports.clock import Clock
from gateway.ports.commune import CommuneSystem
from gateway.ports.hospital import Feed, MessageReader
from gateway.ports.population import PopulationDatabase
from gateway.ports.signing import SigningKey
from gateway.store.session import Store
from gateway.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Services:
    """`communes` are the commune systems by name, `commune_system` the one in use; `feeds` by name; `readers` by
    format. `writer` is this instance's name. `identity_patience` is how long, in seconds, a silent population
    database may hold a case back before it goes on marked "not verified"."""

    store: Store
    vault: Vault
    clock: Clock
    catalogue: Catalogue
    readers: Mapping[str, MessageReader]
    feeds: Mapping[str, Feed]
    population: PopulationDatabase
    communes: Mapping[str, CommuneSystem]
    signing: SigningKey
    writer: str
    commune_system: str = "desk"
    identity_patience: float = 900.0

    @property
    def chain(self) -> str:
        """The evidence chain of the current thread: each worker thread its own, so that workers do not wait for one
        another; everything else (pages, commands) shares one."""
        name = threading.current_thread().name
        return f"{self.writer}/{name if name.startswith('worker') else 'desk'}"

    def feed(self, name: str) -> Feed:
        """The feed's settings; a feed since removed from the settings reads with the defaults."""
        return self.feeds.get(name) or Feed(name=name)
