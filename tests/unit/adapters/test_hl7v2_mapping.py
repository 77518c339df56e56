"""The shipped HL7 v2 mapping files: from a message to a notification, field by field."""

from __future__ import annotations

import unicodedata

from gateway.domain.case import Rank
from gateway.domain.notification import BirthNotification, DeathNotification
from gateway.domain.person import Sex
from tests.hl7v2_messages import DIED, NEWBORN, load_catalogue, message, readings

CATALOGUE = load_catalogue()
HOME = "12 Lê Lợi^^Phường Quy Nhơn^52^^VNM^P^^21583"
FAMILY = {
    "PID-3": "BN002^^^BV^MR~00001.GCS.99001.26^^^BV^BCT",
    "PID-11": HOME,
    "PID-21": "BN001^^^BV^MR",
    "PID-23": "Quy Nhơn",
    "PID-24": "Y",
    "PID-25": "2",
    "PID-26": "VNM",
    "NK1-2": "Nguyễn^Lan^Thị",
    "NK1-3": "MTH^Mẹ",
    "NK1-4": HOME,
    "NK1-5": "0912000111",
    "NK1-16": "19950203",
    "NK1-19": "VNM",
    "NK1-28": "01^Kinh",
    "NK1-33": "999123456789^^^BCA^NI",
    "NK1[2]-2": "Trần^Văn Nam",
    "NK1[2]-3": "FTH^Bố",
    "NK1[2]-16": "1990",
    "NK1[2]-33": "123456789^^^CA^CMND",
    "OBX-3": "8339-4",
    "OBX-5": "3.2",
    "OBX-6": "kg",
    "OBX[2]-3": "CN^Tuổi thai^99L^11884-4^^LN",
    "OBX[2]-5": "39",
    "OBX[3]-3": "57722-1",
    "OBX[3]-5": "2",
    "ZPD-1": "x",
}


def test_a_birth_message_becomes_a_birth_notification() -> None:
    reading = readings(CATALOGUE, message(NEWBORN, FAMILY, {"MSH-4": "99001"}))[0]
    told = reading.notification
    assert isinstance(told, BirthNotification)
    assert (told.child.name, told.child.sex, str(told.child.born)) == (None, Sex.FEMALE, "2026-11-23T07:30+07:00")
    assert (told.child.facility_id, told.child.nationality) == ("BN002", "VN")
    assert told.mother.name is not None
    assert told.mother.name.full == "Nguyễn Thị Lan"
    assert (told.mother.personal_id, told.mother.facility_id) == ("999123456789", "BN001")
    assert told.mother.phone == "0912000111"
    assert (str(told.mother.born), told.mother.ethnicity, told.mother.nationality) == ("1995-02-03", "01", "VN")
    assert told.mother.address is not None
    assert (told.mother.address.commune_code, told.mother.address.province_code) == ("21583", "52")
    assert told.father.name is not None
    assert (told.father.name.full, str(told.father.born), told.father.cmnd) == ("Trần Văn Nam", "1990", "123456789")
    birth = told.birth
    assert (birth.weight_g, birth.gestation_weeks) == (3200, 39)
    assert (birth.plurality, birth.order, birth.multiple) == (2, 2, True)
    assert (birth.place_name, told.paper.number, told.facility.code) == ("Quy Nhơn", "00001.GCS.99001.26", "99001")


def test_every_value_says_where_it_came_from_and_unread_fields_are_listed() -> None:
    reading = readings(CATALOGUE, message(NEWBORN, FAMILY))[0]
    assert reading.provenance["mother.name"].path == "NK1[NK1-3.1 = MTH]-2"
    assert reading.provenance["birth.gestation_weeks"].path == "OBX[OBX-3.4 = 11884-4]-5"
    assert reading.provenance["mother.facility_id"].path == "PID-21"
    assert reading.unread == ("PV1-2", "ZPD-1")
    assert [finding.code for finding in reading.findings] == ["name.placeholder"]
    assert (reading.rank, reading.patients) == (Rank.MESSAGE, ("BN002",))


def test_a_mother_without_a_kin_segment_is_read_from_the_childs_own() -> None:
    fields = {"PID-6": "Nguyễn^Lan^Thị^^^^M", "PID-11": HOME, "PID-21": "999123456789^^^BCA^NI"}
    told = readings(CATALOGUE, message(NEWBORN, fields))[0].notification
    assert isinstance(told, BirthNotification)
    assert told.mother.name is not None
    assert (told.mother.name.full, told.mother.personal_id) == ("Nguyễn Thị Lan", "999123456789")
    assert told.mother.address is not None


def test_a_decomposed_message_reads_the_same_as_a_composed_one() -> None:
    raw = message(NEWBORN, FAMILY)
    decomposed = unicodedata.normalize("NFD", raw.decode("utf-8")).encode("utf-8")
    assert decomposed != raw
    assert readings(CATALOGUE, decomposed)[0].notification == readings(CATALOGUE, raw)[0].notification


def test_a_death_message_becomes_a_death_notification_without_the_medical_chain() -> None:
    fields = {
        "PID-3": "BN001^^^BV^MR~999123456789^^^BCA^NI",
        "PID-11": HOME,
        "PID-22": "KINH^Dân tộc Kinh",
        "OBX-3": "69453-9^Nguyên nhân^LN",
        "OBX-4": "2",
        "OBX-5": "Bệnh sử kín",
        "OBX[2]-3": "69453-9^Nguyên nhân^LN",
        "OBX[2]-4": "1",
        "OBX[2]-5": "Suy hô hấp",
        "OBX[3]-3": "69441-4^Bệnh khác^LN",
        "OBX[3]-5": "Bệnh kín khác",
    }
    reading = readings(CATALOGUE, message(DIED, fields))[0]
    told = reading.notification
    assert isinstance(told, DeathNotification)
    assert told.deceased.name is not None
    assert (told.deceased.name.full, told.deceased.personal_id) == ("Nguyễn Thị Lan", "999123456789")
    assert (str(told.death.at), told.death.indicated) == ("2026-11-23T08:00+07:00", True)
    assert told.death.cause == "Suy hô hấp"
    assert "kín" not in str(told)


def test_the_cause_and_place_in_a_death_segment_come_first() -> None:
    fields = {"PDA-1": "I21.9^Nhồi máu cơ tim cấp^ICD10", "PDA-2": "ICU^1^2^^^^^^Khoa Hồi sức"}
    fields |= {"OBX-3": "69453-9", "OBX-5": "khác"}
    told = readings(CATALOGUE, message(DIED, fields))[0].notification
    assert isinstance(told, DeathNotification)
    assert (told.death.cause, told.death.place_name) == ("Nhồi máu cơ tim cấp", "Khoa Hồi sức")


def test_a_denied_death_keeps_both_statements_for_a_person() -> None:
    reading = readings(CATALOGUE, message(DIED, {"PID-30": "N"}))[0]
    assert isinstance(reading.notification, DeathNotification)
    assert reading.notification.death.indicated is False
    assert reading.notification.death.at is not None
    assert "death.contradiction" in [finding.code for finding in reading.findings]


def test_a_newborn_who_died_has_no_placeholder_for_a_name() -> None:
    birth, death = readings(CATALOGUE, message(NEWBORN, DIED, FAMILY))
    assert isinstance(birth.notification, BirthNotification)
    assert isinstance(death.notification, DeathNotification)
    assert death.notification.deceased.name is None
    assert death.notification.mother.personal_id == birth.notification.mother.personal_id == "999123456789"


def test_observations_add_facts_with_the_lowest_rank() -> None:
    oru = {"MSH-9": "ORU^R01", "OBX-3": "8339-4", "OBX-5": "2900", "OBX-6": "g"}
    reading = readings(CATALOGUE, message(oru))[0]
    assert isinstance(reading.notification, BirthNotification)
    assert (reading.relevance, reading.rank, reading.notification.birth.weight_g) == ("related", Rank.OBSERVATION, 2900)
    oru = {"MSH-9": "ORU^R01", "OBX-3": "81956-5", "OBX-5": "202611230800+0700"}
    oru |= {"OBX[2]-3": "69449-7", "OBX[2]-5": "^Tự nhiên"}
    reading = readings(CATALOGUE, message(oru))[0]
    assert isinstance(reading.notification, DeathNotification)
    assert str(reading.notification.death.at) == "2026-11-23T08:00+07:00"
    assert reading.notification.death.manner == "Tự nhiên"


def test_an_unknown_sex_code_is_a_finding_and_not_passed_on() -> None:
    reading = readings(CATALOGUE, message(NEWBORN, {"PID-8": "Q"}))[0]
    assert isinstance(reading.notification, BirthNotification)
    assert reading.notification.child.sex is None
    assert ("value.no_crosswalk", "PID-8.1") in [(finding.code, finding.where) for finding in reading.findings]


def test_a_birth_without_its_date_says_what_is_missing() -> None:
    reading = readings(CATALOGUE, message(NEWBORN, {"PID-7": ""}))[0]
    assert ("value.missing", "child.born") in [(finding.code, finding.where) for finding in reading.findings]
