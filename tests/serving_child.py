"""`hotich serve` and the other commands in child processes: the program as an operator runs it, on real sockets."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

FEED = """
[feeds.sample]
facility_code = "99001"
facility_name = "Bệnh viện Đa khoa Quy Nhơn (mẫu)"
facility_commune = "21583"
senders = ["HIS_MAU|BV_QN_MAU"]
"""
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("HOTICH_")}
"""Our environment without what a developer's shell may have set for a gateway of their own."""

_Found = TypeVar("_Found")

_FIRST_PORT, _PORTS_A_WORKER = 20_000, 500
_next = itertools.count(os.getpid())


def quiet_port() -> int:
    """A free port of 127.0.0.1 that stays free while nobody listens there: outgoing connections come from ports above
    these, and every worker of a test run has its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for number in _next:
        port = _FIRST_PORT + worker % 24 * _PORTS_A_WORKER + number % _PORTS_A_WORKER
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("counting ends never")


class Server:
    """One gateway's directory (`hotich.toml`, `data/`, `serve.log`) and its `hotich serve`, which may die and return.

    The first start takes quiet ports, later starts the same. `said` is what every command wrote to standard error.
    """

    def __init__(self, directory: Path, settings: str = FEED) -> None:
        self.directory = directory
        self.config = directory / "hotich.toml"
        self.data = directory / "data"
        self.log = directory / "serve.log"
        self.ports = [0, 0]
        self.said: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.config.write_text('data_dir = "data"\n' + settings, encoding="utf-8")

    @property
    def http(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.ports[1]}"

    def start(self, **variables: str) -> None:
        """Start and wait for the ready line. `variables`: settings by their HOTICH_ names, without the prefix."""
        self.ports = [port or quiet_port() for port in self.ports]
        ports = ["--mllp-port", str(self.ports[0]), "--http-port", str(self.ports[1])]
        self.process = self.spawn("serve", *ports, **variables)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        ready = json.loads(line)
        assert ready["event"] == "ready"
        self.ports = [int(ready[way].rpartition(":")[2]) for way in ("mllp", "http")]

    def spawn(self, *command: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start a command that goes on running; its log is added to serve.log."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "gateway", *command],
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment(variables),
            )

    def kill(self) -> None:
        """No warning, no chance to tidy up."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def end(self) -> None:
        """Leave nothing running, whatever the test did."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def run(self, *command: str | Path, given: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *command],
            input=given,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            cwd=self.directory,
            env=self._environment(variables),
        )
        self.said.append(done.stderr)
        return done

    def right(self, *command: str | Path, given: str = "", **variables: str) -> str:
        """What a command that must succeed prints."""
        done = self.run(*command, given=given, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        named = {f"HOTICH_{name.upper()}": value for name, value in variables.items()}
        return CLEAN | {"HOTICH_CONFIG": str(self.config)} | named


def wait_until(found: Callable[[], _Found], what: str, seconds: float = 60) -> _Found:
    """The first true answer of `found`; fails when there is none in time."""
    give_up = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < give_up, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)
    return answer
