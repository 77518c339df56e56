"""The files of one drop folder: offered, taken, put away with their answers. Every step can be cut short and repeated.

A file travels `NAME` → `.taken/NAME` → `done/<day>/NAME` or `refused/NAME`, always by renaming, so it is in exactly one
of these places whenever the program dies. Answers are written before the last step: a file in `done` has its answer.
What lies in `.taken` at a start is offered again; the intake knows it by its content and answers as before.

Names never lead out: directories are opened by descriptor, and neither they nor files through symbolic links.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from gateway.domain.drop_folder import REFUSED, is_offered, marked_by

TAKEN = ".taken"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not hold us up
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST = 200
"""Bytes of a name that still leave room for a number and `.ack` below the usual limit of 255."""

Mark = tuple[int, int, int]
"""Inode, size, time of the last write in ns: equal marks, nobody wrote."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A file to take. `marked`: a marker says it is complete. `again`: it was taken before, and not put away."""

    name: str
    mark: Mark
    marked: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that is ours to put away, and what it held."""

    name: str
    mark: Mark
    raw: bytes


class DropFolder:
    """One folder, open. Methods raise OSError for what they may not do or what has vanished."""

    def __init__(self, path: Path) -> None:
        self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> DropFolder:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._root)

    def offers(self) -> list[Offer]:
        """Files taken before come first; the others by time of the last write, then by name. Empty files are not
        offered: nobody has written them yet."""
        with self._directory(TAKEN) as taken:
            again = [Offer(name, mark_of(found), again=True) for name, found in _files(taken) if _is_file(found)]
        held = {offer.name for offer in again}
        entries = list(_files(self._root))
        markers = {marked_by(name): found.st_mtime_ns for name, found in entries if marked_by(name)}
        new = [
            Offer(name, mark_of(found), marked=markers.get(name, 0) >= found.st_mtime_ns)
            for name, found in entries
            if is_offered(name) and _is_file(found) and found.st_size and name not in held
        ]
        return [*sorted(again, key=_order), *sorted(new, key=_order)]

    def strangers(self) -> list[str]:
        """What is neither a file nor a directory: symbolic links, pipes, devices. Never opened."""
        usual = (stat.S_IFREG, stat.S_IFDIR)
        return [name for name, found in _files(self._root) if stat.S_IFMT(found.st_mode) not in usual]

    def take(self, offer: Offer, limit: int) -> Taken | None:
        """Make an offered file ours and read it, of a larger one `limit` + 1 bytes. None when somebody wrote to it or
        replaced it since it was offered: it will be offered again."""
        with self._directory(TAKEN) as taken:
            try:
                file = os.open(offer.name, _FILE, dir_fd=taken if offer.again else self._root)
            except FileNotFoundError:
                return None
            with os.fdopen(file, "rb") as opened:
                if mark_of(os.fstat(file)) != offer.mark:
                    return None
                if not offer.again:
                    os.rename(offer.name, offer.name, src_dir_fd=self._root, dst_dir_fd=taken)
                if offer.marked or offer.again:
                    self._remove_markers(offer.name)
                raw = opened.read(limit + 1)
            now = os.stat(offer.name, dir_fd=taken, follow_symlinks=False)
            return Taken(offer.name, offer.mark, raw) if mark_of(now) == offer.mark else None

    def put_away(self, file: Taken, place: Sequence[str], answer: bytes, words: str) -> bool:
        """Move a taken file into the directory `place` below the folder, `NAME.ack` and `NAME.txt` beside it. False
        when somebody wrote to it after it was read: it stays taken and is offered again."""
        with self._directory(TAKEN) as taken, self._directory(*place) as there:
            if mark_of(os.stat(file.name, dir_fd=taken, follow_symlinks=False)) != file.mark:
                return False
            name = _free_name(there, file.name)
            if answer:
                _write(there, f"{name}.ack", answer)
            _write(there, f"{name}.txt", words.encode())
            os.rename(file.name, name, src_dir_fd=taken, dst_dir_fd=there)
        return True

    def refuse_stranger(self, name: str, words: str) -> None:
        """Move a symbolic link, pipe or device itself to `refused`, unread."""
        with self._directory(REFUSED) as there:
            chosen = _free_name(there, name)
            _write(there, f"{chosen}.txt", words.encode())
            os.rename(name, chosen, src_dir_fd=self._root, dst_dir_fd=there)

    def _remove_markers(self, name: str) -> None:
        """A marker left behind would vouch for the next file of this name. When that one is there already, it keeps
        what may be its own."""
        if _exists(self._root, name):
            return
        for marker in [marker for marker, _ in _files(self._root) if marked_by(marker) == name]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(marker, dir_fd=self._root)

    @contextlib.contextmanager
    def _directory(self, *names: str) -> Iterator[int]:
        """A directory below the folder, made when it is not there."""
        here = os.dup(self._root)
        try:
            for name in names:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=here)
                below = os.open(name, _DIRECTORY, dir_fd=here)
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)


def mark_of(found: os.stat_result) -> Mark:
    """What tells whether a file was written to."""
    return found.st_ino, found.st_size, found.st_mtime_ns


def _files(directory: int) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(directory) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                yield entry.name, entry.stat(follow_symlinks=False)


def _is_file(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode)


def _order(offer: Offer) -> tuple[int, str]:
    return offer.mark[2], offer.name


def _free_name(directory: int, name: str) -> str:
    """`name`, or with a number before its suffix, so that neither a file put away nor its answer is overwritten."""
    stem, suffix = PurePath(name).stem, PurePath(name).suffix
    if len(os.fsencode(name)) > _LONGEST:
        suffix = os.fsdecode(os.fsencode(suffix)[:20])
        stem = os.fsdecode(os.fsencode(stem)[: _LONGEST - 20])
    number, chosen = 1, stem + suffix
    while _is_taken(directory, chosen):
        number += 1
        chosen = f"{stem}~{number}{suffix}"
    return chosen


def _is_taken(directory: int, name: str) -> bool:
    """A file put away has its `.txt` beside it; an answer without a file is left of a step cut short, and is free."""
    answers = (f"{name}.ack", f"{name}.txt")
    return _exists(directory, name) or any(
        _exists(directory, each) and _exists(directory, f"{each}.txt") for each in answers
    )


def _exists(directory: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _write(directory: int, name: str, content: bytes) -> None:
    """The whole content under the name, or nothing. Not synced: that costs seven times as much as all the rest, and a
    power cut may only empty an answer whose message is safe; the same file put in again gets the same answer."""
    unfinished = f".{name}.new"
    with os.fdopen(os.open(unfinished, _NEW, 0o666, dir_fd=directory), "wb") as file:
        file.write(content)
    os.rename(unfinished, name, src_dir_fd=directory, dst_dir_fd=directory)
