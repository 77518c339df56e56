"""Values of a form as letters and lists write them."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize

import pytest

from gateway.domain.commune import Commune
from gateway.domain.form_values import address_of

WARD = Commune("21583", "Phường Quy Nhơn", "52", "Tỉnh Gia Lai", "2025-07-01")


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"dcChiTiet": "12 Lê Lợi", "maXa": "21583"}, "12 Lê Lợi, Phường Quy Nhơn, Tỉnh Gia Lai"),
        ({"dcChiTiet": "Không có thông tin"}, ""),
        ({"dcChiTiet": normalize("NFD", "Không có thông tin")}, ""),
        ("Không có thông tin", ""),
        ("Tổ 3", "Tổ 3"),
    ],
)
def test_a_residence_that_is_not_known_is_no_address(value: Any, line: str) -> None:
    assert address_of(value, {"21583": WARD}.get) == line
