from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.errors import MappingError, Mistake
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.rules import split_condition
from tests.unit.mapping.conftest import NotebookReader

HEAD = 'basis = "a made-up standard"\nkind = "birth"\nin_force = 2025-01-01\n'
SEX = "code,value,name,valid_from,valid_to,source\nM,male,,,,s\nF,female,,,,s\nX,hen,,,,s\n"
CONDITION = "PATH = TEXT, PATH != TEXT, PATH valued or PATH absent"
PATHS = "text or a list of different texts, none empty"
CONSTANT = "text, a whole number, true, false or a table of texts"
WRONG_CODE = "line 4 of codes/sex.csv has a value that cannot become Sex"


def mistakes_of(load: Callable[..., Catalogue], body: str, head: str = HEAD) -> list[Mistake]:
    with pytest.raises(MappingError) as caught:
        load({"inbound/notebook/birth.toml": head + body, "codes/sex.csv": SEX})
    return caught.value.mistakes


@pytest.mark.parametrize(
    ("row", "line", "problem"),
    [
        ('form = "a"\nto = "child.name"\nnote = "n"', 5, "unknown key `form`"),
        ('to = "child.phone"\nusign = "text"\nfrom = "a"\nusing = "text"', 6, "unknown key `usign`"),
        ('to = "child.nmae"\nfrom = "a"', 5, "`child.nmae` is not a field of a birth"),
        ('to = "child.phone"\nfrom = "a"\nusing = "shout"', 7, "no transform `shout`"),
        ('to = "child.phone"\nfrom = "a"\ncodes = "nothing"', 7, "no code table `nothing`"),
        ('to = "child.phone"\nfrom = "a b"', 6, "path `a b`: a page has no blanks in its headings"),
        ('to = "child.phone"\nfrom = "a"\ncodes = "sex.colour"', 7, "codes/sex.csv has no column `colour`"),
        ('to = "child.phone"\nfrom = "a"\ncodes = "sex."', 7, "`codes` must be a table, or table.column"),
        ('to = "child.phone"\nfrom = "a"\nwhen = "sometimes"', 7, f"`when` must be {CONDITION}"),
        ('to = "child.phone"\nfrom = "a"\nwhen = " valued"', 7, f"`when` must be {CONDITION}"),
        ('to = "child.phone"\nfrom = "a"\nwhen = "b c valued"', 7, "path `b c`: a page has no blanks in its headings"),
        ('to = "child.phone"\nfrom = 3', 6, f"`from` must be {PATHS}"),
        ('to = "child.phone"\nfrom = []', 6, f"`from` must be {PATHS}"),
        ('to = "child.phone"\nfrom = " "', 6, f"`from` must be {PATHS}"),
        ('to = "child.phone"\nfrom = ["a", "b", "a"]', 6, f"`from` must be {PATHS}"),
        ('to = "child.phone"\nfrom = [\n  "a",\n  "b c",\n]', 8, "path `b c`: a page has no blanks in its headings"),
        ('to = "child.born"\nfrom = "a"', 5, "`text` gives str, the field takes PartialDate"),
        ('to = "child.phone"\nfrom = "a"\nusing = "date"', 7, "`date` gives PartialDate, the field takes str"),
        ('to = "child.phone"\nvalue = {}', 6, f"`value` must be {CONSTANT}"),
        ('to = "child.phone"\nvalue = 1.5', 6, f"`value` must be {CONSTANT}"),
        (f'to = "child.phone"\nvalue = 0x{"f" * 1500}', 6, f"`value` must be {CONSTANT}"),
        ('to = "child.phone"\nnote = ""', 6, "`note` must be text that is not empty"),
        ('to = "child.phone"\nfrom = "a"\nrequired = "yes"', 7, "`required` must be true or false"),
        ('from = "a"', 4, "`to` is missing"),
        ('to = ""\nfrom = "a"', 5, "`to` must be text that is not empty"),
        ('to = "child.phone"', 5, "the row says nothing"),
        ('to = "child.phone"\nvalue = "1"\nusing = "text"', 7, "`using` without `from`"),
        ('to = "child.sex"\nvalue = "boy"', 6, "`value` cannot become Sex"),
        ('to = "child.phone"\nfrom = "a"\nowed_by = "family"', 7, "`owed_by` belongs to outbound files"),
        ('to = "child.sex"\nfrom = "a"\ncodes = "sex"', 7, WRONG_CODE),
    ],
)
def test_a_wrong_row_is_named_with_file_line_and_remedy(
    load: Callable[..., Catalogue], row: str, line: int, problem: str
) -> None:
    (mistake,) = mistakes_of(load, f"[[row]]\n{row}\n")
    assert (mistake.file, mistake.line, mistake.problem) == ("set/inbound/notebook/birth.toml", line, problem)
    assert mistake.remedy


@pytest.mark.parametrize(
    ("row", "meant"),
    [
        ('to = "child.phone"\nform = "a"\nfrom = "a"', "from"),
        ('to = "child.phoen"\nfrom = "a"', "child.phone"),
        ('to = "child.phone"\nfrom = "a"\nusing = "txet"', "text"),
        ('to = "child.phone"\nfrom = "a"\ncodes = "sexes"', "sex"),
        ('to = "child.phone"\nfrom = "a"\ncodes = "sex.naem"', "name"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_one_meant(load: Callable[..., Catalogue], row: str, meant: str) -> None:
    (mistake,) = mistakes_of(load, f"[[row]]\n{row}\n")
    assert mistake.remedy.startswith(f"Did you mean `{meant}`?")


def test_all_mistakes_are_reported_at_once(load: Callable[..., Catalogue]) -> None:
    rows = '[[row]]\nto = "child.phone"\nfrom = "a"\nusing = "x"\n[[row]]\nto = "child.phon"\nfrom = "b c"\n'
    assert [mistake.line for mistake in mistakes_of(load, rows)] == [7, 9, 10]


def test_a_header_without_its_basis_is_refused(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, "", 'kind = "birth"\nin_force = 2025-01-01\n')
    assert mistake.problem == "`basis` is missing"


def test_an_empty_basis_is_refused(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, "", 'basis = ""\nkind = "birth"\nin_force = 2025-01-01\n')
    assert (mistake.line, mistake.problem) == (1, "`basis` must be text that is not empty")


def test_an_unknown_kind_is_refused(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, "", 'basis = "b"\nkind = "wedding"\nin_force = 2025-01-01\n')
    assert (mistake.line, mistake.problem) == (2, "kind `wedding` is unknown")


def test_a_quoted_date_is_refused(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, "", 'basis = "b"\nkind = "birth"\nin_force = "2025-01-01"\n')
    assert (mistake.line, mistake.problem) == (3, "`in_force` must be a date (yyyy-mm-dd, no quotes)")


def test_an_inbound_file_says_nothing_of_forms(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, "", HEAD + 'procedure = "join"\n')
    assert (mistake.line, mistake.problem) == (4, "`procedure` belongs to outbound files")


def test_a_file_that_is_empty_or_not_utf8_is_named(load: Callable[..., Catalogue], write: Callable[..., Path]) -> None:
    root = write({"inbound/notebook/birth.toml": " \n", "inbound/notebook/death.toml": HEAD})
    (root / "inbound/notebook/death.toml").write_bytes(HEAD.encode() + b"# Nguy\xeen")
    with pytest.raises(MappingError) as caught:
        Catalogue.load(root, {"notebook": NotebookReader()})  # type: ignore[dict-item]
    told = [(mistake.file, mistake.line, mistake.remedy) for mistake in caught.value.mistakes]
    assert [(file.rpartition("/")[2], line) for file, line, _ in told] == [("birth.toml", 1), ("death.toml", 4)]
    assert told[1][2] == "Save the file as UTF-8"


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(write: Callable[..., Path]) -> None:
    root = write({"inbound/notebook/birth.toml": HEAD})
    text = HEAD + '[[row]]\nto = "child.phone"\nfrom = "a b"\n'
    (root / "inbound/notebook/birth.toml").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    with pytest.raises(MappingError) as caught:
        Catalogue.load(root, {"notebook": NotebookReader()})  # type: ignore[dict-item]
    assert [mistake.line for mistake in caught.value.mistakes] == [6]


def test_brackets_without_end_are_a_mistake_and_no_crash(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, "", HEAD + "note = " + "[\n" * 100_000)
    assert mistake.row == "file"


def test_a_line_of_a_thousand_dots_is_a_mistake(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, "", HEAD + "a" + ".a" * 1000 + " = 1\n")
    assert (mistake.line, mistake.problem) == (4, "the line is longer than 2000 characters")


def test_what_looks_like_a_row_inside_a_long_text_is_none(load: Callable[..., Catalogue]) -> None:
    rows = '[[row]]\nto = "child.phone"\nnote = """\n[[row]]\nto = 1\n"""\n[[row]]\nto = "child.cmnd"\nfrom = "a b"\n'
    assert [mistake.line for mistake in mistakes_of(load, rows)] == [12]


def test_broken_toml_is_named_by_line(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, '[[row]]\nto = "child.name\n')
    assert (mistake.line, mistake.row) == (5, "file")


def test_a_target_may_be_filled_twice_only_under_conditions(load: Callable[..., Catalogue]) -> None:
    twice = '[[row]]\nto = "child.phone"\nfrom = "a"\n[[row]]\nto = "child.phone"\nfrom = "b"\nwhen = "c valued"\n'
    (mistake,) = mistakes_of(load, twice)
    assert (mistake.line, mistake.problem) == (7, "line 4 already fills it")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("PID-30 = Y", ("PID-30", "=", "Y")),
        ("PID-30 != N", ("PID-30", "!=", "N")),
        ("NK1[NK1-3.1 = MTH]-2 valued", ("NK1[NK1-3.1 = MTH]-2", "valued", "")),
        ("NK1[NK1-3.1 = MTH]-7.1 = N K", ("NK1[NK1-3.1 = MTH]-7.1", "=", "N K")),
        ("Patient.where(active = true).gender = 'male'", ("Patient.where(active = true).gender", "=", "'male'")),
        ("x absent", ("x", "absent", "")),
    ],
)
def test_a_condition_is_split_outside_brackets(text: str, parts: tuple[str, str, str]) -> None:
    assert split_condition(text) == parts


@pytest.mark.parametrize("text", ["PID-30", "= Y", "PID-30 =", "a[b = c]", ""])
def test_what_is_not_a_condition_is_none(text: str) -> None:
    assert split_condition(text) is None
