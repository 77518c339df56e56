from __future__ import annotations

import csv
import unicodedata
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.commune import CommuneAnswer
from gateway.domain.person import Address
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.unit_names import read_name
from gateway.mapping.units import Units

TODAY = date(2026, 11, 23)
BEFORE = date(2025, 6, 1)
UNITS = Path(__file__).parents[3] / "mappings" / "units"


@pytest.fixture(scope="module")
def units(shipped: Catalogue) -> Units:
    return shipped.units


def codes(answer: CommuneAnswer) -> list[str]:
    return [answer.commune.code] if answer.commune else [unit.code for unit in answer.candidates]


def old_communes() -> list[tuple[dict[str, str], dict[str, str], list[str]]]:
    """Every old commune with its district and where it went."""
    with (UNITS / "old_districts.csv").open(encoding="utf-8") as file:
        districts = {row["code"]: row for row in csv.DictReader(file)}
    into: dict[str, list[str]] = {}
    rows = {}
    with (UNITS / "old_communes.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["code"]] = row
            into.setdefault(row["code"], []).append(row["new_code"])
    return [(row, districts[row["district_code"]], sorted(into[code])) for code, row in rows.items()]


def test_the_lists_are_complete(units: Units) -> None:
    assert len(units.communes()) == 3321
    assert len({unit.province_code for unit in units.communes()}) == 34
    assert len(old_communes()) == 10035
    assert sum(len(into) > 1 for _, _, into in old_communes()) == 471


def test_every_old_commune_goes_where_the_lists_say_by_code_and_by_names(units: Units) -> None:
    for row, district, into in old_communes():
        by_code = Address(commune_code=row["code"], district_code=row["district_code"])
        by_names = Address(commune=row["name"], district=district["name"], province=district["province"])
        one_line = Address(line=f"Tổ 1, {row['name']}, {district['name']}, {district['province']}")
        for address in (by_code, by_names, one_line):
            answer = units.resolve(address, TODAY)
            assert codes(answer) == into, address
            assert (answer.commune is not None) == (len(into) == 1)


def test_every_new_commune_is_found_by_code_and_by_names(units: Units) -> None:
    for unit in units.communes():
        for address in (
            Address(commune_code=unit.code),
            Address(commune_code=unit.code, commune=unit.name, province_code=unit.province_code),
            Address(commune=unit.name, province=unit.province),
            Address(line=f"Thôn 1, {unit.name}, {unit.province}"),
        ):
            assert codes(units.resolve(address, TODAY)) == [unit.code], address


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


def test_a_reused_code_of_a_whole_commune_means_the_same_place_in_both_lists(units: Units) -> None:
    for row, _, into in old_communes():
        if len(into) == 1 and units.today(row["code"]):
            assert into == [row["code"]]


def test_a_reused_code_of_a_split_commune_is_decided_by_what_is_written_beside_it(units: Units) -> None:
    decided = 0
    for row, district, into in old_communes():
        now = units.today(row["code"])
        if len(into) == 1 or now is None:
            continue
        code = row["code"]
        assert codes(units.resolve(Address(commune_code=code), TODAY)) == [code]
        assert codes(units.resolve(Address(commune_code=code), BEFORE)) == into
        assert codes(units.resolve(Address(commune_code=code, district_code=row["district_code"]), TODAY)) == into
        assert codes(units.resolve(Address(commune_code=code, district=district["name"]), TODAY)) == into
        assert codes(units.resolve(Address(commune_code=code, commune=now.name), TODAY)) == [code]
        if read_name("commune", row["name"]).key != read_name("commune", now.name).key:
            assert codes(units.resolve(Address(commune_code=code, commune=row["name"]), TODAY)) == into
            decided += 1
    assert decided > 20


def test_a_name_decides_a_reused_code(units: Units) -> None:
    assert codes(units.resolve(Address(commune_code="00004", commune="Trúc Bạch"), TODAY)) == ["00004"]
    told = units.resolve(Address(commune_code="00004", commune="Phường Một Nơi Khác"), TODAY)
    assert told.commune is None and [unit.code for unit in told.candidates] == ["00004"]


def test_a_split_commune_goes_to_a_person_with_its_candidates(units: Units) -> None:
    row, district, into = next(item for item in old_communes() if len(item[2]) > 1)
    answer = units.resolve(
        Address(commune=row["name"], district=district["name"], province=district["province"]), TODAY
    )
    assert answer.commune is None
    assert [unit.code for unit in answer.candidates] == into


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
    today = units.resolve(Address(commune="Phường Nguyễn Trãi", province="Thành phố Hải Phòng"), TODAY)
    assert today.commune is not None and today.commune.code == "10552"


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
