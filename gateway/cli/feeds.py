"""hotich feeds: the senders the settings know, and who would take a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.bootstrap import build_readers
from gateway.cli.message_files import read_files
from gateway.cli.options import AsJson, Config, settings_of
from gateway.cli.printing import print_json, print_table
from gateway.cli.send import messages_of, reader_of
from gateway.errors import UnreadableMessage
from gateway.plugins import load_plugins
from gateway.ports.hospital import Feed, MessageReader

app = typer.Typer(no_args_is_help=True, help="Sending systems.")


@app.command(name="list")
def list_all(config: Config = None, json: AsJson = False) -> None:
    """List the feeds of the settings."""
    feeds = settings_of(config, None).feeds.values()
    if json:
        print_json({"feeds": [asdict(feed) for feed in feeds]})
        return
    columns = ("name", "facility_code", "facility_name", "senders", "formats", "encoding", "settle_seconds")
    rows = [[_cell(getattr(feed, column)) for column in columns] for feed in feeds]
    print_table("", columns, rows)


@app.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]…", help="Messages: who would take them?")
    ] = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Find senders that two feeds claim and feeds nobody can reach; with files, tell which feed takes each message.

    Exit code 1 when something is wrong or a message would be refused."""
    feeds = settings_of(config, None).feeds
    wrong = _mistakes(feeds)
    readers = build_readers(load_plugins()) if files else {}
    told = [line for path, raw in read_files(files or []) for line in _who(readers, feeds, path, raw)]
    if json:
        print_json({"mistakes": wrong, "messages": told})
    else:
        for line in wrong:
            typer.echo(line)
        if told:
            print_table("", ("path", "index", "sender", "feed"), [list(row.values()) for row in told])
        if not wrong and not told:
            typer.echo(f"{len(feeds)} feeds are right.")
    if wrong or any(row["feed"] is None for row in told):
        raise typer.Exit(1)


def _mistakes(feeds: Mapping[str, Feed]) -> list[str]:
    wrong = [
        f"feeds.{feed.name}.senders is empty: no message can reach it" for feed in feeds.values() if not feed.senders
    ]
    claimed: dict[str, str] = {}
    for feed in feeds.values():
        for sender in feed.senders:
            if sender in claimed:
                wrong.append(f"feeds.{feed.name}.senders: {sender} also belongs to feeds.{claimed[sender]}")
            claimed.setdefault(sender, feed.name)
    return wrong


Line = dict[str, str | int | None]


def _who(readers: Mapping[str, MessageReader], feeds: Mapping[str, Feed], path: str, raw: bytes) -> list[Line]:
    reader, told = reader_of(readers, path, raw), list[Line]()
    for index, message in enumerate(messages_of(reader, raw)):
        try:
            sender = reader.header(message).sender
        except UnreadableMessage as error:
            told.append({"path": path, "index": index, "sender": f"unreadable at {error.where}", "feed": None})
            continue
        taken = next((name for wanted in (sender, "*") for name, feed in feeds.items() if wanted in feed.senders), None)
        told.append({"path": path, "index": index, "sender": sender, "feed": taken})
    return told


def _cell(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
