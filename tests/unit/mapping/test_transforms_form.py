from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gateway.domain.dates import PartialDate
from gateway.domain.finding import Finding
from gateway.domain.person import Address
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import RowContext
from gateway.mapping.transforms import form, text
from gateway.ports.hospital import Feed

TODAY = date(2026, 11, 23)


@pytest.fixture
def context(shipped: Catalogue) -> RowContext:
    return RowContext(shipped, Feed(placeholder_names=("Cháu bà",)), TODAY)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "không"),
        (5, "năm"),
        (10, "mười"),
        (11, "mười một"),
        (15, "mười lăm"),
        (20, "hai mươi"),
        (21, "hai mươi mốt"),
        (25, "hai mươi lăm"),
        (31, "ba mươi mốt"),
        (105, "một trăm linh năm"),
        (110, "một trăm mười"),
        (1900, "một nghìn chín trăm"),
        (1901, "một nghìn chín trăm linh một"),
        (1955, "một nghìn chín trăm năm mươi lăm"),
        (2000, "hai nghìn"),
        (2001, "hai nghìn không trăm linh một"),
        (2010, "hai nghìn không trăm mười"),
        (2021, "hai nghìn không trăm hai mươi mốt"),
        (2025, "hai nghìn không trăm hai mươi lăm"),
        (2100, "hai nghìn một trăm"),
    ],
)
def test_numbers_are_said_as_vietnamese_says_them(number: int, words: str) -> None:
    assert form.number_words(number) == words


def test_dates_are_shown_on_the_feeds_wall_clock(context: RowContext) -> None:
    late_evening_utc = PartialDate(2026, 11, 22, 18, 30, offset=0)
    assert form.date_dots([late_evening_utc], context) == "23.11.2026"
    assert form.time_hm([late_evening_utc], context) == "01:30"


def test_unknown_parts_of_a_date_are_never_filled_in(context: RowContext) -> None:
    assert form.date_words([PartialDate(1950, 7)], context) == "Tháng bảy năm một nghìn chín trăm năm mươi"
    assert form.date_dots([PartialDate(1950, 7)], context) == "1950"
    assert form.time_hm([PartialDate(2026, 11, 3)], context) is None
    assert form.time_hm([PartialDate(2026, 11, 3, 8)], context) is None


OLD = Address(line="12 Lê Lợi", commune="Phường Trần Phú", district="Thành phố Quy Nhơn", province="Tỉnh Bình Định")
PARTS = (form.address_province_code, form.address_commune_code, form.address_detail, form.address_country)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        (OLD, ("52", "21583", "12 Lê Lợi", "VN")),
        (Address(commune_code="21583", province_code="52"), ("52", "21583", "", "VN")),
        (Address(line="Thôn 3", commune="Xã Không Có"), ("", "", "Thôn 3, Xã Không Có", None)),
        (Address(line="bản Mẫu", country="LA"), ("", "", "bản Mẫu", "LA")),
        (Address(commune_code="99998"), ("", "", "99998", None)),
        (Address(), ("", "", None, None)),
    ],
)
def test_an_address_becomes_todays_codes_or_is_kept_whole(
    address: Address, parts: tuple[str | None, ...], context: RowContext
) -> None:
    assert tuple(part([address], context) for part in PARTS) == parts


def test_an_address_in_one_line_keeps_every_unit_as_written(context: RowContext) -> None:
    assert form.address_text([OLD], context) == "12 Lê Lợi, Phường Trần Phú, Thành phố Quy Nhơn, Tỉnh Bình Định"
    assert form.address_text([Address(country="VN")], context) is None
    assert form.place_text([OLD], context) == form.address_text([OLD], context)


@pytest.mark.parametrize(
    ("moment", "parts"),
    [
        (PartialDate(1950), ("1950", None, None)),
        (PartialDate(1950, 7), ("1950", "07", None)),
        (PartialDate(2026, 11, 3), ("2026", "11", "03")),
        (PartialDate(2026, 12, 31, 18, 30, offset=0), ("2027", "01", "01")),  # New Year in Việt Nam already
    ],
)
def test_a_date_is_taken_apart_on_the_feeds_wall_clock(
    moment: PartialDate, parts: tuple[str | None, ...], context: RowContext
) -> None:
    taken = (form.date_year, form.date_month, form.date_day)
    assert tuple(part([moment], context) for part in taken) == parts


def test_the_kind_of_paper_is_the_field_its_number_came_from(context: RowContext) -> None:
    context.path = "mother.passport"
    assert form.source_field(["C1234567"], context) == "passport"


def test_asking_for_the_wrong_type_is_a_mistake_of_the_mapping(context: RowContext) -> None:
    with pytest.raises(TypeError, match="PersonName expected, got str"):
        form.full_name(["Nguyễn"], context)


@pytest.mark.parametrize(
    "name",
    [
        *("Con bà Nguyễn Thị Hoa", "BB Nguyễn Thị Hoa", "BB1", "CB. Hoa", "Bé trai", "BÉ GÁI", "bé", "Sơ sinh 2"),
        *("Baby of Hoa", "Trẻ sơ sinh", "Con ông Tư", "Baby girl", "Cháu bà Hoa", "con  bà hoa"),
    ],
)
def test_a_hospitals_stand_in_is_not_a_name(name: str, context: RowContext) -> None:
    assert text.is_placeholder(name, context)


@pytest.mark.parametrize("name", ["Nguyễn Văn Bé", "Bế Văn Đàn", "Nguyễn Thị Con", "Trần Sơ", "Bành Bảo", "Conan", ""])
def test_a_name_that_only_looks_like_one_is_a_name(name: str, context: RowContext) -> None:
    assert not text.is_placeholder(name, context)


def test_what_is_not_a_plain_value_is_a_finding(context: RowContext) -> None:
    context.path = "x"
    assert text.text([{"a": 1}], context) is None
    assert text.integer(["3,5"], context) is None
    assert text.boolean(["maybe"], context) is None
    assert text.read_date(["31.02.2026"], context) is None
    assert text.digits(["12a"], context) is None
    assert {finding.code for finding in context.findings} == {"value.unreadable"}
    assert context.findings[0] == Finding("value.unreadable", "x", "a single value was expected")


@pytest.mark.parametrize(
    ("value", "number"), [("3200", 3200), ("3200.0", 3200), (" 7 ", 7), (3200, 3200), ("38,0", 38)]
)
def test_whole_numbers_are_read(value: Any, number: int, context: RowContext) -> None:
    assert text.integer([value], context) == number
