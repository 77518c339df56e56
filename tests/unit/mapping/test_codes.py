from __future__ import annotations

from datetime import date

import pytest

from gateway.errors import Mistake
from gateway.mapping.codes import DatedTable, overlay, read_table

HEADER = "code,value,name,valid_from,valid_to,source,colour\n"


def table(*lines: str) -> DatedTable:
    mistakes: list[Mistake] = []
    read = read_table("t", "codes/t.csv", (HEADER + "\n".join(lines) + "\n").encode(), mistakes)
    assert mistakes == []
    return read


def mistakes_of(text: str) -> list[Mistake]:
    mistakes: list[Mistake] = []
    read_table("t", "codes/t.csv", text.encode(), mistakes)
    return mistakes


def test_codes_compare_trimmed_and_without_case() -> None:
    codes = table("Nữ,female,,,,law,").on(date(2026, 1, 1))
    assert codes.get(" NỮ ") == "female"
    assert codes.get("Nữ") == "female"  # NFD
    assert codes.get("Nam") is None


def test_a_code_may_stand_for_nothing() -> None:
    assert table("U,,unknown,,,law,").on(date(2026, 1, 1)).get("u") == ""


def test_other_columns_are_kept() -> None:
    codes = table("1,one,,,,law,red").on(date(2026, 1, 1))
    assert codes.column("1", "colour") == "red"
    assert codes.column("2", "colour") is None


def test_a_row_is_in_force_from_its_first_to_its_last_day() -> None:
    codes = table("x,old,,,2027-02-28,law,", "x,new,,2027-03-01,,law,")
    assert codes.on(date(2027, 2, 28)).get("x") == "old"
    assert codes.on(date(2027, 3, 1)).get("x") == "new"
    assert codes.on(date(2027, 3, 1)) is codes.on(date(2030, 1, 1))


def test_codes_are_listed_in_file_order_as_written() -> None:
    assert table("B,1,,,,s,", "a,2,,,,s,", "C,3,,,2020-01-01,s,").on(date(2026, 1, 1)).codes() == ["B", "a"]


def test_an_overlay_replaces_the_rows_of_its_codes_only() -> None:
    merged = overlay(table("25,Giáy,,,,law,", "01,Kinh,,,,law,"), table("25,Kinh,,,,this hospital,"))
    assert merged.on(date(2026, 1, 1)).get("25") == "Kinh"
    assert merged.on(date(2026, 1, 1)).get("01") == "Kinh"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("code,value\n1,2\n", 1, "column name, valid_from, valid_to, source is missing"),
        (HEADER + "1,2,,,,,\n", 2, "the source is empty"),
        (HEADER + "1,2,,,,law,\n,2,,,,law,\n", 3, "the code is empty"),
        (HEADER + "1,2,,01/07/2025,,law,\n", 2, "valid_from is not a date"),
        (HEADER + "1,2,,,2025-02-30,law,\n", 2, "valid_to is not a date"),
        (HEADER + "1,2,,20250701,,law,\n", 2, "valid_from is not a date"),
        (HEADER + "1,2,,2025-W01-1,,law,\n", 2, "valid_from is not a date"),
        (HEADER + "1,2,,2026-01-01,2025-01-01,law,\n", 2, "valid_from is after valid_to"),
        (HEADER + "1,2,,,,law\n", 2, "the line has 6 columns, the header 7"),
        (HEADER + "1,2,,,,law,,\n", 2, "the line has 8 columns, the header 7"),
        ("", 1, "the file is empty"),
        ("code,value,name,valid_from,valid_to,source,name\n", 1, "column name stands twice"),
        (HEADER + '1,"2,,,,law,\n', 2, "not CSV: unexpected end of data"),
        (HEADER + '1,"a\nb",,,,law,\n1,2,,,,,\n', 4, "the source is empty"),
        (HEADER + "1,2,,,,law,\n1,3,,2026-01-01,,law,\n", 3, "the code is already in line 2 for the same days"),
    ],
)
def test_a_mistake_in_a_table_names_its_line(text: str, line: int, problem: str) -> None:
    (mistake,) = mistakes_of(text)
    assert (mistake.file, mistake.line, mistake.problem) == ("codes/t.csv", line, problem)
    assert mistake.remedy


def test_columns_parted_by_semicolons_are_told_what_to_do() -> None:
    (mistake,) = mistakes_of("code;value;name;valid_from;valid_to;source\n1;2;;;;law\n")
    assert mistake.remedy.startswith("Separate the columns by commas. ")


def test_a_misspelt_column_is_answered_with_the_one_meant() -> None:
    (mistake,) = mistakes_of("code,valeu,name,valid_from,valid_to,source\n")
    assert mistake.remedy.startswith("Did you mean `value`? ")


def test_every_mistake_of_a_table_is_told_at_once() -> None:
    assert [mistake.line for mistake in mistakes_of(HEADER + ",2,,x,y,,\n1,2\n1,2,,,,law,\n")] == [2, 2, 2, 2, 3]


def test_a_table_in_another_encoding_is_told_its_line() -> None:
    mistakes: list[Mistake] = []
    read_table("t", "codes/t.csv", HEADER.encode() + "1,2,Nữ,,,law,\n".encode("utf-16-le"), mistakes)
    assert (mistakes[0].line, mistakes[0].remedy) == (2, "Save the file as UTF-8")


def test_a_byte_order_mark_and_any_line_ends_change_nothing() -> None:
    text = HEADER + "1,2,,,,law,\n3,4,,,,law,\n"
    for end in ("\r\n", "\r"):
        mistakes: list[Mistake] = []
        read = read_table("t", "codes/t.csv", b"\xef\xbb\xbf" + text.replace("\n", end).encode(), mistakes)
        assert (mistakes, [row.columns["code"] for row in read.rows]) == ([], ["1", "3"])


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("code,value,name,valid_from,valid_to,source", "column colour is missing"),
        ("code,value,name,valid_from,valid_to,source,colour,taste", "column taste is not in codes/t.csv"),
    ],
)
def test_an_overlay_has_the_columns_of_the_table_below(header: str, problem: str) -> None:
    mistakes: list[Mistake] = []
    read_table("t", "mine/codes/t.csv", f"{header}\n".encode(), mistakes, table("1,2,,,,law,red"))
    assert [(mistake.file, mistake.line, mistake.problem) for mistake in mistakes] == [("mine/codes/t.csv", 1, problem)]


def test_an_overlay_may_have_the_columns_in_another_order() -> None:
    mistakes: list[Mistake] = []
    above = b"colour,source,code,value,name,valid_from,valid_to\nblue,here,1,3,,,\n"
    read = read_table("t", "mine/codes/t.csv", above, mistakes, table("1,2,,,,law,red"))
    assert mistakes == []
    assert overlay(table("1,2,,,,law,red"), read).on(date(2026, 1, 1)).column("1", "colour") == "blue"
