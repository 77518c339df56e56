"""What `hotich check` warns of, and that it does not cry wolf over what ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from gateway.mapping.catalogue import Catalogue
from gateway.mapping.forms import load_forms
from gateway.mapping.overlays import Overlay
from gateway.mapping.review import review
from tests.hl7v2_messages import load_catalogue
from tests.unit.mapping.conftest import MAPPINGS

Load = Callable[..., Catalogue]
TODAY = date(2026, 11, 23)
HEAD = 'basis = "b"\nkind = "birth"\nin_force = 2025-01-01\n'
OUT = HEAD + 'procedure = "p"\nform = "f"\n'
TABLE = "code,value,name,valid_from,valid_to,source\n"


def warned(catalogue: Catalogue, today: date = TODAY) -> list[str]:
    return [f"{one.file}:{one.line} {one.code}" for one in review(catalogue, {}, today)]


def of_rows(load: Load, rows: str, head: str = OUT) -> list[str]:
    folder = "outbound/p/f.toml" if "procedure" in head else "inbound/notebook/birth.toml"
    lines = warned(load({folder: head + rows, "codes/t.csv": TABLE + "1,one,,,2025-06-30,s\n"}))
    return [line.partition(":")[2] for line in lines if line.startswith(f"set/{folder}")]


def row(to: str, text: str) -> str:
    return f'[[row]]\nto = "{to}"\n{text}\n'


def test_nothing_that_ships_looks_odd() -> None:
    assert warned(load_catalogue()) == []
    assert review(load_catalogue(), load_forms(MAPPINGS / "forms"), TODAY) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('value = "1"\nwhen = "paper.number valued"', 'value = "2"\nwhen = "paper.number valued"'),
        ('value = "1"\nwhen = "paper.number valued"', 'value = "2"\nwhen = "paper.number = 7"'),
        ('value = "1"\nwhen = "paper.number != 7"', 'value = "2"\nwhen = "paper.number absent"'),
        ('value = "1"\nwhen = "paper.number = 7"', """value = "2"\nwhen = "paper.number = '7'" """),
    ],
)
def test_a_row_whose_case_an_earlier_one_always_fills_never_counts(load: Load, first: str, second: str) -> None:
    assert of_rows(load, row("a", first) + row("a", second)) == ["10 row.never"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('from = "child.phone"\nwhen = "paper.number valued"', 'from = "mother.phone"\nwhen = "paper.number valued"'),
        ('value = "1"\nwhen = "paper.number = 7"', 'value = "2"\nwhen = "paper.number valued"'),
        ('value = "1"\nwhen = "paper.number valued"', 'value = "2"\nwhen = "paper.book valued"'),
    ],
)
def test_a_row_that_may_count_is_not_told(load: Load, first: str, second: str) -> None:
    assert of_rows(load, row("a", first) + row("a", second)) == []


def test_a_third_row_after_both_cases_never_counts(load: Load) -> None:
    rows = row("a", 'value = "1"\nwhen = "paper.number valued"') + row("a", 'value = "2"\nwhen = "paper.number absent"')
    assert of_rows(load, rows + row("a", 'value = "3"\nwhen = "paper.book valued"')) == ["14 row.never"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('value = "1"\nwhen = "child.sex = 1"', "row.never"),
        ('value = "1"\nwhen = "paper.reissue = yes"', "row.never"),
        ('value = "1"\nwhen = "child.sex != Nam"', "when.always"),
        ('from = "paper.number"\nwhen = "paper.number absent"', "path.never"),
        ('from = ["paper.number", "paper.book"]\nwhen = "paper.number valued"', "path.never"),
        ('from = "paper.number"\nvalue = "1"\nwhen = "paper.number valued"', "value.never"),
        ('from = "paper.number"\ncodes = "t"', "codes.none"),
    ],
)
def test_a_part_of_a_row_that_never_matters_is_told(load: Load, text: str, code: str) -> None:
    assert of_rows(load, row("a", text)) == [f"6 {code}"]


@pytest.mark.parametrize(
    "text",
    [
        'value = "1"\nwhen = "child.sex = male"',
        'value = "1"\nwhen = "paper.reissue != true"',
        'from = ["paper.book", "paper.number"]\nwhen = "paper.number valued"',
        'from = "paper.issued_on"\nusing = "time_hm"\nvalue = ""\nwhen = "paper.issued_on valued"',
        'from = "mother.address"\nusing = "address_text"\nvalue = "x"\nwhen = "mother.address valued"',
    ],
)
def test_a_part_of_a_row_that_may_matter_is_not_told(load: Load, text: str) -> None:
    assert of_rows(load, row("a", text)) == []


def test_in_a_message_a_valued_path_may_still_yield_nothing(load: Load) -> None:
    rows = row("child.phone", 'from = ["a", "b"]\nvalue = "1"\nwhen = "a valued"')
    assert of_rows(load, rows, HEAD) == []
    assert of_rows(load, row("child.phone", 'from = "a"\nwhen = "a absent"'), HEAD) == ["4 path.never"]


def test_a_field_both_left_out_and_filled_is_told(load: Load) -> None:
    more = OUT.replace('"f"', '"g"') + 'extends = "f"\nleaves_out = ["a"]\n' + row("a", 'value = "1"')
    catalogue = load({"outbound/p/f.toml": OUT + row("a", 'value = "2"'), "outbound/p/g.toml": more})
    assert warned(catalogue) == ["set/outbound/p/g.toml:8 row.left_out"]


def test_a_form_that_no_message_fills_is_told_with_the_kind_meant(load: Load) -> None:
    catalogue = load({"outbound/p/f.toml": OUT.replace("birth", "brith")})
    (one,) = review(catalogue, {}, TODAY)
    assert (one.code, one.line, one.message.endswith("Did you mean `birth`?")) == ("form.never_filled", 2, True)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("1,a,,,2025-12-31,s\n1,b,,2026-01-01,,s\n", []),
        ("1,a,,,2025-12-31,s\n1,b,,2026-01-02,,s\n", ["3 table.gap"]),
        ("1,b,,2026-02-01,,s\n1,a,,,2025-12-31,s\n", ["2 table.gap"]),
        ("1,a,,,2026-11-22,s\n", []),
        ("1,a,,,2026-11-23,s\n", ["2 table.ends"]),
        ("1,a,,,2027-02-28,s\n1,b,,2027-03-01,,s\n", []),
    ],
)
def test_days_without_a_code_between_two_lines_and_an_end_ahead_are_told(
    load: Load, lines: str, expected: list[str]
) -> None:
    assert warned(load({"codes/t.csv": TABLE + lines})) == [f"set/codes/t.csv:{line}" for line in expected]


@pytest.mark.parametrize(("today", "told"), [(date(2026, 12, 31), []), (date(2027, 1, 1), ["holidays.end"])])
def test_holidays_that_end_within_a_year_are_told(load: Load, today: date, told: list[str]) -> None:
    days = TABLE + "2026-01-01,off,,,,s\n2027-01-01,off,,,,s\n"
    assert [line.split()[1] for line in warned(load({"codes/holidays.csv": days}), today)] == told


def test_a_table_that_only_an_overlay_has_and_no_row_names_is_told_with_the_one_meant(load: Load) -> None:
    base = {"codes/ethnicity.csv": TABLE, "codes/by_python.csv": TABLE}
    catalogue = load(base, {"codes/etnicity.csv": TABLE})
    (one,) = review(catalogue, {}, TODAY)
    assert (one.file, one.code) == ("overlay-0/codes/etnicity.csv", "table.not_used")
    assert one.message.endswith("Did you mean `ethnicity`?")


def test_a_version_whose_name_tells_another_day_is_told(load: Load) -> None:
    version = {"inbound/notebook/birth@2027-01-01.toml": HEAD.replace("2025", "2026")}
    told = warned(load({"inbound/notebook/birth.toml": HEAD, **version}))
    assert told == ["set/inbound/notebook/birth@2027-01-01.toml:3 file.another_day"]


def test_a_file_of_an_overlay_that_is_not_read_is_told(load: Load, write: Callable[..., Path]) -> None:
    files: Mapping[str, str] = {"codes/sex.tsv": "", "README.md": "", ".git/config": "", "codes/t.csv": TABLE}
    place = write(files, "mine")
    told = review(load({"codes/t.csv": TABLE}), {}, TODAY, [Overlay(place)])
    assert [(one.file, one.code) for one in told] == [("mine/codes/sex.tsv", "file.not_read")]


def test_a_caution_of_a_part_that_only_one_feed_sees_is_told_once(load: Load, write: Callable[..., Path]) -> None:
    above = write({"codes/t.csv": TABLE + "1,a,,,2027-01-01,s\n"}, "mine")
    base = write({"codes/t.csv": TABLE + "2,b,,,,s\n"})
    catalogue = Catalogue.load(base, {}, [Overlay(above, feeds=("a", "b"))])
    assert warned(catalogue) == ["mine/codes/t.csv:2 table.ends"]
