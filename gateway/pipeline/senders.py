"""Who sends: which feed a message belongs to, by everything known of its sender. Pure.

A feed states marks of its sender; **every mark it states must hold**, so nothing that contradicts them comes in:
- `ports`, a token of the feed, a folder: the way in belongs to this feed, and no other feed is looked at;
- `client_certificates`: the fingerprint or the subject's common name of the certificate presented over TLS;
- `senders`: what the message says of itself (MSH-3|MSH-4, MACSKCB, the FHIR source), or `*`. A way in of the feed's own
  makes up for it, as long as the name is not one that another feed claims;
- `addresses`: networks that hold the peer's address.

Among the feeds whose marks all hold the strongest one wins: way in, certificate, sender's name, address alone, `*`. Two
equally strong feeds are a contradiction in the settings, and the message is refused rather than given to either. A
message that names a feed but lacks another of its marks is refused too; it never falls through to a weaker feed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from gateway.errors import UnreadableMessage
from gateway.ports.hospital import Feed, Header, Origin

ANYONE = "*"
_UNKNOWN_KEY = "204"  # HL7 table 0357
_ORIGINS_KEPT = 4096
_CERTIFICATE, _NAME, _ADDRESS, _ANYONE = range(4, 0, -1)
_Network = IPv4Network | IPv6Network


def plain_fingerprint(text: str) -> str | None:
    """A SHA-256 fingerprint as 64 lower-case hexadecimal digits, with or without colons as written; None for what is
    none, a common name."""
    bare = text.replace(":", "").strip().lower()
    return bare if len(bare) == 64 and all(digit in "0123456789abcdef" for digit in bare) else None


def plain_address(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address, an IPv4 one inside IPv6 as what it is; None for what is no address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@dataclass(frozen=True, slots=True)
class _Marks:
    """A feed's marks, made ready to compare."""

    feed: Feed
    names: frozenset[str]
    networks: tuple[_Network, ...]
    fingerprints: frozenset[str]
    subjects: frozenset[str]

    @property
    def certified(self) -> bool:
        return bool(self.fingerprints or self.subjects)

    def lacks(self, origin: Origin) -> UnreadableMessage | None:
        """What of the origin is against this feed, or None."""
        if self.networks and not self._holds(origin.address):
            return _refusal("address", "this address is not one of the feed's addresses")
        if self.certified and not (origin.fingerprint in self.fingerprints or origin.subject in self.subjects):
            return _refusal("certificate", "the client certificate is not one of the feed's, or there is none")
        if origin.facilities and self.feed.facility_code not in origin.facilities:
            return _refusal("facility", "the token is for another facility than the feed's")
        return None

    def _holds(self, text: str) -> bool:
        address = plain_address(text)
        return address is not None and any(address in network for network in self.networks)

    def strength(self, sender: str) -> int:
        """How strongly the feed claims a sender whose origin suits it; 0 not at all."""
        named = sender in self.names
        if not named and self.names and ANYONE not in self.names:
            return 0
        if self.certified:
            return _CERTIFICATE
        if named:
            return _NAME
        if self.networks:
            return _ADDRESS
        return _ANYONE if self.names else 0


class Senders:
    """The feeds of the settings, ready to recognise senders. Raises ValueError for an address that is no network."""

    def __init__(self, feeds: Mapping[str, Feed]) -> None:
        self._feeds = {name: _marks_of(feed) for name, feed in feeds.items()}
        self._claimed = {name for marks in self._feeds.values() for name in marks.names - {ANYONE}}
        self._fitting: dict[Origin, list[_Marks]] = {}

    def feed_of(self, header: Header, bound: str | None, origin: Origin) -> Feed:
        """The feed a message belongs to; `bound` names the feed whose way in it took. Raises UnreadableMessage
        `receive.unknown_sender` or `receive.sender_refused`, saying which mark is missing and no data of the
        message."""
        if bound is not None:
            return self._bound(header.sender, bound, origin)
        sender, fitting = header.sender, self._fitting_of(origin)
        best, strongest, rivals = None, 0, 0
        for marks in fitting:
            strength = marks.strength(sender)
            if strength > strongest:
                best, strongest, rivals = marks, strength, 0
            elif strength == strongest:
                rivals += 1
        if sender in self._claimed and (best is None or sender not in best.names):
            raise self._why_not(sender, origin)
        if best is None:
            raise unknown_sender()
        if rivals:
            raise _refusal("settings", "two feeds of the settings claim this sender equally")
        return best.feed

    def knows_certificate(self, origin: Origin) -> bool:
        """Whether a feed names the certificate: enough to hand messages in over HTTP without a token."""
        certified = (marks for marks in self._feeds.values() if marks.certified)
        return any(origin.fingerprint in marks.fingerprints or origin.subject in marks.subjects for marks in certified)

    def _bound(self, sender: str, name: str, origin: Origin) -> Feed:
        marks = self._feeds.get(name)
        if marks is None:
            raise unknown_sender()
        if (against := marks.lacks(origin)) is not None:
            raise against
        if sender in self._claimed and sender not in marks.names:
            raise _another()
        return marks.feed

    def _fitting_of(self, origin: Origin) -> list[_Marks]:
        """The feeds whose marks an origin has; remembered, as a sender comes back thousands of times."""
        fitting = self._fitting.get(origin)
        if fitting is None:
            if len(self._fitting) >= _ORIGINS_KEPT:
                self._fitting.clear()
            fitting = [marks for marks in self._feeds.values() if marks.lacks(origin) is None]
            self._fitting[origin] = fitting
        return fitting

    def _why_not(self, sender: str, origin: Origin) -> UnreadableMessage:
        """Why the feed that claims this name does not take it."""
        claimants = (marks for marks in self._feeds.values() if sender in marks.names)
        return next((against for marks in claimants if (against := marks.lacks(origin))), _another())


def _marks_of(feed: Feed) -> _Marks:
    fingerprints = {found for text in feed.client_certificates if (found := plain_fingerprint(text))}
    subjects = {text for text in feed.client_certificates if plain_fingerprint(text) is None and text}
    networks = tuple(ip_network(text) for text in feed.addresses)
    return _Marks(feed, frozenset(feed.senders), networks, frozenset(fingerprints), frozenset(subjects))


def unknown_sender() -> UnreadableMessage:
    """The refusal of somebody no feed knows."""
    words = "this sender is not known here; the administrator names senders in the settings of a feed"
    return UnreadableMessage("receive.unknown_sender", "sender", words, _UNKNOWN_KEY)


def _another() -> UnreadableMessage:
    return _refusal("sender", "the sender's name belongs to another feed than the way in or the certificate")


def _refusal(where: str, words: str) -> UnreadableMessage:
    return UnreadableMessage("receive.sender_refused", where, words, _UNKNOWN_KEY)
