"""MoH papers through the shipped mapping files, with the traps that real files hold."""

from __future__ import annotations

import unicodedata
from functools import cache

import pytest

from adapters.hospital.moh_xml import MohReader
from gateway.domain.case import Reading
from gateway.domain.dates import PartialDate
from gateway.domain.notification import BirthNotification, DeathNotification
from gateway.domain.person import Address, PersonName, Sex
from tests.hospital_messages import (
    SIGNED,
    XML9,
    birth_paper,
    death_paper,
    envelope,
    fields,
    load_catalogue,
    read_all,
    xml9,
)

catalogue = cache(load_catalogue)


def read(raw: bytes) -> Reading:
    (reading,) = read_all(catalogue(), MohReader(), raw)
    return reading


def birth(raw: bytes) -> BirthNotification:
    notification = read(raw).notification
    assert isinstance(notification, BirthNotification)
    return notification


def death(raw: bytes) -> DeathNotification:
    notification = read(raw).notification
    assert isinstance(notification, DeathNotification)
    return notification


def row(**changes: str | None) -> bytes:
    return envelope(XML9=xml9(fields(**(XML9 | changes))))


def codes(raw: bytes) -> list[str]:
    return [finding.code for finding in read(raw).findings]


def test_a_birth_paper_is_read_whole() -> None:
    reading = read(birth_paper())
    told = reading.notification
    assert isinstance(told, BirthNotification)
    assert (told.child.name, told.child.sex) == (None, Sex.FEMALE)
    assert told.child.born == PartialDate(2026, 11, 20, 8, 15, 0)
    assert told.mother.name == PersonName("Nguyễn", "Thị", "Hoa")
    assert (told.mother.born, told.mother.sex) == (PartialDate(1998, 3, 4), Sex.FEMALE)
    assert (told.mother.personal_id, told.mother.facility_id) == ("999198000001", "BN-7")
    assert told.mother.address == Address("12 đường Lúa Mới", commune_code="21550", province_code="52")
    assert told.father.name == PersonName("Trần", "Văn", "Nam")
    assert (told.birth.plurality, told.birth.multiple, told.birth.weight_g) == (1, False, 3200)
    assert (told.paper.number, told.paper.issued_on, told.paper.signature) == (
        "00012.GCS.99001.26",
        PartialDate(2026, 11, 21),
        "absent",
    )
    assert told.facility.code == "99001"
    assert reading.unread == ("SO_CON_SONG",)


def test_a_signature_that_does_not_hold_is_the_papers_signature() -> None:
    assert birth(birth_paper(SIGNED)).paper.signature == "invalid"
    assert birth(birth_paper(SIGNED, HOTEN_MTH="Vũ Thị Mai")).paper.signature == "invalid"
    assert birth(row(HOTEN_MTH="Vũ Thị Mai")).paper.signature == "absent"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("202611200815", PartialDate(2026, 11, 20, 8, 15)),
        ("2026112008:15", PartialDate(2026, 11, 20, 8, 15)),
        ("20261120081530", PartialDate(2026, 11, 20, 8, 15, 30)),
        ("20261120", PartialDate(2026, 11, 20)),
        ("20260000", PartialDate(2026)),
    ],
)
def test_a_childs_birth_time_is_read_in_every_length_seen(text: str, expected: PartialDate) -> None:
    for raw in (birth_paper(NGAY_SINH_CON=text), row(NGAY_SINH_CON=text)):
        assert birth(raw).child.born == expected


@pytest.mark.parametrize("text", ["20261332", "hôm qua", "00000000"])
def test_a_birth_date_that_is_none_is_a_finding(text: str) -> None:
    raw = birth_paper(NGAY_SINH_CON=text)
    assert birth(raw).child.born is None
    assert {"value.unreadable", "value.missing"} & set(codes(raw))


@pytest.mark.parametrize(
    ("number", "kind", "field"),
    [
        ("999198000001", "1", "personal_id"),
        ("999198000001", "4", "personal_id"),
        ("999198000001", "", "personal_id"),
        ("999000001", "2", "cmnd"),
        ("999000001", "1", "cmnd"),
        ("Z9990001", "3", "passport"),
        ("Z9990001", "", "passport"),
        ("000000000000", "1", None),
        ("99919800", "1", None),
    ],
)
def test_a_paper_number_is_what_its_shape_and_type_say(number: str, kind: str, field: str | None) -> None:
    mother = birth(birth_paper(SO_CCCD_NND=number, LOAI_GIAYTO_NND=kind)).mother
    numbers = {name: getattr(mother, name) for name in ("personal_id", "cmnd", "passport")}
    assert numbers == dict.fromkeys(numbers) | ({field: number} if field else {})


@pytest.mark.parametrize(
    ("number", "field"),
    [("999198000001", "personal_id"), ("999000001", "cmnd"), ("Z9990001", "passport"), ("12", None)],
)
def test_xml9_tells_the_kind_of_paper_by_the_number_alone(number: str, field: str | None) -> None:
    mother = birth(row(SO_CCCD_NND=number)).mother
    numbers = {name: getattr(mother, name) for name in ("personal_id", "cmnd", "passport")}
    assert numbers == dict.fromkeys(numbers) | ({field: number} if field else {})
    assert ("id.not_12_digits" in codes(row(SO_CCCD_NND=number))) == (field is None)


def test_ten_zeros_are_no_insurance_number() -> None:
    assert birth(birth_paper(MA_BHXH_NND="0000000000")).mother.insurance is None
    assert (
        birth(birth_paper(MA_BHXH_NND="0000000000", MA_THE_NND="GD4999900000001")).mother.insurance == "GD4999900000001"
    )
    assert birth(birth_paper(MA_BHXH_NND="9990000001")).mother.insurance == "9990000001"


def test_both_spellings_of_field_names_are_read() -> None:
    assert birth(row()).mother.name == PersonName("Nguyễn", "Thị", "Hoa")
    assert birth(row(HO_TEN_NND=None, HOTEN_NND="Lê Thị Bé")).mother.name == PersonName("Lê", "Thị", "Bé")
    assert birth(row(HO_TEN_CON=None, TEN_CON="Trần An")).child.name == PersonName("Trần", "", "An")
    assert birth(row(MA_DANTOC_NMD="3")).mother.ethnicity == "03"
    assert birth(birth_paper(TEN_CON=None, HO_TEN_CON="Trần An")).child.name == PersonName("Trần", "", "An")
    both = birth_paper(HOTEN_NND=None, HO_TEN_NND="Lê Thị Bé", MA_DANTOC_NND=None, MA_DANTOC_NMD="3")
    assert (birth(both).mother.name, birth(both).mother.ethnicity) == (PersonName("Lê", "Thị", "Bé"), "03")


def test_names_in_nfd_are_the_same_names() -> None:
    assert birth(row(HO_TEN_CON=unicodedata.normalize("NFD", "Nguyễn Thị Ngọc Ánh"))).child.name == PersonName(
        "Nguyễn", "Thị Ngọc", "Ánh"
    )


@pytest.mark.parametrize("name", ["Con bà Hoa", "BB Nguyễn Thị Hoa", "Bé trai", "Sơ sinh"])
def test_a_placeholder_is_not_the_childs_name(name: str) -> None:
    assert birth(row(HO_TEN_CON=name)).child.name is None
    assert "name.placeholder" in codes(row(HO_TEN_CON=name))


def test_zeros_and_lost_zeros_in_codes() -> None:
    told = birth(birth_paper(MATINH_CU_TRU="052", MAHUYEN_CU_TRU="000", MAXA_CU_TRU="1234", MA_DANTOC_NND="1"))
    assert told.mother.address is not None
    assert (told.mother.address.province_code, told.mother.address.district_code) == ("52", "")
    assert (told.mother.address.commune_code, told.mother.ethnicity) == ("01234", "01")


def test_a_code_that_is_not_digits_is_a_finding() -> None:
    told = birth(birth_paper(MAXA_CU_TRU="21x50", MATINH_CU_TRU="GIA"))
    assert told.mother.address == Address("12 đường Lúa Mới")
    assert codes(birth_paper(MAXA_CU_TRU="²1550")) == ["name.placeholder", "value.unreadable"]


def test_vietnam_is_000_and_an_unknown_country_is_not_passed_on() -> None:
    assert birth(birth_paper(MA_QUOCTICH_NND="VNM")).mother.nationality == "VN"
    assert birth(row(MA_QUOCTICH="000")).mother.nationality == "VN"
    assert birth(row(MA_QUOCTICH="777")).mother.nationality is None
    assert "value.no_crosswalk" in codes(row(MA_QUOCTICH="777"))


@pytest.mark.parametrize("weight", ["2500;2400", "2,5kg", "25", "0"])
def test_a_weight_of_nobody_in_particular_is_not_taken(weight: str) -> None:
    assert birth(row(CAN_NANG_CON=weight)).birth.weight_g is None


def test_twins_share_a_plurality_and_keep_their_own_weight() -> None:
    raw = envelope(XML9=xml9(fields(**XML9), fields(**(XML9 | {"CAN_NANG_CON": "2400;"}))))
    told = [reading.notification for reading in read_all(catalogue(), MohReader(), raw)]
    assert [(one.birth.weight_g, one.birth.multiple) for one in told if isinstance(one, BirthNotification)] == [
        (2500, True),
        (2400, True),
    ]


def test_a_running_number_in_xml9_is_no_paper_number() -> None:
    assert birth(row()).paper.number is None
    assert birth(row(SO="00012.gcs.99001.26")).paper.number == "00012.GCS.99001.26"
    assert birth(row()).facility.code == "99001"


def test_the_mothers_patient_number_comes_from_the_summary_beside_xml9() -> None:
    summary = "<TONG_HOP><MA_BN>BN-7</MA_BN><KET_QUA_DTRI>1</KET_QUA_DTRI></TONG_HOP>"
    assert birth(envelope(XML1=summary, XML9=xml9(fields(**XML9)))).mother.facility_id == "BN-7"


def test_the_disputed_block_counts_only_beside_a_named_father() -> None:
    block = {"SO_CCCD_CHA_NND": "999096000002", "NGAYSINH_CHA_NND": "19960101", "MA_DANTOC_CHA_NND": "01"}
    father = birth(birth_paper(**block)).father
    assert (father.personal_id, father.born, father.ethnicity) == ("999096000002", PartialDate(1996, 1, 1), "01")
    father = birth(birth_paper(HO_TEN_CHA=None, **block)).father
    assert (father.name, father.personal_id, father.born) == (None, None, None)


def test_surrogacy_names_nobody_as_a_parent() -> None:
    reading = read(birth_paper(HOTEN_MTH="Vũ Thị Mai", HO_TEN_CHA_MTH="Đỗ Văn Tư"))
    told = reading.notification
    assert isinstance(told, BirthNotification)
    assert (told.birth.surrogate, told.mother.name, told.father.name) == (True, None, None)
    assert told.paper.number == "00012.GCS.99001.26"
    assert {"HOTEN_NND", "HOTEN_MTH", "HO_TEN_CHA_MTH"} <= set(reading.unread)


def test_a_paper_issued_again_says_so() -> None:
    assert birth(birth_paper(CAP_LAN_DAU="0")).paper.reissue is True
    assert birth(birth_paper(CAP_LAN_DAU="1")).paper.reissue is None
    again = death(death_paper(SO_BAOTU_BD="5")).paper
    assert (again.reissue, again.original_number) == (True, "5")


def test_a_death_paper_is_read_whole() -> None:
    told = death(death_paper())
    assert told.deceased.name == PersonName("Lê", "Văn", "Bình")
    assert (told.deceased.born, told.deceased.sex, told.deceased.facility_id) == (PartialDate(1950), Sex.MALE, "BN-9")
    assert told.deceased.personal_id == "999050000003"
    assert told.deceased.address == Address("Thôn Đông", commune_code="21550", province_code="52")
    assert (told.death.at, told.death.cause) == (
        PartialDate(2026, 11, 22, 4, 30),
        "Không rõ",
    )
    assert (told.paper.number, told.paper.issued_on) == ("GBT-99001-26-7", PartialDate(2026, 11, 22))


def test_a_blank_time_of_death_stays_unknown() -> None:
    assert death(death_paper(NGAY_TV=None)).death.at is None
    assert death(death_paper(NGAY_TV="20261122")).death.at == PartialDate(2026, 11, 22)


def test_two_residences_are_never_mixed() -> None:
    present = {"DCHI_HIENTAI": "Phố Tây", "MATINH_HIENTAI": "01", "MAHUYEN_HIENTAI": "001", "MAXA_HIENTAI": "00001"}
    assert death(death_paper(**present)).deceased.address == Address(
        "Thôn Đông", commune_code="21550", province_code="52"
    )
    only = death(
        death_paper(DCHI_THUONGTRU=None, MATINH_THUONGTRU=None, MAXA_THUONGTRU=None, **present)
    ).deceased.address
    assert only == Address("Phố Tây", commune_code="00001", district_code="001", province_code="01")


SUMMARY = {
    "MA_BN": "BN-7",
    "HO_TEN": "Lê Văn Bình",
    "SO_CCCD": "999050000003",
    "NGAY_SINH": "195001020000",
    "NGAY_RA": "202611220500",
    "KET_QUA_DTRI": "5",
}


def test_a_summary_gives_no_time_of_death() -> None:
    told = death(envelope(XML1=f"<TONG_HOP>{fields(**SUMMARY)}</TONG_HOP>"))
    assert (told.death.at, told.death.indicated) == (None, True)
    assert told.deceased.name == PersonName("Lê", "Văn", "Bình")


def test_a_newborns_summary_never_gives_the_child_its_mothers_name_or_number() -> None:
    told = death(envelope(XML1=f"<TONG_HOP>{fields(**(SUMMARY | {'NGAY_SINH': '202611200815'}))}</TONG_HOP>"))
    assert (told.deceased.name, told.deceased.personal_id, told.deceased.facility_id) == (None, None, "BN-7")
