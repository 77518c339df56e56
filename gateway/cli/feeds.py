"""hotich feeds: the senders the settings know, and who would take a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.bootstrap import build_readers
from gateway.cli.feeds_check import Language, as_json, check_feed, print_lines
from gateway.cli.feeds_report import report
from gateway.cli.feeds_unknown import unknown
from gateway.cli.message_files import read_files
from gateway.cli.options import AsJson, Config, DataDir, settings_of
from gateway.cli.printing import print_json, print_table
from gateway.cli.send import messages_of, reader_of
from gateway.cli.try_streams import Workbench
from gateway.errors import SettingsError, UnreadableMessage
from gateway.plugins import load_plugins
from gateway.ports.clock import SystemClock
from gateway.ports.hospital import Feed, MessageReader
from gateway.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Sending systems.")
app.command()(report)
app.command()(unknown)


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
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|FILE]…", help="Feeds to test; or message files: who would take them?"),
    ] = None,
    samples: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="With NAME: look at these messages instead of those in the database."),
    ] = None,
    lang: Annotated[Language, typer.Option(help="Of the words for people.")] = Language.VI,
    config: Config = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Test feeds as a technician would, and tell what mends what is wrong: settings, doors, certificates, folder,
    clock, refusals, findings, fields that never arrive. Without a name, only find senders that two feeds claim and
    feeds nobody can reach; with files, tell which feed takes each message.

    Exit code 1 when something is wrong or a message would be refused."""
    settings = settings_of(config, data_dir)
    named = [name for name in names or () if name in settings.feeds]
    files = [Path(name) for name in names or () if name not in settings.feeds]
    for file in files:
        if not file.exists():
            known = ", ".join(settings.feeds)
            raise SettingsError("settings.no_such_feed", f"{file}: neither a file nor a feed; feeds are {known}")
    if named and files or samples and len(named) != 1:
        raise typer.BadParameter("name feeds or files, and --samples with one feed")
    if named:
        right = _check_feeds(settings, named, samples, lang, Workbench(config, data_dir), json)
    else:
        right = _check_senders(settings.feeds, files, json)
    if not right:
        raise typer.Exit(1)


def _check_feeds(
    settings: Settings, names: list[str], samples: Path | None, lang: Language, bench: Workbench, json: bool
) -> bool:
    now, told = SystemClock().now(), []
    for name in names:
        feed = settings.feeds[name]
        lines = check_feed(feed, settings, bench, samples, now, lang)
        told.append(as_json(feed, lines))
        if not json:
            print_lines(feed, lines, lang)
    if json:
        print_json({"feeds": told})
    return all(one["ok"] for one in told)


def _check_senders(feeds: Mapping[str, Feed], files: list[Path], json: bool) -> bool:
    wrong = _mistakes(feeds)
    readers = build_readers(load_plugins()) if files else {}
    told = [line for path, raw in read_files(files) for line in _who(readers, feeds, path, raw)]
    if json:
        print_json({"mistakes": wrong, "messages": told})
    else:
        for line in wrong:
            typer.echo(line)
        if told:
            print_table("", ("path", "index", "sender", "feed"), [list(row.values()) for row in told])
        if not wrong and not told:
            typer.echo(f"{len(feeds)} feeds are right.")
    return not wrong and all(row["feed"] is not None for row in told)


def _mistakes(feeds: Mapping[str, Feed]) -> list[str]:
    wrong = [
        f"feeds.{feed.name}.senders is empty: no message can reach it"
        for feed in feeds.values()
        if not (feed.senders or feed.ports or feed.client_certificates or feed.addresses or feed.folder)
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
