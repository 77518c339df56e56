"""The `hotich` command. Exit codes: 0 ok; 1 the answer is "no" or holds errors; 2 wrong use or settings."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module

import typer

from gateway.errors import GatewayError, MappingError, SettingsError
from gateway.logs import configure_logging

COMMANDS = {
    "serve": "serve",
    "demo": "demo",
    "try": "try_messages",
    "send": "send",
    "check": "check",
    "replay": "replay",
    "log": "log",
    "verify": "verify",
    "deliveries": "deliveries",
    "token": "token",
    "user": "user",
    "population": "population",
    "feeds": "feeds",
    "letters": "letters",
    "worker": "worker",
    "simulate": "simulate",
    "migrate": "migrate",
}
"""Each command and its module in gateway.cli. The module holds a function of its own name, or a group called `app`."""


def build_app(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command with these subcommands; each costs the import of its module."""
    app = typer.Typer(
        name="hotich",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Births and deaths from hospital messages to the commune's civil register.",
    )
    app.callback()(_hotich)
    for name in names:
        module = import_module(f"gateway.cli.{COMMANDS[name]}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name=name)(getattr(module, COMMANDS[name]))
    return app


def _hotich() -> None:
    """Births and deaths from hospital messages to the commune's civil register."""
    configure_logging("warning")  # `serve` and `worker` go on to their own level


def main() -> None:
    """Run a command; the gateway's own errors become one clear line and an exit code."""
    wanted = sys.argv[1:2]
    # Only the command asked for is imported: a command answers in half the time.
    app = build_app(wanted) if wanted and wanted[0] in COMMANDS else build_app()
    try:
        app()
    except (SettingsError, MappingError) as error:
        typer.echo(f"hotich: {error.message} [{error.code}]", err=True)
        sys.exit(2)
    except GatewayError as error:
        typer.echo(f"hotich: {error.message} [{error.code}]", err=True)
        sys.exit(1)
