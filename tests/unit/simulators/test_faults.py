"""Faults: a run can be repeated, shares come out as asked for, and a wrong file is explained."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.simulators.faults import SHIPPED, Attempts, Faults, load_faults
from gateway.simulators.moj import OPERATIONS

CODES = [f"H21.999-261123-{number:04d}" for number in range(1, 4_001)]


def written(directory: Path, text: str) -> Path:
    file = directory / "faults.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_same_seed_plays_the_same_faults_and_another_seed_others() -> None:
    files = [load_faults(Path("mixed"), OPERATIONS, seed) for seed in (7, 7, 8)]
    runs = [[faults.decide("nhanHoSoDKHT", code, 1) for code in CODES] for faults in files]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_what_one_dossier_suffers_does_not_depend_on_the_others() -> None:
    faults = load_faults(Path("mixed"), OPERATIONS)
    forward, backward = Attempts(), Attempts()
    there = {code: forward.next_fault(faults, "nhanHoSoDKHT", code) for code in CODES}
    back = {code: backward.next_fault(faults, "nhanHoSoDKHT", code) for code in reversed(CODES)}
    assert there == back
    assert forward.played == backward.played


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_files_that_come_along_spoil_one_request_in_five(name: str, operation: str) -> None:
    faults = load_faults(Path(name), OPERATIONS)
    assert sum(faults.shares[operation].values()) == pytest.approx(0.2)
    kinds = Counter(faults.decide(operation, code, 1) for code in CODES)
    assert 0.18 < 1 - kinds[""] / len(CODES) < 0.22
    assert {kind for kind in kinds if kind} == set(faults.shares[operation])


def test_a_dossier_gets_through_in_the_end() -> None:
    faults = load_faults(Path("mixed"), OPERATIONS)
    assert all("" in {faults.decide("nhanHoSoDKHT", code, attempt) for attempt in range(1, 12)} for code in CODES)


def test_an_operation_of_its_own_has_the_rest_from_every(tmp_path: Path) -> None:
    file = written(tmp_path, "[every]\nhtml = 0.25\nslow = 0.5\nslow_seconds = 3\n[danhMuc]\nhtml = 0\n")
    faults = load_faults(file, OPERATIONS)
    assert faults.shares["layKetQua"] == {"html": 0.25, "slow": 0.5}
    assert faults.shares["danhMuc"] == {"html": 0.0, "slow": 0.5}
    assert faults.seconds_of("danhMuc", "slow_seconds") == 3
    assert faults.seconds_of("danhMuc", "retry_after_seconds") == 1


def test_fates_are_shares_of_dossiers_and_without_a_file_all_are_registered() -> None:
    faults = Faults(seed=3, fate={"supplement": 0.25, "refused": 0.1})
    fates = Counter(faults.fate_of(code) for code in CODES)
    assert 900 < fates["supplement"] < 1_100
    assert 330 < fates["refused"] < 470
    assert {Faults().fate_of(code) for code in CODES} == {""}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[every]\nhtlm = 0.1\n", "every.htlm: no such key. Did you mean `html`?"),
        ("[layKetqua]\nhtml = 0.1\n", "layKetqua: no such table. Did you mean `layKetQua`?"),
        ("[every]\nhtml = 1.5\n", "every.html: must be a number from 0 to 1"),
        ("[every]\nhtml = true\n", "every.html: must be a number from 0 to 1"),
        ("[every]\nslow_seconds = 601\n", "every.slow_seconds: must be a number from 0 to 600"),
        ("[every]\nhtml = 0.6\n[danhMuc]\nhalf = 0.6\n", "danhMuc: the shares add up to more than 1"),
        ("[fate]\nlost = 0.1\n", "fate.lost: no such key. There are supplement, refused"),
        ("html = 0.1\n", "html: no such table"),
        ('seed = "one"\n', "seed: must be a whole number"),
        ("[every\n", "line 1"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_faults(written(tmp_path, text), OPERATIONS)
    assert words in raised.value.message


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load_faults(written(tmp_path, "[every]\nhtlm = 0.1\n[fate]\nrefused = 2\n"), OPERATIONS)
    assert "every.htlm" in raised.value.message
    assert "fate.refused" in raised.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load_faults(tmp_path / "none.toml", OPERATIONS)
    assert raised.value.code == "simulator.faults_unreadable"
