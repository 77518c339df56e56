"""The population database (CSDLQG về dân cư), asked for one person at a time, for one case and one purpose."""

from __future__ import annotations

from typing import Protocol

from gateway.domain.identity import PersonQuery, PopulationAnswer


class PopulationDatabase(Protocol):
    """Entry point group `gateway.population`."""

    name: str

    def lookup(self, query: PersonQuery) -> PopulationAnswer:
        """Ask. Raises Unreachable (ask again later), Refused (not allowed) or Misunderstood (nonsense came back)."""
        ...
