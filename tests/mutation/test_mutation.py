"""Every mapping row is guarded by a sample: the mutation check itself, and its fast part over the rules that ship.

`make mutate` tries every breakage; here each row is deleted once.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.main import build_app
from gateway.domain.dates import PartialDate
from gateway.domain.person import Address, PersonName, Sex
from gateway.mapping.registry import TRANSFORMS
from gateway.mapping.rules import Row, RuleSet
from gateway.pipeline.rehearse import Sent
from gateway.settings import Settings
from gateway.testing.breakages import BROKEN, Breakage, another_value, breakages, deletions
from gateway.testing.mutation import MutationCheck, Sample, code_breakages, rule_breakages
from tests.samples.folders import FOLDERS, SAMPLES, catalogue, readers

ADMISSION = "birth/newborn-admitted-with-pv1-4-n"
APP = build_app(["check", "migrate"])


@lru_cache(maxsize=1)
def samples() -> list[Sample]:
    """Every sample folder, by its own feed, under its own overlay."""
    return [
        Sample(name, tuple(Sent(file, raw, folder.feed) for file, raw in folder.messages), folder.catalogue)
        for name, folder in FOLDERS.items()
    ]


@lru_cache(maxsize=1)
def check() -> MutationCheck:
    return MutationCheck.of(readers(), samples())


def rules_of(file: str) -> RuleSet:
    return next(rules for rules in catalogue().rule_sets() if rules.file == file)


def row_of(file: str, to: str) -> Row:
    return next(row for row in rules_of(file).rows if row.to == to)


def broken_row(file: str, to: str, **changed: Any) -> Breakage:
    """A breakage made by hand."""
    row = row_of(file, to)

    def change(rules: RuleSet) -> RuleSet:
        rows = tuple(
            replace(one, **changed) if (one.file, one.line) == (row.file, row.line) else one for one in rules.rows
        )
        return replace(rules, rows=rows) if rows != rules.rows else rules

    return Breakage(file, row.line, to, "by hand", change)


def whats(file: str, to: str) -> list[str]:
    return [breakage.what for breakage in breakages(rules_of(file)) if breakage.row == to]


# What ships


def test_no_row_can_be_deleted_without_a_sample_noticing() -> None:
    tried = rule_breakages(samples(), deletions)
    assert len(tried) == sum(len(rules.rows) for rules in catalogue().rule_sets())
    assert [str(breakage) for breakage in check().survivors(tried)] == []


def test_a_breakage_that_changes_nothing_survives_so_noticing_means_something() -> None:
    same = broken_row("inbound/hl7v2/adt_birth.toml", "mother.name", note="another note")
    standing_in = replace(
        broken_row("inbound/hl7v2/adt_birth.toml", "birth.place_name", using=BROKEN), transform=TRANSFORMS["text"]
    )
    assert check().survivors([same, standing_in]) == [same, standing_in]


def test_a_value_that_only_the_facts_of_the_case_hold_is_noticed_too() -> None:
    phone = broken_row("inbound/hl7v2/adt_birth.toml", "mother.phone", sources=())
    assert check().noticed_by(phone) is not None


def test_rows_about_identity_are_tried_as_if_the_population_database_knew_everybody() -> None:
    blind = broken_row("outbound/1.001193/2025-07-01.toml", "meXacThucThongTin", sources=())
    assert check().noticed_by(blind) is None
    assert check().noticed_by(replace(blind, of_identity=True))


def test_a_lost_line_of_a_code_table_is_told_by_its_code() -> None:
    tried = code_breakages(check())
    assert {"codes/moj_sex.csv", "codes/ethnicity.csv", "codes/moj_verified.csv"} <= {one.file for one in tried}
    assert "codes/nationality.csv" not in {one.file for one in tried}  # longer than the longest that is tried
    male = next(one for one in tried if (one.file, one.row) == ("codes/moj_sex.csv", "male"))
    matched = next(one for one in tried if (one.file, one.row) == ("codes/moj_verified.csv", "matched"))
    assert check().survivors([male, matched]) == []


def test_nothing_of_a_breakage_is_left_behind() -> None:
    before = dict(TRANSFORMS)
    assert check().noticed_by(next(one for one in breakages(rules_of("inbound/moh/xml9.toml")) if one.transform))
    assert before == TRANSFORMS
    assert check().survivors([broken_row("inbound/moh/xml9.toml", "mother.name")])  # the set itself is whole


# What a breakage is


def test_a_row_is_broken_in_each_of_its_parts() -> None:
    assert whats("inbound/hl7v2/adt_birth.toml", "mother.nationality") == [
        "row deleted",
        "`from` without `NK1[NK1-3.1 = MTH]-19.1`",
        "`from` without `NK1[NK1-3.1 = MTH]-27.1`",
        "`codes` taken away",
        "`using` yields nothing",
        "`codes` gives another code's value",
    ]
    assert whats("outbound/1.001193/2025-07-01.toml", "meNgaySinh") == [
        "row deleted",
        "`from` without `mother.born`",
        "`using` taken away",
        "`using` yields nothing",
        "`using` yields another value",
        "`when` turned round",
        "`when` taken away",
        "`owed_by` taken away",
        "`owed_by` is facility",
    ]
    assert whats("outbound/1.001193/2025-07-01.toml", "meNoiCuTru.maHuyen") == [
        "row deleted",
        "`value` taken away",
        "`value` changed",
    ]


def test_required_is_taken_away() -> None:
    assert "`required` taken away" in whats("inbound/hl7v2/adt_birth.toml", "child.born")


def test_a_condition_that_the_loader_wants_for_two_rows_of_one_target_is_turned_round_but_not_taken_away() -> None:
    assert whats("outbound/1.000656/2025-07-01.toml", "gbtLoai").count("`when` turned round") == 2
    assert "`when` taken away" not in whats("outbound/1.000656/2025-07-01.toml", "gbtLoai")


def test_the_header_of_a_form_is_broken_too() -> None:
    death = whats("outbound/1.000656/2025-07-01.toml", "header")
    assert "`competent_commune` without death.place" in death
    assert "`competent_commune` has mother.address one earlier" in death
    assert "`first_valued_decides` is false" in death
    ordinary = whats("outbound/1.000656/2025-07-01-dangKyHoTich.toml", "header")
    assert {"`wire` is json", "`module` changed", "`leaves_out` without nycNoiCuTru"} <= set(ordinary)
    assert whats("inbound/moh/xml9.toml", "header") == []


def test_every_breakage_breaks_its_own_file_and_no_other() -> None:
    sets = catalogue().rule_sets()
    for rules in sets:
        for breakage in breakages(rules):
            changed = [one.file for one in sets if breakage.rules(one) is not one]
            assert changed == [rules.file], str(breakage)


@pytest.mark.parametrize(
    "value",
    ["Nguyễn Thị Hoa", "", True, 3, Sex.MALE, PartialDate(2024, 2, 29), PersonName("Lê", "", "An"), Address(),
     {"maTinh": "52", "maXa": ""}],
)  # fmt: skip
def test_another_value_is_of_the_same_type_and_not_equal(value: Any) -> None:
    other = another_value(value)
    assert other != value
    assert isinstance(other, type(value))


# The command


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hospital's overlay with one row that none of its samples guards, in the settings of this directory."""
    for name in (*Settings.model_fields, "config"):
        monkeypatch.delenv(f"HOTICH_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "hospital" / "inbound" / "hl7v2" / "adt_birth.toml"
    file.parent.mkdir(parents=True)
    header = 'basis = "HL7 v2"\nkind = "birth"\nin_force = 2020-01-01\n'
    file.write_text(f'{header}\n[[row]]\nto = "birth.place_name"\nfrom = ["PID-23.1", "ZBS-3"]\n', encoding="utf-8")
    (tmp_path / "hotich.toml").write_text('mapping_overlays = ["hospital"]\n', encoding="utf-8")
    return tmp_path


def test_the_command_lists_what_no_sample_of_an_overlay_guards(overlay: Path) -> None:
    result = CliRunner().invoke(APP, ["check", "--mutate", str(SAMPLES / ADMISSION)])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    row = "hospital/inbound/hl7v2/adt_birth.toml:5 birth.place_name: "
    assert f"{row}`from` without `ZBS-3`; no sample notices" in lines
    assert not any(line.startswith(f"{row}row deleted") for line in lines)
    assert any(line.startswith("codes/moj_sex.csv: 2 of 3 lines unnoticed: ") for line in lines)
    assert "1 samples: " in lines[-1]


def test_the_command_gives_one_json_document(overlay: Path) -> None:
    result = CliRunner().invoke(APP, ["check", "--mutate", str(SAMPLES / ADMISSION), "--json"])
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["samples"] == 1
    assert told["breakages"] > len(told["survivors"]) > 0
    assert {"file", "line", "row", "breakage"} == set(told["survivors"][0])


def test_a_directory_without_samples_is_refused(overlay: Path) -> None:
    result = CliRunner().invoke(APP, ["check", "--mutate", str(overlay)])
    assert result.exit_code != 0
    assert "holds no sample folder" in str(result.exception)
