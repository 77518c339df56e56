"""Many dossiers to the simulated exchange, which misbehaves, by workers that are killed: what came of it.

`python -m tests.faults.delivery_run COUNT [KILLS] [WORKERS DATABASE]` runs it at any size and prints the findings; the
test runs a small one. DATABASE is the address of an empty PostgreSQL database, for several worker processes; without,
it is SQLite and one worker. All people are invented, the far side is `hotich simulate moj`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from gateway.bootstrap import build
from gateway.settings import load
from gateway.store.session import Store, execute
from tests.sealed_world import put_sealed
from tests.serving_child import FEED, Server
from tests.simulator_child import start

SETTINGS = """
workers = 8
mapping_overlays = ["overlay"]
[commune_systems.moj]
use = "moj_rest"
url = "{url}"
token = "token"
agency = "H99.001"
timeout_seconds = 5
breaker_seconds = 1
poll_seconds = 100000
"""
TABLE = "code,value,name,valid_from,valid_to,source\n"


@dataclass
class Run:
    """One run's gateway: its directory, how many dossiers, what the far side has in the end."""

    server: Server
    count: int
    url: str
    database: str = ""
    workers: int = 1
    redriven: int = 0
    nearly_all_after: float = 0.0

    @property
    def address(self) -> str:
        return self.database or f"sqlite:///{self.server.data / 'hotich.db'}"

    def prepare(self) -> None:
        """Settings, and the sealed dossiers in the store."""
        directory = self.server.directory
        codes = directory / "overlay" / "codes"
        codes.mkdir(parents=True)
        (codes / "commune_systems.csv").write_text(TABLE + "*,moj,Simulator,,,test\n")
        agencies = "21583,H99.001,One,,,test\n21592,H99.002,Other,,,test\n"
        (codes / "commune_agencies.csv").write_text(TABLE + agencies)
        settings = SETTINGS.format(url=self.url)
        where = f'data_dir = "data"\ndatabase_url = "{self.database}"\n'
        self.server.config.write_text(f"{where}{settings}{FEED}", encoding="utf-8")
        if self.database:
            self.server.right("migrate")
        services = build(load(self.server.config))
        put_sealed(services, self.count, "sample", corrected_every=20)
        services.store.close()

    def deliver(self, kills: int, patience: float) -> float:
        """Run the workers until every dossier has left, killing one of them after the other, `kills` times in all; the
        seconds it took. The last ones only wait for their turn after many failures in a row: `nearly_all_after`."""
        began, running = time.monotonic(), [self._worker(number) for number in range(self.workers)]
        store = Store.open(self.address)
        try:
            for kill in range(1, kills + 1):
                self._wait(store, self.count * kill // (kills + 1), patience)
                number = kill % self.workers
                running[number].kill()
                running[number].communicate()
                running[number] = self._worker(number)
            self._wait(store, self.count * 99 // 100, patience)
            self.nearly_all_after = time.monotonic() - began
            self._wait(store, self.count, patience)
            return time.monotonic() - began
        finally:
            store.close()
            for worker in running:
                worker.terminate()
            for worker in running:
                worker.communicate(timeout=60)

    def _worker(self, number: int) -> subprocess.Popen[bytes]:
        return self.server.spawn("worker", instance=f"worker{number}")

    def _wait(self, store: Store, wanted: int, patience: float) -> None:
        """Until so many cases are at rest: taken, and no lane of theirs has work left. What was given up because the
        far side spoke nonsense is driven on, as an operator would."""
        end = time.monotonic() + patience
        while (there := _lanes(store, "run_at IS NULL AND NOT dead")) < wanted:
            assert time.monotonic() < end, f"{there} of {wanted} dossiers arrived"
            if dead := _lanes(store, "dead"):
                self.server.right("deliveries", "redrive", "--kind", "dossier", "--yes", "--per-second", "200")
                self.redriven += dead
            time.sleep(0.2)

    def findings(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """What is wrong, by name: everything empty or zero is right."""
        store = Store.open(self.address)
        with store.read() as conn:
            numbers = {code for (code,) in execute(conn, "SELECT code FROM dossier_number").fetchall()}
            taken = execute(conn, "SELECT case_id, version, system, taken_at FROM dossier ORDER BY case_id, version")
            versions = [tuple(row) for row in taken.fetchall()]
            dead = execute(conn, "SELECT COUNT(*) FROM lane WHERE dead").fetchone()[0]
        store.close()
        series = Counter(code.rpartition("-")[0] for code in numbers)
        order = [
            later[:2]
            for one, later in pairwise(versions)
            if one[0] == later[0] and None not in (one[3], later[3]) and one[3] >= later[3]
        ]
        verified = json.loads(self.server.run("log", "verify", "--json").stdout)
        return {
            "missing": sorted(numbers - set(kept)),
            "strangers": sorted(set(kept) - numbers),
            "without_number": self.count - len(numbers),
            "gaps": {name: many for name, many in series.items() if f"{name}-{many:04d}" not in numbers},
            "kept_twice": [code for code, dossier in kept.items() if dossier["accepted"] != 1],
            "clashes": [code for code, dossier in kept.items() if dossier["clashes"]],
            "not_taken": [row[:2] for row in versions if row[3] is None],
            "wrong_system": [row[:3] for row in versions if row[2] != ("moj" if row[1] == 1 else "desk")],
            "out_of_order": order,
            "dead_lanes": dead,
            "log_broken": not verified["intact"],
        }


def _lanes(store: Store, which: str) -> int:
    sql = f"SELECT COUNT(*) FROM lane WHERE key >= ? AND key < ? AND {which}"
    with store.read() as conn:
        return int(execute(conn, sql, ("dossier:", "dossier;")).fetchone()[0])


def run(
    directory: Path, count: int, kills: int, patience: float = 900.0, workers: int = 1, database: str = ""
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Findings, and figures of the run. More than one worker needs a `database` that is shared."""
    secret = directory / "token"
    secret.write_text("invented-token", encoding="utf-8")
    (directory / "far").mkdir()
    with start(directory / "far" / "book.sqlite", faults=Path("mixed"), secret=secret) as far_side:
        one = Run(Server(directory), count, far_side.url, database, workers)
        one.prepare()
        seconds = one.deliver(kills, patience)
        found = one.findings(far_side.dossiers())
        played = httpx.get(f"{far_side.url}/book", timeout=60).json()["counts"]
    figures = {
        "workers": workers,
        "seconds": round(seconds, 1),
        "seconds_to_99_percent": round(one.nearly_all_after, 1),
        "per_second": round(count * 0.99 / one.nearly_all_after, 1),
        "redriven": one.redriven,
    }
    return found, {**figures, "far_side": played}


def main() -> None:
    """Print findings and figures; exit 1 when something is wrong."""
    words = [word for word in sys.argv[1:] if word != "--memory"]
    count, kills, workers = (int(word) for word in (words + ["3", "1"][len(words) - 1 :])[:3])
    database = words[3] if len(words) > 3 else ""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if "--memory" in sys.argv else None) as directory:
        found, figures = run(Path(directory), count, kills, workers=workers, database=database)
    print(json.dumps({"count": count, "kills": kills, **figures, **found}, indent=2))
    sys.exit(1 if any(found.values()) else 0)


if __name__ == "__main__":
    main()
