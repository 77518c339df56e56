"""Birth message → sealed dossier on the desk, one process, embedded defaults: sustained rate, latency at 20 a second.

    python benchmarks/births.py [--births 1500] [--database URL] [--seconds 20]

The baseline of the same run is the bare cost of the three expensive parts of a dossier done in a row on one core (read
and map the message, fill the form, seal); the ratio says what durability, evidence, leases and encryption cost on top.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from gateway.bootstrap import build_readers, load_catalogue
from gateway.domain.case import fold
from gateway.pipeline.correlate import read_message
from gateway.pipeline.prepare import prepare_dossier
from gateway.plugins import load_plugins
from gateway.ports.hospital import Feed
from gateway.sealing.dossier_xml import Envelope, write_dossier
from gateway.sealing.xades import sign
from gateway.settings import Settings
from gateway.store.session import Store
from gateway.store.tables import DeskItem, Message
from gateway.testing.mllp_client import Ledger, send_all
from gateway.testing.signing import FakeSigningKey
from gateway.testing.traffic import birth

FEED = """
[feeds.sample]
facility_code = "99001"
facility_name = "Bệnh viện Đa khoa Quy Nhơn (mẫu)"
facility_commune = "21583"
senders = ["HIS_MAU|BV_QN_MAU"]
"""


def bare(count: int) -> float:
    """Dossiers a second on one core without a store: read, map, fill, seal."""
    plugins = load_plugins()
    readers = build_readers(plugins)
    catalogue = load_catalogue(Settings(), plugins, readers)
    feed = Feed(name="sample", facility_code="99001", facility_commune="21583")
    key, now = FakeSigningKey(), datetime.now(UTC)
    start = time.perf_counter()
    for number in range(count):
        (reading,) = read_message(readers["hl7v2"], birth(number), feed, "m", catalogue, now.date())
        dossier = prepare_dossier(fold("birth", [reading], {}, {}), feed, catalogue, now)
        sign(write_dossier(dossier, Envelope("c", 1, "c", now), {}), key, now)
    return count / (time.perf_counter() - start)


def laid(store: Store) -> int:
    with store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(DeskItem)).scalar_one())


def wait_for(store: Store, count: int) -> None:
    while laid(store) < count:
        time.sleep(0.02)


async def paced(port: int, first: int, count: int, rate: float) -> None:
    """Send `count` births at `rate` a second."""
    ledger, due, sending = Ledger(), time.perf_counter(), []
    for number in range(first, first + count):
        sending.append(asyncio.create_task(send_all(port, [birth(number)], 1, ledger)))
        due += 1 / rate
        await asyncio.sleep(max(0, due - time.perf_counter()))
    await asyncio.gather(*sending)


def latencies(store: Store, first: int) -> list[float]:
    """Milliseconds from receipt to desk, for births from number `first` on."""
    with store.read() as conn:
        received = conn.execute(
            select(Message.received_at).where(Message.control_key >= f"KS{first:08d}").order_by(Message.received_at)
        ).scalars()
        arrived = conn.execute(select(DeskItem.received_at).order_by(DeskItem.received_at.desc())).scalars().all()
        starts = list(received)
    ends = sorted(arrived[: len(starts)])
    return [(end - start) / 1000 for start, end in zip(starts, ends, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--births", type=int, default=1500)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--database")
    options = parser.parse_args()
    baseline = bare(400)
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / "hotich.toml").write_text(FEED)
        environment = dict(os.environ)
        if options.database:
            environment["HOTICH_DATABASE_URL"] = options.database
        command = [sys.executable, "-m", "gateway", "serve", "--config", str(home / "hotich.toml")]
        command += ["--data-dir", str(home / "d"), "--mllp-port", "0", "--http-port", "0"]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment)
        try:
            assert server.stdout is not None
            port = int(json.loads(server.stdout.readline())["mllp"].rpartition(":")[2])
            store = Store.open(options.database or f"sqlite:///{home}/d/hotich.db")
            before, start = laid(store), time.perf_counter()
            asyncio.run(send_all(port, [birth(number) for number in range(options.births)], 16, Ledger()))
            acknowledged = time.perf_counter() - start
            wait_for(store, before + options.births)
            rate = options.births / (time.perf_counter() - start)
            asyncio.run(paced(port, options.births, 20 * options.seconds, 20))
            wait_for(store, before + options.births + 20 * options.seconds)
            waits = latencies(store, options.births)
            store.close()
        finally:
            server.terminate()
            server.communicate()
    cuts = statistics.quantiles(waits, n=100)
    print(f"bare read+fill+seal, one core   {baseline:8.0f}/s   1.00")
    print(f"acknowledged in                 {acknowledged:8.2f} s")
    print(f"sealed and on the desk          {rate:8.0f}/s   {rate / baseline:.2f}")
    print(f"at 20/s: p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, p99 {cuts[98]:.0f} ms")


if __name__ == "__main__":
    main()
