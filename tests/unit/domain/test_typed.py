from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from gateway.domain.dates import PartialDate
from gateway.domain.person import PersonName, Sex
from gateway.domain.typed import read_typed


@pytest.mark.parametrize(
    ("wanted", "text", "value"),
    [
        (PersonName, "  Lê Thị  Hồng   Nhung ", PersonName("Lê", "Thị Hồng", "Nhung")),
        (PersonName, "Không rõ", PersonName("Không", "", "rõ")),
        (PersonName, "Siu", PersonName(given="Siu")),
        (PersonName, unicodedata.normalize("NFD", "Đỗ Thúy"), PersonName("Đỗ", "", "Thúy")),
        (Sex, "female", Sex.FEMALE),
        (Sex, "nữ", None),
        (PartialDate, "5.11.2026 08:15", PartialDate(2026, 11, 5, 8, 15)),
        (PartialDate, "05/11/2026", PartialDate(2026, 11, 5)),
        (PartialDate, "11.2026", PartialDate(2026, 11)),
        (PartialDate, "1950", PartialDate(1950)),
        (PartialDate, "1950 08:15", None),
        (PartialDate, "31.02.2026", None),
        (PartialDate, "hôm qua", None),
        (str, " Tuổi già ", "Tuổi già"),
        (str, "  ", None),
        (bool, "có", None),
    ],
)
def test_what_a_person_types_becomes_a_typed_fact_or_nothing(wanted: type, text: str, value: Any) -> None:
    assert read_typed(wanted, text) == value
