"""The exchange's catalogues beside our code tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.commune.moj_catalogues import Entry
from adapters.commune.moj_rest import MojRest
from gateway.errors import Misunderstood, Refused
from gateway.testing.hostile_http import HostileServer
from tests.moj_world import FarSide, moj, whole_table


@pytest.fixture
def far_side() -> FarSide:
    """An exchange whose catalogues are ours."""
    names = {1: "nationality", 2: "nationality", 3: "ethnicity", 5: "papers"}
    return FarSide(entries={kind: entries_of(name) for kind, name in names.items()})


@pytest.fixture
def commune(far_side: FarSide) -> Iterator[MojRest]:
    with HostileServer(far_side) as server:
        commune = moj(server.url)
        yield commune
        commune.close()


def entries_of(name: str) -> list[dict[str, Any]]:
    table = whole_table(name)
    values = {table.get(code): table.column(code, "name") for code in reversed(table.codes())}
    return [{"ma": value, "ten": called} for value, called in values.items() if value]


def test_equal_catalogues_differ_nowhere_and_provinces_are_not_asked_for(commune: MojRest, far_side: FarSide) -> None:
    assert commune.check_catalogues() == []
    assert far_side.asked == ["danhMuc"] * 4


def test_each_difference_is_a_sentence(commune: MojRest, far_side: FarSide) -> None:
    ethnicity = far_side.entries[3]
    ethnicity[:] = [entry for entry in ethnicity if entry["ma"] != "01"]
    ethnicity += [{"ma": "99", "ten": "Chưa rõ"}]
    next(entry for entry in ethnicity if entry["ma"] == "02")["ten"] = "Thái"
    assert commune.check_catalogues() == [
        "danhMuc 3 and ethnicity.csv: we send 01 (Kinh), which it does not list",
        "danhMuc 3 and ethnicity.csv: it lists 99 (Chưa rõ), which we never send",
        "danhMuc 3 and ethnicity.csv: 02 is Thái there and Tày here",
    ]


def test_another_spelling_that_our_table_knows_is_no_difference(commune: MojRest, far_side: FarSide) -> None:
    entry = next(entry for entry in far_side.entries[3] if entry["ma"] == "10")
    entry["ten"] = "GIA RAI"
    assert commune.check_catalogues() == []


@pytest.mark.parametrize(
    "row", [{"ma": 1, "ten": "Kinh"}, {"code": "1", "name": "Kinh"}, {"maDanhMuc": " 1", "tenDanhMuc": "Kinh "}]
)
def test_an_entry_is_read_by_any_of_the_names_in_the_table(
    commune: MojRest, far_side: FarSide, row: dict[str, Any]
) -> None:
    far_side.entries[3] = [row]
    assert commune.catalogue(3) == [Entry("1", "Kinh")]


@pytest.mark.parametrize("row", [{"nhan": "Kinh"}, {"ma": ""}, "01"])
def test_an_entry_without_a_code_is_not_understood(commune: MojRest, far_side: FarSide, row: Any) -> None:
    far_side.entries[3] = [row]
    with pytest.raises(Misunderstood):
        commune.catalogue(3)


def test_a_catalogue_that_is_not_there_is_refused(commune: MojRest) -> None:
    with pytest.raises(Refused) as refused:
        commune.catalogue(9)
    assert refused.value.code == "commune.no_such_catalogue"
