"""Persons as a hospital knows them: names in Vietnamese order, identifiers, addresses with administrative codes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.dates import PartialDate


class Sex(StrEnum):
    """Sex as declared; `UNDETERMINED` is a legal value of the register, not a missing one."""

    MALE = "male"
    FEMALE = "female"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in parts. `full` rebuilds the Vietnamese order: họ, chữ đệm, tên. All parts NFC, single spaces."""

    family: str = ""
    middle: str = ""
    given: str = ""

    @property
    def full(self) -> str:
        return " ".join(part for part in (self.family, self.middle, self.given) if part)


@dataclass(frozen=True, slots=True)
class Address:
    """A residence or place. Codes are the statistics office's, as text with leading zeros; a bare commune code means
    nothing without its list: `district_code` present tells the list before 01/07/2025 (see domain.commune).
    `residence` is "permanent" (thường trú) or "temporary" (tạm trú) when the message says which."""

    line: str = ""
    commune: str = ""
    commune_code: str = ""
    district: str = ""
    district_code: str = ""
    province: str = ""
    province_code: str = ""
    country: str = ""
    residence: str = ""

    @property
    def text(self) -> str:
        """One line for people, smallest unit first."""
        return ", ".join(part for part in (self.line, self.commune, self.district, self.province) if part)


@dataclass(frozen=True, slots=True)
class Person:
    """One person in a notification. Every field may be unknown (None)."""

    name: PersonName | None = None
    sex: Sex | None = None
    born: PartialDate | None = None
    personal_id: str | None = None  # số định danh cá nhân, 12 digits
    cmnd: str | None = None  # giấy chứng minh nhân dân, 9 digits
    passport: str | None = None
    insurance: str | None = None  # thẻ BHYT
    facility_id: str | None = None  # the hospital's own patient number
    id_issued_on: PartialDate | None = None
    id_issued_by: str | None = None
    address: Address | None = None
    ethnicity: str | None = None  # code of QĐ 121-TCTK: 01 Kinh … 54, 55 foreigner, 56 unknown
    nationality: str | None = None  # ISO 3166-1 alpha-2
    phone: str | None = None
