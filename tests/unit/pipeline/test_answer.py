"""What hospitals are told of their dossiers, when, and what they are not told. Everybody is invented."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.domain.notice import OutcomeNotice
from gateway.errors import Misconfigured, Misunderstood, Refused, Unreachable
from gateway.lanes import lanes
from gateway.messagelog.chain import entries_of, payload_of
from gateway.pipeline.answer import key_of
from gateway.pipeline.desk import decide
from gateway.pipeline.receive import Receiver
from gateway.ports.hospital import Answer, Feed
from gateway.store.session import Store, execute
from gateway.store.vault import Vault
from gateway.testing.outcome_senders import FakeOutcomeSender
from tests.life_world import Life
from tests.samples.folders import feed
from tests.stay_messages import Adult, Newborn, NewbornNews, Paper

NUMBERS = {"so": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "ngayDangKy": "23.11.2026"}
BORN = {**NUMBERS, "soDinhDanh": "999226000777"}


class Hospitals(Life):
    """Two hospitals that want to be told: `a`, and `b` elsewhere. What they were told is in `sender.sent`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sender = FakeOutcomeSender()
        self.services = replace(self.services, senders={"webhook": self.sender})
        self.set_feeds()

    def set_feeds(self, **changed: Any) -> None:
        """The settings of both feeds, `changed` for a."""
        own: dict[str, Any] = {"answer": "webhook", "answer_to": "https://his.example/", "senders": ()}
        a = replace(feed(), name="a", facility_code="99001", **{**own, **changed})
        b = replace(feed(), name="b", facility_code="99002", **own)
        self.set_to(a, b)

    def set_to(self, *feeds: Feed) -> None:
        self.services = replace(self.services, feeds={each.name: each for each in feeds})

    def send(self, name: str, raw: bytes) -> str:
        """One message by a feed, with the work that follows; its tracking id."""

        async def receive() -> Answer:
            loop = asyncio.get_running_loop()
            receiver, answered = Receiver(self.services, loop), loop.create_future()
            receiver.submit(raw, None, name, answered.set_result)
            answer: Answer = await asyncio.wait_for(answered, 20)
            await receiver.close()
            return answer

        assert asyncio.run(receive()).code == "AA"
        self.work()
        with self.store.read() as conn:
            tracking = execute(conn, "SELECT id FROM message ORDER BY received_at DESC, id DESC").fetchone()[0]
        self.clock.pass_seconds(1)
        return str(tracking)

    def decides(self, action: str, words: str = "", result: dict[str, str] | None = None, *, work: bool = True) -> str:
        """What the officer does with the one dossier there is; its case."""
        (case_id,) = self.cases()
        assert decide(self.services, case_id, action, "can-bo", words, result or {}) == {}
        if work:
            self.work()
        return case_id

    def told(self) -> OutcomeNotice:
        """The one notice that was sent."""
        (notice,) = self.sender.sent
        return notice

    def entries(self, kind: str) -> list[Any]:
        """The log's entries of a kind about the one case."""
        (case_id,) = self.cases()
        with self.store.read() as conn:
            return [entry for entry in entries_of(conn, case_id) if entry.kind == kind]

    def row(self, sql: str) -> Any:
        with self.store.read() as conn:
            return execute(conn, sql).fetchone()


@pytest.fixture
def on_both(store: Store, vault: Vault, clock: Any) -> Hospitals:
    """On SQLite and on PostgreSQL."""
    return Hospitals(store, vault, clock)


@pytest.fixture
def hospitals(_sqlite_template: Path, tmp_path: Path, vault: Vault, clock: Any) -> Iterator[Hospitals]:
    """On SQLite."""
    file = tmp_path / "answers.sqlite"
    file.write_bytes(_sqlite_template.read_bytes())
    store = Store.open(f"sqlite:///{file}")
    yield Hospitals(store, vault, clock)
    store.close()


def test_a_registered_birth_is_told_with_its_numbers(hospitals: Hospitals) -> None:
    first, second = (
        hospitals.send("a", Newborn(1, "A01", "BN1").raw),
        hospitals.send("a", NewbornNews(2, "A08", "BN1", "An").raw),
    )
    case_id = hospitals.decides("register", result=BORN)
    told = hospitals.told()
    assert (told.state, told.kind, told.case_id, told.facility_code) == ("registered", "birth", case_id, "99001")
    assert (told.patients, told.messages, told.personal_id) == (("BN1",), (first, second), BORN["soDinhDanh"])
    assert (told.result, told.words, told.commune) == (NUMBERS, "", "21583")


def test_what_was_said_is_evidence_and_the_notice_is_marked(on_both: Hospitals) -> None:
    on_both.send("a", Newborn(1, "A01", "BN1").raw)
    on_both.decides("register", result=BORN)
    (entry,) = on_both.entries("answered")
    assert entry.meta == {"feed": "a", "state": "registered", "way": "webhook", "key": on_both.told().key}
    with on_both.store.read() as conn:
        said = orjson.loads(payload_of(conn, on_both.vault, entry.ref))
    assert said["personal_id"] == BORN["soDinhDanh"]
    assert on_both.row("SELECT sent_at FROM notice")[0] is not None
    assert lanes_dead(on_both) == []


def lanes_dead(hospitals: Hospitals) -> list[str]:
    with hospitals.store.read() as conn:
        return [lane.key for lane in lanes.dead_lanes(conn)]


def test_the_register_of_deaths_tells_no_personal_number(hospitals: Hospitals) -> None:
    hospitals.send("a", Adult(1, "A03", "BN9", "Khoa", dead="Y").raw)
    hospitals.decides("register", result={**NUMBERS, "soDinhDanh": "999050000777"})
    told = hospitals.told()
    assert (told.kind, told.patients, told.personal_id, told.result) == ("death", ("BN9",), "", NUMBERS)


def test_a_hospital_learns_nothing_of_what_another_sent(on_both: Hospitals) -> None:
    here = [on_both.send("a", Newborn(1, "A01", "BN1").raw), on_both.send("a", Paper(2, "A01", "BN1", "Bình").raw)]
    there = on_both.send("b", Paper(3, "A01", "BN1", "Chi").raw)
    on_both.decides("ask", "Thiếu giấy tờ")
    told = {notice.facility_code: notice for notice in on_both.sender.sent}
    assert (told["99001"].messages, told["99001"].patients) == (tuple(here), ("BN1",))
    assert (told["99002"].messages, told["99002"].patients) == ((there,), ())
    assert told["99001"].key != told["99002"].key
    assert {notice.words for notice in on_both.sender.sent} == {"Thiếu giấy tờ"}


def test_of_merged_numbers_the_one_that_goes_on_comes_first(hospitals: Hospitals) -> None:
    hospitals.send("a", Newborn(1, "A01", "BN1").raw)
    hospitals.send("a", NewbornNews(2, "A40", "BN2", gone="BN1").raw)
    hospitals.decides("register", result=BORN)
    assert hospitals.told().patients == ("BN2", "BN1")


def test_in_quiet_hours_it_waits_for_their_end(hospitals: Hospitals) -> None:
    hospitals.set_feeds(quiet_hours="09:00-11:00")  # it is 10:00 in Việt Nam
    hospitals.send("a", Newborn(1, "A01", "BN1").raw)
    hospitals.decides("register", result=BORN)
    assert hospitals.sender.sent == []
    hospitals.clock.pass_seconds(3_600)
    hospitals.work()
    assert hospitals.told().state == "registered"


def test_a_newer_state_overtakes_what_was_not_sent_yet(on_both: Hospitals) -> None:
    on_both.send("a", Newborn(1, "A01", "BN1").raw)
    on_both.sender.failure = Unreachable("answer.timeout", "late")
    on_both.decides("ask", "Thiếu giấy tờ")
    on_both.decides("register", result=BORN)
    on_both.sender.failure = None
    on_both.clock.pass_seconds(60)
    on_both.work()
    assert on_both.told().state == "registered"
    assert [entry.meta["why"] for entry in on_both.entries("not_answered")] == ["overtaken"]


def test_a_state_that_came_about_twice_before_anything_was_sent_is_told_once(hospitals: Hospitals) -> None:
    hospitals.send("a", Newborn(1, "A01", "BN1").raw)
    hospitals.sender.failure = Unreachable("answer.timeout", "late")
    for action, words in (("ask", "Thiếu giấy tờ"), ("accept", ""), ("ask", "Còn thiếu")):
        hospitals.decides(action, words)
        hospitals.clock.pass_seconds(1)
    hospitals.sender.failure = None
    hospitals.clock.pass_seconds(60)
    hospitals.work()
    assert hospitals.told().words == "Còn thiếu"
    assert [entry.meta["why"] for entry in hospitals.entries("not_answered")] == ["sent"]


def test_the_same_notice_tried_again_has_the_same_key(hospitals: Hospitals) -> None:
    hospitals.send("a", Newborn(1, "A01", "BN1").raw)
    keys: list[str] = []

    class Unsure(FakeOutcomeSender):
        """It arrives, but nobody says so."""

        def send(self, notice: OutcomeNotice, feed: Feed) -> None:
            keys.append(notice.key)
            if len(keys) < 3:
                raise Unreachable("answer.closed", "cut off")

    hospitals.services = replace(hospitals.services, senders={"webhook": Unsure()})
    hospitals.decides("register", result=BORN)
    for _ in range(2):
        hospitals.clock.pass_seconds(60)
        hospitals.work()
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_a_receiver_that_refuses_us_is_asked_again_in_an_hour(hospitals: Hospitals) -> None:
    hospitals.send("a", Newborn(1, "A01", "BN1").raw)
    hospitals.sender.failure = Misconfigured("partner.unauthorised", "status 401")
    hospitals.decides("register", result=BORN)
    assert lanes_dead(hospitals) == []
    hospitals.sender.failure = None
    hospitals.clock.pass_seconds(1_800)
    hospitals.work()
    assert hospitals.sender.sent == []
    hospitals.clock.pass_seconds(3_600)
    hospitals.work()
    assert hospitals.told().state == "registered"


@pytest.mark.parametrize(
    "failure",
    [Refused("answer.refused", "AE", b"MSA|AE"), Misunderstood("answer.not_an_ack", "nonsense", b"<html>")],
)
def test_a_refused_notice_is_a_dead_letter_with_the_receivers_words(
    hospitals: Hospitals, failure: Refused | Misunderstood
) -> None:
    hospitals.send("a", Newborn(1, "A01", "BN1").raw)
    hospitals.sender.failure = failure
    case_id = hospitals.decides("register", result=BORN)
    assert lanes_dead(hospitals) == [f"answer:a:{case_id}"]
    (entry,) = hospitals.entries("gave_up")
    assert entry.meta == {"feed": "a", "state": "registered", "code": failure.code}
    with hospitals.store.read() as conn:
        assert payload_of(conn, hospitals.vault, entry.ref) == failure.evidence
    assert hospitals.states() == ["birth registered"]


@pytest.mark.parametrize("gone", [True, False])
def test_a_feed_that_wants_no_answers_any_more_gets_none(hospitals: Hospitals, gone: bool) -> None:
    hospitals.send("a", Newborn(1, "A01", "BN1").raw)
    hospitals.decides("register", result=BORN, work=False)
    hospitals.sender.failure = Unreachable("answer.timeout", "late")
    hospitals.work()
    hospitals.sender.failure = None
    hospitals.set_to(*([] if gone else [replace(feed(), name="a", answer="")]))
    hospitals.clock.pass_seconds(60)
    hospitals.work()
    assert hospitals.sender.sent == []
    assert [entry.meta["why"] for entry in hospitals.entries("not_answered")] == ["unasked"]


def test_a_correction_under_way_does_not_blank_what_was_registered(hospitals: Hospitals) -> None:
    hospitals.send("a", Newborn(1, "A01", "BN1").raw)
    hospitals.sender.failure = Unreachable("answer.timeout", "late")
    hospitals.decides("register", result=BORN)
    hospitals.send("a", Paper(2, "A01", "BN1", "Bình").raw)
    hospitals.sender.failure = None
    hospitals.clock.pass_seconds(60)
    hospitals.work()
    assert hospitals.told().personal_id == BORN["soDinhDanh"]


def test_a_key_fits_the_control_id_of_every_version_and_differs_by_each_part() -> None:
    keys = {
        key_of(*parts) for parts in [("c", "f", "s", 1), ("d", "f", "s", 1), ("c", "g", "s", 1), ("c", "f", "t", 1)]
    }
    keys |= {key_of("c", "f", "s", 2), key_of("c", "f", "s", 2)}
    assert len(keys) == 5
    assert all(len(key) == 16 and key.isalnum() and key.isascii() for key in keys)
