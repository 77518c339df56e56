"""Options that several commands share, and how settings are loaded from them."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.settings import Settings, load

Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file; else HOTICH_CONFIG, else ./hotich.toml.", dir_okay=False)
]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Directory of the database and keys.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document to standard output.")]

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
"""How moments are given on the command line, in UTC."""

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as typer gives dates; read as UTC


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of a moment told in UTC."""
    return int(moment.replace(tzinfo=UTC).timestamp()) * 1_000_000


def who() -> str:
    """Who runs the command, for log entries of reading personal data."""
    return f"{getpass.getuser()}@command"


def settings_of(config: Path | None, data_dir: Path | None, **given: Any) -> Settings:
    """Settings of file, environment and command line. Raises SettingsError."""
    return load(config, {"data_dir": data_dir, **given})
