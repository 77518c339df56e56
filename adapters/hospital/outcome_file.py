"""Outcomes as files: `<key>.json` in a directory, whole or not there at all. Who reads them may move or remove them; a
notice sent again lies under the same name with the same bytes."""

from __future__ import annotations

import os
from pathlib import Path

from adapters.hospital.outcome_json import write_json
from gateway.domain.notice import OutcomeNotice
from gateway.errors import Unreachable
from gateway.ports.hospital import Feed

_MODE = 0o640


class FileSender:
    """ports.hospital.OutcomeSender. Raises Unreachable while the directory cannot be written."""

    way = "file"

    def send(self, notice: OutcomeNotice, feed: Feed) -> None:
        """Write the notice; implements OutcomeSender."""
        try:
            _write(Path(feed.answer_to), f"{notice.key}.json", write_json(notice))
        except OSError as error:
            words = f"the directory for answers cannot be written: {error.strerror or type(error).__name__}"
            raise Unreachable("answer.not_written", words) from error


def _write(directory: Path, name: str, content: bytes) -> None:
    """On the disk before it has its name, and the name on the disk before this returns."""
    part = directory / f".{name}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(directory / name)
    entries = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(entries)
    finally:
        os.close(entries)
