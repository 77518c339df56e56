"""The shipped forms, filled from a whole notification."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.domain.dates import PartialDate
from gateway.domain.dossier import Owed
from gateway.domain.notification import (
    Birth,
    BirthNotification,
    Death,
    DeathNotification,
    Facility,
    Notification,
    Paper,
    flatten,
)
from gateway.domain.person import Address, Person, PersonName, Sex
from gateway.domain.provenance import Provenance
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import Filled, fill_form
from gateway.ports.hospital import Feed

TODAY = date(2026, 11, 23)
HOME = Address(line="12 Lê Lợi", commune="Phường Quy Nhơn", commune_code="21583", province_code="52")
MOTHER = Person(
    name=PersonName("Trần", "Thị", "Thử"),
    born=PartialDate(1995, 5, 1),
    personal_id="999195000001",
    ethnicity="01",
    nationality="VN",
    address=HOME,
)
FACILITY = Facility("99001", "Bệnh viện Thử Nghiệm", Address(commune_code="21583"))
BIRTH = BirthNotification(
    child=Person(sex=Sex.FEMALE, born=PartialDate(2026, 11, 23, 8, 15)),
    mother=MOTHER,
    birth=Birth(weight_g=3200),
    paper=Paper(number="00001.GCS.99001.26", issued_on=PartialDate(2026, 11, 23)),
    facility=FACILITY,
)
DEATH = DeathNotification(
    deceased=Person(name=PersonName("Lê", "Văn", "Mẫu"), sex=Sex.MALE, born=PartialDate(1950), passport="C9990001"),
    death=Death(at=PartialDate(2026, 11, 20, 23, 5), cause="Tuổi già"),
    paper=Paper(number="BT-99001-7", issued_on=PartialDate(2026, 11, 21)),
    facility=FACILITY,
)
ADDED = {
    "commune.code": "21583",
    "computed.timeliness": "on_time",
    "computed.parents": "mother",
    "identity.mother": "matched",
}


def fill(catalogue: Catalogue, told: Notification, **added: Any) -> Filled:
    kind = "birth" if isinstance(told, BirthNotification) else "death"
    view = flatten(told) | ADDED | added
    sources = {path: Provenance("m", path, f"in#{path}") for path in view}
    return fill_form(catalogue.outbound(kind, TODAY), view, sources, catalogue, Feed(), TODAY)


def test_a_birth_is_told_in_national_names_and_codes(shipped: Catalogue) -> None:
    fields = fill(shipped, BIRTH).fields
    expected = {
        "maGCS": "00001.GCS.99001.26",
        "ngayCapGCS": "23.11.2026",
        "loaiDangKy": "1",
        "noiDangKy": "21583",
        "nksHoTen": "",
        "nksGioiTinh": "2",
        "nksNgaySinh": "23.11.2026",
        "nksNgaySinhBangChu": "Ngày hai mươi ba tháng mười một năm hai nghìn không trăm hai mươi sáu",
        "nksNoiSinh": {"maTinh": "52", "maHuyen": "", "maXa": "21583", "dcChiTiet": "Bệnh viện Thử Nghiệm"},
        "nksLoaiKhaiSinh": "3",
        "meHoTen": "Trần Thị Thử",
        "meNgaySinh": "01.05.1995",
        "meDanToc": "01",
        "meQuocTich": "VN",
        "meNoiCuTru": {"maTinh": "52", "maHuyen": "", "maXa": "21583", "dcChiTiet": "12 Lê Lợi"},
        "meLoaiGiayToTuyThan": "4",
        "meSoGiayToTuyThan": "999195000001",
        "meSoDDCN": "999195000001",
        "meXacThucThongTin": "1",
        "chaHoTen": "",
        "chaLoaiGiayToTuyThan": "0",
    }
    assert {name: fields[name] for name in expected} == expected


def test_a_parent_whose_residence_is_unknown_is_told_in_the_registers_words(shipped: Catalogue) -> None:
    assert fill(shipped, BIRTH).fields["chaNoiCuTru"]["dcChiTiet"] == "Không có thông tin"


def test_the_family_owes_what_only_it_can_say(shipped: Catalogue) -> None:
    owed = fill(shipped, BIRTH).owed
    by_family = {item.field for item in owed if item.by == "family"}
    assert by_family >= {"nksHoTen", "nksQueQuan", "nksDanToc", "nycHoTen", "nycQuanHe", "soLuongBanSao"}
    assert all(item.by == "family" for item in owed)


def test_what_the_law_wants_of_a_known_parent_is_owed_and_of_an_unknown_one_is_not(shipped: Catalogue) -> None:
    told = replace(BIRTH, mother=replace(MOTHER, ethnicity=None, nationality=None))
    owed = {item.field for item in fill(shipped, told).owed}
    assert {"meDanToc", "meQuocTich"} <= owed
    assert not {"meNgaySinh", "chaDanToc", "chaQuocTich", "chaNgaySinh"} & owed


def test_a_chosen_name_is_no_longer_owed(shipped: Catalogue) -> None:
    named = replace(BIRTH, child=replace(BIRTH.child, name=PersonName("Trần", "Bảo", "An")))
    filled = fill(shipped, named)
    assert filled.fields["nksHoTen"] == "Trần Bảo An"
    assert Owed("nksHoTen", "family") not in filled.owed


def test_the_facility_owes_the_number_of_its_paper(shipped: Catalogue) -> None:
    filled = fill(shipped, replace(BIRTH, paper=Paper()))
    assert {Owed("maGCS", "facility"), Owed("ngayCapGCS", "facility")} <= set(filled.owed)
    assert filled.missing == ()


def test_a_birth_without_its_date_is_missing_something(shipped: Catalogue) -> None:
    assert fill(shipped, replace(BIRTH, child=Person(sex=Sex.MALE))).missing == ("nksNgaySinh",)


def test_a_death_is_told_in_national_names_and_codes(shipped: Catalogue) -> None:
    fields = fill(shipped, DEATH).fields
    expected = {
        "maGBT": "BT-99001-7",
        "ngayCapGBT": "21.11.2026",
        "nktHoTen": "Lê Văn Mẫu",
        "nktGioiTinh": "1",
        "nktNgaySinh": "1950",
        "nktLoaiGiayToTuyThan": "2",
        "nktSoGiayToTuyThan": "C9990001",
        "nktNgayChet": "20.11.2026",
        "nktGioPhutChet": "23:05",
        "nktNguyenNhanChet": "Tuổi già",
        "gbtLoai": "1",
        "gbtSo": "BT-99001-7",
        "gbtNgay": "21.11.2026",
        "gbtCoQuanCap": "Bệnh viện Thử Nghiệm",
    }
    assert {name: fields[name] for name in expected} == expected
    assert fields["nktNoiCuTru"]["dcChiTiet"] == "Không có thông tin"


def test_a_death_without_a_paper_says_so(shipped: Catalogue) -> None:
    assert fill(shipped, replace(DEATH, paper=Paper())).fields["gbtLoai"] == "0"


@pytest.mark.parametrize(("kind", "count"), [("birth", 63), ("death", 39)])
def test_a_form_carries_every_field_of_the_linked_service(shipped: Catalogue, kind: str, count: int) -> None:
    rules = shipped.outbound(kind, TODAY)
    assert len({row.to.partition(".")[0] for row in rules.rows}) == count
    assert rules.form == "nhanHoSoDKHT"


def test_a_field_no_hospital_can_fill_says_why(shipped: Catalogue) -> None:
    for kind in ("birth", "death"):
        for row in shipped.outbound(kind, TODAY).rows:
            assert row.sources or row.note, row.label


def test_no_value_of_the_hospital_goes_through_unknown_codes(shipped: Catalogue) -> None:
    foreign = replace(BIRTH, mother=replace(MOTHER, ethnicity="99", nationality="ZZ"))
    filled = fill(shipped, foreign)
    assert (filled.fields["meDanToc"], filled.fields["meQuocTich"]) == ("", "")
    assert [(f.code, f.where) for f in filled.findings] == [
        ("value.no_crosswalk", "meDanToc"),
        ("value.no_crosswalk", "meQuocTich"),
    ]
