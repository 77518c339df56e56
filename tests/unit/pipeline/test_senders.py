"""Who sends: every mark a feed states must hold, the strongest feed wins, contradictions are refused."""

from __future__ import annotations

import pytest

from gateway.errors import UnreadableMessage
from gateway.pipeline.senders import Senders, plain_address, plain_fingerprint
from gateway.ports.hospital import NOWHERE, Feed, Header, Origin

PRINT = "ab" * 32
COLONS = ":".join(["AB"] * 32)
FEEDS = (
    Feed("name", senders=("HIS|A",)),
    Feed("near", senders=("HIS|B",), addresses=("10.1.2.0/24", "2001:db8::/32")),
    Feed("card", client_certificates=(COLONS,)),
    Feed("subject", client_certificates=("his.bv-c.vn",), senders=("HIS|C",)),
    Feed("net", addresses=("192.0.2.0/24",)),
    Feed("door", ports=(2601,)),
    Feed("door-near", ports=(2602,), addresses=("10.9.0.0/16",)),
)
SENDERS = Senders({feed.name: feed for feed in FEEDS})
ANYONE = Senders({feed.name: feed for feed in (*FEEDS, Feed("anyone", senders=("*",)))})


def told(sender: str, origin: Origin = NOWHERE, bound: str | None = None, senders: Senders = SENDERS) -> str:
    """The feed's name, or what is refused and which mark is missing."""
    try:
        return senders.feed_of(Header("hl7v2", "ADT^A01", "1", sender), bound, origin).name
    except UnreadableMessage as refused:
        return f"{refused.code.partition('.')[2]}: {refused.where}"


@pytest.mark.parametrize(
    ("sender", "origin", "bound", "who"),
    [
        ("HIS|A", NOWHERE, None, "name"),
        ("HIS|A", Origin("198.51.100.9"), None, "name"),
        ("HIS|X", NOWHERE, None, "unknown_sender: sender"),
        ("", NOWHERE, None, "unknown_sender: sender"),
        ("*", NOWHERE, None, "unknown_sender: sender"),
        ("HIS|B", Origin("10.1.2.255"), None, "near"),
        ("HIS|B", Origin("::ffff:10.1.2.3"), None, "near"),
        ("HIS|B", Origin("2001:db8::1%eth0"), None, "near"),
        ("HIS|B", Origin("10.1.3.0"), None, "sender_refused: address"),
        ("HIS|B", Origin("localhost"), None, "sender_refused: address"),
        ("HIS|B", NOWHERE, None, "sender_refused: address"),
        ("HIS|X", Origin("10.1.2.3"), None, "unknown_sender: sender"),
        ("HIS|X", Origin("10.0.0.1", PRINT, "any"), None, "card"),
        ("HIS|A", Origin("10.0.0.1", PRINT, "any"), None, "sender_refused: sender"),
        ("HIS|B", Origin("10.0.0.1", PRINT, "any"), None, "sender_refused: address"),
        ("HIS|X", Origin("10.0.0.1", "cd" * 32, "any"), None, "unknown_sender: sender"),
        ("HIS|C", Origin("10.0.0.1", "cd" * 32, "his.bv-c.vn"), None, "subject"),
        ("HIS|C", Origin("10.0.0.1", "cd" * 32, "his.bv-d.vn"), None, "sender_refused: certificate"),
        ("HIS|C", NOWHERE, None, "sender_refused: certificate"),
        ("HIS|X", Origin("", "", "his.bv-c.vn"), None, "unknown_sender: sender"),
        ("HIS|X", Origin("192.0.2.77"), None, "net"),
        ("HIS|A", Origin("192.0.2.77"), None, "name"),
        ("HIS|X", NOWHERE, "door", "door"),
        ("HIS|A", NOWHERE, "door", "sender_refused: sender"),
        ("HIS|X", Origin("10.9.1.1"), "door-near", "door-near"),
        ("HIS|X", Origin("10.8.1.1"), "door-near", "sender_refused: address"),
        ("HIS|B", Origin("10.1.2.3"), "near", "near"),
        ("HIS|X", Origin("10.1.2.3"), "near", "near"),
        ("HIS|A", NOWHERE, "gone", "unknown_sender: sender"),
    ],
)
def test_a_sender_is_told_by_all_its_marks(sender: str, origin: Origin, bound: str | None, who: str) -> None:
    assert told(sender, origin, bound) == who


def test_a_feed_for_anyone_takes_strangers_and_nobody_who_lacks_a_mark_of_the_own_feed() -> None:
    assert told("HIS|X", senders=ANYONE) == "anyone"
    assert told("HIS|A", senders=ANYONE) == "name"
    assert told("HIS|B", Origin("10.1.3.0"), senders=ANYONE) == "sender_refused: address"
    assert told("HIS|X", Origin("192.0.2.77"), senders=ANYONE) == "net"


def test_a_name_that_two_feeds_claim_equally_is_given_to_neither() -> None:
    twice = Senders({name: Feed(name, senders=("HIS|A",)) for name in ("one", "two")})
    assert told("HIS|A", senders=twice) == "sender_refused: settings"


def test_two_feeds_of_one_name_are_told_apart_by_their_addresses() -> None:
    feeds = [Feed(f"net-{n}", senders=("HIS|A",), addresses=(f"10.0.{n}.0/24",)) for n in range(2)]
    senders = Senders({feed.name: feed for feed in feeds})
    assert [told("HIS|A", Origin(f"10.0.{n}.9"), senders=senders) for n in range(3)] == [
        "net-0",
        "net-1",
        "sender_refused: address",
    ]


def test_a_token_of_a_facility_speaks_for_no_feed_of_another() -> None:
    feeds = [Feed(code, senders=(f"HIS|{code}",), facility_code=code) for code in ("99001", "99002")]
    senders = Senders({feed.name: feed for feed in feeds})
    origin = Origin(facilities=frozenset(["99001"]))
    assert told("HIS|99001", origin, senders=senders) == "99001"
    assert told("HIS|99002", origin, senders=senders) == "sender_refused: facility"
    assert told("HIS|99002", origin, "99002", senders=senders) == "sender_refused: facility"


def test_a_certificate_is_known_when_a_feed_names_it() -> None:
    assert SENDERS.knows_certificate(Origin("", PRINT, ""))
    assert SENDERS.knows_certificate(Origin("", "cd" * 32, "his.bv-c.vn"))
    assert not SENDERS.knows_certificate(Origin("", "cd" * 32, "someone"))
    assert not SENDERS.knows_certificate(NOWHERE)


def test_thousands_of_addresses_are_not_remembered_for_ever() -> None:
    senders = Senders({"name": FEEDS[0]})
    for number in range(10_000):
        told("HIS|A", Origin(f"10.{number >> 8}.{number & 255}.1"), senders=senders)
    assert len(senders._fitting) <= 4096


def test_fingerprints_are_compared_however_they_are_written() -> None:
    assert plain_fingerprint(COLONS) == plain_fingerprint(PRINT.upper()) == PRINT
    assert plain_fingerprint("his.bv-c.vn") is None
    assert plain_fingerprint("g" * 64) is None


def test_what_is_no_address_is_none() -> None:
    assert plain_address("localhost") is None
    assert str(plain_address("::ffff:10.0.0.1")) == "10.0.0.1"
