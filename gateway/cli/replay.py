"""hotich replay: walk a message's steps again from the log and compare with what was done then."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from gateway.bootstrap import build
from gateway.cli.options import EPOCH, FORMATS, AsJson, Config, DataDir, microseconds, settings_of, who
from gateway.cli.printing import print_json, print_table
from gateway.mapping.catalogue import Catalogue
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.replay import Replayed, find_replayable, replay_message
from gateway.pipeline.services import Services
from gateway.store.session import now_us


class Mapping(StrEnum):
    """Whose rules: those in force when the message came, or today's."""

    THEN = "then"
    NOW = "now"


def replay(
    message: Annotated[str | None, typer.Option("--message", help="The message's id, <writer>.<number>.")] = None,
    since: Annotated[datetime | None, typer.Option(help="All from this moment, UTC.", formats=FORMATS)] = None,
    until: Annotated[datetime | None, typer.Option(help="Up to, not including; else now.", formats=FORMATS)] = None,
    mapping: Annotated[Mapping, typer.Option(help="The mapping of that day, or today's.")] = Mapping.THEN,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show only what differs; exit code 1 when something does.")
    ] = False,
    config: Config = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Replay one message, or a period, from the evidence log. Asks nobody outside and sends nothing."""
    if (message is None) == (since is None):
        raise typer.BadParameter("name one --message, or a period with --since")
    services = build(settings_of(config, data_dir))
    end = now_us(services.clock) if until is None else microseconds(until)
    messages = [message] if message else find_replayable(services, microseconds(since or EPOCH), end)
    _log_reading(services, messages)
    load = partial(_open, services, dict[str, Catalogue]())
    told = [replay_message(services, one, mapping.value, load) for one in messages]
    if json:
        print_json([asdict(one) for one in told] if message is None else asdict(told[0]))
    else:
        for one in told:
            _print(one, diff)
    if diff and any(one.differences for one in told):
        raise typer.Exit(1)


def _open(services: Services, opened: dict[str, Catalogue], archive: bytes) -> Catalogue:
    """An archived mapping set; a period mostly uses one, and opening it takes a second."""
    name = hashlib.sha256(archive).hexdigest()
    if name not in opened:
        opened[name] = Catalogue.from_archive(archive, services.readers)
    return opened[name]


def _log_reading(services: Services, messages: Sequence[str]) -> None:
    """Whoever replays reads persons' data, and that is logged first (DESIGN section 7)."""
    entries = [NewEntry("read", one, {"who": who(), "why": "replay"}) for one in messages]
    with services.store.write() as conn:
        append(conn, services.vault, services.chain, now_us(services.clock), entries)


def _print(told: Replayed, diff: bool) -> None:
    typer.echo(f"{told.message}: mapping {told.mapping[:12]}, cases: {', '.join(told.cases) or 'none'}")
    if not diff:
        for reading in told.readings:
            print_json(reading)
    rows = [(gap.subject, gap.place, gap.then, gap.now) for gap in told.differences]
    if rows:
        print_table("Khác nhau / Differences", ("Hồ sơ / Subject", "Chỗ / Place", "Trước / Then", "Nay / Now"), rows)
    else:
        typer.echo("Không có khác biệt. / No differences.")
