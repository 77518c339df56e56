"""Dates in Vietnamese words, against tables written out here and nothing computed from our own number words.

The rules held to: after mươi, 1 is mốt and 5 is lăm; after mười, 1 stays một and 5 is lăm; an empty ten after a hundred
is linh, an empty hundred after a thousand is không trăm. 4 is bốn in days and years: after mươi people say bốn or tư,
bốn everywhere and by everybody. The fourth month is tháng tư, which is its name. Days are ngày một to ngày ba mươi mốt,
without mồng: the register's wording begins with Ngày.
"""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta

import pytest

from gateway.domain.dates import PartialDate
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import RowContext
from gateway.mapping.transforms.form import date_words
from gateway.ports.hospital import Feed

ONES = ["", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"]
TEENS = [f"mười {one}".rstrip() for one in ("", "một", "hai", "ba", "bốn", "lăm", "sáu", "bảy", "tám", "chín")]
AFTER_TEN = ["", "mốt", "hai", "ba", "bốn", "lăm", "sáu", "bảy", "tám", "chín"]
TENS = ["hai mươi", "ba mươi", "bốn mươi", "năm mươi", "sáu mươi", "bảy mươi", "tám mươi", "chín mươi"]
TWO_DIGITS = ["", *ONES[1:], *TEENS, *(f"{ten} {one}".rstrip() for ten in TENS for one in AFTER_TEN)]
IN_A_CENTURY = ["", *(f" linh {one}" for one in ONES[1:]), *(f" {words}" for words in TWO_DIGITS[10:])]
MONTHS = ["một", "hai", "ba", "tư", "năm", "sáu", "bảy", "tám", "chín", "mười", "mười-một", "mười-hai"]
CENTURIES = {19: "một nghìn chín trăm", 20: "hai nghìn không trăm", 21: "hai nghìn một trăm"}


def year_words(year: int) -> str:
    return "hai nghìn" if year == 2000 else CENTURIES[year // 100] + IN_A_CENTURY[year % 100]


def month_words(month: int) -> str:
    return MONTHS[month - 1].replace("-", " ")


@pytest.fixture
def context(shipped: Catalogue) -> RowContext:
    return RowContext(shipped, Feed(), date(2026, 11, 23))


def test_every_date_from_1900_to_2100_is_in_the_words_of_the_table(context: RowContext) -> None:
    day, count = date(1900, 1, 1), 0
    while day <= date(2100, 12, 31):
        expected = f"Ngày {TWO_DIGITS[day.day]} tháng {month_words(day.month)} năm {year_words(day.year)}"
        assert date_words([PartialDate(day.year, day.month, day.day)], context) == expected
        day, count = day + timedelta(1), count + 1
    assert count == 73_414


def test_every_month_and_every_year_alone_is_in_the_words_of_the_table(context: RowContext) -> None:
    for year in range(1900, 2101):
        assert date_words([PartialDate(year)], context) == f"Năm {year_words(year)}"
        for month in range(1, 13):
            expected = f"Tháng {month_words(month)} năm {year_words(year)}"
            assert date_words([PartialDate(year, month)], context) == expected


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("1900-01-01", "Ngày một tháng một năm một nghìn chín trăm"),
        ("1901-02-02", "Ngày hai tháng hai năm một nghìn chín trăm linh một"),
        ("1904-04-04", "Ngày bốn tháng tư năm một nghìn chín trăm linh bốn"),
        ("1905-05-05", "Ngày năm tháng năm năm một nghìn chín trăm linh năm"),
        ("1910-10-10", "Ngày mười tháng mười năm một nghìn chín trăm mười"),
        ("1911-11-11", "Ngày mười một tháng mười một năm một nghìn chín trăm mười một"),
        ("1914-03-14", "Ngày mười bốn tháng ba năm một nghìn chín trăm mười bốn"),
        ("1915-12-15", "Ngày mười lăm tháng mười hai năm một nghìn chín trăm mười lăm"),
        ("1920-06-20", "Ngày hai mươi tháng sáu năm một nghìn chín trăm hai mươi"),
        ("1921-07-21", "Ngày hai mươi mốt tháng bảy năm một nghìn chín trăm hai mươi mốt"),
        ("1924-08-24", "Ngày hai mươi bốn tháng tám năm một nghìn chín trăm hai mươi bốn"),
        ("1925-09-25", "Ngày hai mươi lăm tháng chín năm một nghìn chín trăm hai mươi lăm"),
        ("1931-10-31", "Ngày ba mươi mốt tháng mười năm một nghìn chín trăm ba mươi mốt"),
        ("1944-04-30", "Ngày ba mươi tháng tư năm một nghìn chín trăm bốn mươi bốn"),
        ("1945-09-02", "Ngày hai tháng chín năm một nghìn chín trăm bốn mươi lăm"),
        ("1955-05-15", "Ngày mười lăm tháng năm năm một nghìn chín trăm năm mươi lăm"),
        ("1968-02-29", "Ngày hai mươi chín tháng hai năm một nghìn chín trăm sáu mươi tám"),
        ("1975-04-30", "Ngày ba mươi tháng tư năm một nghìn chín trăm bảy mươi lăm"),
        ("1991-01-11", "Ngày mười một tháng một năm một nghìn chín trăm chín mươi mốt"),
        ("1999-12-31", "Ngày ba mươi mốt tháng mười hai năm một nghìn chín trăm chín mươi chín"),
        ("2000-01-01", "Ngày một tháng một năm hai nghìn"),
        ("2001-03-05", "Ngày năm tháng ba năm hai nghìn không trăm linh một"),
        ("2005-06-16", "Ngày mười sáu tháng sáu năm hai nghìn không trăm linh năm"),
        ("2010-07-17", "Ngày mười bảy tháng bảy năm hai nghìn không trăm mười"),
        ("2015-08-18", "Ngày mười tám tháng tám năm hai nghìn không trăm mười lăm"),
        ("2021-11-19", "Ngày mười chín tháng mười một năm hai nghìn không trăm hai mươi mốt"),
        ("2026-11-23", "Ngày hai mươi ba tháng mười một năm hai nghìn không trăm hai mươi sáu"),
        ("2050-05-22", "Ngày hai mươi hai tháng năm năm hai nghìn không trăm năm mươi"),
        ("2099-09-27", "Ngày hai mươi bảy tháng chín năm hai nghìn không trăm chín mươi chín"),
        ("2100-12-28", "Ngày hai mươi tám tháng mười hai năm hai nghìn một trăm"),
    ],
)
def test_dates_written_out_by_hand(day: str, words: str, context: RowContext) -> None:
    assert date_words([PartialDate.parse(day)], context) == words
    assert unicodedata.is_normalized("NFC", words)
