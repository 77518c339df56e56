"""The state of a feed's drop folder, as anybody can see it without touching it."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.drop_folder import DONE, REFUSED, is_offered


@dataclass(frozen=True, slots=True)
class FolderState:
    """`trouble` is why nothing can be taken: an errno's name such as ENOENT or EACCES, "" when all is well. `waiting`
    files lie there, the oldest since `oldest` seconds; `refused` files need somebody to look at them."""

    path: str
    trouble: str = ""
    waiting: int = 0
    oldest: float = 0.0
    refused: int = 0


def look_at(path: Path) -> FolderState:
    """The folder's state. Whoever asks should run as the user the gateway runs as: permissions are that user's."""
    trouble = _trouble(path)
    if trouble:
        return FolderState(str(path), trouble)
    try:
        with os.scandir(path) as entries:
            ages = [
                time.time() - entry.stat(follow_symlinks=False).st_mtime
                for entry in entries
                if is_offered(entry.name) and entry.is_file(follow_symlinks=False)
            ]
        return FolderState(str(path), "", len(ages), max(ages, default=0.0), _refused(path / REFUSED))
    except OSError as error:  # a file that was taken meanwhile, or a disk that fails
        return FolderState(str(path), "" if isinstance(error, FileNotFoundError) else _name(error))


def _trouble(path: Path) -> str:
    try:
        if not path.is_dir():
            return "ENOTDIR" if path.exists() else "ENOENT"
        for place in (path, path / DONE, path / REFUSED):
            if place.is_symlink() and place != path:
                return "ELOOP"
            if place.exists() and not os.access(place, os.R_OK | os.W_OK | os.X_OK):
                return "EACCES"
    except OSError as error:
        return _name(error)
    return ""


def _refused(place: Path) -> int:
    """Each has its `.txt` beside it."""
    return (
        sum(file.suffix == ".txt" and not file.name.startswith(".") for file in place.iterdir())
        if place.is_dir()
        else 0
    )


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, type(error).__name__)
