"""Who is asking, and what the role lets them reach. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.ports.hospital import Feed
from gateway.views.reach import EVERYTHING, Reach

ROLES = ("hospital", "officer", "auditor", "admin")


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person or a machine with a token. `communes` and `facilities` are codes, None for all ("*"); `feed`
    is the token's feed, "" when messages name their sender themselves. `name` is what the evidence log records."""

    name: str
    role: str
    shown_as: str
    communes: frozenset[str] | None = frozenset()
    facilities: frozenset[str] | None = frozenset()
    feed: str = ""

    @property
    def sees_persons(self) -> bool:
        """Administrators keep the machine running; they never see persons' data."""
        return self.role in ("hospital", "officer", "auditor")

    def reach(self, feeds: Mapping[str, Feed]) -> Reach:
        """What the role may see: a hospital its facilities' cases and feeds, an officer the own communes' cases, the
        auditor everything. An administrator's reach is everything too: ids and states, behind `sees_persons`."""
        if self.role in ("auditor", "admin"):
            return EVERYTHING
        if self.role == "officer":
            return Reach(facilities=None, communes=self.communes, feeds=frozenset())
        own = None if self.facilities is None else self._feeds(feeds)
        return Reach(facilities=self.facilities, communes=None, feeds=own)

    def shown_feeds(self, feeds: Mapping[str, Feed]) -> frozenset[str] | None:
        """Whose messages and notices are shown of a case within reach: to a hospital its own feeds' alone, to officers
        and auditors all (None)."""
        return self.reach(feeds).feeds if self.role == "hospital" else None

    def _feeds(self, feeds: Mapping[str, Feed]) -> frozenset[str]:
        facilities = self.facilities or frozenset()
        own = {feed.name for feed in feeds.values() if feed.facility_code and feed.facility_code in facilities}
        return frozenset(own | ({self.feed} if self.feed else set()))


def codes(text: str) -> frozenset[str] | None:
    """A stored list of codes: "52 51", "*" for all (None), "" for none."""
    parts = frozenset(text.split())
    return None if "*" in parts else parts
