"""Files that survive a power cut, in directories that a partner writes to as well: links there are never followed."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from gateway.errors import Misconfigured, Unreachable

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not hold us up
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def telling(directory: Path) -> Iterator[None]:
    """What the operating system refuses inside is told of the directory: Misconfigured when it is not there or may not
    be written to, Unreachable when it is full or its disk or server does not answer."""
    try:
        yield
    except OSError as error:
        raise _told(directory, error) from error


@contextlib.contextmanager
def opened(directory: Path) -> Iterator[int]:
    """A directory's descriptor; failures inside are told as `telling` does."""
    with telling(directory):
        handle = os.open(directory, _DIRECTORY)
        try:
            yield handle
        finally:
            os.close(handle)


def _told(directory: Path, error: OSError) -> Misconfigured | Unreachable:
    if error.errno in _NOT_THERE:
        return Misconfigured("commune.folder_missing", f"{directory} is not there: make it, mount it, mend the setting")
    if error.errno in _NOT_ALLOWED:
        return Misconfigured("commune.folder_not_writable", f"{directory}: the gateway needs to write and remove there")
    if error.errno in _FULL:
        return Unreachable("commune.folder_full", f"{directory}: no space is left on its disk")
    return Unreachable("commune.folder_fails", f"{directory}: {error.strerror}")


def write_new(directory: int, name: str, content: bytes, mode: int) -> None:
    """A file with all of its content on the disk; what was under the name goes. After a failure there is nothing."""
    remove(directory, name)
    handle = os.open(name, _NEW, mode, dir_fd=directory)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
    except OSError:
        remove(directory, name)
        raise


def replace(directory: int, old: str, new: str) -> None:
    """Give a file its final name, durably; a file of that name goes."""
    os.rename(old, new, src_dir_fd=directory, dst_dir_fd=directory)
    os.fsync(directory)


def remove(directory: int, name: str) -> None:
    """Remove a file, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)


def find(directory: int, name: str) -> os.stat_result | None:
    """What is under a name, links not followed; None when nothing is."""
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def read(directory: int, name: str, limit: int) -> bytes | None:
    """The content of a file, of a larger one `limit` + 1 bytes; None when there is no plain file of that name."""
    try:
        handle = os.open(name, _READ, dir_fd=directory)
    except OSError as error:
        if error.errno in (*_NOT_THERE, errno.ENXIO):
            return None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read(limit + 1)
