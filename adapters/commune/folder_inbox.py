"""The inbox: receipts that a commune puts there, taken away once they are read and kept.

A receipt is taken by renaming it (`.NAME.taken`), so that one written meanwhile under the same name is another one. It
stays until it was kept; after a crash it is read again first.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.commune.folder_files import find, opened, read, remove, replace, write_new
from adapters.commune.folder_receipt import MAX_PAPER_BYTES, MAX_RECEIPT_BYTES, REASONS, is_whole_json, is_whole_pdf
from gateway.domain.drop_folder import MARKERS

WRONG = "wrong"
SETTLED_SECONDS = 1.0
"""So long nobody wrote to a complete file before it is taken."""
WRITING_SECONDS = 300.0
"""So long half a file may be on its way; then it is wrong."""

_HERE = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Inbox:
    """An open inbox; `now` is the clock's."""

    directory: int
    now: datetime

    def take(self, stem: str) -> tuple[bytes, bytes] | None:
        """Receipt and PDF (b"" without one) called `stem`; None when there is none or it is still being written."""
        receipt, paper = f"{stem}.json", f"{stem}.pdf"
        if find(self.directory, _taken(receipt)) is None:
            if not self._is_ready(receipt, paper):
                return None
            for name in (paper, receipt):  # the receipt last: it is what a later look goes by
                if find(self.directory, name):
                    replace(self.directory, name, _taken(name))
        raw = read(self.directory, _taken(receipt), MAX_RECEIPT_BYTES)
        return (raw or b"", read(self.directory, _taken(paper), MAX_PAPER_BYTES) or b"")

    def forget(self, stem: str) -> None:
        """Remove what was taken: it is kept elsewhere."""
        for name in (f"{stem}.pdf", f"{stem}.json"):
            if find(self.directory, name) is None:
                for marker in MARKERS:  # one left behind would vouch for the next file of this name
                    remove(self.directory, name + marker)
            remove(self.directory, _taken(name))

    def put_aside(self, stem: str, reason: str) -> None:
        """Move what was taken and makes no sense to `wrong`, the reason beside it for the commune's technicians."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(WRONG, 0o770, dir_fd=self.directory)
        there = os.open(WRONG, _HERE, dir_fd=self.directory)
        try:
            words = f"{REASONS[reason][0]}.\nHãy sửa rồi đặt lại tệp vào thư mục nhận.\n"
            write_new(there, f"{stem}.txt", words.encode(), 0o640)
            for name in (f"{stem}.pdf", f"{stem}.json"):
                if find(self.directory, _taken(name)):
                    os.rename(_taken(name), name, src_dir_fd=self.directory, dst_dir_fd=there)
        finally:
            os.close(there)
        self.forget(stem)

    def _is_ready(self, receipt: str, paper: str) -> bool:
        """Whether the receipt is complete, and the PDF beside it if there is one: a marker says so, or each is whole
        and nobody wrote for a second. What stays half for minutes is taken too, and will be found wrong."""
        found = find(self.directory, receipt)
        if found is None:
            return False
        if any((mark := find(self.directory, receipt + end)) and mark.st_mtime >= found.st_mtime for end in MARKERS):
            return True
        raw = read(self.directory, receipt, MAX_RECEIPT_BYTES)
        ready = self._is_settled(found, whole=raw is not None and is_whole_json(raw))
        if ready and (beside := find(self.directory, paper)):
            pdf = read(self.directory, paper, MAX_PAPER_BYTES)
            ready = self._is_settled(beside, whole=pdf is not None and is_whole_pdf(pdf))
        return ready

    def _is_settled(self, found: os.stat_result, *, whole: bool) -> bool:
        """Clocks of two machines differ, so a time in the future says as much as one in the past."""
        age = abs(self.now.timestamp() - found.st_mtime)
        return age >= (SETTLED_SECONDS if whole else WRITING_SECONDS)


@contextlib.contextmanager
def open_inbox(path: Path, now: datetime) -> Iterator[Inbox]:
    """The inbox in a directory. Raises Misconfigured or Unreachable as folder_files.opened does."""
    with opened(path) as handle:
        yield Inbox(handle, now)


def _taken(name: str) -> str:
    return f".{name}.taken"
