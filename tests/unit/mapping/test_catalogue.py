from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.person import Address
from gateway.errors import MappingError
from gateway.mapping.catalogue import Catalogue

FORM = """
basis = "statutes"
kind = "membership"
in_force = {day}
procedure = "join"
form = "{name}"
[[row]]
to = "a"
from = "player.a"
[[row]]
to = "b"
from = "player.b"
"""
NOTES = 'basis = "s"\nkind = "birth"\nin_force = {day}\n[[row]]\nto = "child.phone"\nfrom = "{path}"\n'
CODES = "code,value,name,valid_from,valid_to,source\n1,one,,,,s\n2,two,,,,s\n"
Load = Callable[..., Catalogue]


def forms() -> dict[str, str]:
    return {
        "outbound/join/2024.toml": FORM.format(day="2024-01-01", name="old card"),
        "outbound/join/2026.toml": FORM.format(day="2026-09-01", name="new card"),
        "codes/numbers.csv": CODES,
    }


def test_a_form_is_chosen_by_the_day_it_came_into_force(load: Load) -> None:
    catalogue = load(forms())
    assert catalogue.outbound("membership", date(2026, 8, 31)).form == "old card"
    assert catalogue.outbound("membership", date(2026, 9, 1)).form == "new card"


def test_before_the_oldest_known_form_that_one_is_used_and_says_its_date(load: Load) -> None:
    assert load(forms()).outbound("membership", date(2010, 1, 1)).in_force == date(2024, 1, 1)


def test_an_inbound_file_may_have_dated_variants(load: Load) -> None:
    catalogue = load(
        {
            "inbound/notebook/birth.toml": NOTES.format(day="2024-01-01", path="then"),
            "inbound/notebook/birth@2026-01-01.toml": NOTES.format(day="2026-01-01", path="now"),
        }
    )
    assert catalogue.inbound("notebook", "birth", date(2025, 12, 31)).rows[0].sources[0].text == "then"
    assert catalogue.inbound("notebook", "birth", date(2026, 1, 1)).rows[0].sources[0].text == "now"


def test_an_overlay_replaces_rows_by_target_and_codes_by_code(load: Load) -> None:
    above = {
        "outbound/join/2024.toml": FORM.format(day="2024-01-01", name="old card").split("[[row]]")[0]
        + '[[row]]\nto = "b"\nvalue = "local"\n[[row]]\nto = "c"\nnote = "only here"\n',
        "codes/numbers.csv": CODES.replace("two", "zwei").replace("1,one,,,,s\n", ""),
    }
    catalogue = load(forms(), above)
    rows = {row.to: row for row in catalogue.outbound("membership", date(2025, 1, 1)).rows}
    assert (rows["a"].sources[0].text, rows["b"].value, rows["c"].note) == ("player.a", "local", "only here")
    assert rows["b"].label == "overlay-0/outbound/join/2024.toml#b"
    assert [catalogue.table("numbers", date(2025, 1, 1)).get(code) for code in "12"] == ["one", "zwei"]


def test_an_archive_gives_back_the_same_set(load: Load) -> None:
    catalogue = load(forms(), {"codes/numbers.csv": CODES})
    again = Catalogue.from_archive(catalogue.archive(), {})
    assert again.hash == catalogue.hash
    assert again.archive() == catalogue.archive()
    assert again.outbound("membership", date(2026, 9, 1)).form == "new card"


def test_the_hash_changes_with_any_content_and_with_nothing_else(load: Load, write: Callable[..., Path]) -> None:
    first = load(forms()).hash
    assert Catalogue.load(write(forms(), "elsewhere"), {}).hash == first
    changed = forms() | {"codes/numbers.csv": CODES.replace("two", "too")}
    assert Catalogue.load(write(changed, "changed"), {}).hash != first
    assert len(first) == 64


def test_a_missing_directory_is_a_mapping_error(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="there is no such directory"):
        Catalogue.load(tmp_path / "nowhere", {})


def test_files_of_a_format_without_a_reader_are_told(load: Load) -> None:
    catalogue = load({"inbound/telex/birth.toml": NOTES.format(day="2024-01-01", path="x")})
    assert catalogue.unused == ["inbound/telex/birth.toml"]


def test_a_form_in_the_wrong_folder_is_refused(load: Load) -> None:
    with pytest.raises(MappingError, match="procedure `join` lies in folder leave"):
        load({"outbound/leave/2024.toml": FORM.format(day="2024-01-01", name="card")})


def test_an_outbound_path_must_be_a_field_of_a_known_kind(load: Load) -> None:
    wrong = FORM.format(day="2024-01-01", name="card").replace("membership", "birth")
    with pytest.raises(MappingError, match="no such field of a birth"):
        load({"outbound/join/2024.toml": wrong})


def test_units_come_with_the_set(shipped: Catalogue) -> None:
    answer = shipped.units.resolve(Address(commune="Phường Quy Nhơn", province="Gia Lai"), date(2026, 1, 1))
    assert answer.commune is not None and answer.commune.code == "21583"
