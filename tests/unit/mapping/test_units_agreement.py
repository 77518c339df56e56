"""Our lists and answers beside those of another maker's: the package `vietnamadminunits` (MIT; for tests only).

`unit_disagreements.csv` is the whole list of where they differ, each with a judgement by the legal table of successors;
a new difference, or one gone, fails. The package asks a map service on the network about addresses with a street: here
that is barred, and no address has one.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import vietnamadminunits
from vietnamadminunits.converter import converter_2025
from vietnamadminunits.database import get_data

from gateway.domain.person import Address
from tests.unit.mapping.unit_writing import codes, new_communes, old_communes, rows, shipped_units

pytestmark = pytest.mark.slow

TODAY = date(2026, 11, 23)
DISAGREEMENTS = Path(__file__).with_name("unit_disagreements.csv")
OLD_COLUMNS = ["wardCode", "ward", "districtCode", "district", "provinceCode", "province"]
KEYS = ["provinceKey", "districtKey", "wardKey"]


@pytest.fixture
def convert(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The package's converter, kept off the network."""

    def refuse(address: str) -> None:
        raise AssertionError("the converter took a part of an address for a street")

    monkeypatch.setattr(converter_2025, "get_geo_location", refuse)
    return vietnamadminunits.convert_address


def test_all_old_communes_go_where_the_other_makers_converter_sends_them(convert: Callable[[str], Any]) -> None:
    differing = []
    agreed = {"whole": 0, "split": 0}
    for old in old_communes():
        theirs = convert(f"{old.name}, {old.district}, {old.province}").ward_code
        answer = shipped_units().resolve(Address(commune=old.name, district=old.district, province=old.province), TODAY)
        # Of a split commune the converter picks one part: it must be among the candidates.
        if theirs in codes(answer) and (answer.commune is None) == (len(old.into) > 1):
            agreed["whole" if answer.commune else "split"] += 1
        else:
            differing.append([old.code, old.name, old.district, old.province, " ".join(codes(answer)), str(theirs)])
    with DISAGREEMENTS.open(encoding="utf-8", newline="") as file:
        judged = [row[:6] for row in list(csv.reader(file))[1:]]
    assert differing == judged
    assert (agreed["whole"], agreed["split"]) == (9564, 471)


def test_both_makers_know_the_same_old_units_and_the_same_successors_of_each() -> None:
    told = json.loads((Path(vietnamadminunits.__file__).parent / "data/converter_2025.json").read_text("utf-8"))
    new_code = {(row["provinceKey"], row["wardKey"]): row["wardCode"] for row in get_data()}
    successors: dict[str, set[str]] = {}
    for province, wards in told["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for ward, olds in wards.items():
            for old_key in olds:
                successors.setdefault(old_key, set()).add(new_code[province, ward])
    for province, olds in told["DICT_PROVINCE_WARD_DIVIDED"].items():
        for old_key, parts in olds.items():
            successors.setdefault(old_key, set()).update(new_code[province, part["newWardKey"]] for part in parts)
    theirs = {}
    for row in get_data(table="admin_units_legacy"):
        unit = tuple(row[column] or "" for column in OLD_COLUMNS)
        theirs[unit] = successors["_".join(row[key] or "" for key in KEYS)]
    ours = {
        (old.code, old.name, old.district_code, old.district, old.province_code, old.province): set(old.into)
        for old in old_communes()
    }
    for row in rows("old_districts"):
        if row["new_code"]:  # an island district that had no communes
            ours["", "", row["code"], row["name"], row["province_code"], row["province"]] = {row["new_code"]}
    assert len(ours) == 10_040
    assert ours == theirs


def test_both_makers_know_the_same_new_units() -> None:
    theirs = {tuple(row[name] for name in ("wardCode", "ward", "provinceCode", "province")) for row in get_data()}
    ours = {(new.code, new.name, new.province_code, new.province) for new in new_communes()}
    assert len(ours) == 3321
    assert ours == theirs
