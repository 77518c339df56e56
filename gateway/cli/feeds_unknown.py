"""hotich feeds unknown: who was refused because no feed of the settings knows them."""

from __future__ import annotations

from dataclasses import asdict

import typer

from gateway.bootstrap import open_store
from gateway.cli.options import AsJson, Config, DataDir, settings_of
from gateway.cli.printing import print_json, print_table
from gateway.views.unknown_senders import list_unknown_senders


def unknown(config: Config = None, data_dir: DataDir = None, json: AsJson = False) -> None:
    """List senders that were refused because no feed knows them, or because they lack a mark of their feed (address,
    client certificate, token): the latest first, with how often and when. Prints no personal data."""
    store = open_store(settings_of(config, data_dir))
    with store.read() as conn:
        lines = list_unknown_senders(conn)
    if json:
        print_json({"unknown": [asdict(line) for line in lines]})
    elif lines:
        columns = ("sender", "address", "format", "refused for", "missing", "count", "first", "last")
        print_table("", columns, [list(asdict(line).values()) for line in lines])
    else:
        typer.echo("No sender was refused as unknown.")
