"""Finding a commune the way people type it."""

from __future__ import annotations

import pytest

from gateway.web.pages.commune_search import MOST, search_communes
from tests.samples.folders import catalogue

TODAY = catalogue().units.communes()


def names(typed: str) -> list[str]:
    return [place.name for place in search_communes(TODAY, typed).places]


@pytest.mark.parametrize("typed", ["21583", " 21583 "])
def test_a_code_finds_its_one_commune(typed: str) -> None:
    assert names(typed) == ["Phường Quy Nhơn"]


def test_a_code_may_lack_its_leading_zeros() -> None:
    assert names("91") == ["Phường Phú Thượng"]


@pytest.mark.parametrize("typed", ["Phường Quy Nhơn Tây", "quy nhon tay", "QUY NHƠN TÂY", "quy nhon tay gia lai"])
def test_a_name_is_found_with_or_without_marks_type_and_province(typed: str) -> None:
    assert names(typed) == ["Phường Quy Nhơn Tây"]


def test_the_name_alone_stands_before_names_that_begin_with_it() -> None:
    found = names("quy nhon")
    assert found[0] == "Phường Quy Nhơn"
    assert {"Phường Quy Nhơn Bắc", "Phường Quy Nhơn Tây"} <= set(found)


def test_what_is_left_off_is_told() -> None:
    found = search_communes(TODAY, "tân")
    assert len(found.places) == MOST
    assert found.left_off > 0


@pytest.mark.parametrize("typed", ["", "  ", "!!", "khong co xa nay"])
def test_nothing_typed_and_nothing_known_find_nothing(typed: str) -> None:
    assert names(typed) == []
