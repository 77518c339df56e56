"""What holds for any input of the mapping parts."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.clocks import deadlines
from gateway.domain.dates import PartialDate
from gateway.domain.office import Office
from gateway.domain.person import Address
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import RowContext
from gateway.mapping.registry import TRANSFORMS
from gateway.mapping.rules import split_condition
from gateway.mapping.transforms.form import date_dots, date_words, number_words
from gateway.ports.hospital import Feed

MAPPINGS = Path(__file__).parents[2] / "mappings"
TODAY = date(2026, 11, 23)
DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
SHORT = st.text(max_size=30)
WORDS = {"một": 1, "mốt": 1, "hai": 2, "ba": 3, "bốn": 4, "tư": 4, "năm": 5, "lăm": 5}
WORDS |= {"sáu": 6, "bảy": 7, "tám": 8, "chín": 9}
ANYTHING = SHORT | st.integers() | st.booleans() | st.floats() | st.none() | st.dictionaries(SHORT, SHORT)
CODE = st.text("0123456789", max_size=6)
UNITS = {"nghìn": 1000, "trăm": 100, "mươi": 10}


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return Catalogue.load(MAPPINGS, {})


def heard(words: str) -> int:
    """The number said, by a reading of our own."""
    total, digit = 0, 0
    for word in words.split():
        if word in UNITS:
            total, digit = total + digit * UNITS[word], 0
        elif word == "mười":
            total += 10
        elif word not in ("linh", "không"):
            digit = WORDS[word]
    return total + digit


@given(st.integers(1, 9999))
def test_a_number_in_words_is_that_number(number: int) -> None:
    words = number_words(number)
    assert heard(words) == number
    assert "mươi một" not in words and "mươi năm" not in words and "mười năm" not in words
    assert unicodedata.is_normalized("NFC", words)


@given(DAYS)
def test_a_date_in_words_names_day_month_and_year(day: date) -> None:
    words = date_words([PartialDate(day.year, day.month, day.day)], RowContext(None, Feed(), TODAY))  # type: ignore[arg-type]
    assert words is not None
    first, _, rest = words.removeprefix("Ngày ").partition(" tháng ")
    month, _, year = rest.rpartition(" năm hai nghìn") if "hai nghìn" in rest else rest.rpartition(" năm một nghìn")
    assert (heard(first), heard(month)) == (day.day, day.month)
    assert heard(("hai nghìn" if "hai nghìn" in rest else "một nghìn") + year) == day.year


@given(st.integers(1900, 2100), st.none() | st.integers(1, 12), st.none() | st.integers(1, 28))
def test_a_dotted_date_has_four_or_ten_characters(year: int, month: int | None, day: int | None) -> None:
    moment = PartialDate(year, month, day if month else None)
    told = date_dots([moment], RowContext(None, Feed(), TODAY))  # type: ignore[arg-type]
    assert told is not None and len(told) in (4, 10) and told.endswith(str(year))


@given(st.lists(ANYTHING, min_size=1))
def test_plain_transforms_never_raise_for_bad_data(values: list[object]) -> None:
    for name in ("text", "code", "digits", "integer", "boolean", "date"):
        TRANSFORMS[name](values, RowContext(None, Feed(), TODAY))  # type: ignore[arg-type]


@given(SHORT, st.sampled_from(["=", "!="]), SHORT)
def test_a_condition_of_plain_words_is_split_where_it_was_joined(path: str, test: str, text: str) -> None:
    if any(mark in path + text for mark in "()[]{}'\" ") or not path.split() or not text.split():
        return
    if path != path.strip() or text != text.strip() or text in ("valued", "absent"):
        return
    assert split_condition(f"{path} {test} {text}") == (path, test, text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.builds(Address, SHORT, SHORT, CODE, SHORT, CODE, SHORT))
def test_no_address_breaks_the_resolver_or_is_guessed(shipped: Catalogue, address: Address) -> None:
    answer = shipped.units.resolve(address, TODAY)
    assert answer.commune is None or not answer.candidates
    if answer.commune is not None and not address.district and not address.commune:
        assert address.commune_code.strip()


@given(DAYS, st.sampled_from(["birth", "death"]))
def test_no_clock_ends_before_the_law_says_nor_on_a_day_off(shipped: Catalogue, day: date, kind: str) -> None:
    by = date.fromisoformat(deadlines(kind, day, None, None, shipped)["register_by"])
    assert by >= day + timedelta({"birth": 60, "death": 15}[kind])
    assert Office(shipped, day).is_working(by)


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)), st.integers(1, 40))  # noqa: DTZ001
def test_working_hours_add_up(shipped: Catalogue, start: datetime, hours: int) -> None:
    office = Office(shipped, start.date())
    end = office.add_working_hours(start, hours)
    open_for = timedelta()
    day = start.date()
    while day <= end.date():
        for opens, closes in office.hours(day):
            begin, stop = max(datetime.combine(day, opens), start), min(datetime.combine(day, closes), end)
            open_for += max(stop - begin, timedelta())
        day += timedelta(1)
    assert open_for == timedelta(hours=hours)
