"""A folder intake in a process of its own that kills itself before the n-th step it takes: every rename, removal and
answer is a step. `python -m tests.faults.folder_child DIRECTORY N`; N = 0 never."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from adapters.hospital import drop_folder, folder
from adapters.hospital.fhir import FhirReader
from adapters.hospital.hl7v2 import Hl7v2Reader
from adapters.hospital.moh_xml import MohReader
from gateway.pipeline.receive import Receiver
from gateway.ports.clock import SystemClock
from gateway.ports.hospital import Feed, MessageReader
from gateway.store.session import Store
from gateway.store.vault import Vault


def main(directory: Path, die_at: int) -> None:
    """Run until everything in `directory/in` is put away, or dead."""
    steps = _Steps(die_at)
    for name in ("rename", "unlink"):
        setattr(drop_folder.os, name, steps.counting(getattr(os, name)))
    folder._settle = steps.counting(folder._settle)  # the commit is behind us, the answer not yet told
    asyncio.run(_run(directory))
    sys.stdout.write(str(steps.taken))


class _Steps:
    def __init__(self, die_at: int) -> None:
        self.taken, self.die_at = 0, die_at

    def counting(self, really: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            self.taken += 1
            if self.taken == self.die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return really(*given, **named)

        return step


async def _run(directory: Path) -> None:
    place = directory / "in"
    feed = Feed("bv", folder=str(place), folder_settle_seconds=0.0, facility_code="99001")
    readers: list[MessageReader] = [Hl7v2Reader(), FhirReader(), MohReader()]
    services: Any = SimpleNamespace(
        store=Store.open(f"sqlite:///{directory / 'hotich.sqlite'}"),
        vault=Vault.open(directory / "keys"),
        clock=SystemClock(),
        readers={reader.format: reader for reader in readers},
        feeds={feed.name: feed},
        writer="gw",
    )
    receiver = Receiver(services, asyncio.get_running_loop())
    listener = folder.FolderListener(services.feeds, services.clock, poll_seconds=0.005)
    await listener.start(receiver)
    while any(file.is_file() for file in (*place.glob("*"), *place.glob(".taken/*"))):
        await asyncio.sleep(0.005)
    await listener.stop()
    await receiver.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
