from __future__ import annotations

import pytest

from gateway.domain.dates import PartialDate
from gateway.domain.notification import FIELDS, UNITS, build, flatten, from_json, to_json
from gateway.domain.person import Address, PersonName, Sex

FACTS = {
    "child.sex": Sex.FEMALE,
    "child.born": PartialDate.parse("202611230815+0700"),
    "mother.name": PersonName("Nguyễn", "Thị Ngọc", "Lan"),
    "mother.address": Address(line="Tổ 3", commune_code="21583", province_code="52"),
    "birth.order": 1,
    "birth.multiple": False,
}


def test_a_notification_flattens_to_the_facts_it_was_built_from() -> None:
    assert flatten(build("birth", FACTS)) == FACTS


def test_facts_survive_json() -> None:
    assert {path: from_json("birth", path, to_json(value)) for path, value in FACTS.items()} == FACTS


def test_an_unknown_path_is_refused() -> None:
    with pytest.raises(KeyError):
        build("birth", {"deceased.name": PersonName("Lê")})


def test_mapping_rows_may_name_the_parts_of_addresses_and_names() -> None:
    assert FIELDS["birth"]["mother.address.commune_code"] is str
    assert FIELDS["death"]["deceased.name.family"] is str
    assert "mother.address.commune_code" not in UNITS["birth"]
