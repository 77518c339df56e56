"""The shipped forms, filled from a whole notification."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import pytest

from gateway.domain.case import Case
from gateway.domain.dates import PartialDate
from gateway.domain.dossier import Owed
from gateway.domain.notification import BirthNotification, Paper, flatten
from gateway.domain.person import Address, Person, PersonName, Sex
from gateway.domain.provenance import Provenance
from gateway.mapping.catalogue import Catalogue
from gateway.pipeline.prepare import prepare_dossier
from gateway.ports.hospital import Feed
from tests.unit.mapping.notifications import (
    BIRTH,
    DEATH,
    EMPTY,
    FORMS,
    HOME,
    LINKED,
    LINKED_2025,
    MOTHER,
    ORDINARY,
    TODAY,
    WHOLE_BIRTH,
    WHOLE_DEATH,
    fill,
)


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


def test_no_value_of_the_hospital_goes_through_unknown_codes(shipped: Catalogue) -> None:
    foreign = replace(BIRTH, mother=replace(MOTHER, ethnicity="99", nationality="ZZ"))
    filled = fill(shipped, foreign)
    assert (filled.fields["meDanToc"], filled.fields["meQuocTich"]) == ("", "")
    assert [(f.code, f.where) for f in filled.findings] == [
        ("value.no_crosswalk", "meDanToc"),
        ("value.no_crosswalk", "meQuocTich"),
    ]


# What follows from the facts: kinds of registration, of birth, of paper


def prepared(catalogue: Catalogue, told: BirthNotification, on: date) -> dict[str, Any]:
    """The dossier's fields as the step makes them, with what it computes."""
    facts = flatten(told)
    case = Case("birth", told, {path: Provenance("m", path, f"in#{path}") for path in facts})
    now = datetime(on.year, on.month, on.day, 3, tzinfo=UTC)
    return dict(prepare_dossier(case, Feed("f"), catalogue, now).fields)


NAMED = Person(name=PersonName("Lò", "Thị", "Thử"), address=HOME)
NUMBERED = Person(personal_id="999195000003", address=HOME)
NOBODY = Person()


@pytest.mark.parametrize(
    ("mother", "father", "abandoned", "surrogate", "code"),
    [
        *((one, other, None, None, "1") for one, other in product((NAMED, NUMBERED), repeat=2)),
        *((NOBODY, known, None, None, "2") for known in (NAMED, NUMBERED, Person(cmnd="999000111"))),
        *((known, NOBODY, None, None, "3") for known in (NAMED, NUMBERED, Person(passport="C9990001"))),
        (NOBODY, NOBODY, None, None, "4"),
        (Person(born=PartialDate(1995)), Person(ethnicity="01"), None, None, "4"),
        *((one, other, True, None, "5") for one, other in product((NAMED, NOBODY), repeat=2)),
        *((one, other, None, True, "") for one, other in product((NAMED, NOBODY), repeat=2)),
        (NAMED, NAMED, False, False, "1"),
    ],
)
def test_the_kind_of_birth_says_which_parents_are_known(
    shipped: Catalogue, mother: Person, father: Person, abandoned: bool | None, surrogate: bool | None, code: str
) -> None:
    birth = replace(BIRTH.birth, abandoned=abandoned, surrogate=surrogate)
    told = replace(BIRTH, mother=mother, father=father, birth=birth)
    assert prepared(shipped, told, TODAY)["nksLoaiKhaiSinh"] == code


@pytest.mark.parametrize(
    ("born", "on", "code"),
    [
        (PartialDate(2026, 9, 24), date(2026, 11, 23), "1"),  # the sixtieth day
        (PartialDate(2026, 9, 22), date(2026, 11, 23), "1"),  # the sixtieth day was a Saturday
        (PartialDate(2026, 9, 21), date(2026, 11, 23), "4"),  # it was the Friday before
        (PartialDate(2026, 1, 5), date(2026, 11, 23), "4"),
        (None, date(2026, 11, 23), "0"),
    ],
)
def test_the_kind_of_registration_follows_from_the_clock(
    shipped: Catalogue, born: PartialDate | None, on: date, code: str
) -> None:
    told = replace(BIRTH, child=replace(BIRTH.child, born=born))
    assert prepared(shipped, told, on)["loaiDangKy"] == code


@pytest.mark.parametrize("form", FORMS)
def test_a_notice_counts_as_one_only_with_its_number(shipped: Catalogue, form: str) -> None:
    assert fill(shipped, DEATH, form).fields["gbtLoai"] == "1"
    assert fill(shipped, replace(DEATH, paper=Paper()), form).fields["gbtLoai"] == "0"
    assert (
        fill(shipped, replace(DEATH, paper=Paper(issued_on=PartialDate(2026, 11, 21))), form).fields["gbtLoai"] == "0"
    )


# Dates that are known in part


@pytest.mark.parametrize(
    ("born", "dotted", "parts"),
    [
        (PartialDate(1950), "1950", ("1950", "", "")),
        (PartialDate(1950, 7), "1950", ("1950", "07", "")),  # registers take 10, 4 or 0 letters: the month has no place
        (PartialDate(1950, 7, 9), "09.07.1950", ("1950", "07", "09")),
        (None, "", ("", "", "")),
    ],
)
def test_a_date_known_in_part_survives_in_each_form(
    shipped: Catalogue, born: PartialDate | None, dotted: str, parts: tuple[str, ...]
) -> None:
    death = replace(DEATH, deceased=replace(DEATH.deceased, born=born))
    birth = replace(WHOLE_BIRTH, mother=replace(MOTHER, born=born), father=replace(MOTHER, born=born))
    whole = dict(zip(("namSinh", "thangSinh", "ngaySinh"), parts, strict=True))
    for form in FORMS:
        expected = whole if form == LINKED_2025 else dotted
        assert fill(shipped, death, form).fields["nktNgaySinh"] == expected
        assert fill(shipped, birth, form).fields["meNgaySinh"] == expected
        assert fill(shipped, birth, form).fields["chaNgaySinh"] == expected


def test_the_month_of_a_childs_birth_without_its_day_stands_in_words_in_each_form(shipped: Catalogue) -> None:
    told = replace(BIRTH, child=replace(BIRTH.child, born=PartialDate(2026, 4)))
    for form in FORMS:
        words = fill(shipped, told, form).fields["nksNgaySinhBangChu"]
        assert words == "Tháng tư năm hai nghìn không trăm hai mươi sáu"


# Objects and lines


def test_the_2025_form_takes_names_apart_and_drops_the_district(shipped: Catalogue) -> None:
    fields = fill(shipped, WHOLE_BIRTH, LINKED_2025).fields
    assert fields["meHoTen"] == {"Ho": "Trần", "ChuDem": "Thị", "Ten": "Thử"}
    assert fields["chaHoTen"] == {"Ho": "Siu", "ChuDem": "", "Ten": "H'Nghiệm"}
    assert fields["nksNgaySinh"] == {"namSinh": "2026", "thangSinh": "11", "ngaySinh": "03"}
    assert fields["meNoiCuTru"] == {"maTinh": "52", "maXa": "21583", "dcChiTiet": "12 Lê Lợi", "quocGia": "VN"}
    assert fields["chaNoiCuTru"] == {"maTinh": "", "maXa": "", "dcChiTiet": "bản Không Có & <xa>", "quocGia": "LA"}


def test_the_ordinary_form_writes_places_as_one_line(shipped: Catalogue) -> None:
    fields = fill(shipped, WHOLE_BIRTH, ORDINARY).fields
    assert fields["meNoiCuTru"] == "12 Lê Lợi, Phường Quy Nhơn, Tỉnh Gia Lai"
    assert (fields["nksNoiSinh"], fields["nksNoiSinhDVHC"]) == ('Khoa sản "Số 1" & <phụ>', "52")
    told = prepared_ordinary_place(shipped)
    assert told == "Bệnh viện Thử Nghiệm, 5 Đường Mẫu, Phường Quy Nhơn, Tỉnh Gia Lai"


def prepared_ordinary_place(shipped: Catalogue) -> str:
    place = Address(line="Bệnh viện Thử Nghiệm, 5 Đường Mẫu", commune="Phường Quy Nhơn")
    return str(fill(shipped, BIRTH, ORDINARY, computed__facility_place=place).fields["nksNoiSinh"])


@pytest.mark.parametrize("form", FORMS)
def test_a_residence_is_permanent_temporary_or_not_told(shipped: Catalogue, form: str) -> None:
    fields = fill(shipped, WHOLE_BIRTH, form).fields
    assert (fields["meLoaiCuTru"], fields["chaLoaiCuTru"]) == ("1", "2")
    assert fill(shipped, WHOLE_DEATH, form).fields["nktLoaiCuTru"] == "1"
    assert fill(shipped, DEATH, form).fields["nktLoaiCuTru"] == "0"


@pytest.mark.parametrize("form", FORMS)
def test_of_nobody_nothing_is_invented(shipped: Catalogue, form: str) -> None:
    said = {"", "0", "Không có thông tin", "4"}  # 4: neither parent is known
    for told in EMPTY.values():
        for name, value in fill(shipped, told, form, {}).fields.items():
            texts = value.values() if isinstance(value, dict) else [value]
            assert set(texts) <= said, name


@pytest.mark.parametrize("form", FORMS)
def test_the_same_is_owed_and_missing_in_each_form(shipped: Catalogue, form: str) -> None:
    for told in (WHOLE_BIRTH, BIRTH, WHOLE_DEATH, *EMPTY.values()):
        linked, other = fill(shipped, told, LINKED), fill(shipped, told, form)
        carried = set(other.fields)
        assert {item for item in linked.owed if item.field in carried} == set(other.owed)
        assert set(linked.missing) == set(other.missing)
