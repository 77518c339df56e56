"""`hotich simulate moj` in a child process: the far side of journeys, on a real socket, which may die and return."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.serving_child import CLEAN, quiet_port


class Simulator:
    """One simulator: the first start takes a quiet port, later starts the same. `options` go to every start."""

    def __init__(self, book: Path, *options: str | Path, port: int = 0) -> None:
        self.book, self.options, self.port = book, options, port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What a client's settings name."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait for the ready line."""
        log = self.book.with_suffix(".log")
        self.port = self.port or quiet_port()
        command = ["simulate", "moj", "--port", str(self.port), "--book", str(self.book), *map(str, self.options)]
        with log.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", *command], stdout=subprocess.PIPE, stderr=said, env=CLEAN
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, log.read_text(encoding="utf-8")
        ready = json.loads(line)
        assert ready["event"] == "ready"
        self.port = int(ready["moj"].rpartition(":")[2])

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)
        return self.process.returncode

    def end(self) -> None:
        """Leave nothing running, whatever the test did."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def dossiers(self) -> dict[str, dict[str, Any]]:
        """The book by dossier code, in the order of arrival."""
        return {one["code"]: one for one in httpx.get(f"{self.url}/book", timeout=60).json()["dossiers"]}

    def set_state(self, code: str, state: int, **told: str) -> None:
        """Decide as the commune's officer would: 2 supplement, 3 eligible, 4 registered, 6 refused."""
        httpx.post(f"{self.url}/book/{code}/state", json={"state": state, **told}).raise_for_status()


@contextmanager
def start(
    book: Path,
    *,
    port: int = 0,
    faults: Path | None = None,
    walk: str = "",
    seed: int | None = None,
    secret: Path | None = None,
    callback: str = "",
    callback_secret: Path | None = None,
) -> Generator[Simulator, None, None]:
    """A running simulator on the book at `book`, ended at the end: `.url` is its address. A secret is a file."""
    told: Mapping[str, Any] = {
        "--faults": faults,
        "--walk": walk or None,
        "--seed": seed,
        "--secret": secret,
        "--callback": callback or None,
        "--callback-secret": callback_secret,
    }
    options = [str(part) for name, value in told.items() if value is not None for part in (name, value)]
    simulator = Simulator(book, *options, port=port)
    try:
        simulator.start()
        yield simulator
    finally:
        simulator.end()
