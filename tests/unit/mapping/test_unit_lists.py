from __future__ import annotations

from datetime import date

import pytest

from gateway.domain.person import Address
from gateway.errors import MappingError
from gateway.mapping.units import Units
from tests.unit.mapping.unit_writing import UNITS, codes

TODAY = date(2026, 11, 23)
COMMUNES = "code,name,province_code,province,list\n"
OLD = "code,name,district_code,whole,new_code\n"


def shipped_files(**changed: str) -> dict[str, bytes]:
    """The shipped lists, with files put in place or added; "__" stands for "."."""
    files = {path.name: path.read_bytes() for path in UNITS.glob("*.csv")}
    return files | {name.replace("__", ".") + ".csv": text.encode() for name, text in changed.items()}


def mistakes(files: dict[str, bytes]) -> list[str]:
    with pytest.raises(MappingError) as told:
        Units(files)
    return [str(mistake) for mistake in told.value.mistakes]


def test_a_file_beside_a_list_corrects_the_lines_it_names_and_no_other() -> None:
    before = Units(shipped_files())
    after = Units(
        shipped_files(
            old_communes__gia_lai=f"{OLD}21580,Phường Trần Phú,540,1,21592\n",
            communes__gia_lai=f"{COMMUNES}21601,Phường Một Tên Mới,52,Tỉnh Gia Lai,2026-10-01\n",
        )
    )
    moved = Address(commune_code="21580", district_code="540")
    assert codes(before.resolve(moved, TODAY)) == ["21583"] and codes(after.resolve(moved, TODAY)) == ["21592"]
    renamed = after.today("21601")
    assert renamed is not None and (renamed.name, renamed.list) == ("Phường Một Tên Mới", "2026-10-01")
    for code in ("21583", "21577"):
        same = Address(commune_code=code, district_code="540")
        assert before.resolve(same, TODAY) == after.resolve(same, TODAY)


def test_a_later_file_can_split_a_commune_and_own_that_not_all_parts_are_known() -> None:
    lines = f"{OLD}21580,Phường Trần Phú,540,0,21583\n"
    known = Address(commune_code="21580", district_code="540")
    for more, into in (("", ["21583"]), ("21580,Phường Trần Phú,540,0,21592\n", ["21583", "21592"])):
        answer = Units(shipped_files(old_communes__split=lines + more)).resolve(known, TODAY)
        assert answer.commune is None and codes(answer) == into


def test_every_mistake_is_told_at_once_with_file_line_and_remedy() -> None:
    told = mistakes(
        shipped_files(
            communes__a=f"{COMMUNES}123,,52,Tỉnh Gia Lai,2026\n21583,X,52,Tỉnh Gia Lai,now\n",
            old_communes__a=(
                f"{OLD}00001,Phường Phúc Xá,999,1,99999\n"
                "21553,Phường Nhơn Phú,540,1,21553\n21553,Phường Nhơn Phú,540,1,21583\n00004,too,few\n"
            ),
            merged_communes__a="name,district_code,old_code,source\nXã Cũ,540,99999,unverified\n",
            district_aliases__a="alias,district_code\nQuận Cũ,001\n",
            province_aliases__a="alias,province\nĐâu đó,Tỉnh Không Có\n",
        )
    )
    for start, problem in (
        ("units/communes.a.csv:2: 123: ", "five digits"),
        ("units/communes.a.csv:3: 21583: ", "no date"),
        ("units/old_communes.a.csv:2: 00001: ", "district_code 999"),
        ("units/old_communes.a.csv:2: 00001: ", "new_code 99999"),
        ("units/old_communes.a.csv:4: 21553: ", "whole is 1"),
        ("units/old_communes.a.csv:5: 00004: ", "columns"),
        ("units/merged_communes.a.csv:2: Xã Cũ: ", "old_code 99999"),
        ("units/district_aliases.a.csv:1: header: ", "no column source"),
        ("units/province_aliases.a.csv:2: Đâu đó: ", "in no list"),
    ):
        assert [line for line in told if line.startswith(start) and problem in line], (start, told)


def test_a_missing_list_is_a_mistake() -> None:
    files = shipped_files()
    del files["old_districts.csv"]
    assert any(line.startswith("units/old_districts.csv:1: file: is missing") for line in mistakes(files))


def test_columns_may_stand_in_another_order_and_beside_others() -> None:
    text = "source,new_code,whole,district_code,name,code\na decision,21592,1,540,Phường Trần Phú,21580\n"
    units = Units(shipped_files(old_communes__later=text))
    assert codes(units.resolve(Address(commune_code="21580", district_code="540"), TODAY)) == ["21592"]
