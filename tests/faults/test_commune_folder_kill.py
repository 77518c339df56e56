"""kill -9 between any two steps of putting a container into the outbox: never half a container under its name, and
exactly one however often it is sent again, even when the commune took it away in between."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.testing.dossiers import ENVELOPE
from tests.samples.folders import PROJECT


@pytest.fixture
def file(tmp_path: Path, _sqlite_template: Path) -> Path:
    """An empty database of the gateway."""
    return Path(shutil.copy(_sqlite_template, tmp_path / "hotich.sqlite"))


@pytest.mark.slow
def test_death_at_any_step_leaves_one_whole_container(file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.faults.commune_folder_child", str(file), str(tmp_path)]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    rounds = json.loads(run.stdout.splitlines()[-1])
    name = f"{ENVELOPE.code}-v1.asice"
    assert sum(each["died"] for each in rounds) >= 20, "death before every step was tried"
    for number, each in enumerate(rounds):
        assert each["found"] in ([], [name]), number
        assert each["held"] == [name], number
        assert each["whole"], number
        assert each["left_over"] == [], number
        assert each["states"] == ["pending"], number
    assert {tuple(each["found"]) for each in rounds if each["died"]} == {(), (name,)}, "before and after its name"
