"""Submits one dossier again and again in fresh directories; each time a fork of this process kills itself before the
next step than the time before, a step being whatever changes the disk, half a write included. Then the submit is
repeated by somebody who lives. Prints what the commune found each time, as JSON.

`python -m tests.faults.commune_folder_child DATABASE DIRECTORY`"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from adapters.commune import folder_book, folder_files
from gateway.ports.clock import SystemClock
from gateway.ports.commune import Delivery
from gateway.sealing.asice_verify import verify_container
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.testing.commune import delivery
from tests.commune_folder_world import Commune, make_commune

STEPS = ("mkdir", "unlink", "open", "fsync", "rename")


class _HalfWriter:
    """A file whose `write` is a step: death leaves the first half of it."""

    def __init__(self, file: Any, step: Callable[[], None]) -> None:
        self._file, self._step = file, step

    def __enter__(self) -> _HalfWriter:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def write(self, content: bytes) -> None:
        half = len(content) // 2
        self._file.write(content[:half])
        self._file.flush()
        self._step()
        self._file.write(content[half:])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def die_before(step_number: int) -> None:
    """Make this process kill itself before a step."""
    taken = count(1)

    def step() -> None:
        if next(taken) == step_number:
            os.kill(os.getpid(), signal.SIGKILL)

    def counting(really: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*given: Any, **named: Any) -> Any:
            step()
            return really(*given, **named)

        return stepping

    fdopen = os.fdopen
    for name in STEPS:
        setattr(folder_files.os, name, counting(getattr(os, name)))
    folder_files.os.fdopen = lambda handle, mode: _HalfWriter(fdopen(handle, mode), step)
    folder_book.fcntl.flock = counting(folder_book.fcntl.flock)


def a_round(database: Path, directory: Path, sent: Delivery, step_number: int, *, is_taken: bool) -> dict[str, Any]:
    """One death and one repetition; `is_taken`: the commune takes away what it finds in between."""
    directory.mkdir()

    def commune() -> Commune:
        store = Store.open(f"sqlite:///{database}")
        return make_commune(directory, store, Vault.open(directory.parent / "keys"), SystemClock())

    child = os.fork()
    if not child:
        there = commune()
        die_before(step_number)
        there.system.submit(sent)
        os._exit(0)
    died = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    there, taken = commune(), directory / "taken"
    taken.mkdir()
    found = there.waiting()
    if is_taken:
        for name in found:
            (there.outbox / name).rename(taken / name)
    states = {there.system.submit(sent).state, there.system.submit(sent).state}
    held = [*(there.outbox / name for name in there.waiting()), *taken.iterdir()]
    there.system.store.close()
    return {
        "died": died,
        "found": found,
        "held": [file.name for file in held],
        "whole": all(verify_container(file.read_bytes()).ok for file in held),
        "left_over": [file.name for file in there.outbox.glob(".*")],
        "states": sorted(states),
    }


def main(database: Path, directory: Path) -> None:
    Vault.open(directory / "keys")
    sent, rounds = delivery(), []
    for step_number in count(1):
        rounds.append(a_round(database, directory / f"{step_number}", sent, step_number, is_taken=False))
        if rounds[-1]["found"]:
            rounds.append(a_round(database, directory / f"{step_number}-taken", sent, step_number, is_taken=True))
        if not rounds[-1]["died"]:
            break
    sys.stdout.write("\n" + json.dumps(rounds))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
