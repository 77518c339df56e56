"""The built-in desk keeps the contract of a commune's system, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from adapters.commune.desk import Desk
from gateway.ports.clock import Clock
from gateway.store.session import Store
from gateway.store.tables import DeskItem
from gateway.store.vault import Vault
from gateway.testing.commune import CommuneContract, delivery


@pytest.fixture
def desk(store: Store, vault: Vault, clock: Clock) -> Desk:
    return Desk(store, vault, clock)


class TestDesk(CommuneContract):
    @pytest.fixture(autouse=True)
    def _desk(self, desk: Desk) -> None:
        self.desk = desk

    def make_commune(self) -> Desk:
        return self.desk


def test_a_dossier_sent_again_lies_there_once_and_is_counted(desk: Desk) -> None:
    first = delivery()
    for _ in range(3):
        desk.submit(first)
    (item,) = items(desk)
    assert (item.code, item.version, item.deliveries, item.state) == (first.code, 1, 3, "received")


def test_an_older_version_that_comes_late_replaces_nothing(desk: Desk) -> None:
    newer = replace(delivery(), version=2, sealed=b"<newer/>")
    desk.submit(newer)
    desk.submit(delivery())
    (item,) = items(desk)
    assert item.version == 2
    assert b"newer" in desk.vault.unseal(item.sealed)


def test_a_correction_keeps_what_lay_there_before(desk: Desk) -> None:
    first = delivery()
    desk.submit(first)
    desk.submit(replace(first, version=2, sealed=b"<newer/>", commune_code="21583"))
    (item,) = items(desk)
    assert (item.version, item.commune_code) == (2, "21583")
    content = desk.vault.unseal(item.sealed)
    assert b"<newer/>" in content
    assert b"corrected" in content
    assert content.count(b"urn:vn:hotich:1") > 0


def test_nobodys_name_lies_open_in_the_table(desk: Desk) -> None:
    desk.submit(delivery())
    (item,) = items(desk)
    assert b"urn:vn:hotich" not in item.sealed


def items(desk: Desk) -> list[DeskItem]:
    """What lies on the desk."""
    with desk.store.read() as conn:
        return list(conn.execute(select(DeskItem)).all())  # type: ignore[arg-type]
