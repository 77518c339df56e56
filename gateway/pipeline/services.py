"""What the steps need from outside, gathered once at start. Tests build it from fakes (gateway.testing)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.mapping.catalogue import Catalogue
from gateway.pipeline.pace import Pace
from gateway.ports.clock import Clock
from gateway.ports.commune import CommuneSystem
from gateway.ports.hospital import Feed, MessageReader, OutcomeSender
from gateway.ports.population import PopulationDatabase
from gateway.ports.signing import SigningKey, TimestampAuthority
from gateway.store.session import Store
from gateway.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Services:
    """`communes` are the commune systems by name, always with the built-in "desk"; `feeds` by name; `readers` by
    format; `senders` tell hospitals what became of dossiers, by way. `writer` is this instance's name.
    `identity_patience` is how long, in seconds, a silent population database may hold a case back before it goes on
    marked "not verified"; `timestamp_patience` the same for the authority that vouches for a seal's time.
    `population_pace` is how fast that database may be asked; None: as fast as it answers."""

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
    identity_patience: float = 900.0
    senders: Mapping[str, OutcomeSender] = field(default_factory=dict)
    timestamp: TimestampAuthority | None = None
    timestamp_patience: float = 900.0
    population_pace: Pace | None = None

    @property
    def chain(self) -> str:
        """The evidence chain of the current thread: each worker thread its own, so that workers do not wait for one
        another; everything else (pages, commands) shares one."""
        name = threading.current_thread().name
        return f"{self.writer}/{name if name.startswith('worker') else 'desk'}"

    def feed(self, name: str) -> Feed:
        """The feed's settings; a feed since removed from the settings reads with the defaults."""
        return self.feeds.get(name) or Feed(name=name)
