from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.errors import MappingError, Mistake
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.rules import split_condition

HEAD = 'basis = "a made-up standard"\nkind = "birth"\nin_force = 2025-01-01\n'
SEX = "code,value,name,valid_from,valid_to,source\nM,male,,,,s\nF,female,,,,s\nX,hen,,,,s\n"
WRONG_CODE = "line 4 of codes/sex.csv has a value that cannot become Sex"


def mistakes_of(load: Callable[..., Catalogue], body: str, head: str = HEAD) -> list[Mistake]:
    with pytest.raises(MappingError) as caught:
        load({"inbound/notebook/birth.toml": head + body, "codes/sex.csv": SEX})
    return caught.value.mistakes


@pytest.mark.parametrize(
    ("row", "line", "problem"),
    [
        ('form = "a"\nto = "child.name"', 5, "unknown key `form`"),
        ('to = "child.nmae"\nfrom = "a"', 5, "`child.nmae` is not a field of a birth"),
        ('to = "child.phone"\nfrom = ""\nusing = "shout"', 7, "no transform `shout`"),
        ('to = "child.phone"\nfrom = "a"\ncodes = "nothing"', 7, "no code table `nothing`"),
        ('to = "child.phone"\nfrom = "a b"', 6, "path `a b`: a page has no blanks in its headings"),
        ('to = "child.phone"\nfrom = "a"\nwhen = "sometimes"', 7, "`sometimes` is not a condition"),
        ('to = "child.phone"\nfrom = "a"\nwhen = "b c valued"', 7, "path `b c`: a page has no blanks in its headings"),
        ('to = "child.phone"\nfrom = 3', 6, "`from` must be text or a list of texts"),
        ('to = "child.phone"\nfrom = []', 6, "`from` must be text or a list of texts"),
        ('to = "child.phone"\nfrom = "a"\nrequired = "yes"', 7, "`required` must be true or false"),
        ('from = "a"', 4, "`to` is missing"),
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


def test_all_mistakes_are_reported_at_once(load: Callable[..., Catalogue]) -> None:
    rows = '[[row]]\nto = "child.phone"\nfrom = "a"\nusing = "x"\n[[row]]\nto = "child.phon"\nfrom = "b c"\n'
    assert [mistake.line for mistake in mistakes_of(load, rows)] == [7, 9, 10]


def test_a_header_without_its_basis_is_refused(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, "", 'kind = "birth"\nin_force = 2025-01-01\n')
    assert mistake.problem == "`basis` is missing"


def test_an_empty_basis_is_refused(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, "", 'basis = ""\nkind = "birth"\nin_force = 2025-01-01\n')
    assert (mistake.line, mistake.problem) == (1, "`basis` is empty")


def test_an_unknown_kind_is_refused(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, "", 'basis = "b"\nkind = "wedding"\nin_force = 2025-01-01\n')
    assert (mistake.line, mistake.problem) == (2, "kind `wedding` is unknown")


def test_a_quoted_date_is_refused(load: Callable[..., Catalogue]) -> None:
    (mistake,) = mistakes_of(load, "", 'basis = "b"\nkind = "birth"\nin_force = "2025-01-01"\n')
    assert (mistake.line, mistake.problem) == (3, "`in_force` must be a date (yyyy-mm-dd, no quotes)")


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
