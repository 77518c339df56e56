"""hotich try --watch: show the result again whenever a message, a mapping or the settings are saved."""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from gateway.cli.samples import FEED, feed_file
from gateway.cli.try_streams import Marks, Tried, Workbench, find_streams, marks_of
from gateway.cli.try_tables import console, plain, print_differences
from gateway.errors import GatewayError
from gateway.pipeline.compare import Compared, compare

POLL_SECONDS = 0.3
_BROKEN = (GatewayError, OSError, ValueError, csv.Error)
"""What reading a half-written file can raise."""


@dataclass(slots=True)
class Watch:
    """The paths to try, as on the command line. `show` prints one stream; `config` is the settings file, if named."""

    bench: Workbench
    paths: Sequence[Path]
    feed: str | None
    config: Path | None
    show: Callable[[Tried], bool]
    before: list[Tried] = field(default_factory=list)  # the last run in which nothing was broken

    def run(self) -> None:
        """Try and show again after every edit, until Ctrl-C."""
        try:
            while True:
                marks = self._try_once()
                count = len(marks)
                words = f"Đang theo dõi {count} tệp / Watching {count} files; Ctrl-C: thôi / ends"
                console().print(plain(words, "dim"))
                sys.stdout.flush()
                while self._marks() == marks:
                    time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            return

    def _try_once(self) -> Marks:
        """One run; the marks of the files as they were before they were read."""
        to, marks = console(), self._marks()
        try:
            self.bench.refresh()
            # The settings may name other overlays now; what was saved meanwhile must still be seen as new.
            marks = {file: marks.get(file, mark) for file, mark in self._marks().items()}
            tried = self.bench.rehearse_all(find_streams(self.paths, self.bench.settings, self.feed))
        except _BROKEN as error:
            to.clear()
            to.print(plain(error, "bold red"), soft_wrap=True)
            return marks
        to.clear()
        if self.before:
            _print_changes(to, list(_changes(self.before, tried)))
        for one in tried:
            self.show(one)
        self.before = tried
        return marks

    def _marks(self) -> Marks:
        settings = self.config or Path(os.environ.get("HOTICH_CONFIG") or "hotich.toml")
        feeds = (feed_file(path) or path / FEED for path in self.paths if path.is_dir())
        return marks_of([*self.paths, *feeds, settings, *self.bench.places()])


def _print_changes(to: Console, changed: Sequence[Compared]) -> None:
    words = "Thay đổi từ lần trước / Changed" if changed else "Không có gì thay đổi / Nothing changed"
    to.print(plain(f"{words} since the last run", "bold"))
    print_differences(to, changed, "Trước / Before", "Nay / Now")


def _changes(before: Sequence[Tried], now: Sequence[Tried]) -> Iterator[Compared]:
    """Streams by their place: files are edited under watch, folders seldom come or go."""
    for old, new in zip(before, now, strict=False):
        found = compare(old.rehearsal, new.rehearsal)
        yield from (one for one in (*found.messages, *found.cases) if not one.equal)
