"""The state of a drop folder, as the feed page and `hotich feeds check` tell it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gateway.views import drop_folders
from gateway.views.drop_folders import look_at


def test_files_waiting_and_refused_are_counted_and_unfinished_ones_are_not(tmp_path: Path) -> None:
    for name in ("a.hl7", "b.hl7", "c.part", ".d", "a.hl7.ok"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "a.hl7", (time.time() - 600, time.time() - 600))
    (tmp_path / "refused").mkdir()
    for name in ("x.hl7", "x.hl7.ack", "x.hl7.txt", ".y.txt.new"):
        (tmp_path / "refused" / name).touch()
    state = look_at(tmp_path)
    assert (state.trouble, state.waiting, state.refused) == ("", 2, 1)
    assert state.oldest >= 600


def test_a_folder_that_is_not_there_or_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert look_at(tmp_path / "none").trouble == "ENOENT"
    assert look_at(tmp_path / "file").trouble == "ENOTDIR"


@pytest.mark.parametrize("name", ["done", "refused"])
def test_a_directory_that_leads_elsewhere_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to(tmp_path)
    assert look_at(tmp_path).trouble == "ELOOP"


def test_a_folder_that_may_not_be_written_to_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drop_folders.os, "access", lambda _path, _mode: False)  # root may everything
    assert look_at(tmp_path).trouble == "EACCES"
