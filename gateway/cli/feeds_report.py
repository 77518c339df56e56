"""hotich feeds report: what a feed sends that no rule reads, and what could not be read. Counts only, no values."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from gateway.bootstrap import open_store, open_vault
from gateway.cli.options import EPOCH, FORMATS, AsJson, Config, DataDir, microseconds, settings_of
from gateway.cli.printing import print_json, print_table
from gateway.errors import SettingsError
from gateway.ports.clock import SystemClock
from gateway.store.session import now_us
from gateway.views.feed_report import FeedReport, report_feed


def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The feed.")],
    since: Annotated[datetime, typer.Option(help="From this moment, UTC.", formats=FORMATS)] = EPOCH,
    until: Annotated[datetime | None, typer.Option(help="Up to, not including; else now.", formats=FORMATS)] = None,
    config: Config = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Count the paths of a feed's births and deaths that carried a value and that no mapping row read, and the findings
    by code and place, per mapping file. Prints no values, so nobody's data is shown."""
    settings = settings_of(config, data_dir)
    store, vault = open_store(settings), open_vault(settings)
    end = now_us(SystemClock()) + 1 if until is None else microseconds(until)
    with store.read() as conn:
        told = report_feed(conn, vault, name, microseconds(since), end)
    if not told.messages and name not in settings.feeds:
        raise SettingsError("settings.no_such_feed", f"{name}: the settings have {', '.join(settings.feeds)}")
    if json:
        print_json(asdict(told))
    else:
        _print(told)


def _print(told: FeedReport) -> None:
    erased = f", {told.erased} erased since" if told.erased else ""
    typer.echo(f"{told.feed}: {told.messages} messages about births and deaths, {told.readings} readings{erased}")
    unread = [(one.count, one.path, one.file) for one in told.unread]
    print_table("Paths with a value that no row read", ("count", "path", "mapping file"), unread)
    findings = [(one.count, one.code, one.where, one.detail, one.file) for one in told.findings]
    print_table("Findings", ("count", "code", "at", "detail", "mapping file"), findings)
    if told.left_out:
        typer.echo(f"{told.left_out} more at other places")
