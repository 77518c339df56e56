"""identify: who is asked about, how often, for what, and what happens while there is no answer. What writes in a way of
its own is tried on both databases. Every person is invented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.dates import PartialDate
from gateway.domain.identity import IdentityResult, PersonQuery, PopulationAnswer
from gateway.domain.person import Person, PersonName
from gateway.errors import Misconfigured, Misunderstood, PortError, Refused, Unreachable
from gateway.messagelog.chain import LoggedEntry, entries_of, payload_of
from gateway.pipeline.cases import find_case
from gateway.pipeline.desk import decide
from gateway.pipeline.pace import Pace
from gateway.store.session import Store, execute
from gateway.store.vault import Vault
from gateway.testing.population import FakePopulation
from tests.life_world import Life
from tests.stay_messages import Adult, Newborn, NewbornNews

AWAY = Unreachable("population.away", "the population database gives no answer")
MOTHER = Person(name=PersonName("Nguyễn", "Thị", "Mẫu"), born=PartialDate(1995, 5, 1), personal_id="999195000001")
FATHER = "NK1|2|Lê^Cha^Văn|FTH|||||||||||||19940203|||||||||||||||||999094000001^^^BCA^NI"
DAY = 86_400
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def life(store: Store, vault: Vault, clock: Any) -> Life:
    life = Life(store, vault, clock)
    with store.write() as conn:  # packing the mappings would take longer than everything else here
        execute(conn, "INSERT INTO mapping_set VALUES (?, ?, ?)", (life.services.catalogue.hash, 0, b""))
    know(life, FakePopulation([replace(MOTHER, ethnicity="01")]))
    return life


def know(life: Life, population: Any, **changes: Any) -> None:
    life.services = replace(life.services, population=population, **changes)


def asked(life: Life) -> list[PersonQuery]:
    found: list[PersonQuery] = life.services.population.asked  # type: ignore[attr-defined]
    return found


def fail(life: Life, failure: PortError | None) -> None:
    life.services.population.failure = failure  # type: ignore[attr-defined]


def birth(minute: int, number: str = "BN1", given: str = "", father: str = FATHER, trigger: str = "A01") -> bytes:
    raw = Newborn(minute, trigger, number, given).raw
    return raw.replace(b"PV1|", f"{father}\rPV1|".encode(), 1) if father else raw


def only(life: Life) -> str:
    (case_id,) = life.cases()
    return case_id


def results(life: Life, case_id: str = "") -> dict[str, IdentityResult]:
    with life.store.read() as conn:
        case = find_case(conn, life.vault, case_id or only(life))
    assert case is not None
    return dict(case.identity)


def verdicts(life: Life, case_id: str = "") -> dict[str, str]:
    return {role: result.verdict.value for role, result in results(life, case_id).items()}


def logged(life: Life, kind: str, case_id: str = "") -> list[LoggedEntry]:
    with life.store.read() as conn:
        return [entry for entry in entries_of(conn, case_id or only(life)) if entry.kind == kind]


def field(life: Life, name: str, case_id: str = "") -> Any:
    return life.dossier(case_id or only(life))["dossier"]["fields"][name]


@ONE_DATABASE
def test_a_question_says_for_which_procedure_case_and_role_and_its_entry_names_nobody(life: Life) -> None:
    life.take(birth(1))
    questions = {query.role: query for query in asked(life)}
    assert {query.purpose for query in questions.values()} == {"1.001193 Đăng ký khai sinh"}
    assert {query.case_id for query in questions.values()} == {only(life)}
    entries = {entry.meta["role"]: entry for entry in logged(life, "identified")}
    assert entries["mother"].meta["purpose"] == "1.001193 Đăng ký khai sinh"
    assert entries["father"].meta["request_id"] == questions["father"].request_id
    assert "999195000001" not in str([entry.meta for entry in entries.values()])
    with life.store.read() as conn:
        assert b"999195000001" in payload_of(conn, life.vault, entries["mother"].ref)


@ONE_DATABASE
def test_a_death_is_asked_about_for_its_own_procedure(life: Life) -> None:
    life.take(Adult(1, "A03", "BN1", "An", dead="Y").raw.replace(b"^MR||", b"^MR~999150000001^^^BCA^NI||", 1))
    (query,) = asked(life)
    assert (query.role, query.purpose) == ("deceased", "1.000656 Đăng ký khai tử")


@ONE_DATABASE
def test_the_same_person_in_the_same_words_is_asked_about_once_a_case(life: Life) -> None:
    life.take(birth(1), birth(2, given="An", trigger="A08"))
    assert sorted(query.role for query in asked(life)) == ["father", "mother"]
    assert verdicts(life) == {"mother": "matched", "father": "not_found"}
    assert life.dossier(only(life))["version"] == 2
    assert field(life, "meDanToc") == "01"


@ONE_DATABASE
def test_another_case_of_the_same_person_asks_anew(life: Life) -> None:
    life.take(birth(1, father=""))
    life.take(birth(2, "BN2", father="").replace(b"999195000002", b"999195000001").replace(b"0700+", b"0900+"))
    assert len(life.cases()) == 2
    assert [query.personal_id for query in asked(life)] == ["999195000001"] * 2


@ONE_DATABASE
def test_other_words_about_a_person_are_asked_about_and_nobody_else_is(life: Life) -> None:
    life.take(birth(1), birth(2, father=FATHER.replace("Cha", "Chá"), trigger="A08"))
    assert [query.role for query in asked(life)].count("mother") == 1
    assert [query.name and query.name.given for query in asked(life) if query.role == "father"] == ["Cha", "Chá"]


@ONE_DATABASE
def test_the_question_that_a_case_remembers_tells_nothing(life: Life) -> None:
    life.take(birth(1))
    question = results(life)["mother"].question
    assert len(question) == 32
    assert "999195" not in question


@ONE_DATABASE
def test_who_has_no_number_is_not_asked_about_and_takes_no_turn(life: Life) -> None:
    know(life, life.services.population, population_pace=Pace(0.001))
    life.take(birth(1, father=FATHER.replace("999094000001^^^BCA^NI", "")))
    assert verdicts(life) == {"mother": "matched", "father": "not_asked"}


def test_one_parents_answer_is_kept_while_the_others_question_fails(life: Life) -> None:
    class HalfAway(FakePopulation):
        def lookup(self, query: PersonQuery) -> PopulationAnswer:
            self.failure = AWAY if query.role == "father" else None
            return super().lookup(query)

    know(life, HalfAway([MOTHER]))
    life.take(birth(1))
    assert life.states() == ["birth collecting"]
    life.clock.pass_seconds(60)
    life.work()
    assert [query.role for query in asked(life)].count("mother") == 1
    assert verdicts(life) == {"mother": "matched"}
    assert len(logged(life, "identified")) == 1


@ONE_DATABASE
def test_a_case_waits_as_long_as_patience_lasts_and_then_leaves_marked(life: Life) -> None:
    fail(life, AWAY)
    life.take(birth(1))
    life.clock.pass_seconds(800)
    life.work()
    assert (life.states(), life.desk()) == (["birth collecting"], {})
    life.clock.pass_seconds(700)
    life.work()
    assert verdicts(life) == {"mother": "no_answer", "father": "no_answer"}
    assert life.states() == ["birth sent"]
    found = [each for each in life.dossier(only(life))["findings"] if each["code"] == "identity.no_answer"]
    assert {each["where"] for each in found} == {"mother", "father"}
    xml = life.item(only(life))["content"]["xml"]
    assert 'role="mother" verdict="no_answer"' in xml
    assert logged(life, "identified")[0].meta["reason"] == "population.away"


@ONE_DATABASE
def test_a_correction_does_not_wait_again_for_the_same_answer(life: Life) -> None:
    fail(life, AWAY)
    life.take(birth(1, father=""))
    life.clock.pass_seconds(1500)
    life.work()
    life.take(birth(2, father="", given="An", trigger="A08"))
    assert (life.dossier(only(life))["version"], life.states()) == (2, ["birth corrected"])
    other = Newborn(3, "A08", "BN1", "An").raw.replace(b"19950501", b"19950502")
    life.take(other)  # other words are another question
    assert life.dossier(only(life))["version"] == 2


@ONE_DATABASE
@pytest.mark.parametrize(("died", "leaves"), [("202611100730", True), ("202611120730", False)])
def test_no_case_waits_into_the_last_two_days_of_its_legal_clock(life: Life, died: str, leaves: bool) -> None:
    """Died on 10 November: to be registered by the 25th, and it is the 23rd. On the 12th: by the 27th."""
    know(life, life.services.population, identity_patience=30.0 * DAY)
    fail(life, AWAY)
    raw = Adult(1, "A03", "BN1", "An", dead="Y").raw.replace(b"202611230730", died.encode())
    life.take(raw.replace(b"^MR||", b"^MR~999150000001^^^BCA^NI||", 1))
    assert (life.states() == ["death sent"]) == leaves
    life.clock.pass_seconds(2 * DAY)  # the 25th begins at +14 h
    life.work()
    assert life.states() == ["death sent"]


@ONE_DATABASE
@pytest.mark.parametrize("kind", [Misconfigured, Misunderstood])
def test_a_clear_no_sends_the_case_on_at_once_with_the_reason(life: Life, kind: type[PortError]) -> None:
    fail(life, kind("population.no", "the database says no", b"<Fault/>"))
    life.take(birth(1))
    assert verdicts(life) == {"mother": "no_answer", "father": "no_answer"}
    entry = logged(life, "identified")[0]
    assert entry.meta["reason"] == "population.no"
    with life.store.read() as conn:
        assert payload_of(conn, life.vault, entry.ref) == b"<Fault/>"


def test_more_cases_than_the_pace_allows_wait_their_turn_without_a_failed_try(life: Life) -> None:
    know(life, life.services.population, population_pace=Pace(0.1))
    life.take(*(birth(number, f"BN{number}", father="") for number in range(1, 5)))
    assert len(asked(life)) == 1
    with life.store.read() as conn:
        rows = conn.exec_driver_sql("SELECT tries, run_at FROM lane WHERE key LIKE 'case:%%' AND run_at IS NOT NULL")
        waiting = rows.fetchall()
    assert [row[0] for row in waiting] == [0, 0, 0]
    assert len({row[1] for row in waiting}) == 3
    for expected in (2, 3, 4):
        life.clock.pass_seconds(10)
        life.work()
        assert len(asked(life)) == expected
    assert life.states() == ["birth sent"] * 4


@ONE_DATABASE
def test_a_case_near_its_last_day_does_not_wait_for_a_turn(life: Life) -> None:
    pace = Pace(0.001)
    assert pace.wait_until(1, life.clock.now().timestamp()) == 0
    know(life, life.services.population, population_pace=pace)
    raw = Adult(1, "A03", "BN1", "An", dead="Y").raw.replace(b"202611230730", b"202611090730")
    life.take(raw.replace(b"^MR||", b"^MR~999150000001^^^BCA^NI||", 1))
    assert (life.states(), asked(life)) == (["death sent"], [])
    assert logged(life, "identified")[0].meta["reason"] == "population.over_pace"


@ONE_DATABASE
def test_what_was_learnt_about_somebody_goes_with_the_last_message_that_named_them(life: Life) -> None:
    life.take(birth(1))
    life.take(NewbornNews(2, "A11", "BN1"), birth(3, father=""))
    assert set(verdicts(life)) == {"mother"}


def unsent(life: Life) -> bytes:
    """A birth whose commune nobody can tell: it waits for a person."""
    raw = birth(1, father="").replace("Phường Quy Nhơn".encode(), "Xã Không Có".encode())
    return raw.replace(b"^P^^21583", b"^P")


def test_a_late_answer_is_an_addition_and_changes_nothing_that_was_sent(life: Life) -> None:
    fail(life, Refused("population.no", "not today"))
    life.take(birth(1, father=""))
    before = life.dossier(only(life))
    fail(life, None)
    life.clock.pass_seconds(3600)
    life.work()
    after = life.dossier(only(life))
    assert results(life)["mother"].late
    assert (after["version"], life.states()) == (2, ["birth corrected"])
    assert {each["field"] for each in after["corrections"]} == {"meXacThucThongTin"}
    assert after["dossier"]["fields"] | {"meXacThucThongTin": ""} == before["dossier"]["fields"]
    (entry,) = logged(life, "verified")
    assert (entry.meta["verdict"], entry.meta["purpose"]) == ("matched", "1.001193 Đăng ký khai sinh")
    assert 'role="mother" verdict="matched"' in life.item(only(life))["content"]["xml"]


@ONE_DATABASE
def test_a_late_answer_stays_an_addition_in_the_versions_that_follow(life: Life) -> None:
    fail(life, Refused("population.no", "not today"))
    life.take(birth(1, father=""))
    fail(life, None)
    life.clock.pass_seconds(3600)
    life.work()
    count = len(asked(life))
    life.take(birth(2, father="", given="An", trigger="A08"))
    assert (life.dossier(only(life))["version"], len(asked(life))) == (3, count)
    assert field(life, "meDanToc") == ""


@ONE_DATABASE
def test_an_answer_that_comes_before_anything_left_counts_like_any_other(life: Life) -> None:
    fail(life, Refused("population.no", "not today"))
    life.take(unsent(life))
    fail(life, None)
    life.clock.pass_seconds(3600)
    life.work()
    assert (results(life)["mother"].late, life.states()) == (False, ["birth waiting"])
    assert (field(life, "meDanToc"), life.dossier(only(life))["version"]) == ("01", 1)


@ONE_DATABASE
def test_a_database_that_refuses_on_is_asked_ever_more_seldom_and_every_question_is_logged(life: Life) -> None:
    fail(life, Refused("population.no", "not today"))
    life.take(birth(1, father=""))
    for _ in range(6 * 24):
        life.clock.pass_seconds(3600)
        life.work()
    assert len(asked(life)) == 2 + len(logged(life, "verified")) - 1
    assert 5 <= len(asked(life)) <= 12
    assert life.dossier(only(life))["version"] == 1


@ONE_DATABASE
def test_nobody_asks_about_a_case_that_is_closed(life: Life) -> None:
    fail(life, AWAY)
    know(life, life.services.population, identity_patience=0.0)
    life.take(birth(1, father=""), NewbornNews(2, "A11", "BN1"))
    assert decide(life.services, only(life), "agree", "can-bo", "Bệnh viện hủy", {}) == {}
    life.work()
    assert life.states() == ["birth cancelled"]
    fail(life, None)
    count = len(asked(life))
    life.clock.pass_seconds(DAY)
    life.work()
    assert (len(asked(life)), logged(life, "verified")) == (count, [])


@ONE_DATABASE
def test_a_close_name_tells_the_officer_to_look_and_fills_nothing(life: Life) -> None:
    know(life, FakePopulation([replace(MOTHER, name=PersonName("Nguyễn", "", "Mẫu"), ethnicity="01")]))
    life.take(birth(1, father=""))
    assert results(life)["mother"].close == ("name",)
    (finding,) = [each for each in life.dossier(only(life))["findings"] if each["code"].startswith("identity.")]
    assert finding["code"] == "identity.close"
    assert finding["detail_vi"] == "Gần giống CSDLQG về dân cư; cần người xem: họ tên gần giống"
    assert field(life, "meDanToc") == ""


@ONE_DATABASE
def test_what_the_database_says_of_spouses_is_kept_with_the_case_and_told(life: Life) -> None:
    spouse = Person(name=PersonName("Lê", "Văn", "Cha"), personal_id="999094000001", ethnicity="01")

    class Kin(FakePopulation):
        def lookup(self, query: PersonQuery) -> PopulationAnswer:
            answer = super().lookup(query)
            return replace(answer, relatives={"spouse": spouse}) if answer.person else answer

    know(life, Kin([MOTHER]))
    life.take(birth(1))
    assert results(life)["mother"].relatives["spouse"].ethnicity is None
    assert "kinship.confirmed" in {each["code"] for each in life.dossier(only(life))["findings"]}
    life.take(birth(2, father=FATHER.replace("999094000001", "999094000002"), trigger="A08"))
    assert "kinship.differs" in {each["code"] for each in life.dossier(only(life))["findings"]}
    assert [query.role for query in asked(life)].count("mother") == 1


def test_a_pace_lets_through_what_it_says_and_spreads_those_who_wait() -> None:
    pace = Pace(2.0)
    told: Iterator[float] = (pace.wait_until(1, 100.0) for _ in range(40))
    come_again = [at for at in told if at]
    assert len(come_again) == 37  # two a second, and one second's worth to catch up
    assert len(set(come_again)) == 37
    assert come_again[-1] == pytest.approx(118.5, abs=1)
