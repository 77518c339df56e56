"""The built-in desk keeps the contract of a commune's system, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from sqlalchemy import select

from adapters.commune.desk import Desk
from gateway.pipeline.desk import decide
from gateway.ports.clock import Clock
from gateway.ports.commune import CommuneSystem, Outcome
from gateway.store.session import Store
from gateway.store.tables import DeskItem
from gateway.store.vault import Vault
from gateway.testing.commune import CorrectionsContract, delivery
from tests.web_world import World


@pytest.fixture
def desk(store: Store, vault: Vault, clock: Clock) -> Desk:
    return Desk(store, vault, clock)


class TestDesk(CorrectionsContract):
    @pytest.fixture(autouse=True)
    def _desk(self, desk: Desk) -> None:
        self.desk = desk

    def make_commune(self) -> Desk:
        return self.desk

    def decide(self, commune: CommuneSystem, code: str, state: str) -> None:
        action = {"accepted": "accept", "cancelled": "agree", "kept": "keep"}[state]
        services = World(self.desk.store, self.desk.vault, self.desk.clock).services
        assert decide(services, code, action, "can-bo", "trẻ đang ở cùng mẹ", {}) == {}


@pytest.mark.parametrize("action", ["agree", "keep"])
def test_a_registered_dossier_stays_registered_whatever_is_answered(desk: Desk, action: str) -> None:
    services = World(desk.store, desk.vault, desk.clock).services
    numbers = {"so": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "ngayDangKy": "23.11.2026"}
    desk.submit(delivery())
    assert decide(services, delivery().code, "register", "can-bo", "", {**numbers, "soDinhDanh": "999226000777"}) == {}
    assert desk.submit(delivery(version=2, withdrawn=True)).state == "pending"
    assert decide(services, delivery().code, action, "can-bo", "đã lập hồ sơ thu hồi", {}) == {}
    told = desk.status(delivery())
    assert told is not None
    assert (told.state, told.words, told.result["so"]) == ("registered", "đã lập hồ sơ thu hồi", "45/2026")


def test_a_dossier_that_comes_back_carries_no_old_decision(desk: Desk) -> None:
    services = World(desk.store, desk.vault, desk.clock).services
    desk.submit(delivery())
    decide(services, delivery().code, "ask", "can-bo", "Thiếu giấy", {})
    desk.submit(delivery(version=2, withdrawn=True))
    decide(services, delivery().code, "agree", "can-bo", "Đã hỏi bệnh viện", {})
    assert desk.submit(delivery(version=3)) == Outcome("pending", delivery().code)
    (item,) = items(desk)
    assert item.state == "received+corrected"


def test_a_decision_after_keeping_is_told_with_its_own_words(desk: Desk) -> None:
    services = World(desk.store, desk.vault, desk.clock).services
    desk.submit(delivery())
    desk.submit(delivery(version=2, withdrawn=True))
    decide(services, delivery().code, "keep", "can-bo", "Trẻ đang ở cùng mẹ", {})
    assert desk.status(delivery()) == Outcome("accepted", delivery().code, "Trẻ đang ở cùng mẹ")
    decide(services, delivery().code, "ask", "can-bo", "Thiếu giấy", {})
    assert desk.status(delivery()) == Outcome("needs_more", delivery().code, "Thiếu giấy")


def test_every_version_is_kept(desk: Desk) -> None:
    sent = [delivery(), delivery(version=2), delivery(version=3, withdrawn=True)]
    for each in sent:
        desk.submit(each)
    (item,) = items(desk)
    content = orjson.loads(desk.vault.unseal(item.sealed))
    kept = [content["versions"]["1"], content["versions"]["2"], content["xml"]]
    assert [xml.encode() for xml in kept] == [each.sealed for each in sent]
    assert [event["action"] for event in content["history"]] == ["corrected", "withdrawn"]


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
