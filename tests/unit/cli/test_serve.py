"""`hotich serve` as its own process: the ready line, a real message, and a clean end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from gateway.cli.sending import send_mllp
from tests.unit.cli.test_commands import BIRTH

pytestmark = pytest.mark.slow

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("HOTICH_")}


@contextmanager
def serving(place: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A gateway on free ports, and what its ready line says."""
    command = [
        sys.executable,
        "-m",
        "gateway",
        "serve",
        "--data-dir",
        str(place),
        "--mllp-port",
        "0",
        "--http-port",
        "0",
    ]
    place.parent.mkdir(exist_ok=True)
    errors = place.with_name("stderr")
    with errors.open("w") as log:
        child = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=log, text=True, env=CLEAN)
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line, errors.read_text()
        yield child, json.loads(line)
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_ready_takes_a_message_and_drains_at_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    with serving(tmp_path / "data") as (child, ready):
        assert ready["event"] == "ready"
        host, port = ready["mllp"].split(":")
        (receipt,) = send_mllp(host, int(port), [BIRTH.encode()])
        assert receipt.taken, receipt.body
        with urlopen(ready["http"] + "/healthz") as answer:
            assert answer.status == 200
        child.send_signal(number)
        rest, _ = child.communicate(timeout=30)
        assert (child.returncode, rest) == (0, "")
    for line in (tmp_path / "stderr").read_text().splitlines():
        assert json.loads(line)["level"] != "error"
        assert "Hoa" not in line


def test_a_taken_port_is_told_and_nothing_is_left_running(tmp_path: Path) -> None:
    with serving(tmp_path / "one" / "data") as (_child, ready):
        taken = ready["mllp"].split(":")[1]
        command = [sys.executable, "-m", "gateway", "serve", "--data-dir", str(tmp_path / "two"), "--mllp-port", taken]
        done = subprocess.run([*command, "--http-port", "0"], capture_output=True, text=True, timeout=60, env=CLEAN)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "mllp_port" in done.stderr.splitlines()[-1]
