"""A receiver over the test's own store."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gateway.store.session import Store
from gateway.store.vault import Vault
from tests.conftest import StillClock
from tests.receive_world import FEEDS, Desk, PlainReader


@pytest.fixture
def desk(store: Store, vault: Vault, clock: StillClock) -> Desk:
    readers, feeds = {"plain": PlainReader()}, {feed.name: feed for feed in FEEDS}
    return Desk(SimpleNamespace(store=store, vault=vault, clock=clock, readers=readers, feeds=feeds, writer="gw"))
