"""What two rehearsals say differently is found place by place; how a value was found is not a difference."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.domain.case import Case
from gateway.domain.notification import build
from gateway.pipeline.compare import Difference, compare
from gateway.pipeline.rehearse import Rehearsal, RehearsedCase, Sent, rehearse_stream
from tests.samples.folders import FOLDERS, catalogue, feed, readers

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MESSAGE: dict[str, Any] = {"path": "a.hl7", "index": 0, "relevance": "birth", "ack": "AA", "findings": [], "unread": []}
CASE: dict[str, Any] = {
    "kind": "birth",
    "status": "ready",
    "dossier": {"procedure": "1.001193", "fields": {"nksHoTen": "Lò Bảo Thư", "nksNoiSinh": {"maXa": "21583"}}},
    "owed": [{"field": "nksDanToc", "by": "family"}],
    "missing": [],
    "commune": {"code": "21583", "candidates": []},
    "deadlines": {"register_by": "2027-01-08"},
    "clocks": [{"name": "register_by", "ends": "2027-01-08"}],
    "findings": [{"code": "value.missing", "where": "x", "severity": "error", "detail_vi": "Thiếu"}],
    "provenance": {"nksHoTen": {"message": "a.hl7", "path": "PID-5", "rule": "r"}},
    "mapping_hash": "1",
}


def case(told: dict[str, Any], *events: tuple[str, int]) -> RehearsedCase:
    return RehearsedCase(Case(told["kind"], build(told["kind"], {}), {}), frozenset(events or [("a.hl7", 0)]), told)


def rehearsal(*cases: RehearsedCase, messages: tuple[dict[str, Any], ...] = (MESSAGE,)) -> Rehearsal:
    return Rehearsal(list(messages), list(cases), NOW)


def differences(changed: dict[str, Any]) -> tuple[Difference, ...]:
    (found,) = compare(rehearsal(case(CASE)), rehearsal(case({**CASE, **changed}))).cases
    return found.differences


def test_a_rehearsal_equals_itself() -> None:
    assert compare(rehearsal(case(CASE)), rehearsal(case(CASE))).equal


def test_where_a_value_was_read_and_by_which_set_is_no_difference() -> None:
    moved = {"nksHoTen": {"message": "a.hl7", "path": "ZPI-1", "rule": "other"}}
    assert differences({"provenance": moved, "mapping_hash": "2"}) == ()
    unread = {**MESSAGE, "unread": ["ZPI-1"]}
    assert compare(rehearsal(), rehearsal(messages=(unread,))).equal


def test_a_part_of_an_address_is_named_with_its_field() -> None:
    fields = {"nksHoTen": "Lò Bảo Thư", "nksNoiSinh": {"maXa": "21592"}}
    told = differences({"dossier": {"procedure": "1.001193", "fields": fields}})
    assert told == (Difference("field", "nksNoiSinh.maXa", "21583", "21592"),)


def test_a_field_that_one_set_leaves_empty_differs_and_an_absent_one_equals_an_empty_one() -> None:
    emptied = {
        "procedure": "1.001193",
        "fields": {"nksHoTen": "", "nksNoiSinh": {"maXa": "21583"}, "soLuongBanSao": ""},
    }
    assert differences({"dossier": emptied}) == (Difference("field", "nksHoTen", "Lò Bảo Thư", None),)


def test_the_same_name_in_other_code_points_is_a_difference() -> None:
    fields = {"nksHoTen": unicodedata.normalize("NFD", "Lò Bảo Thư"), "nksNoiSinh": {"maXa": "21583"}}
    (told,) = differences({"dossier": {"procedure": "1.001193", "fields": fields}})
    assert told.place == "nksHoTen"


@pytest.mark.parametrize(
    ("changed", "part", "place"),
    [
        ({"status": "waiting"}, "status", ""),
        ({"owed": [{"field": "nksDanToc", "by": "officer"}]}, "owed", "nksDanToc"),
        ({"missing": ["nksGioiTinh"]}, "missing", "nksGioiTinh"),
        ({"findings": []}, "finding", "value.missing x"),
        ({"commune": {"code": "21592", "candidates": []}}, "commune", "code"),
        ({"commune": {"code": "21583", "candidates": [{"code": "1", "name": "Xã A"}]}}, "candidate", "1"),
        ({"clocks": [{"name": "register_by", "ends": "2027-01-09"}]}, "clock", "register_by.ends"),
    ],
)
def test_everything_an_officer_sees_is_compared(changed: dict[str, Any], part: str, place: str) -> None:
    (told,) = differences(changed)
    assert (told.part, told.place) == (part, place)


def test_two_equal_findings_are_more_than_one() -> None:
    (told,) = differences({"findings": CASE["findings"] * 2})
    assert told == Difference("finding", "value.missing x (2)", None, "error: Thiếu")


def test_the_order_of_debts_means_nothing() -> None:
    debts = [{"field": "nksDanToc", "by": "family"}, {"field": "maGCS", "by": "facility"}]
    a, b = ({**CASE, "owed": order} for order in (debts, debts[::-1]))
    assert compare(rehearsal(case(a)), rehearsal(case(b))).equal


def test_another_relevance_is_told_at_the_message() -> None:
    told = compare(rehearsal(), rehearsal(messages=({**MESSAGE, "relevance": "other"},))).messages
    assert told[0].subject == "a.hl7"
    assert told[0].differences == (Difference("relevance", "", "birth", "other"),)


def test_twins_of_one_message_are_compared_each_with_itself() -> None:
    first, second = case(CASE, ("a.xml", 0)), case({**CASE, "status": "waiting"}, ("a.xml", 1))
    assert compare(rehearsal(first, second), rehearsal(second, first)).equal


def test_a_case_that_only_one_set_opens_is_told_as_such() -> None:
    other = case(CASE, ("b.hl7", 0))
    told = compare(rehearsal(case(CASE)), rehearsal(other))
    assert [(one.only, one.subject) for one in told.cases] == [("a", "a.hl7"), ("b", "b.hl7")]
    assert not told.equal


def test_a_death_is_never_compared_with_a_birth() -> None:
    told = compare(rehearsal(case(CASE)), rehearsal(case({**CASE, "kind": "death"})))
    assert [one.only for one in told.cases] == ["a", "b"]


def test_cases_merged_by_one_set_are_one_common_case_and_one_missing() -> None:
    apart = rehearsal(case(CASE, ("a", 0)), case(CASE, ("b", 0)))
    merged = rehearsal(case(CASE, ("a", 0), ("b", 0)))
    assert [one.only for one in compare(apart, merged).cases] == ["", "a"]


def test_messages_of_two_feeds_of_one_hospital_make_one_case_and_those_of_two_hospitals_do_not() -> None:
    name = "birth/same-birth-by-message-and-by-paper"
    messages = FOLDERS[name].messages
    paper = replace(feed(), name="paper")
    for other, cases in ((paper, 1), (replace(paper, facility_code="99002"), 2)):
        stream = [Sent(file, raw, feed() if place == 0 else other) for place, (file, raw) in enumerate(messages)]
        assert len(rehearse_stream(catalogue(), readers(), stream).cases) == cases


def test_facts_of_another_hospitals_patient_of_the_same_number_are_not_taken() -> None:
    early, admission = FOLDERS["birth/birth-weight-before-the-admission"].messages
    for facility, spoke in ((feed().facility_code, 2), ("99002", 1)):
        elsewhere = replace(feed(), name="other", facility_code=facility)
        (opened,) = rehearse_stream(catalogue(), readers(), [Sent(*early, elsewhere), Sent(*admission, feed())]).cases
        assert len({message for message, _ in opened.events}) == spoke
