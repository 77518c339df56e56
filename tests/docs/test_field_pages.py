"""docs/fields.md says what the mapping files say; that it is up to date, tests/docs/test_made_pages.py sees."""

from __future__ import annotations

import csv

import pytest

from tests.docs.field_pages import MAPPINGS, fields_page

PAGE = fields_page("")
WIRE = MAPPINGS.parent / "tests/unit/mapping/wire_fields.csv"


def line(kind: str, field: str) -> list[str]:
    """The cells of a field's line in the table of its kind."""
    part = PAGE.partition("## Death")[0 if kind == "birth" else 2]
    row = next(row for row in part.splitlines() if row.startswith(f"| `{field}` |"))
    return [cell.strip() for cell in row.replace("\\|", "\0").strip("|").split("|")]


def test_every_field_of_the_wire_and_of_the_register_has_one_line() -> None:
    for file in (WIRE, MAPPINGS / "register_fields.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            for field in csv.DictReader(lines):
                part = PAGE.partition("## Death")[0 if field["kind"] == "birth" else 2]
                assert part.count(f"\n| `{field['field']}` |") == 1, field


@pytest.mark.parametrize(
    ("kind", "field", "cell", "text"),
    [
        ("birth", "meSoDDCN", 2, "`NK1[NK1-3.1 = MTH]-33`, `PID-21`"),
        ("birth", "meSoDDCN", 3, "`%mother.identifier`"),
        ("birth", "meSoDDCN", 4, "xml9: `SO_CCCD_NND`"),
        ("birth", "nksHoTen", 5, "**owed by** the family"),
        ("birth", "nksHoTen", 6, "*name* in linked 2025"),
        ("birth", "nksNoiSinhDVHC", 6, "*text* in ordinary"),
        ("birth", "nksSoGiayToTuyThan", 5, "never invented"),
        ("birth", "meXacThucThongTin", 5, "the population database's answer"),
        ("death", "nktLoaiCuTru", 4, "—"),  # the papers' addresses do not say which residence they are
        ("death", "gbtLoai", 5, "“1” when `paper.number` is valued"),
        ("death", "nktNoiCuTru", 5, "“Không có thông tin” when nobody says it"),
    ],
)
def test_a_line_tells_the_source_or_who_owes_it_or_why(kind: str, field: str, cell: int, text: str) -> None:
    assert text in line(kind, field)[cell]


def test_no_line_leaves_a_field_unexplained() -> None:
    for row in PAGE.splitlines():
        cells = [cell.strip() for cell in row.replace("\\|", "\0").strip("|").split("|")]
        if row.startswith("| `") and len(cells) == 7:
            assert any(cell != "—" for cell in cells[2:6]), row
