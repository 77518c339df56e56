"""Whoever erases a person finds every place in docs/evidence.md: a new table cannot be forgotten there."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import LargeBinary
from sqlmodel import SQLModel

from gateway.store import partner_tables, tables

TEXT = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8").partition("## Erasure")[2]
STAY = {"chain", "entry", "mapping_set"}
"""Their bytes are hashes and mapping files, never a person's data."""


def personal_tables() -> list[str]:
    """Tables with bytes: encrypted data and keyed digests; and those of what passes between partners by case."""
    assert tables.Lane.metadata is partner_tables.Partner.metadata
    found = [
        table.name
        for table in SQLModel.metadata.sorted_tables
        if "case_id" in table.c or any(isinstance(column.type, LargeBinary) for column in table.c)
    ]
    assert {"case", "outcome", "letter", "handover", "notice", "dossier_number"} <= set(found)
    return sorted(set(found) - STAY)


@pytest.mark.parametrize("table", personal_tables())
def test_every_table_about_cases_stands_in_the_list_of_what_to_erase(table: str) -> None:
    assert f"`{table}`" in TEXT or f"`{table}." in TEXT
