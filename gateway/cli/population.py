"""hotich population: the embedded population directory of development and demonstrations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.bootstrap import build
from gateway.cli.options import Config, DataDir, settings_of
from gateway.errors import SettingsError

app = typer.Typer(no_args_is_help=True, help="The embedded population directory (development and demonstrations).")


@app.callback()
def population() -> None:
    """Commands about the population directory."""


@app.command()
def load(
    file: Annotated[
        Path, typer.Argument(help="UTF-8 CSV; columns as in docs/commands.md.", exists=True, dir_okay=False)
    ],
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Add or replace the invented citizens of a CSV file: all of it, or nothing and every wrong line told."""
    services = build(settings_of(config, data_dir))
    loading = getattr(services.population, "load_csv", None)
    if loading is None:
        words = f"population.use = {services.population.name} takes no files; only `embedded` does"
        raise SettingsError("population.not_loadable", words)
    typer.echo(f"{loading(file)} citizens in {file.name}")
