"""The life of a case in the store, on both databases: updates, cancellations, merges and revivals after sending."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.pipeline import forward
from gateway.pipeline.desk import choose_commune, decide
from gateway.store.session import Store, execute
from gateway.store.vault import Vault
from tests.life_world import Life
from tests.stay_messages import Adult, Newborn, NewbornNews
from tests.waiting_world import QUY_NHON_NAM


@pytest.fixture
def life(store: Store, vault: Vault, clock: Any) -> Life:
    return Life(store, vault, clock)


def only(life: Life) -> str:
    (case_id,) = life.cases()
    return case_id


def test_an_ordinary_update_of_a_newborn_with_a_case_is_a_correction(life: Life) -> None:
    life.take(Newborn(1, "A01", "BN1"))
    assert life.states() == ["birth sent"]
    life.take(NewbornNews(2, "A08", "BN1", "Bình"))
    told = life.dossier(only(life))
    assert (told["version"], told["dossier"]["fields"]["nksHoTen"]) == (2, "Lê Văn Bình")
    (change,) = [each for each in told["corrections"] if each["field"] == "nksHoTen"]
    assert (change["old"], change["new"]) == ("", "Lê Văn Bình")
    assert life.states() == ["birth corrected"]


def lost(minute: int, given: str) -> bytes:
    """An update whose address nobody can place."""
    raw = Newborn(minute, "A08", "BN1", given).raw.replace("Phường Quy Nhơn".encode(), "Xã Không Có".encode())
    return raw.replace(b"^P^^21583", b"^P")


def test_a_correction_that_waits_may_change_again_while_it_waits(life: Life) -> None:
    life.take(Newborn(1, "A01", "BN1"), lost(2, "An"), lost(3, "Bình"))
    told = life.dossier(only(life))
    assert (told["version"], told["row"], life.states()) == (2, "waiting", ["birth sent"])
    life.take(Newborn(4, "A08", "BN1", "Chi"))
    assert (life.dossier(only(life))["row"], life.states()) == ("corrected", ["birth corrected"])


def test_what_was_refused_is_not_taken_back_again(life: Life) -> None:
    life.take(Newborn(1, "A01", "BN1"))
    assert decide(life.services, only(life), "refuse", "can-bo", "Không thuộc thẩm quyền", {}) == {}
    life.work()
    life.take(NewbornNews(2, "A11", "BN1"))
    assert (life.dossier(only(life))["version"], life.states()) == (1, ["birth refused"])


def test_no_answer_about_what_moved_on_wedges_the_lane_of_the_newer_version(life: Life) -> None:
    life.take(Newborn(1, "A01", "BN1"), NewbornNews(2, "A11", "BN1"))
    case_id = only(life)
    assert decide(life.services, case_id, "agree", "can-bo", "Bệnh viện hủy", {}) == {}
    with life.store.write() as conn:  # the newer version was sealed before the answer was looked at
        execute(conn, "UPDATE \"case\" SET status = 'ready' WHERE id = ?", (case_id,))
    life.work()
    with life.store.read() as conn:
        assert execute(conn, "SELECT tries FROM lane WHERE key = ?", (f"dossier:{case_id}",)).fetchone()[0] == 0


def test_the_keys_of_a_case_are_found_without_reading_all_keys(life: Life) -> None:
    with life.store.read() as conn:
        if life.store.is_sqlite:
            explain = "EXPLAIN QUERY PLAN"
        else:
            explain = "EXPLAIN"
            execute(conn, "SET LOCAL enable_seqscan = off")  # the tables are empty here
        plan = " ".join(str(row) for row in execute(conn, f"{explain} {forward._BIRTH_BEFORE}", ("kt-1",)).fetchall())
    assert "case_key_case" in plan
    assert "SCAN" not in plan


def test_two_quotes_take_an_earlier_value_back_and_silence_does_not(life: Life) -> None:
    life.take(Newborn(1, "A01", "BN1", "An"), Newborn(2, "A08", "BN1"))
    assert life.dossier(only(life))["dossier"]["fields"]["nksHoTen"] == "Lê Văn An"
    life.take(Newborn(3, "A08", "BN1").raw.replace(b"MR||", b'MR||""', 1))
    told = life.dossier(only(life))
    assert told["dossier"]["fields"]["nksHoTen"] == ""
    assert any(owed["field"] == "nksHoTen" for owed in told["owed"])


def test_what_an_ordinary_message_said_before_the_case_opened_is_used(life: Life) -> None:
    life.take(NewbornNews(1, "A08", "BN1", "Chi"))
    assert life.states() == []
    life.take(Newborn(2, "A01", "BN1"))
    assert life.dossier(only(life))["dossier"]["fields"]["nksHoTen"] == "Lê Văn Chi"


def test_a_registered_birth_takes_no_more_ordinary_messages(life: Life) -> None:
    life.take(Newborn(1, "A01", "BN1"))
    case_id = only(life)
    numbers = {"so": "1/2026", "quyenSo": "01/2026", "trangSo": "1", "soDinhDanh": "999226000001"}
    typed = {**numbers, "ngayDangKy": f"{life.clock.now():%d.%m.%Y}"}
    assert decide(life.services, case_id, "register", "can-bo", "", typed) == {}
    life.work()
    life.take(NewbornNews(2, "A08", "BN1", "Bình"))
    assert (life.states(), life.dossier(case_id)["version"]) == (["birth registered"], 1)


def test_a_cancelled_admission_after_sending_asks_the_officer(life: Life) -> None:
    life.take(Newborn(1, "A01", "BN1"), NewbornNews(1, "A11", "BN1"))
    case_id = only(life)
    told = life.dossier(case_id)
    assert (told["withdrawn"], told["row"], told["version"]) == (True, "withdrawing", 2)
    assert "case.cancelled" in {finding["code"] for finding in told["findings"]}
    assert decide(life.services, case_id, "agree", "can-bo", "Bệnh viện hủy lượt nhập viện", {}) == {}
    life.work()
    assert life.states() == ["birth cancelled"]


def test_an_officer_may_keep_what_the_facility_takes_back(life: Life) -> None:
    life.take(Newborn(1, "A01", "BN1"))
    case_id = only(life)
    assert decide(life.services, case_id, "accept", "can-bo", "", {}) == {}
    life.work()
    life.take(NewbornNews(2, "A11", "BN1"))
    assert life.states() == ["birth withdrawing"]
    assert decide(life.services, case_id, "keep", "can-bo", "Gia đình đã đến đăng ký", {}) == {}
    life.work()
    assert life.states() == ["birth accepted"]


def test_keeping_a_dossier_nobody_had_taken_over_takes_it_over(life: Life) -> None:
    life.take(Newborn(1, "A01", "BN1"), NewbornNews(2, "A11", "BN1"))
    assert decide(life.services, only(life), "keep", "can-bo", "Cháu đang nằm tại khoa", {}) == {}
    life.work()
    assert life.states() == ["birth accepted"]


def test_an_admission_that_is_cancelled_first_is_cancelled_all_the_same(life: Life) -> None:
    life.take(NewbornNews(2, "A11", "BN1"), Newborn(1, "A01", "BN1"))
    assert life.states() == ["birth cancelled"]
    assert life.desk() == {}


def test_a_new_admission_after_the_cancelled_one_stands(life: Life) -> None:
    life.take(Newborn(1, "A01", "BN1"), NewbornNews(2, "A11", "BN1"), Newborn(3, "A01", "BN1", "An"))
    told = life.dossier(only(life))
    assert (told["withdrawn"], told["version"]) == (False, 3)
    assert life.states() == ["birth corrected"]


def test_a_merge_makes_one_case_of_two_and_withdraws_the_second_dossier(life: Life) -> None:
    life.take(Newborn(1, "A01", "BN1", "An"))
    life.clock.pass_seconds(1)
    life.take(Newborn(2, "A01", "BN2", "An"))
    assert life.states() == ["birth sent", "birth sent"]
    first, second = life.cases()
    life.take(NewbornNews(3, "A40", "BN2", gone="BN1"))
    assert life.cases() == {first: life.cases()[first], second: "birth withdrawing"}
    assert life.item(second)["version"] == 2
    life.take(NewbornNews(4, "A08", "BN2", "Bình"))
    assert life.dossier(first)["dossier"]["fields"]["nksHoTen"] == "Lê Văn Bình"
    assert list(life.cases()) == [first, second]


def test_a_merge_told_before_either_case_opened_is_remembered(life: Life) -> None:
    life.take(NewbornNews(1, "A40", "BN1", gone="BN2"))
    life.take(Newborn(2, "A01", "BN2", "An"), Newborn(3, "A08", "BN1", "Bình"))
    assert life.dossier(only(life))["dossier"]["fields"]["nksHoTen"] == "Lê Văn Bình"


def test_a_merge_of_a_boy_and_a_girl_joins_nothing(life: Life) -> None:
    girl = Newborn(2, "A01", "BN2").raw.replace(b"|M|||12", b"|F|||12")
    life.take(Newborn(1, "A01", "BN1"), girl, NewbornNews(3, "A40", "BN1", gone="BN2"))
    assert all(state != "birth merged" and "withdraw" not in state for state in life.states())
    assert len(life.states()) == 2


def test_a_death_that_is_denied_after_sending_asks_the_officer(life: Life) -> None:
    life.take(Adult(1, "A03", "BN1", "An", dead="Y"))
    assert life.states() == ["death sent"]
    life.take(Adult(2, "A31", "BN1", dead="N"))
    told = life.dossier(only(life))
    assert (told["withdrawn"], life.states()) == (True, ["death withdrawing"])
    assert "death.revived" in {finding["code"] for finding in told["findings"]}


def test_an_indicator_that_was_never_yes_revives_nobody(life: Life) -> None:
    life.take(Adult(1, "A01", "BN1", "An", dead="N"), Adult(2, "A03", "BN1", "An", dead="Y"))
    assert life.states() == ["death sent"]


def test_a_sender_whose_clock_runs_ahead_does_not_overrule_what_comes_later(life: Life) -> None:
    ahead = Newborn(1, "A08", "BN1", "Chi").raw.replace(b"EVN|A08|20261123", b"EVN|A08|20271123")
    life.take(Newborn(0, "A01", "BN1"), ahead)
    life.clock.pass_seconds(3600)
    told = life.dossier(only(life))
    assert "message.clock_ahead" in {finding["code"] for finding in told["findings"]}


def test_the_dossier_of_a_death_waits_until_the_birth_has_left(life: Life) -> None:
    nowhere = Newborn(1, "A01", "BN1", "An").raw.replace("Phường Quy Nhơn".encode(), "Xã Không Có".encode())
    nowhere = nowhere.replace(b"^P^^21583", b"^P")
    life.take(nowhere)
    assert life.states() == ["birth waiting"]
    life.take(Adult(2, "A03", "BN1", "An", dead="Y").raw.replace(b"19500101", b"202611230700+0700"))
    birth, death = life.cases()
    assert birth.startswith("ks")
    assert life.desk() == {}
    assert choose_commune(life.services, birth, QUY_NHON_NAM, "dieu-phoi", "theo giấy tờ") == {}
    life.work()
    assert set(life.desk()) == {birth}
    life.clock.pass_seconds(60)
    life.work()
    assert set(life.desk()) == {birth, death}
