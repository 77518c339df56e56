"""Transforms of typed values into what national forms want: text, dotted dates, dates in words, address objects.

They name no code and no field of any law: codes are tables, fields are rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from gateway.domain.dates import PartialDate
from gateway.domain.person import Address, PersonName
from gateway.mapping.registry import Context, transform

T = TypeVar("T")


def _first(values: Sequence[Any], wanted: type[T]) -> T:
    """The one typed value of an outbound path. A row that asks for another type is a mistake of the mapping file."""
    value = values[0]
    if not isinstance(value, wanted):
        raise TypeError(f"{wanted.__name__} expected, got {type(value).__name__}")
    return value


@transform("full_name")
def full_name(values: Sequence[Any], context: Context) -> str | None:
    """Họ, chữ đệm, tên in Vietnamese order.

    >>> full_name([PersonName("Nguyễn", "Thị", "Hoa")])
    'Nguyễn Thị Hoa'
    """
    return _first(values, PersonName).full or None


@transform("date_dots")
def date_dots(values: Sequence[Any], context: Context) -> str | None:
    """dd.MM.yyyy on the feed's wall clock; the year alone when the day is unknown: registers take 10, 4 or 0 letters.
    A month that is lost by that is a finding.

    >>> date_dots([PartialDate(2026, 11, 3)])
    '03.11.2026'
    >>> date_dots([PartialDate(1950, 7)])
    '1950'
    """
    moment = _first(values, PartialDate).local(context.feed.offset)
    day = moment.date
    if day is None and moment.month is not None:
        context.note("value.shortened")
    return f"{day:%d.%m}.{day.year:04d}" if day else f"{moment.year:04d}"


@transform("time_hm")
def time_hm(values: Sequence[Any], context: Context) -> str | None:
    """HH:mm on the feed's wall clock; nothing when the minute is unknown.

    >>> time_hm([PartialDate(2026, 11, 3, 8, 5)])
    '08:05'
    """
    moment = _first(values, PartialDate).local(context.feed.offset)
    return None if moment.hour is None or moment.minute is None else f"{moment.hour:02d}:{moment.minute:02d}"


@transform("date_year")
def date_year(values: Sequence[Any], context: Context) -> str | None:
    """The year on the feed's wall clock.

    >>> date_year([PartialDate(1950)])
    '1950'
    """
    return f"{_first(values, PartialDate).local(context.feed.offset).year:04d}"


@transform("date_month")
def date_month(values: Sequence[Any], context: Context) -> str | None:
    """The month in two digits; nothing when it is unknown.

    >>> date_month([PartialDate(1950, 7)])
    '07'
    """
    month = _first(values, PartialDate).local(context.feed.offset).month
    return f"{month:02d}" if month else None


@transform("date_day")
def date_day(values: Sequence[Any], context: Context) -> str | None:
    """The day of the month in two digits; nothing when it is unknown.

    >>> date_day([PartialDate(2026, 11, 3)])
    '03'
    """
    day = _first(values, PartialDate).local(context.feed.offset).day
    return f"{day:02d}" if day else None


@transform("date_words")
def date_words(values: Sequence[Any], context: Context) -> str | None:
    """The date in Vietnamese words, as registers write it. The fourth month is "tháng tư", the one name it has; a day
    and a year are numbers and keep "bốn", which is right in every region, as "tư" after a ten is not.

    >>> date_words([PartialDate(2026, 11, 23)])
    'Ngày hai mươi ba tháng mười một năm hai nghìn không trăm hai mươi sáu'
    >>> date_words([PartialDate(2024, 4, 24)])
    'Ngày hai mươi bốn tháng tư năm hai nghìn không trăm hai mươi bốn'
    >>> date_words([PartialDate(1995)])
    'Năm một nghìn chín trăm chín mươi lăm'
    """
    moment = _first(values, PartialDate).local(context.feed.offset)
    year = f"năm {number_words(moment.year)}"
    month = f"tháng {_month_words(moment.month)} {year}" if moment.month else year
    words = f"ngày {number_words(moment.day)} {month}" if moment.day else month
    return words[0].upper() + words[1:]


def _month_words(month: int) -> str:
    return "tư" if month == 4 else number_words(month)


_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")


def number_words(number: int) -> str:
    """A number from 0 to 9999 in Vietnamese words: mười/mươi, một/mốt, năm/lăm, and linh for an empty ten.

    >>> number_words(2105)
    'hai nghìn một trăm linh năm'
    """
    thousands, rest = divmod(number, 1000)
    words = [_DIGITS[thousands], "nghìn"] if thousands else []
    hundreds, rest = divmod(rest, 100)
    if hundreds or (thousands and rest):
        words += [_DIGITS[hundreds], "trăm"]
    tens, ones = divmod(rest, 10)
    if tens > 1:
        words += [_DIGITS[tens], "mươi"]
    elif tens:
        words.append("mười")
    elif ones and words:
        words.append("linh")
    if ones or not words:
        words.append(_ones(tens, ones))
    return " ".join(words)


def _ones(tens: int, ones: int) -> str:
    if ones == 1 and tens > 1:
        return "mốt"
    return "lăm" if ones == 5 and tens else _DIGITS[ones]


@transform("address_text")
def address_text(values: Sequence[Any], context: Context) -> str | None:
    """The address in one line as written, smallest unit first; units that came as codes only are named.

    >>> address_text([Address(line="12 Lê Lợi", commune="Phường Quy Nhơn", province="Tỉnh Gia Lai")])
    '12 Lê Lợi, Phường Quy Nhơn, Tỉnh Gia Lai'
    """
    address = _first(values, Address)
    unit = context.commune_of(address).commune if not (address.commune and address.province) else None
    if unit is not None:
        address = replace(address, commune=address.commune or unit.name, province=address.province or unit.province)
    return address.text or None


@transform("address_province_code")
def address_province_code(values: Sequence[Any], context: Context) -> str:
    """Today's province code of an address, "" when its commune is not sure: no further address is asked then, whose
    codes would stand beside the first one's text.

    >>> address_province_code([Address(commune="Phường Quy Nhơn", province="Gia Lai")])
    '52'
    >>> address_province_code([Address(commune="Xã Không Có", province="Gia Lai")])
    ''
    """
    commune = context.commune_of(_first(values, Address)).commune
    return commune.province_code if commune else ""


@transform("address_commune_code")
def address_commune_code(values: Sequence[Any], context: Context) -> str:
    """Today's commune code of an address, "" when its commune is not sure.

    >>> address_commune_code([Address(commune="Phường Quy Nhơn", province="Gia Lai")])
    '21583'
    """
    commune = context.commune_of(_first(values, Address)).commune
    return commune.code if commune else ""


@transform("address_detail")
def address_detail(values: Sequence[Any], context: Context) -> str | None:
    """What stands beside the codes: what is smaller than the commune when that is sure, else the whole address as
    written, so that nothing is lost.

    >>> address_detail([Address(line="12 Lê Lợi", commune="Phường Quy Nhơn", province="Gia Lai")])
    '12 Lê Lợi'
    >>> address_detail([Address(line="Thôn 1", commune="Xã Không Có", province="Gia Lai")])
    'Thôn 1, Xã Không Có, Gia Lai'
    """
    address = _first(values, Address)
    if context.commune_of(address).commune is not None:
        return address.line
    # A code without its unit tells nobody anything, but it must not vanish either.
    return address.text or address.commune_code or None


@transform("address_country")
def address_country(values: Sequence[Any], context: Context) -> str | None:
    """The country as written; Việt Nam (ISO 3166: VN) for an address whose commune is sure; else unknown.

    >>> address_country([Address(commune="Phường Quy Nhơn", province="Gia Lai")])
    'VN'
    >>> address_country([Address(line="1 Main Street", country="AU")])
    'AU'
    """
    address = _first(values, Address)
    return address.country or ("VN" if context.commune_of(address).commune else None)


@transform("place_text")
def place_text(values: Sequence[Any], context: Context) -> str | None:
    """A place by its name as written, or an address in one line.

    >>> place_text(["Bệnh viện Đa khoa Thử Nghiệm"])
    'Bệnh viện Đa khoa Thử Nghiệm'
    """
    return address_text(values, context) if isinstance(values[0], Address) else _first(values, str)


@transform("source_field")
def source_field(values: Sequence[Any], context: Context) -> str | None:
    """The name of the field that supplied the value: with `codes`, which kind of paper a number is of.

    `from = ["mother.personal_id", "mother.passport"]` gives "personal_id" when there is one, else "passport".

    >>> context.path = "mother.passport"  # set by the engine: the path that supplied the value
    >>> source_field(["C9990001"])
    'passport'
    """
    return context.path.rpartition(".")[2]
