"""hotich check --system: ask a commune system for its code lists and compare them with our code tables."""

from __future__ import annotations

from pathlib import Path

import typer

from gateway.bootstrap import build
from gateway.cli.options import settings_of
from gateway.cli.printing import print_json
from gateway.errors import SettingsError
from gateway.ports.commune import CataloguedSystem


def print_differences_of(name: str, config: Path | None, data_dir: Path | None, json: bool) -> bool:
    """Print where a system's code lists differ from ours; whether they agree. Raises SettingsError for a system that
    is not configured or has no lists, and the port's exceptions when it does not answer."""
    services = build(settings_of(config, data_dir))
    try:
        system: object = services.communes.get(name)
        if system is None:
            known = ", ".join(sorted(services.communes))
            raise SettingsError(
                "settings.no_such_system", f"--system {name}: no such commune system; there are: {known}"
            )
        if not isinstance(system, CataloguedSystem):
            raise SettingsError("use.no_catalogues", f"--system {name}: this system has no code lists to ask for")
        found = system.check_catalogues()
    finally:
        services.store.close()
    if json:
        print_json({"system": name, "agree": not found, "differences": found})
    else:
        for difference in found:
            typer.echo(difference)
        typer.echo(
            f"{name}: {len(found)} differences" if found else f"{name}: its code lists agree with our code tables"
        )
    return not found
