from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date

import pytest

from gateway.domain.commune import CommuneAnswer
from gateway.domain.person import Address
from gateway.mapping.unit_names import read_name
from gateway.mapping.units import Units
from tests.unit.mapping.unit_writing import codes, new_communes, old_communes, shipped_units

TODAY = date(2026, 11, 23)
BEFORE = date(2025, 6, 1)


@pytest.fixture(scope="module")
def units() -> Units:
    return shipped_units()


def test_the_lists_are_complete(units: Units) -> None:
    assert len(units.communes()) == len(new_communes()) == 3321
    assert len({unit.province_code for unit in units.communes()}) == 34
    assert len(old_communes()) == 10035
    assert sum(len(old.into) > 1 for old in old_communes()) == 471


def test_every_old_commune_goes_where_the_lists_say_by_code_and_by_names(units: Units) -> None:
    for old in old_communes():
        by_code = Address(commune_code=old.code, district_code=old.district_code)
        by_names = Address(commune=old.name, district=old.district, province=old.province)
        one_line = Address(line=f"Tổ 1, {old.name}, {old.district}, {old.province}")
        for address in (by_code, by_names, one_line):
            answer = units.resolve(address, TODAY)
            assert codes(answer) == list(old.into), address
            assert (answer.commune is not None) == (len(old.into) == 1)


def test_every_new_commune_is_found_by_its_code_and_what_is_beside_it(units: Units) -> None:
    for unit in new_communes():
        for address in (
            Address(commune_code=unit.code),
            Address(commune_code=unit.code, commune=unit.name),
            Address(commune_code=unit.code, commune=unit.name, province_code=unit.province_code),
        ):
            assert codes(units.resolve(address, TODAY)) == [unit.code], address


def test_every_new_commune_is_found_by_names_unless_an_old_one_of_that_name_there_went_elsewhere(units: Units) -> None:
    undecided = 0
    for unit in new_communes():
        for address in (
            Address(commune=unit.name, province=unit.province),
            Address(commune=unit.name, province_code=unit.province_code),
            Address(line=f"Thôn 1, {unit.name}, {unit.province}"),
        ):
            answer = units.resolve(address, TODAY)
            assert unit.code in codes(answer), address
            undecided += answer.commune is None
            assert codes(units.resolve(address, TODAY, "new")) == [unit.code]
    assert undecided == 3 * 213


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (Address(commune="P. Quy Nhơn", province="Gia Lai"), "21583"),
        (Address(commune="phuong quy nhon", province="tinh gia lai"), "21583"),
        (Address(commune="Trần Phú", district="TP. Quy Nhơn", province="Bình Định"), "21583"),
        (Address(commune="xa Phuoc Hoa", district="H. Tuy Phuoc", province="Binh Dinh"), "21970"),
        (Address(commune="P. Bến Nghé", district="Q.1", province="TP.HCM"), "26740"),
        (Address(commune="P1", district="Q10", province="TP Hồ Chí Minh"), "27190"),
        (Address(commune="Phường 01", district="Quận 10", province="Sài Gòn"), "27190"),
        (Address(line="12 Lê Lợi, P. Bến Nghé, Q.1, TP.HCM"), "26740"),
        (Address(commune_code="21583", province_code="52"), "21583"),
        (Address(commune_code="4", commune="Phường Ba Đình"), "00004"),
        (Address(commune="Phường Quy Nhơn Nam", district="TP Quy Nhơn", province="Gia Lai"), "21592"),
        (Address(commune="Phường Trần Phú", district="T.P. Quy Nhơn", province="Gia Lai"), "21583"),
        (Address(commune="Phường Long Bình", district="Quận 9", province="TPHCM"), "26833"),
        (Address(commune="Phường Kim Long", district="Thành phố Huế", province="Thừa Thiên Huế"), "19774"),
        (Address(commune="Phường Hoài Hương", district="Huyện Hoài Nhơn", province="Bình Định"), "21670"),
        (Address(commune="Phường Lê Lợi", district="TP Quy Nhơn", province="Bình Định"), "21583"),
        (Address(commune="Phượng Sơn", district_code="224", province="Bắc Giang"), "07612"),
        (Address(commune="phuong phuong duc", district="quan thuan hoa", province="hue"), "19789"),
        (Address(commune="Xã Ea H’leo", province="Đắk Lắk"), "24184"),
        (Address(district="Huyện Côn Đảo", province="Bà Rịa - Vũng Tàu"), "26732"),
        (Address(district_code="536"), "21548"),
        (Address(commune="Huyện Lý Sơn", province="Quảng Ngãi"), "21548"),
    ],
)
def test_people_write_places_in_many_ways(units: Units, address: Address, code: str) -> None:
    assert codes(units.resolve(address, TODAY)) == [code]


def test_decomposed_letters_make_no_difference(units: Units) -> None:
    address = Address(commune="Phường Quy Nhơn", province="Tỉnh Gia Lai")
    nfd = Address(
        commune=unicodedata.normalize("NFD", address.commune), province=unicodedata.normalize("NFD", address.province)
    )
    assert nfd != address
    assert units.resolve(nfd, TODAY) == units.resolve(address, TODAY)


@pytest.mark.parametrize(
    "line",
    [
        "12 Lê Lợi, P. Trần Phú, TP Quy Nhơn, Bình Định",
        "12 Lê Lợi - P. Trần Phú - TP Quy Nhơn - Bình Định",
        "12 Lê Lợi – P.Trần Phú – Tp.Quy Nhơn – Gia Lai, Việt Nam",
        "12 Lê Lợi; Trần Phú; Quy Nhơn; Bình Định; VN",
        "12 Lê Lợi, P. Trần Phú, TP Quy Nhơn",
        "Khu phố 3, Phường Quy Nhơn, Gia Lai",
        "Phường Quy Nhơn",
    ],
)
def test_an_address_in_one_line_is_read_from_its_end(units: Units, line: str) -> None:
    for text in (line, line.upper(), unicodedata.normalize("NFD", line)):
        assert codes(units.resolve(Address(line=text), TODAY)) == ["21583"]


def test_a_dash_in_a_name_does_not_part_it(units: Units) -> None:
    for line, code in (
        ("Tổ 5 - Phường 1 - TP Vũng Tàu - Bà Rịa - Vũng Tàu - Việt Nam", "26506"),
        ("Tổ 5 - Phường Đô Vinh - Phan Rang - Tháp Chàm - Ninh Thuận", "22738"),
        ("Thôn 2 - Xã Chân Mây - Lăng Cô - Huế", "20137"),
    ):
        assert codes(units.resolve(Address(line=line), TODAY)) == [code]


def test_a_hamlet_is_not_taken_for_a_commune(units: Units) -> None:
    address = Address(line="Số 5, Phước Hòa", province="Bình Định")
    assert units.resolve(address, TODAY) == CommuneAnswer(None)


def test_a_former_city_written_without_its_type_is_not_taken_for_the_new_ward_of_its_name(units: Units) -> None:
    for address in (Address(commune="Quy Nhơn", province="Bình Định"), Address(line="12 Lê Lợi, Quy Nhơn, Bình Định")):
        answer = units.resolve(address, TODAY)
        assert answer.commune is None
        assert {"21583", "21592", "21553", "21589", "21601", "21607"} == set(codes(answer))


def test_a_district_alone_gives_a_person_its_communes(units: Units) -> None:
    answer = units.resolve(Address(commune="TP. Quy Nhơn", province="Bình Định"), TODAY)
    assert answer.commune is None and len(answer.candidates) == 6


def test_a_wrong_district_is_not_overlooked(units: Units) -> None:
    by_name = Address(commune="Phường Trần Phú", district="Huyện Tuy Phước", province="Bình Định")
    by_code = Address(commune_code="21580", commune="Phường Trần Phú", district="Huyện Tuy Phước")
    for address in (by_name, by_code):
        answer = units.resolve(address, TODAY)
        assert answer.commune is None and codes(answer) == ["21583"]


def test_the_type_tells_two_districts_of_one_name_apart(units: Units) -> None:
    city = [old for old in old_communes() if (old.district, len(old.into)) == ("Thành phố Cao Lãnh", 1)]
    others = {old.name for old in old_communes() if old.district == "Huyện Cao Lãnh"}
    others |= {new.name for new in new_communes()}  # a new name may keep the other district by habit
    alone = [old for old in city if old.name not in others]
    assert alone
    for old in alone:
        right = Address(commune=old.name, district="TP. Cao Lãnh", province="Đồng Tháp")
        assert codes(units.resolve(right, TODAY)) == list(old.into)
        wrong = units.resolve(Address(commune=old.name, district="H. Cao Lãnh", province="Đồng Tháp"), TODAY)
        assert wrong.commune is None and set(codes(wrong)) >= set(old.into)


def test_an_old_name_and_district_under_todays_province_may_be_the_new_commune_of_that_name(units: Units) -> None:
    # The old Xã Vĩnh Thạnh of Tân Hưng went into 27721; today's one, 27736, was made of others of Tân Hưng.
    place = Address(commune="Xã Vĩnh Thạnh", district="Huyện Tân Hưng")
    assert codes(units.resolve(replace(place, province="Tỉnh Long An"), TODAY)) == ["27721"]
    mixed = units.resolve(replace(place, province="Tỉnh Tây Ninh"), TODAY)
    assert mixed.commune is None and codes(mixed) == ["27721", "27736"]
    assert codes(units.resolve(replace(place, province="Tỉnh Tây Ninh"), BEFORE)) == ["27721"]


def test_in_one_line_a_district_of_no_list_leaves_it_to_a_person(units: Units) -> None:
    answer = units.resolve(Address(line="12 Lê Lợi, P. Trần Phú, Khu Đông, Bình Định"), TODAY)
    assert answer.commune is None and "21583" in codes(answer)


def test_a_district_of_no_list_does_not_undo_a_code_and_a_name_that_agree(units: Units) -> None:
    known = Address(commune_code="21580", commune="Phường Trần Phú", district="Khu Đông", province="Bình Định")
    assert codes(units.resolve(known, TODAY)) == ["21583"]
    bare = units.resolve(Address(commune_code="21580", district="Khu Đông"), TODAY)
    assert bare.commune is None and codes(bare) == ["21583"]


def test_a_commune_of_no_list_in_a_known_district_gives_a_person_that_district(units: Units) -> None:
    answer = units.resolve(Address(line="P. Không Có, TP Quy Nhơn, Bình Định"), TODAY)
    assert answer.commune is None and "21583" in codes(answer) and len(answer.candidates) == 6


def test_two_communes_of_one_name_in_a_province_are_told_apart_by_district_only(units: Units) -> None:
    same = [old for old in old_communes() if (old.name, old.province) == ("Phường 1", "Thành phố Hồ Chí Minh")]
    assert len(same) > 2
    told = units.resolve(Address(commune="P.1", province="TP HCM"), TODAY)
    assert told.commune is None and set(codes(told)) >= {code for old in same for code in old.into}
    for old in same:
        address = Address(commune="P.1", district=old.district, province="TP HCM")
        assert codes(units.resolve(address, TODAY)) == list(old.into)


def test_a_reused_code_of_a_whole_commune_means_the_same_place_in_both_lists(units: Units) -> None:
    for old in old_communes():
        if len(old.into) == 1 and units.today(old.code):
            assert old.into == (old.code,)


def test_a_reused_code_of_a_split_commune_is_decided_by_what_is_written_beside_it(units: Units) -> None:
    decided = 0
    for old in old_communes():
        now = units.today(old.code)
        if len(old.into) == 1 or now is None:
            continue
        code, into = old.code, list(old.into)
        assert codes(units.resolve(Address(commune_code=code), TODAY)) == [code]
        assert codes(units.resolve(Address(commune_code=code), BEFORE)) == into
        assert codes(units.resolve(Address(commune_code=code, district_code=old.district_code), TODAY)) == into
        assert codes(units.resolve(Address(commune_code=code, district=old.district), TODAY)) == into
        assert codes(units.resolve(Address(commune_code=code, commune=now.name), TODAY)) == [code]
        if read_name("commune", old.name).key != read_name("commune", now.name).key:
            assert codes(units.resolve(Address(commune_code=code, commune=old.name), TODAY)) == into
            decided += 1
    assert decided > 20


def test_the_sender_can_say_which_list_its_codes_are_of(units: Units) -> None:
    split = [old for old in old_communes() if len(old.into) > 1 and units.today(old.code)]
    assert len(split) == 151
    for old in split:
        bare = Address(commune_code=old.code)
        assert codes(units.resolve(bare, TODAY, "old")) == list(old.into)
        assert codes(units.resolve(bare, BEFORE, "new")) == [old.code]
        # Against its word, a district is still a district.
        against = units.resolve(Address(commune_code=old.code, district_code=old.district_code), TODAY, "new")
        assert against.commune is None and set(codes(against)) >= set(old.into)


def test_a_code_that_is_not_of_the_list_the_sender_named_is_not_trusted_alone(units: Units) -> None:
    for code, unit_list in (("26732", "old"), ("21580", "new")):
        answer = units.resolve(Address(commune_code=code), TODAY, unit_list)
        assert answer.commune is None and len(answer.candidates) == 1
    named = Address(commune_code="26732", commune="Đặc khu Côn Đảo")
    assert codes(units.resolve(named, TODAY, "old")) == ["26732"]


def test_a_name_decides_a_reused_code(units: Units) -> None:
    assert codes(units.resolve(Address(commune_code="00004", commune="Trúc Bạch"), TODAY)) == ["00004"]
    told = units.resolve(Address(commune_code="00004", commune="Phường Một Nơi Khác"), TODAY)
    assert told.commune is None and codes(told) == ["00004"]


def test_a_code_beside_the_name_of_another_commune_there_is_not_trusted(units: Units) -> None:
    for address in (
        Address(commune_code="21583", commune="Phường Quy Nhơn Nam", province="Gia Lai"),
        Address(commune_code="21583", commune="Ghềnh Ráng", district="Quy Nhơn"),
    ):
        told = units.resolve(address, TODAY)
        assert told.commune is None and codes(told) == ["21583", "21592"]


def test_marks_tell_a_commune_from_another_even_beside_a_code(units: Units) -> None:
    by_name = {old.name: old for old in old_communes() if old.district == "Huyện Trực Ninh"}
    one, other = by_name["Xã Trực Hùng"], by_name["Xã Trực Hưng"]
    crossed = units.resolve(Address(commune_code=one.code, commune=other.name), TODAY)
    assert crossed.commune is None and codes(crossed) == ["14053", "14077"]
    loose = units.resolve(Address(commune_code="21583", commune="Phường Qui Nhơn"), TODAY)
    assert codes(loose) == ["21583"] and loose.commune is not None


def test_a_split_commune_goes_to_a_person_with_its_candidates(units: Units) -> None:
    old = next(old for old in old_communes() if len(old.into) > 1)
    answer = units.resolve(Address(commune=old.name, district=old.district, province=old.province), TODAY)
    assert answer.commune is None and codes(answer) == list(old.into)


def test_a_name_without_marks_that_fits_two_units_is_not_guessed(units: Units) -> None:
    answer = units.resolve(Address(commune="thanh an", province="ho chi minh"), TODAY)
    assert answer.commune is None
    assert {unit.name for unit in answer.candidates} >= {"Xã Thanh An", "Xã Thạnh An"}


def test_a_name_with_wrong_marks_is_only_a_candidate(units: Units) -> None:
    answer = units.resolve(Address(commune="Phường Quý Nhơn", province="Gia Lai"), TODAY)
    assert answer.commune is None and "21583" in [unit.code for unit in answer.candidates]


def test_a_name_in_both_lists_under_a_province_that_is_gone_is_not_guessed(units: Units) -> None:
    # The old Phường Nguyễn Trãi of Hải Dương went into Phường Thành Đông; today's Phường Nguyễn Trãi is another one.
    answer = units.resolve(Address(commune="Phường Nguyễn Trãi", province="Tỉnh Hải Dương"), TODAY)
    assert answer.commune is None
    assert {"Phường Nguyễn Trãi", "Phường Thành Đông"} <= {unit.name for unit in answer.candidates}
    today = Address(commune="Phường Nguyễn Trãi", province="Thành phố Hải Phòng")
    assert units.resolve(today, TODAY).commune is None
    assert codes(units.resolve(today, TODAY, "new")) == ["10552"]
    assert codes(units.resolve(today, BEFORE)) == ["10507"]


def test_a_code_of_another_province_is_not_trusted(units: Units) -> None:
    answer = units.resolve(Address(commune_code="21583", province_code="01"), TODAY)
    assert answer.commune is None and [unit.code for unit in answer.candidates] == ["21583"]


@pytest.mark.parametrize(
    "address",
    [
        Address(),
        Address(line="12 Lê Lợi"),
        Address(line="nhà ông Tư, gần chợ"),
        Address(commune="Xã Không Có Thật", province="Gia Lai"),
        Address(commune_code="99999"),
        Address(commune_code="00000"),
        Address(commune_code="abc"),
        Address(province="Gia Lai"),
    ],
)
def test_what_names_no_unit_is_unknown(units: Units, address: Address) -> None:
    assert units.resolve(address, TODAY) == CommuneAnswer(None)


def test_today_finds_a_unit_by_its_code_with_or_without_zeros(units: Units) -> None:
    found = units.today("4")
    assert found is not None and (found.code, found.name, found.list) == ("00004", "Phường Ba Đình", "2025-07-01")
    assert units.today("99999") is None
