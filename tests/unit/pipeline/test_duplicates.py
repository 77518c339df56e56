"""Possible duplicates in the store: proposed once, following the facts, decided by a person. Everybody is invented."""

from __future__ import annotations

import itertools
import threading
import time
import unicodedata
from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from gateway.domain.case import Rank, Reading
from gateway.domain.dates import PartialDate
from gateway.domain.notification import build, flatten
from gateway.domain.person import PersonName, Sex
from gateway.domain.provenance import Provenance
from gateway.messagelog.chain import payload_of
from gateway.pipeline.cases import StoredCase, add_case, find_case, save_case
from gateway.pipeline.correlate import Correlate, Read
from gateway.pipeline.duplicates import FIND_OTHERS, TOO_MANY, decide_duplicate, propose_duplicates
from gateway.pipeline.pairs import Pair, find_pair, hand_over
from gateway.store.session import Store
from gateway.store.vault import Vault
from tests.waiting_world import WaitingWorld
from tests.web_world import HOSPITAL, OTHER_HOSPITAL, World

MOTHER = "999190000001"
NAME = PersonName("Nguyễn", "Thị Thúy", "Hòa")
PERSONAL = (MOTHER, "Nguyễn", "Hòa", "2026-11-23", "0815")


def reading(kind: str, message: str, patients: tuple[str, ...] = (), **facts: Any) -> Reading:
    named = {path.replace("__", "."): value for path, value in facts.items() if value is not None}
    told = build(kind, named)
    sources = {path: Provenance(message, "x", "x") for path in flatten(told)}
    return Reading(message, kind, kind, Rank.MESSAGE, "2026-11-23T02:00:00+00:00", patients, told, sources)


class Cases:
    """Cases as `correlate` opens and extends them."""

    def __init__(self, world: World) -> None:
        self.world, self.store, self.services = world, world.store, world.services

    def birth(self, case_id: str, facility: str, *patients: str, **facts: Any) -> None:
        told = {"child__born": PartialDate.parse("202611230815"), "mother__personal_id": MOTHER, **facts}
        self.open(case_id, facility, reading("birth", f"m-{case_id}", patients, **told))

    def death(self, case_id: str, facility: str, *patients: str, **facts: Any) -> None:
        told = {"death__at": PartialDate.parse("202611230815"), "deceased__personal_id": MOTHER, **facts}
        self.open(case_id, facility, reading("death", f"m-{case_id}", patients, **told))

    def open(self, case_id: str, facility: str, said: Reading) -> None:
        now = self.world.now
        case = StoredCase(
            case_id, said.kind, facility, f"feed-{facility}", "collecting", 1, 0, 0, "", now, now, now, (said,)
        )
        with self.store.write() as conn:
            add_case(conn, self.world.vault, case)
            propose_duplicates(conn, self.services, case, said, now)

    def extend(self, case_id: str, **facts: Any) -> None:
        with self.store.write() as conn:
            case = find_case(conn, self.world.vault, case_id)
            assert case is not None
            said = reading(case.kind, f"more-{case_id}-{len(case.readings)}", case.readings[0].patients, **facts)
            said = replace(said, occurred=f"2026-11-23T03:00:{len(case.readings):02d}+00:00")
            longer = replace(case, readings=(*case.readings, said))
            saved = save_case(conn, self.world.vault, longer, now=self.world.now, changed=True)
            propose_duplicates(conn, self.services, saved, said, self.world.now)

    def mark(self, case_id: str, status: str) -> None:
        with self.store.write() as conn:
            conn.execute(text('UPDATE "case" SET status = :to WHERE id = :id'), {"to": status, "id": case_id})

    def pairs(self, state: str | None = None) -> set[tuple[str, str]]:
        with self.store.read() as conn:
            rows = conn.exec_driver_sql("SELECT first, second, state FROM possible_duplicate").all()
        return {(row.first, row.second) for row in rows if state in (None, row.state)}

    def pair(self, one: str, other: str) -> Pair:
        with self.store.read() as conn:
            found = find_pair(conn, one, other)
        assert found is not None
        return found

    def status(self, case_id: str) -> StoredCase:
        with self.store.read() as conn:
            found = find_case(conn, self.world.vault, case_id)
        assert found is not None
        return found


@pytest.fixture
def cases(store: Store, vault: Vault, clock: Any) -> Cases:
    return Cases(World(store, vault, clock))


# Proposing


def test_the_same_mother_and_day_in_two_hospitals_is_proposed_with_its_evidence(cases: Cases) -> None:
    cases.birth("a", "99001", "BN1", child__sex=Sex.FEMALE, birth__order=1)
    cases.birth("b", "99002", "BN9", child__sex=Sex.MALE)
    pair = cases.pair("b", "a")
    assert (pair.first, pair.second, pair.state, pair.kind) == ("a", "b", "open", "birth")
    assert orjson.loads(pair.evidence) == {
        "agree": ["mother.personal_id", "born.day", "born.instant"],
        "differ": ["child.sex"],
    }


def test_whichever_comes_first_the_pair_is_the_same_and_there_once(cases: Cases) -> None:
    cases.birth("b", "99002")
    cases.birth("a", "99001")
    cases.extend("b", birth__weight_g=3000)
    cases.extend("a", birth__weight_g=3100)
    assert cases.pairs() == {("a", "b")}
    assert len([entry for entry in cases.world.entries("correlated") if entry["duplicate"] == "proposed"]) == 2


def test_a_death_is_proposed_by_identity_and_never_with_a_birth(cases: Cases) -> None:
    cases.birth("ks", "99001")
    cases.death("kt-1", "99001", "BN1")
    cases.death("kt-2", "99002", "BN1", death__at=PartialDate.parse("20261201"))
    assert cases.pairs() == {("kt-1", "kt-2")}


def test_facts_that_two_messages_tell_count_together(cases: Cases) -> None:
    cases.birth("a", "99001")
    cases.open("b", "99002", reading("birth", "m-b", mother__personal_id=MOTHER))
    assert cases.pairs() == set()
    cases.extend("b", child__born=PartialDate.parse("20261123"))
    assert cases.pairs() == {("a", "b")}


def test_a_name_in_another_spelling_and_composition_is_found(cases: Cases) -> None:
    known = {"mother__personal_id": None, "mother__born": PartialDate.parse("19970412")}
    other = PersonName(*(unicodedata.normalize("NFD", part) for part in ("NGUYỄN", "Thị Thuý", "Hoà")))
    cases.birth("a", "99001", mother__name=NAME, **known)
    cases.birth("b", "99002", mother__name=other, **known)
    assert cases.pairs() == {("a", "b")}


def test_twins_of_one_hospital_are_not_proposed_and_a_second_patient_number_is(cases: Cases) -> None:
    cases.birth("a", "99001", "BN1", birth__order=1)
    cases.birth("b", "99001", "BN2", birth__order=2)
    assert cases.pairs() == set()
    cases.birth("c", "99001", "BN3", birth__order=1)
    assert cases.pairs() == {("a", "c")}


def test_a_proposal_is_taken_back_when_the_facts_tell_two_children_apart(cases: Cases) -> None:
    cases.birth("a", "99001", birth__order=1)
    cases.birth("b", "99002")
    cases.extend("b", birth__order=2)
    assert cases.pairs() == set()
    told = [entry for entry in cases.world.entries("correlated") if entry["duplicate"] == "told apart"]
    assert [(entry["subject"], entry["other"], entry["differ"]) for entry in told] == [
        ("b", "a", ["birth.order"]),
        ("a", "b", ["birth.order"]),
    ]


def test_an_open_proposal_follows_the_facts(cases: Cases) -> None:
    cases.birth("a", "99001", child__sex=Sex.MALE)
    cases.birth("b", "99002")
    cases.extend("b", child__sex=Sex.MALE)
    assert "child.sex" in orjson.loads(cases.pair("a", "b").evidence)["agree"]


@pytest.mark.parametrize("status", ["merged", "cancelled"])
def test_a_case_that_is_over_is_nobodys_duplicate(cases: Cases, status: str) -> None:
    cases.birth("a", "99001")
    cases.mark("a", status)
    cases.birth("b", "99002")
    assert cases.pairs() == set()


def test_a_number_that_everybody_has_names_nobody(cases: Cases) -> None:
    for number in range(TOO_MANY + 2):
        cases.birth(f"c{number}", f"9900{number}")
    last = f"c{TOO_MANY + 1}"
    assert not [pair for pair in cases.pairs() if last in pair]
    assert len(cases.pairs()) == TOO_MANY * (TOO_MANY + 1) / 2


def test_a_worn_out_number_does_not_hide_another_key(cases: Cases) -> None:
    for number in range(TOO_MANY + 1):
        cases.birth(f"c{number}", f"9900{number}")
    cases.birth("d", "99100", mother__passport="C9990001")
    cases.birth("e", "99101", mother__passport="C9990001")
    assert [pair for pair in cases.pairs() if "e" in pair] == [("d", "e")]


def test_two_machines_at_once_see_each_others_case(cases: Cases) -> None:
    started = threading.Event()

    def second() -> None:
        started.set()
        cases.birth("b", "99002")

    thread = threading.Thread(target=second)
    now = cases.world.now
    with cases.store.write() as conn:
        said = reading("birth", "m-a", mother__personal_id=MOTHER, child__born=PartialDate.parse("20261123"))
        case = StoredCase("a", "birth", "99001", "f", "collecting", 1, 0, 0, "", now, now, now, (said,))
        add_case(conn, cases.world.vault, case)
        propose_duplicates(conn, cases.services, case, said, now)
        thread.start()
        started.wait()
        while not cases.store.is_sqlite and thread.is_alive():
            if conn.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one():
                break
            time.sleep(0.01)
    thread.join()
    assert cases.pairs() == {("a", "b")}


def test_neither_the_row_nor_the_log_holds_a_persons_data(cases: Cases) -> None:
    known = {"mother__name": NAME, "mother__born": PartialDate.parse("19970412")}
    cases.birth("a", "99001", "BN1", **known)
    cases.birth("b", "99002", "BN9", **known)
    decide_duplicate(cases.services, cases.pair("a", "b").id, False, "dieu-phoi", "Đã gọi cho bà Hòa.")
    with cases.store.read() as conn:
        rows = str(conn.exec_driver_sql("SELECT * FROM possible_duplicate").all())
        keys = [bytes(row.key) for row in conn.exec_driver_sql("SELECT key FROM case_key").all()]
        metas = str(conn.exec_driver_sql("SELECT meta FROM entry").all())
    assert keys
    for word in PERSONAL:
        assert word not in rows
        assert word not in metas
        assert not any(word.encode() in key for key in keys)


def test_others_are_found_by_the_primary_key_alone(cases: Cases) -> None:
    if not cases.store.is_sqlite:
        cases.birth("a", "99001")  # the plan below is SQLite's; that the statement runs is tested by every other test
        return
    sql = " UNION ALL ".join(FIND_OTHERS.format(limit=9, number=number) for number in range(3))
    with cases.store.read() as conn:
        plan = [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (b"k", "c") * 3).all()]
    searches = [step for step in plan if "case_key" in step]
    assert len(searches) == 3
    assert all(step.startswith("SEARCH") and "key=?" in step for step in searches), plan
    assert not [step for step in plan if "TEMP B-TREE" in step]


# Deciding


@pytest.fixture
def pair(cases: Cases) -> Pair:
    cases.birth("a", "99001", "BN1")
    cases.world.clock.pass_seconds(60)
    cases.birth("b", "99002", "BN9")
    return cases.pair("a", "b")


def test_two_persons_are_never_proposed_again(cases: Cases, pair: Pair) -> None:
    assert decide_duplicate(cases.services, pair.id, False, "dieu-phoi", "Đã hỏi hai bệnh viện.") == {}
    cases.extend("b", child__sex=Sex.MALE)
    decided = cases.pair("a", "b")
    assert (decided.state, decided.decided_by, decided.decided_at) == ("different", "dieu-phoi", cases.world.now)
    assert cases.pairs("open") == set()


def test_one_person_becomes_one_case_and_the_older_goes_on(cases: Cases, pair: Pair) -> None:
    assert decide_duplicate(cases.services, pair.id, True, "dieu-phoi", "Chuyển viện sau sinh.") == {}
    assert cases.pairs("same") == {("a", "b")}
    assert {reading.message for reading in cases.status("a").readings} == {"m-a", "m-b"}
    assert cases.status("b").edits["merged.into"].value == "a"


def test_the_decision_is_evidence_about_both_cases(cases: Cases, pair: Pair) -> None:
    decide_duplicate(cases.services, pair.id, False, "dieu-phoi", "Đã hỏi hai bệnh viện.")
    entries = cases.world.entries("decided")
    told = {"action": "duplicate", "pair": pair.id, "same": False}
    assert entries == [{"subject": "a", **told}, {"subject": "b", **told}]
    with cases.store.read() as conn:
        ref = conn.exec_driver_sql("SELECT writer, seq FROM entry WHERE kind = 'decided'").first()
        assert ref is not None
        payload = orjson.loads(payload_of(conn, cases.world.vault, f"{ref.writer}.{ref.seq}"))
    assert (payload["who"], payload["why"]) == ("dieu-phoi", "Đã hỏi hai bệnh viện.")


@pytest.mark.parametrize("why", ["", "  \n"])
def test_a_decision_needs_a_reason(cases: Cases, pair: Pair, why: str) -> None:
    assert "why" in decide_duplicate(cases.services, pair.id, True, "dieu-phoi", why)
    assert cases.pairs("open") == {("a", "b")}


def test_a_pair_is_decided_once(cases: Cases, pair: Pair) -> None:
    assert decide_duplicate(cases.services, pair.id, False, "dieu-phoi", "x") == {}
    assert "pair" in decide_duplicate(cases.services, pair.id, True, "nguoi-khac", "y")
    assert "pair" in decide_duplicate(cases.services, "khong-co", True, "nguoi-khac", "y")
    assert cases.pair("a", "b").decided_by == "dieu-phoi"


def test_a_decision_about_facts_that_changed_meanwhile_is_refused(cases: Cases, pair: Pair) -> None:
    cases.extend("b", child__sex=Sex.MALE)
    assert "pair" in decide_duplicate(cases.services, pair.id, True, "dieu-phoi", "x", (1, 1))
    assert cases.pairs("open") == {("a", "b")}
    assert decide_duplicate(cases.services, pair.id, True, "dieu-phoi", "x", (1, 2)) == {}


def test_cases_that_contradict_each_other_are_not_merged_and_the_pair_stays_open(cases: Cases) -> None:
    cases.birth("a", "99001", child__sex=Sex.MALE)
    cases.birth("b", "99002", child__sex=Sex.FEMALE)
    wrong = decide_duplicate(cases.services, cases.pair("a", "b").id, True, "dieu-phoi", "x")
    assert "trái nhau" in wrong["pair"]
    assert cases.pairs("open") == {("a", "b")}
    assert cases.world.entries("decided") == []


# After a merge


def test_what_was_proposed_or_decided_about_a_merged_case_counts_for_the_one_that_goes_on(cases: Cases) -> None:
    for case_id, facility in zip("abcd", ("99001", "99002", "99003", "99004"), strict=True):
        cases.birth(case_id, facility)
        cases.world.clock.pass_seconds(60)
    assert len(cases.pairs()) == 6
    decide_duplicate(cases.services, cases.pair("b", "c").id, False, "dieu-phoi", "x")
    decide_duplicate(cases.services, cases.pair("a", "b").id, True, "dieu-phoi", "x")
    assert cases.pairs("open") == {("a", "d"), ("c", "d")}
    assert ("a", "c") in cases.pairs("different")
    cases.extend("a", child__sex=Sex.MALE)
    assert cases.pairs("open") == {("a", "d"), ("c", "d")}


def test_a_pair_that_the_kept_case_did_not_have_is_handed_over(cases: Cases, pair: Pair) -> None:
    cases.birth("z", "99005", mother__personal_id="999190000777")
    with cases.store.write() as conn:
        hand_over(conn, "z", "b", cases.world.now)
    assert cases.pairs("open") == {("a", "z")}


def test_a_merge_message_settles_the_pair_it_concerns(cases: Cases, pair: Pair) -> None:
    with cases.store.write() as conn:
        hand_over(conn, "a", "b", cases.world.now)
    assert (cases.pair("a", "b").state, cases.pair("a", "b").decided_by) == ("same", "merge")


# From messages


def test_what_two_feeds_say_of_one_birth_is_two_cases_and_one_proposal(store: Store, vault: Vault, clock: Any) -> None:
    world = WaitingWorld(store, vault, clock)
    step = Correlate(world.services)
    mother = {"mother__personal_id": MOTHER, "child__born": PartialDate.parse("202611230815")}
    ids = (f"{number:020d}"[::-1] for number in itertools.count(1))  # a case's id takes the first twelve characters
    clock.new_id = lambda: next(ids)
    for number, feed in enumerate((HOSPITAL, OTHER_HOSPITAL)):
        said = reading("birth", f"m-{number}", (f"BN{number}",), **mother)
        with store.write() as conn:
            step.record(conn, {"message": said.message}, Read(said.message, feed, (said,)))
    with store.read() as conn:
        facilities = conn.exec_driver_sql('SELECT facility FROM "case" ORDER BY facility').scalars().all()
        states = conn.exec_driver_sql("SELECT state FROM possible_duplicate").scalars().all()
    assert (list(facilities), list(states)) == (["99001", "99002"], ["open"])
