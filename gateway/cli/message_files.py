"""Message files named on a command line: files, directories, and sample folders with their `case.toml`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gateway.cli.samples import message_files
from gateway.errors import SettingsError


def read_files(paths: Iterable[Path]) -> list[tuple[str, bytes]]:
    """(path, content) of every file, in order; one stream. A folder with a `case.toml` gives the messages it lists, in
    its order; another folder its files by name, and folders below. Raises SettingsError when a path cannot be read."""
    return [(str(path), _content(path)) for given in paths for path in _files(given)]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if (path / "case.toml").exists():
        return [message.file for message in message_files(path)]
    return [file for below in sorted(path.iterdir()) if not below.name.startswith(".") for file in _files(below)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError("use.unreadable_file", f"{path} cannot be read: {error.strerror}") from error
