"""The register's quality rules for what a commune's system sends as the result of a registration. Pure.

Rules for number, book, page and day are those of the digitisation of civil-status books: `so` and `quyenSo` end with
the year of registration, days are dd.MM.yyyy. The structure of a personal identifier (sex and century in the fourth
digit, year in the fifth and sixth: NĐ 137/2015 article 13) is no law of nature, so a number that departs from it is a
warning like everything here: what is registered is registered, and a person looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from gateway.domain.finding import Finding

NUMBER, BOOK, PAGE = r"[0-9]{1,5}/[0-9]{4}", r"[0-9]{1,4}/[0-9]{4}", r"[0-9]{1,4}"
PERSONAL_ID = r"[0-9]{12}"
_SEX = {"1": 0, "2": 1}
"""Sex as dossiers write it → what it adds to the digit of sex and century."""


def check_result(
    kind: str, result: Mapping[str, str], event_day: date | None, sex: str, today: date, born_year: int = 0
) -> tuple[Finding, ...]:
    """What is doubtful in a result (ports.commune.Outcome.result); () when nothing is. `event_day` is the day of birth
    or death as far as it is known whole, `sex` the dossier's code ("1" male, "2" female), `today` the office's day;
    `born_year` is the child's year of birth where the day is not known. `where` of a finding is the result's field."""
    year = event_day.year if event_day else born_year
    return (
        *(Finding("result.missing", name) for name in missing(kind, result)),
        *_numbers(result),
        *_days(result, event_day, today),
        *_identifier(kind, result.get("soDinhDanh", ""), sex, year),
    )


def missing(kind: str, result: Mapping[str, str]) -> Iterator[str]:
    """The fields a registration must have and this result lacks."""
    names = ("so", "quyenSo", "trangSo", "ngayDangKy", *(("soDinhDanh",) if kind == "birth" else ()))
    return (name for name in names if not result.get(name, "").strip())


def dotted_day(text: str) -> date | None:
    """A day written dd.MM.yyyy; None for anything else."""
    match = re.fullmatch(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})", text)
    try:
        return date(int(match[3]), int(match[2]), int(match[1])) if match else None
    except ValueError:
        return None


def _numbers(result: Mapping[str, str]) -> Iterator[Finding]:
    rules = (("so", NUMBER, "number"), ("quyenSo", BOOK, "number"), ("trangSo", PAGE, "page"))
    for name, form, code in rules:
        if result.get(name) and not re.fullmatch(form, result[name]):
            yield Finding(f"result.{code}", name)


def _days(result: Mapping[str, str], event_day: date | None, today: date) -> Iterator[Finding]:
    written = result.get("ngayDangKy", "")
    day = dotted_day(written)
    if day is None:
        if written:
            yield Finding("result.day", "ngayDangKy")
        return
    if day > today:
        yield Finding("result.in_future", "ngayDangKy")
        return  # whether the years agree with a wrong day tells nobody anything
    if event_day and day < event_day:
        yield Finding("result.before_event", "ngayDangKy")
    for name, form in (("so", NUMBER), ("quyenSo", BOOK)):
        text = result.get(name, "")
        if re.fullmatch(form, text) and text[-4:] != f"{day.year:04}":
            yield Finding("result.year_differs", name)


def _identifier(kind: str, number: str, sex: str, born_year: int) -> Iterator[Finding]:
    if not number:
        return
    if kind == "death":
        yield Finding("result.id_unexpected", "soDinhDanh")
    elif not re.fullmatch(PERSONAL_ID, number):
        yield Finding("result.id_not_12_digits", "soDinhDanh")
    elif not fits_child(number, sex, born_year):
        yield Finding("result.id_differs", "soDinhDanh")


def fits_child(number: str, sex: str, born_year: int) -> bool:
    """Whether the fourth digit (0 and 1 are the 20th century's men and women, 2 and 3 the 21st's, …) and the two of the
    year are a child's; what is not known contradicts nothing."""
    digit, year = int(number[3]), int(number[4:6])
    if born_year and (year != born_year % 100 or digit // 2 != (born_year // 100) - 19):
        return False
    return sex not in _SEX or digit % 2 == _SEX[sex]
