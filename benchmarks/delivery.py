"""Delivery to the simulated exchange over HTTP, one process: dossiers a second alone, and beside a dead system.

    python -m benchmarks.delivery

The ratio of one run says what a system that takes connections and never answers costs the others. The far side is
`hotich simulate moj` in a process of its own, on the same machine.
"""

from __future__ import annotations

import logging
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from gateway.bootstrap import build
from gateway.lanes.worker import Worker
from gateway.pipeline.services import Services
from gateway.pipeline.steps import handlers
from gateway.settings import load
from gateway.store.session import execute
from tests.sealed_world import put_sealed
from tests.serving_child import FEED
from tests.simulator_child import start

COUNT, THREADS = 9_000, 4
DEAD = 9_000  # an agency has 9,999 numbers a day
SETTINGS = """data_dir = "data"
mapping_overlays = ["overlay"]
[commune_systems.moj]
use = "moj_rest"
url = "{url}"
agency = "H99.001"
poll_seconds = 100000
headers = {{ "x-bench" = "1" }}
[commune_systems.dead]
use = "moj_rest"
url = "{dead}"
agency = "H99.002"
timeout_seconds = 2
poll_seconds = 100000
headers = {{ "x-bench" = "1" }}
"""
TABLE = "code,value,name,valid_from,valid_to,source\n21583,moj,Alive,,,bench\n21592,dead,Dead,,,bench\n"


@contextmanager
def silent() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as door:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"


def gateway(directory: Path, url: str, dead: str) -> Services:
    codes = directory / "overlay" / "codes"
    codes.mkdir(parents=True)
    (codes / "commune_systems.csv").write_text(TABLE)
    config = directory / "hotich.toml"
    config.write_text(SETTINGS.format(url=url, dead=dead) + FEED, encoding="utf-8")
    return build(load(config))


def deliver(services: Services, count: int) -> float:
    """Seconds until the living system has taken `count` dossiers."""
    worker = Worker(services.store, handlers(services), threads=THREADS)
    began = time.perf_counter()
    worker.start()
    sql = "SELECT COUNT(*) FROM dossier WHERE taken_at IS NOT NULL"
    while True:
        with services.store.read() as conn:
            if execute(conn, sql).fetchone()[0] >= count:
                break
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    worker.stop()
    return seconds


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as directory, silent() as dead:
        rates = []
        for part, beside in (("alone", 0), ("beside", DEAD)):
            home = Path(directory) / part
            home.mkdir()
            with start(home / "book.sqlite") as far_side:
                services = gateway(home, far_side.url, dead)
                if beside:
                    put_sealed(services, beside, "sample", places=(1,))
                put_sealed(services, COUNT, "sample", places=(0,))
                seconds = deliver(services, COUNT)
                services.store.close()
            rates.append(COUNT / seconds)
            print(f"{part}: {rates[-1]:,.0f} dossiers/s", file=sys.stdout)
        print(f"beside {DEAD:,} for a dead system: {rates[1] / rates[0]:.2f} of alone", file=sys.stdout)


if __name__ == "__main__":
    main()
