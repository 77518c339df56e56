"""Units of the lists, and the ways people write them."""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from gateway.domain.commune import CommuneAnswer
from gateway.domain.person import Address
from gateway.mapping.units import Units

UNITS = Path(__file__).parents[3] / "mappings" / "units"
_SHORT = {
    "Xã": ("X.", "X. ", "x "),
    "Phường": ("P.", "P. ", "p "),
    "Thị trấn": ("TT.", "TT ", "tt. "),
    "Đặc khu": ("ĐK ", "dk. "),
    "Quận": ("Q.", "Q. ", "q "),
    "Huyện": ("H.", "H. ", "h "),
    "Thị xã": ("TX.", "TX ", "tx. "),
    "Thành phố": ("TP.", "TP ", "Tp. ", "T.P. "),
    "Tỉnh": ("T.", "T. "),
}


@dataclass(frozen=True)
class Old:
    """A commune of the list before 01/07/2025 and the codes of those it went into."""

    code: str
    name: str
    district_code: str
    district: str
    province_code: str
    province: str
    into: tuple[str, ...]


@dataclass(frozen=True)
class New:
    """A commune of today's list."""

    code: str
    name: str
    province_code: str
    province: str


def rows(table: str) -> list[dict[str, str]]:
    """The lines of a shipped list."""
    with (UNITS / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def shipped_units() -> Units:
    """The resolver over the shipped lists, without the rest of the mapping set."""
    return Units({path.name: path.read_bytes() for path in UNITS.glob("*.csv")})


@cache
def old_communes() -> tuple[Old, ...]:
    """The whole old list, read without the gateway's code."""
    districts = {row["code"]: row for row in rows("old_districts")}
    lines: dict[str, list[dict[str, str]]] = {}
    for row in rows("old_communes"):
        lines.setdefault(row["code"], []).append(row)
    found = []
    for code, told in lines.items():
        above = districts[told[0]["district_code"]]
        into = tuple(sorted(row["new_code"] for row in told))
        place = (above["code"], above["name"], above["province_code"], above["province"])
        found.append(Old(code, told[0]["name"], *place, into))
    return tuple(found)


@cache
def new_communes() -> tuple[New, ...]:
    """Today's list, read without the gateway's code."""
    return tuple(New(row["code"], row["name"], row["province_code"], row["province"]) for row in rows("communes"))


def codes(answer: CommuneAnswer) -> list[str]:
    """The code found, else those of the candidates."""
    return [answer.commune.code] if answer.commune else [unit.code for unit in answer.candidates]


def without_marks(text: str) -> str:
    """Plain letters, as old terminals send them."""
    plain = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def written(random: Random, name: str) -> str:
    """A unit's name in one of the ways people write it; nothing is misspelt."""
    for type_, short in _SHORT.items():
        if name.startswith(type_ + " "):
            bare = name.removeprefix(type_ + " ")
            full = f"{type_} {bare}"
            # "1" alone is a house number: nobody drops the type of a numbered unit.
            options = [full, full, random.choice(short) + bare] + ([] if bare.isdigit() else [bare])
            name = random.choice(options)
            break
    if random.random() < 0.4:
        name = without_marks(name)
    name = random.choice((str, str, str.upper, str.lower))(name)
    name = name.replace(" ", random.choice((" ", " ", "  ")))
    return unicodedata.normalize(random.choice(("NFC", "NFD")), name)


def line_of(random: Random, parts: list[str]) -> str:
    """The parts as one line, with a house before and sometimes the country behind."""
    between = random.choice((", ", ",", " - ", "; "))
    country = random.choice(([], [], ["Việt Nam"], ["VN"]))
    return between.join([random.choice(("12 Lê Lợi", "Tổ 5", "Thôn 3")), *parts, *country])


def address_of(random: Random, commune: str, district: str, province: str) -> Address:
    """An address of these names ("" for none), in fields or in one line."""
    parts = [written(random, part) for part in (commune, district, province) if part]
    if random.random() < 0.5:
        return Address(line=line_of(random, parts))
    told = dict(
        zip([key for key, value in zip("cdp", (commune, district, province), strict=True) if value], parts, strict=True)
    )
    return Address(commune=told["c"], district=told.get("d", ""), province=told.get("p", ""))
