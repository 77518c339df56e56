"""Births, deaths, related facts, and what is none of our business (HL7 v2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hospital.hl7v2_relevance import vital_observations
from tests.hl7v2_messages import DIED, FEED, NEWBORN, READER, events, findings, message, signs

MOTHER = {"NK1-2": "Nguyễn^Lan^Thị", "NK1-3": "MTH^Mẹ"}
BABY = {"PID-7": "202611220730", "PV1-4": ""}
FULL = {"PID-24": "N", "PID-25": "2", "PID-29": "20081112", "PID-30": "Y"}
ORU = {"MSH-9": "ORU^R01^ORU_R01", "PV1-4": ""}
WEIGHT = {"OBX-3": "8339-4^Cân nặng^LN", "OBX-5": "3200", "OBX-6": "g"}


def test_an_ordinary_admission_is_none_of_our_business() -> None:
    assert signs() == []


@pytest.mark.parametrize("trigger", ["A01", "A03", "A04", "A08", "A28", "A31"])
def test_a_newborn_admission_is_a_birth(trigger: str) -> None:
    assert signs(NEWBORN, {"MSH-9": f"ADT^{trigger}"}) == [("birth", "birth")]


@pytest.mark.parametrize("kind", ["ADT^A02", "ORM^O01", "SIU^S12", "VXU^V04", "DFT^P03"])
def test_other_messages_are_never_births_or_deaths(kind: str) -> None:
    assert signs(NEWBORN, DIED, MOTHER, {"MSH-9": kind}) == []


def test_an_empty_trigger_is_taken_from_the_event_segment() -> None:
    assert signs(NEWBORN, {"MSH-9": "ADT"}) == [("birth", "birth")]


@pytest.mark.parametrize("evidence", [MOTHER, {"PID-21": "BN009^^^BV^MR"}])
@pytest.mark.parametrize(("born", "is_birth"), [
    ("20261123", True), ("202610260000", True), ("20261026", True), ("20261025", False), ("19950203", False),
    ("2026", False), ("", False), ("20261231", False), ("không rõ", False),
])  # fmt: skip
def test_a_named_mother_is_evidence_for_a_child_of_at_most_28_days(
    evidence: dict[str, str], born: str, is_birth: bool
) -> None:
    assert bool(signs(BABY, evidence, {"PID-7": born})) is is_birth


def test_the_age_counts_at_the_message_time_when_the_event_has_none() -> None:
    assert signs(BABY, MOTHER, {"EVN-2": "", "MSH-7": "20261123"}) == [("birth", "birth")]
    assert signs(BABY, MOTHER, {"EVN-2": "", "MSH-7": "20270123"}) == []


def test_a_child_still_in_for_its_birth_in_the_fifth_week_is_a_birth() -> None:
    late = {"EVN-2": "20270105", "PV1-44": "20261122"}
    assert signs(BABY, MOTHER, late, {"MSH-9": "ADT^A08"}) == [("birth", "birth")]


def test_a_young_child_without_a_named_mother_is_no_evidence() -> None:
    assert signs(BABY) == []
    assert signs(BABY, {"NK1-3": "FTH"}) == []


def test_a_newborn_without_a_birth_date_is_still_a_birth() -> None:
    assert signs(NEWBORN, {"PID-7": ""}) == [("birth", "birth")]


def test_an_adult_marked_newborn_is_no_birth_and_the_error_is_told_when_the_mother_is_named() -> None:
    assert signs(NEWBORN, {"PID-7": "19950203"}) == []
    assert signs(NEWBORN, MOTHER, {"PID-7": "20261025"}) == [("birth", "related")]
    assert findings(NEWBORN, MOTHER, {"PID-7": "20261025"}) == ["birth.too_old"]
    assert findings(NEWBORN, {"PID-6": "Nguyễn^Lan", "PID-7": "20261025"}) == ["birth.too_old"]


def test_a_message_filled_with_everything_is_neither_birth_nor_death() -> None:
    assert signs(FULL, MOTHER, {"PID-7": "19880818", "PID-21": "1212121"}) == []


def test_a_filled_message_of_a_young_child_is_no_birth_unless_marked_newborn() -> None:
    plausible = {"PID-24": "Y", "PID-25": "2", "PID-29": "202611230800", "PID-30": "Y"}
    assert signs(BABY, MOTHER, plausible) == [("death", "death")]
    assert signs(NEWBORN, MOTHER, plausible) == [("birth", "birth"), ("death", "death")]


@pytest.mark.parametrize("fields", [{"PID-30": "Y"}, {"PID-29": "20261123"}, {"PID-29": "2026", "PID-30": "Y"}])
def test_a_death_indicator_or_time_is_a_death(fields: dict[str, str]) -> None:
    assert signs(fields) == [("death", "death")]
    assert findings(fields) == []


@pytest.mark.parametrize("fields", [{"PID-30": "N"}, {"PID-29": '""'}, {"PID-29": "00000000"}, {"PV1-36": "01"}])
def test_nothing_said_about_a_death_is_no_death(fields: dict[str, str]) -> None:
    assert signs(fields) == []


def test_a_discharge_code_means_death_only_where_the_feed_says_so() -> None:
    assert signs({"PV1-36": "20"}) == [("death", "death")]
    assert signs({"PV1-36": "TV"}) == []
    assert signs({"PV1-36": "TV"}, feed=replace(FEED, discharge_died=("TV",))) == [("death", "death")]


@pytest.mark.parametrize("fields", [{"PID-29": "20261123"}, {"PV1-36": "20"}])
def test_a_death_that_the_same_message_denies_is_left_to_a_person(fields: dict[str, str]) -> None:
    assert signs(fields, {"PID-30": "N"}) == [("death", "death")]
    assert findings(fields, {"PID-30": "N"}) == ["death.contradiction"]


def test_a_newborn_who_died_is_a_birth_and_then_a_death() -> None:
    birth, death = events(NEWBORN, DIED)
    assert (birth.kind, birth.mapping, death.kind, death.mapping) == ("birth", "adt_birth", "death", "adt_death")
    assert [finding.code for finding in birth.findings] == ["birth.died"]


@pytest.mark.parametrize("counts", [
    {"OBX-3": "73773-4", "OBX-5": "0"},
    {"OBX-3": "73772-6", "OBX-5": "1", "OBX[2]-3": "57722-1", "OBX[2]-5": "1"},
])  # fmt: skip
def test_a_stillbirth_opens_no_dossier_of_either_kind(counts: dict[str, str]) -> None:
    assert signs(NEWBORN, DIED, counts) == [("birth", "related")]
    assert findings(NEWBORN, DIED, counts) == ["birth.still"]


def test_one_dead_twin_does_not_make_the_other_stillborn() -> None:
    counts = {"OBX-3": "73772-6", "OBX-5": "1", "OBX[2]-3": "57722-1", "OBX[2]-5": "2"}
    assert signs(NEWBORN, counts) == [("birth", "birth")]


def test_observations_of_vital_facts_are_related_and_open_nothing() -> None:
    assert signs(ORU, WEIGHT) == [("birth", "related")]
    assert signs(ORU, {"OBX-3": "69453-9", "OBX-5": "x"}) == [("death", "related")]
    assert signs(ORU, {"OBX-3": "CN01^Cân nặng^99L^8339-4^Birth weight^LN", "OBX-5": "3200"}) == [("birth", "related")]
    assert signs(ORU, {"OBX-3": "2345-7^Glucose^LN", "OBX-5": "5"}) == []


def test_a_newborn_screening_result_notifies_nothing() -> None:
    assert signs(ORU, WEIGHT, {"OBR-4": "54089-8^Newborn screening panel^LN"}) == []


def test_every_patient_of_one_result_message_has_an_event_of_its_own() -> None:
    second = message({"PID-3": "BN002^^^BV^MR"}, ORU, WEIGHT).split(b"\rPID", 1)[1]
    found = READER.events(message(ORU, WEIGHT) + b"PID" + second, FEED)
    assert [event.patients for event in found] == [("BN001",), ("BN002",)]


def test_the_table_of_observations_knows_births_deaths_and_screenings() -> None:
    assert set(vital_observations().values()) == {"birth", "death", "screening"}


@pytest.mark.parametrize(("numbers", "patients"), [
    ("BN001^^^BV^MR", ("BN001",)),
    ("BN007~BN001^^^BV^MR~PI9^^^BV^PI", ("BN001", "PI9", "BN007")),
    ("999123456789^^^BCA^NI~BN001^^^BV^mr", ("BN001",)),
    ("V1^^^BV^VN~AC1^^^BV^AN~BH1^^^BHXH^HC", ()),
    ("", ()),
])  # fmt: skip
def test_only_patient_numbers_are_handles_of_the_patient(numbers: str, patients: tuple[str, ...]) -> None:
    event = events(NEWBORN, {"PID-3": numbers})[0]
    assert event.patients == patients
    assert READER.patient_of(message({"PID-3": numbers}), FEED) == next(iter(patients), None)


@pytest.mark.parametrize(("fields", "occurred"), [
    ({}, "2026-11-23T01:15:00+00:00"),
    ({"EVN-2": "20261123081500"}, "2026-11-23T01:15:00+00:00"),
    ({"EVN-2": "", "PID-33": "20261122"}, "2026-11-21T17:00:00+00:00"),
    ({"EVN-2": "hôm qua", "MSH-7": "202611230000+0700"}, "2026-11-22T17:00:00+00:00"),
    ({"EVN-2": "", "MSH-7": "20261123"}, "2026-11-22T17:00:00+00:00"),
    ({"EVN-2": "", "MSH-7": ""}, ""),
])  # fmt: skip
def test_events_are_ordered_by_the_event_time_in_utc(fields: dict[str, str], occurred: str) -> None:
    assert events(NEWBORN, fields)[0].occurred == occurred


def test_undecodable_bytes_are_a_finding_that_names_the_segment() -> None:
    raw = message(NEWBORN, MOTHER).replace("Nguyễn^Lan".encode(), b"Nguy\xfen^Lan")
    event = READER.events(raw, FEED)[0]
    assert [(finding.code, finding.where) for finding in event.findings] == [("message.bytes_undecodable", "NK1")]


def test_a_wrong_character_set_label_is_a_finding_and_the_text_is_read() -> None:
    event = events(NEWBORN, {"MSH-18": "8859/1"})[0]
    assert [finding.code for finding in event.findings] == ["message.charset_contradicts"]
    assert event.scope.select(READER.compile("PID-5.1")) == ["CB Nguyễn Thị Lan"]
