"""Files, folders and sample folders on a command line are one stream."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.message_files import read_files
from gateway.errors import SettingsError


def test_a_sample_folder_gives_its_messages_in_the_order_its_case_says(tmp_path: Path) -> None:
    (tmp_path / "a.hl7").write_bytes(b"A")
    (tmp_path / "b.hl7").write_bytes(b"B")
    (tmp_path / "dossier.json").write_bytes(b"[]")
    (tmp_path / "case.toml").write_text(
        '[[message]]\nfile = "b.hl7"\nsend = "mllp"\n[[message]]\nfile = "a.hl7"\nsend = "hl7v2"\n'
    )
    assert [content for _path, content in read_files([tmp_path])] == [b"B", b"A"]


def test_another_folder_gives_its_files_by_name_and_those_below(tmp_path: Path) -> None:
    (tmp_path / "z.hl7").write_bytes(b"Z")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "n.json").write_bytes(b"N")
    (tmp_path / ".hidden").write_bytes(b"no")
    assert [content for _path, content in read_files([tmp_path])] == [b"N", b"Z"]


def test_a_missing_file_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.hl7"):
        read_files([tmp_path / "absent.hl7"])
