"""The CSV file of citizens that `hotich population load` reads: UTF-8, comma-separated, one header line.

Every mistake is told with its line and what to do, all at once; values are never quoted, as they are persons' data.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.dates import PartialDate
from gateway.domain.person import Address, Person, PersonName, Sex
from gateway.errors import SettingsError

COLUMNS = {
    "personal_id": "số định danh cá nhân, 12 digits; this or cmnd is required",
    "cmnd": "số chứng minh nhân dân, 9 digits",
    "full_name": "họ, chữ đệm, tên in one; the first word is taken as họ, the last as tên. Or give the three columns:",
    "ho": "họ, may be compound",
    "chu_dem": "chữ đệm, may be empty",
    "ten": "tên",
    "born": "birth date, YYYY-MM-DD, or YYYY-MM or YYYY when no more is known",
    "sex": "male, female or undetermined",
    "ethnicity": "two-digit code of dân tộc (01 Kinh)",
    "nationality": "two letters, ISO 3166-1; VN when empty",
    "address": "house, street, hamlet",
    "commune_code": "five digits, list of 2025-07-01",
    "commune": "its name",
    "province_code": "two digits, list of 2025-07-01",
    "province": "its name",
    "spouse_id": "personal_id of husband or wife, 12 digits, when the file has this person too",
}


@dataclass(frozen=True, slots=True)
class Citizen:
    """One line: a person, and the personal identifier of the spouse."""

    person: Person
    spouse_id: str | None = None


class _LineError(ValueError):
    """What is wrong with one line, and the remedy, in one sentence without values."""


def read_citizens(path: Path) -> list[Citizen]:
    """All citizens of the file, in order. Raises SettingsError listing every wrong line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError("population.csv_unreadable", f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError("population.csv_unreadable", f"{path} is not UTF-8; save it as UTF-8") from error
    reader = csv.DictReader(text.splitlines(), restkey="", restval="")
    _check_header(path, list(reader.fieldnames or []))
    citizens, mistakes, seen = [], [], dict[str, int]()
    for row in reader:
        try:
            citizen = _citizen(row)
            _check_new(citizen.person, seen, reader.line_num)
            citizens.append(citizen)
        except _LineError as wrong:
            mistakes.append(f"{path}:{reader.line_num}: {wrong}")
    if mistakes:
        raise SettingsError("population.csv_wrong", "\n".join(mistakes))
    return citizens


def _check_header(path: Path, names: list[str]) -> None:
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or not {"personal_id", "cmnd"} & set(names) or not {"full_name", "ten"} & set(names):
        found = f"unknown: {', '.join(unknown)}; " if unknown else ""
        raise SettingsError(
            "population.csv_wrong", f"{path}:1: {found}the header must have personal_id or cmnd, and full_name or ho, "
            f"chu_dem, ten; the columns are {', '.join(COLUMNS)}",
        )  # fmt: skip


def _check_new(citizen: Person, seen: dict[str, int], line: int) -> None:
    for number in (citizen.personal_id, citizen.cmnd):
        if number and seen.setdefault(number, line) != line:
            raise _LineError(f"this number is already on line {seen[number]}; a number belongs to one person")


def _citizen(row: Mapping[str, str]) -> Citizen:
    if "" in row:
        raise _LineError("more values than columns; put text with commas in double quotes")
    value = {name: " ".join(unicodedata.normalize("NFC", text).split()) for name, text in row.items()}
    personal_id = _digits(value, "personal_id", 12)
    cmnd = _digits(value, "cmnd", 9)
    if not (personal_id or cmnd):
        raise _LineError("neither personal_id nor cmnd; give one")
    person = Person(
        name=_name(value),
        sex=_sex(value.get("sex", "")),
        born=_born(value.get("born", "")),
        personal_id=personal_id,
        cmnd=cmnd,
        address=_address(value),
        ethnicity=_digits(value, "ethnicity", 2),
        nationality=_nationality(value.get("nationality", "")),
    )
    return Citizen(person, _digits(value, "spouse_id", 12))


def _digits(value: Mapping[str, str], column: str, length: int) -> str | None:
    text = value.get(column, "")
    if text and not (len(text) == length and text.isascii() and text.isdigit()):
        raise _LineError(
            f"{column} must have exactly {length} digits; spreadsheets drop leading zeros, format it as text"
        )
    return text or None


def _name(value: Mapping[str, str]) -> PersonName:
    parts = PersonName(value.get("ho", ""), value.get("chu_dem", ""), value.get("ten", ""))
    words = value.get("full_name", "").split()
    if parts.full and words and parts.full != " ".join(words):
        raise _LineError("full_name is not ho + chu_dem + ten; give one of the two")
    if parts.full:
        return parts
    if not words:
        raise _LineError("no name; fill full_name or ho, chu_dem, ten")
    return PersonName(words[0] if len(words) > 1 else "", " ".join(words[1:-1]), words[-1])


def _sex(text: str) -> Sex | None:
    try:
        return Sex(text) if text else None
    except ValueError:
        raise _LineError("sex must be male, female, undetermined or empty") from None


def _born(text: str) -> PartialDate | None:
    try:
        return PartialDate.parse(text) if text else None
    except ValueError:
        raise _LineError("born must be a date in the calendar: YYYY-MM-DD, YYYY-MM or YYYY") from None


def _nationality(text: str) -> str:
    if text and not (len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()):
        raise _LineError("nationality must be two capital letters of ISO 3166-1, or empty for VN")
    return text or "VN"


def _address(value: Mapping[str, str]) -> Address | None:
    address = Address(
        line=value.get("address", ""),
        commune=value.get("commune", ""),
        commune_code=_digits(value, "commune_code", 5) or "",
        province=value.get("province", ""),
        province_code=_digits(value, "province_code", 2) or "",
    )
    return address if address != Address() else None
