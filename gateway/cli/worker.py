"""hotich worker: only the work on cases, for several machines on one PostgreSQL."""

from __future__ import annotations

from gateway.cli.options import Config, DataDir, settings_of
from gateway.serving import run_worker


def worker(config: Config = None, data_dir: DataDir = None) -> None:
    """Work on cases and nothing else; run as many as you like against one PostgreSQL. SIGTERM drains."""
    run_worker(settings_of(config, data_dir))
