"""MLLP ports of single feeds, client certificates and limits on connections, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.hospital.mllp import MllpListener
from gateway.errors import SettingsError
from gateway.ports.hospital import Feed
from gateway.tls import server_context
from tests.certificates import Authority, client_context
from tests.unit.adapters.test_mllp import HeldIntake, answers, framed, until

Listening = tuple[MllpListener, HeldIntake, tuple[str, int]]


@pytest.fixture
async def started() -> AsyncIterator[object]:
    listeners: list[MllpListener] = []

    async def start(**options: object) -> Listening:
        listener, intake = MllpListener(port=0, **options), HeldIntake()  # type: ignore[arg-type]
        host, port = (await listener.start(intake)).rsplit(":", 1)
        listeners.append(listener)
        return listener, intake, (host, int(port))

    yield start
    for listener in listeners:
        await listener.stop()


async def exchange(address: tuple[str, int], control: str, context: ssl.SSLContext | None = None) -> list[str]:
    """Send one message; MSA-2 of the answer."""
    host = "localhost" if context else None
    reader, writer = await asyncio.open_connection(*address, ssl=context, server_hostname=host)
    try:
        writer.write(framed(control))
        return await answers(reader, 1)
    finally:
        writer.close()


async def test_a_port_of_a_feeds_own_binds_its_messages_to_the_feed(started: object) -> None:
    listener, intake, shared = await started(feed_ports={"a": (0, 0), "b": (0,)})  # type: ignore[operator]
    assert [len(listener.addresses[name]) for name in ("a", "b")] == [2, 1]
    places = [shared, *((host, int(port)) for name in "ab" for host, port in split(listener.addresses[name]))]
    assert len(set(places)) == 4
    for number, place in enumerate(places):
        assert await exchange(place, f"M{number}") == [f"M{number}"]
    assert [feed for feed, _ in intake.origins] == [None, "a", "a", "b"]
    assert {origin.address for _, origin in intake.origins} == {"127.0.0.1"}


def split(addresses: list[str]) -> list[list[str]]:
    return [address.rsplit(":", 1) for address in addresses]


async def test_a_taken_port_is_told_by_its_setting_and_leaves_nothing_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            free = probe.getsockname()[1]
        listener = MllpListener(port=free, feed_ports={"a": (taken.getsockname()[1],)})
        with pytest.raises(OSError) as told:
            await listener.start(HeldIntake())
        assert told.value.filename == f"feeds.a.ports {taken.getsockname()[1]}"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", free)


@pytest.fixture
def trusted(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "trusted")


async def test_with_mutual_tls_the_certificate_is_told_to_the_intake(started: object, trusted: Authority) -> None:
    context = server_context("mllp", trusted.issue("gateway").file, None, trusted.file, required=True)
    _, intake, address = await started(tls=context)  # type: ignore[operator]
    shown = trusted.issue("his.bv-a.vn")
    assert await exchange(address, "M1", client_context(trusted, shown)) == ["M1"]
    ((_, origin),) = intake.origins
    assert origin.subject == "his.bv-a.vn"
    assert origin.fingerprint == shown.fingerprint.replace(":", "").lower()


async def test_without_a_certificate_with_an_expired_or_anothers_there_is_no_connection(
    started: object, trusted: Authority, tmp_path: Path
) -> None:
    context = server_context("mllp", trusted.issue("gateway").file, None, trusted.file, required=True)
    _, intake, address = await started(tls=context)  # type: ignore[operator]
    stranger = Authority(tmp_path, "stranger").issue("his.bv-a.vn")
    for shown in (None, trusted.issue("his.bv-a.vn", days=-1), stranger):
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await exchange(address, "M1", client_context(trusted, shown))
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await exchange(address, "M1")  # in the clear
    old = client_context(trusted, trusted.issue("his.bv-a.vn"))
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError):
        await exchange(address, "M1", old)
    assert intake.received == []
    assert await exchange(address, "M2", client_context(trusted, trusted.issue("his.bv-a.vn"))) == ["M2"]


@pytest.mark.parametrize("limit", ["max_connections", "max_connections_per_address"])
async def test_one_connection_too_many_hears_why_and_the_others_go_on(started: object, limit: str) -> None:
    listener, intake, address = await started(**{limit: 2})  # type: ignore[operator]
    first, second = [await asyncio.open_connection(*address) for _ in range(2)]
    await until(lambda: len(listener._hall.connections) == 2)
    for _ in range(20):
        reader, writer = await asyncio.open_connection(*address)
        told = await asyncio.wait_for(reader.read(), 10)
        assert b"MSA|AR" in told
        assert b"more than 2 connections" in told
        writer.close()
    for number, (reader, writer) in enumerate((first, second)):
        writer.write(framed(f"M{number}"))
        assert await answers(reader, 1) == [f"M{number}"]
    first[1].close()
    await until(lambda: len(listener._hall.connections) == 1)
    assert await exchange(address, "M9") == ["M9"]
    assert len(intake.received) == 3
    second[1].close()


async def test_connections_that_end_are_forgotten(started: object) -> None:
    listener, _, address = await started()  # type: ignore[operator]
    for number in range(30):
        await exchange(address, f"M{number}")
    await until(lambda: not listener._hall.connections)
    assert not listener._hall._by_address


def test_an_unknown_character_set_is_told_by_its_key() -> None:
    with pytest.raises(SettingsError) as told:
        MllpListener.check_feed(Feed("a", encoding="cp9999"))
    assert told.value.code == "settings.encoding_unknown"
    assert told.value.message.startswith("feeds.a.encoding: ")
    MllpListener.check_feed(Feed("a", encoding="tcvn3"))
    MllpListener.check_feed(Feed("a", encoding="cp9999", formats=("fhir",)))
