"""The exchange's own list of fields, against the forms that ship.

`wire_fields.csv` says which form carries a field, in which shape, and in which order; it was put together from what is
known of the exchange, not from the mapping files. Order is that of the XML; JSON objects have none.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from gateway.mapping.catalogue import Catalogue
from gateway.mapping.rules import Row
from tests.unit.mapping.conftest import MAPPINGS
from tests.unit.mapping.notifications import FORMS, KINDS, LINKED, LINKED_2025, ORDINARY, TODAY, every_form

COLUMNS = {LINKED: "linked", LINKED_2025: "linked_2025", ORDINARY: "ordinary"}
SHAPES: dict[tuple[str, str], tuple[str, ...]] = {
    (LINKED, "address"): ("maTinh", "maHuyen", "maXa", "dcChiTiet"),
    (LINKED_2025, "address"): ("maTinh", "maXa", "dcChiTiet", "quocGia"),
    (LINKED_2025, "name"): ("Ho", "ChuDem", "Ten"),
    (LINKED_2025, "date"): ("namSinh", "thangSinh", "ngaySinh"),
}
EACH_FORM = pytest.mark.parametrize(("kind", "form"), [(kind, form) for kind in KINDS for form in FORMS])


def listed(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


WIRE = listed(Path(__file__).with_name("wire_fields.csv"))


def shapes(kind: str, form: str) -> dict[str, str]:
    """Field → shape, in the exchange's order, of the fields that the form carries."""
    return {line["field"]: line[COLUMNS[form]] for line in WIRE if line["kind"] == kind and line[COLUMNS[form]]}


def shape_of(form: str, value: Any) -> str:
    if isinstance(value, str):
        return "text"
    return next(shape for (of, shape), parts in SHAPES.items() if (of, parts) == (form, tuple(value)))


def rows_of(catalogue: Catalogue, kind: str, form: str) -> dict[str, list[Row]]:
    fields: dict[str, list[Row]] = {}
    for row in catalogue.form(kind, form, TODAY).rows:
        fields.setdefault(row.field, []).append(row)
    return fields


@EACH_FORM
def test_a_form_has_exactly_the_fields_of_the_wire_in_their_order(shipped: Catalogue, kind: str, form: str) -> None:
    assert list(rows_of(shipped, kind, form)) == list(shapes(kind, form))


def test_a_filled_form_has_every_field_in_its_shape_and_order_whatever_is_known(shipped: Catalogue) -> None:
    filled = list(every_form(shipped))
    assert len(filled) == 12
    for kind, form, _, fields in filled:
        assert [(name, shape_of(form, value)) for name, value in fields.items()] == list(shapes(kind, form).items())


@EACH_FORM
def test_each_field_reads_something_or_says_who_owes_it_or_why_never(shipped: Catalogue, kind: str, form: str) -> None:
    for field, rows in rows_of(shipped, kind, form).items():
        supplied = any(row.sources or row.owed_by or row.value for row in rows)
        assert supplied or any(is_a_reason(row.note) for row in rows), field


def is_a_reason(note: str) -> bool:
    """A sentence, not a word."""
    return len(note.split()) >= 6


@EACH_FORM
def test_each_part_without_a_source_says_why_or_is_owed(shipped: Catalogue, kind: str, form: str) -> None:
    for rows in rows_of(shipped, kind, form).values():
        for row in rows:
            assert row.sources or row.owed_by or is_a_reason(row.note) or row.value, row.label


@pytest.mark.parametrize("kind", KINDS)
def test_what_only_the_register_has_is_listed_with_its_reason(kind: str) -> None:
    reasons = {
        line["field"]: line["reason"] for line in listed(MAPPINGS / "register_fields.csv") if line["kind"] == kind
    }
    register = ("so", "quyenSo", "trangSo", "ngayDangKy", "nguoiKy", "chucVuNguoiKy", "nguoiThucHien", "ghiChu")
    assert set(register) <= set(reasons)
    assert len(reasons) == 18
    assert all(is_a_reason(reason) and reason.endswith(".") for reason in reasons.values())
    assert not set(reasons) & set(shapes(kind, LINKED) | shapes(kind, ORDINARY))


def test_the_count_of_fields_is_the_exchanges() -> None:
    counts = {(kind, form): len(shapes(kind, form)) for kind in KINDS for form in FORMS}
    assert [counts["birth", form] for form in FORMS] == [63, 63, 50]
    assert [counts["death", form] for form in FORMS] == [39, 39, 38]
