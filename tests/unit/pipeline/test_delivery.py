"""Delivery to a commune system by wire, on both databases: failures of every class, ambiguity, rest, polls, calls."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gateway.errors import Misconfigured, Misunderstood, Refused, Unreachable
from gateway.lanes import lanes
from gateway.messagelog.chain import payload_of
from gateway.pipeline.callback import take_callback
from gateway.pipeline.desk import decide
from gateway.pipeline.numbers import give_number
from gateway.pipeline.partners import PROBE_MINUTES
from gateway.pipeline.systems import system_name_of
from gateway.ports.commune import Outcome
from gateway.store.session import Store
from gateway.store.vault import Vault
from tests.delivery_world import DeliveryWorld, born, system_of, wired
from tests.stay_messages import NewbornNews, Paper

DOWN = Unreachable("partner.unreachable", "no answer")
WRONG_KEY = Misconfigured("partner.unauthorised", "status 401")
REGISTERED = Outcome("registered", "R1", "", {"so": "12/2026", "quyenSo": "01/2026"}, b"%PDF-1.7")


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("overlay")


@pytest.fixture
def world(store: Store, vault: Vault, clock: Any, overlay: Path) -> DeliveryWorld:
    world = DeliveryWorld(store, vault, clock)
    world.wire(wired(overlay))
    return world


def test_a_dossier_gets_the_first_number_of_its_agency_and_day(world: DeliveryWorld) -> None:
    case_id = born(world)
    assert list(system_of(world).book) == ["H99.001-261123-0001"]
    assert world.cases()[case_id] == "birth sent"
    (taken,) = world.rows("SELECT system FROM dossier WHERE case_id = ? AND taken_at IS NOT NULL", case_id)
    assert taken == ("wire",)
    (delivery,) = system_of(world).book["H99.001-261123-0001"]
    assert (delivery.form, delivery.module) == ("nhanHoSoDKHT", "LTKS")
    assert '"nksNgaySinh":"23.11.2026"' in delivery.text


def test_after_a_cut_connection_the_system_is_asked_before_anything_is_sent_again(world: DeliveryWorld) -> None:
    system = system_of(world)
    system.failures, system.arrives = [DOWN], True
    case_id = born(world)
    assert world.cases()[case_id] == "birth ready"
    world.later(10)
    assert system.calls == ["submit", "status"]
    assert [len(sent) for sent in system.book.values()] == [1]
    assert world.cases()[case_id] == "birth sent"


def test_what_did_not_arrive_is_sent_again_under_the_same_number(world: DeliveryWorld) -> None:
    system = system_of(world)
    system.failures = [DOWN]
    born(world)
    world.later(10)
    assert system.calls == ["submit", "status", "submit"]
    assert list(system.book) == ["H99.001-261123-0001"]


def test_a_system_that_refuses_us_rests_and_people_are_told_once(world: DeliveryWorld) -> None:
    system = system_of(world)
    system.failures = [WRONG_KEY, WRONG_KEY]
    first, second = born(world), born(world, "BN2", 2)
    assert system.calls == ["submit"]  # the second did not even ask
    assert world.rows("SELECT name, code FROM partner") == [("wire", "partner.unauthorised")]
    world.later(PROBE_MINUTES * 60 + 1)
    assert len(system.calls) == 2  # one probe, though two wait
    assert world.rows("SELECT COUNT(*) FROM entry WHERE kind = 'partner_rests'") == [(1,)]
    world.later(PROBE_MINUTES * 60 + 1)
    world.later(PROBE_MINUTES * 60 + 1)
    assert {world.cases()[first], world.cases()[second]} == {"birth sent"}
    assert world.rows("SELECT COUNT(*) FROM partner") == [(0,)]
    assert world.rows("SELECT COUNT(*) FROM entry WHERE kind = 'partner_works'") == [(1,)]
    assert sorted(system.book) == ["H99.001-261123-0001", "H99.001-261123-0002"]


def test_a_rejected_dossier_tells_the_far_sides_words_and_goes_again_when_corrected(world: DeliveryWorld) -> None:
    system = system_of(world)
    system.answer = Outcome("rejected", "", "nksQuocTich: không có trong danh mục")
    case_id = born(world)
    assert world.cases()[case_id] == "birth rejected"
    told = world.outcome(case_id)
    assert told is not None
    assert told.words == "nksQuocTich: không có trong danh mục"
    assert world.rows("SELECT COUNT(*) FROM lane WHERE dead") == [(0,)]
    system.answer = Outcome("pending", "R1")
    world.take(NewbornNews(2, "A08", "BN1", "Bình"))
    assert world.cases()[case_id] == "birth sent"
    (delivery,) = system.book["H99.001-261123-0001"]
    assert delivery.version == 2


def test_what_a_commune_did_with_the_first_version_it_took_counts_at_once(world: DeliveryWorld) -> None:
    """The first was rejected; the second arrived, and was registered, before we heard of it."""
    system = system_of(world)
    system.answer = Outcome("rejected", "", "sai")
    case_id = born(world)
    system.answer, system.arrives, system.failures = Outcome("pending"), True, []
    system.states["H99.001-261123-0001"] = REGISTERED
    system.book["H99.001-261123-0001"] = []
    world.take(NewbornNews(2, "A08", "BN1", "Bình"))
    assert world.cases()[case_id] == "birth registered"
    assert world.rows("SELECT COUNT(*) FROM work WHERE kind = 'letter'") == [(1,)]


def test_a_rejected_dossier_that_is_cancelled_asks_the_commune_nothing(world: DeliveryWorld) -> None:
    system_of(world).answer = Outcome("rejected", "", "sai")
    case_id = born(world)
    world.take(NewbornNews(2, "A11", "BN1"))
    assert world.cases()[case_id] == "birth cancelled"
    assert system_of(world).calls == ["submit"]


@pytest.mark.parametrize("error", [Misunderstood("wire.html", "not JSON", b"<html>"), Refused("wire.no", "no", b"no")])
def test_an_unknown_answer_is_a_dead_letter_with_evidence(world: DeliveryWorld, error: Refused | Misunderstood) -> None:
    system_of(world).failures = [error]
    case_id = born(world)
    assert world.cases()[case_id] == "birth undelivered"
    ((writer, seq),) = world.rows("SELECT writer, seq FROM entry WHERE kind = 'gave_up'")
    with world.store.read() as conn:
        assert payload_of(conn, world.vault, f"{writer}.{seq}") == error.evidence
    with world.store.write() as conn:
        lanes.redrive(conn, [f"dossier:{case_id}"], world.now)
    world.work()
    assert world.cases()[case_id] == "birth sent"


def test_a_poll_tells_what_became_of_it_and_then_stops(world: DeliveryWorld) -> None:
    case_id, system = born(world), system_of(world)
    world.later(61)
    assert system.calls == ["submit", "status"]
    system.states["H99.001-261123-0001"] = Outcome("needs_more", "R1", "Thiếu giấy")
    world.later(61)
    assert world.cases()[case_id] == "birth needs_more"
    system.states["H99.001-261123-0001"] = REGISTERED
    world.later(200)
    assert world.cases()[case_id] == "birth registered"
    told = world.outcome(case_id)
    assert told is not None
    assert (told.result["so"], told.paper) == ("12/2026", "JVBERi0xLjc=")
    asked = len(system.calls)
    world.later(100_000)
    assert len(system.calls) == asked
    # Each look is not an entry: only what is new is written down.
    assert world.rows("SELECT COUNT(*) FROM entry WHERE kind = 'followed'") == [(2,)]


def test_a_dossier_that_the_system_forgot_is_sent_again_under_its_number(world: DeliveryWorld) -> None:
    born(world)
    system = system_of(world)
    system.book.clear()
    for _ in range(4):
        world.later(400)
    assert [len(sent) for sent in system.book.values()] == [1]
    assert list(system.book) == ["H99.001-261123-0001"]


def test_a_correction_of_what_a_system_without_corrections_has_lies_on_the_desk(world: DeliveryWorld) -> None:
    case_id = born(world)
    world.take(NewbornNews(2, "A08", "BN1", "Bình"))
    assert [len(sent) for sent in system_of(world).book.values()] == [1]
    item = world.item(case_id)
    assert (item["code"], item["version"]) == (case_id, 2)
    decide(world.services, case_id, "register", "can-bo", "", {"so": "1/2026", "quyenSo": "01/2026", "trangSo": "1",
           "ngayDangKy": "23.11.2026", "soDinhDanh": "999226000012"}, version=2)  # fmt: skip
    world.work()
    assert world.cases()[case_id] == "birth registered"


def test_a_call_is_taken_once(world: DeliveryWorld) -> None:
    case_id = born(world)
    body = b"H99.001-261123-0001 registered"
    assert take_callback(world.services, "wire", {"signature": "ours"}, body) == "taken"
    assert world.cases()[case_id] == "birth registered"
    assert take_callback(world.services, "wire", {"signature": "ours"}, body) == "repeated"
    assert take_callback(world.services, "wire", {"signature": "ours"}, b"H99.001-261123-0001 pending") == "taken"
    told = world.outcome(case_id)
    assert told is not None
    assert (told.state, told.result) == ("registered", {"so": "7/2026"})
    assert world.rows("SELECT COUNT(*) FROM entry WHERE kind = 'called'") == [(2,)]


@pytest.mark.parametrize(
    ("system", "signature", "body", "code"),
    [
        ("wire", "theirs", b"H99.001-261123-0001 registered", "callback.signature"),
        ("wire", "ours", b"H99.001-261123-0002 registered", "callback.no_such_dossier"),
        ("desk", "ours", b"H99.001-261123-0001 registered", "callback.no_such_system"),
        ("nobody", "ours", b"H99.001-261123-0001 registered", "callback.no_such_system"),
    ],
)
def test_a_wrong_call_changes_nothing(
    world: DeliveryWorld, system: str, signature: str, body: bytes, code: str
) -> None:
    case_id = born(world)
    with pytest.raises(Refused) as refusal:
        take_callback(world.services, system, {"signature": signature}, body)
    assert refusal.value.code == code
    assert world.cases()[case_id] == "birth sent"
    assert world.rows("SELECT COUNT(*) FROM callback_seen") == [(0,)]


def test_a_call_that_overtakes_the_answer_to_its_dossier_is_not_overwritten(world: DeliveryWorld) -> None:
    """The far side registers and calls while we still wait for its answer, which never comes."""
    system = system_of(world)
    system.failures, system.arrives = [DOWN], True
    case_id = born(world)
    take_callback(world.services, "wire", {"signature": "ours"}, b"H99.001-261123-0001 registered")
    world.later(10)
    assert world.cases()[case_id] == "birth registered"
    told = world.outcome(case_id)
    assert told is not None
    assert told.state == "registered"


def test_the_paper_goes_with_the_dossier(world: DeliveryWorld) -> None:
    world.take(Paper(1, "", "", "Bình"))
    (delivery,) = system_of(world).book["H99.001-261123-0001"]
    (paper,) = delivery.attachments
    assert (paper.name, paper.kind, paper.content) == ("giay-chung-sinh.xml", "HSDLGCS", Paper(1, "", "", "Bình").raw)


def test_numbers_have_no_gaps_and_no_repeats_however_many_give_them(world: DeliveryWorld) -> None:
    given: list[str] = []

    def give(start: int) -> None:
        for each in range(start, start + 12):
            number = give_number(world.services, f"case{each}", "wire", "H99.002", date(2026, 11, 24))
            again = give_number(world.services, f"case{each}", "wire", "H99.002", date(2026, 11, 25))
            assert (again.code, number.is_new, again.is_new) == (number.code, True, False)
            given.append(number.code)

    threads = [Thread(target=give, args=(12 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == [f"H99.002-261124-{n:04d}" for n in range(1, 49)]
    assert world.rows("SELECT agency, day, last FROM number_series ORDER BY day") == [("H99.002", "2026-11-24", 48)]


@pytest.mark.parametrize(("code", "used"), [("21583", "wire"), ("52", "wire"), ("*", "wire"), ("01", "desk")])
def test_the_table_says_which_commune_uses_which_system(tmp_path: Path, code: str, used: str) -> None:
    assert system_name_of(wired(tmp_path, code), "21583", "52", date(2026, 11, 23)) == used
