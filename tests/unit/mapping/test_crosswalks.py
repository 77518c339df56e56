"""Codes of one system in another's: each concept in each system, and nothing passes through."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.finding import Finding
from gateway.domain.provenance import Provenance
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.codes import NO_CODE
from gateway.mapping.engine import fill_form
from gateway.ports.hospital import Feed
from tests.unit.mapping.conftest import MAPPINGS

TODAY = date(2026, 11, 23)
OWN = {"code", "name", "valid_from", "valid_to", "source"}
SYSTEMS = {
    "papers": ("value", "portal", "judicial_record"),
    "residence": ("value", "portal"),
    "moj_sex": ("value", "portal", "moh", "social_insurance", "judicial_record"),
    "ethnicity": ("value",),
    "nationality": ("value",),
    "portal_ethnicity": ("value",),  # of their own: hospitals overlay the two tables above
    "portal_nationality": ("value",),
}
KNOWN = {
    ("papers", "personal_id"): {"value": "4", "portal": "5", "judicial_record": "3"},
    ("papers", "cmnd"): {"value": "1", "portal": "2", "judicial_record": "1"},
    ("papers", "passport"): {"value": "2", "portal": "6", "judicial_record": "0"},
    ("papers", "identity_card"): {"value": None, "portal": "9", "judicial_record": None},
    ("papers", "identity_certificate"): {"value": None, "portal": "10", "judicial_record": None},
    ("papers", "army_card"): {"value": "5", "portal": None, "judicial_record": None},
    ("papers", "army_officer_card"): {"value": "6", "portal": "3", "judicial_record": None},
    ("papers", "police_card"): {"value": "7", "portal": "4", "judicial_record": None},
    ("papers", "permanent_residence_card"): {"value": "3", "portal": None, "judicial_record": "2"},
    ("papers", "household_book"): {"value": None, "portal": "7", "judicial_record": None},
    ("papers", "other"): {"value": "8", "portal": "8", "judicial_record": None},
    ("papers", "none"): {"value": "0", "portal": "", "judicial_record": ""},
    ("residence", "unknown"): {"value": "0", "portal": ""},
    ("residence", "permanent"): {"value": "1", "portal": "1"},
    ("residence", "temporary"): {"value": "2", "portal": "2"},
    ("residence", "present"): {"value": None, "portal": "3"},
    ("moj_sex", "male"): dict.fromkeys(SYSTEMS["moj_sex"], "1"),
    ("moj_sex", "female"): dict.fromkeys(SYSTEMS["moj_sex"], "2") | {"judicial_record": "0"},
    ("moj_sex", "undetermined"): dict.fromkeys(SYSTEMS["moj_sex"], "3") | {"judicial_record": None, "portal": None},
    ("ethnicity", "01"): {"value": "01"},
    ("ethnicity", "25"): {"value": "25"},  # Giáy; a hospital that means Kinh overlays the row
    ("ethnicity", "55"): {"value": "55"},
    ("ethnicity", "57"): {"value": None},
    ("ethnicity", "63001"): {"value": None},
    ("nationality", "VN"): {"value": "VN"},
    ("nationality", "LAO"): {"value": "LA"},
    ("portal_ethnicity", "01"): {"value": "01"},
    ("portal_ethnicity", "54"): {"value": "54"},
    ("portal_ethnicity", "55"): {"value": None},
    ("portal_nationality", "VN"): {"value": "VN"},
    ("portal_nationality", "LA"): {"value": None},
}
"""Concept → its code in each system; None: that system has none."""
FORM = """
basis = "a card that wants every system's codes"
kind = "card"
in_force = 2020-01-01
procedure = "card"
form = "card"
[[row]]
to = "field"
from = "holder.concept"
codes = "{codes}"
"""


def lines(table: str) -> list[dict[str, str]]:
    with Path(MAPPINGS / "codes" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("table", SYSTEMS)
def test_a_table_has_a_column_for_each_system_and_says_where_its_codes_are_from(table: str) -> None:
    rows = lines(table)
    assert set(rows[0]) - OWN == set(SYSTEMS[table])
    for row in rows:
        for system in set(SYSTEMS[table]) - {"value", "moh", "social_insurance"}:
            told = row[system] not in ("", NO_CODE)
            assert (system.split("_")[0] in row["source"] and "unverified" in row["source"]) or not told, row["code"]


@pytest.mark.parametrize(
    ("table", "concept", "system", "code"),
    [(table, concept, system, code) for (table, concept), codes in KNOWN.items() for system, code in codes.items()],
)
def test_each_concept_has_its_code_in_each_system_or_none(
    shipped: Catalogue, table: str, concept: str, system: str, code: str | None
) -> None:
    assert shipped.table(table, TODAY).column(concept, system) == code


@pytest.mark.parametrize("table", ["papers", "residence", "moj_sex"])
def test_every_concept_of_a_small_table_is_in_the_list_above(table: str) -> None:
    assert {row["code"] for row in lines(table)} == {concept for of, concept in KNOWN if of == table}


@pytest.mark.parametrize("table", SYSTEMS)
def test_no_two_concepts_of_one_system_share_a_code(table: str) -> None:
    for system in SYSTEMS[table]:
        meant: dict[str, set[str]] = {}
        for row in lines(table):
            if row[system] not in ("", NO_CODE):
                meant.setdefault(row[system], set()).add(row["name"])
        assert {code: names for code, names in meant.items() if len(names) > 1} == {}


@pytest.mark.parametrize(("table", "system"), [(table, system) for table, of in SYSTEMS.items() for system in of])
def test_a_code_is_crossed_refused_or_left_empty_and_never_passed_on(
    load: Callable[..., Catalogue], table: str, system: str
) -> None:
    codes = table if system == "value" else f"{table}.{system}"
    text = (MAPPINGS / "codes" / f"{table}.csv").read_text(encoding="utf-8")
    catalogue = load({"outbound/card/card.toml": FORM.format(codes=codes), f"codes/{table}.csv": text})
    for row in [*lines(table), {"code": "không có mã này", system: NO_CODE}]:
        view, sources = {"holder.concept": row["code"]}, {"holder.concept": Provenance("m", "p", "r")}
        filled = fill_form(catalogue.outbound("card", TODAY), view, sources, catalogue, Feed(), TODAY)
        refused = row[system] == NO_CODE
        assert filled.fields == {"field": "" if refused else row[system]}
        assert filled.findings == ((Finding("value.no_crosswalk", "field", codes),) if refused else ())
