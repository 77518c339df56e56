"""hotich check: are settings and mappings right? Every mistake is told, with its place and remedy."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.bootstrap import build_readers, load_catalogue, refuse_stand_ins
from gateway.cli.options import AsJson, Config, DataDir, settings_of
from gateway.cli.printing import print_json, print_table
from gateway.errors import GatewayError, MappingError, SettingsError
from gateway.plugins import load_plugins
from gateway.settings import Settings, rows


def check(
    settings: Annotated[bool, typer.Option("--settings", help="Also print the table of all settings.")] = False,
    config: Config = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Check settings and mappings without starting. Exit code 1 for mapping mistakes, 2 for wrong settings."""
    mistakes: list[GatewayError] = []
    mappings = ""
    try:
        chosen = settings_of(config, data_dir)
    except SettingsError as error:
        mistakes.append(error)
        chosen = Settings()  # so that mapping mistakes are told in the same run
    try:
        mappings = _load_mappings(chosen)
    except (SettingsError, MappingError) as error:
        mistakes.append(error)
    _print(mistakes, mappings, settings, json)
    if mistakes:
        raise typer.Exit(2 if any(isinstance(mistake, SettingsError) for mistake in mistakes) else 1)


def _load_mappings(settings: Settings) -> str:
    """The content hash of the mapping set the settings give."""
    plugins = load_plugins()
    refuse_stand_ins(settings, plugins)
    for family in ("population", "commune", "signing"):
        plugins.choose(family, getattr(settings, family).use)
    return load_catalogue(settings, plugins, build_readers(plugins)).hash


def _print(mistakes: list[GatewayError], mappings: str, table: bool, json: bool) -> None:
    lines = [(mistake.code, line) for mistake in mistakes for line in mistake.message.splitlines()]
    if json:
        document = {
            "ok": not mistakes,
            "mapping_hash": mappings or None,
            "mistakes": [{"code": code, "message": line} for code, line in lines],
        }
        if table:
            document["settings"] = [
                {"name": row.name, "variable": row.variable, "type": row.type, "default": row.default, "help": row.help}
                for row in rows()
            ]
        print_json(document)
        return
    if table:
        cells = [(row.name, row.variable, row.type, row.default, row.help) for row in rows()]
        print_table("", ("Name", "Variable", "Type", "Default", "Help"), cells)
    for code, line in lines:
        typer.echo(f"{line} [{code}]")
    if not mistakes:
        typer.echo(f"Settings and mappings are right; mapping set {mappings}.")
