"""hotich try: what would become of these messages? No database, no network, nothing kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.bootstrap import build_readers, load_catalogue
from gateway.cli.message_files import read_files
from gateway.cli.options import AsJson, Config, settings_of
from gateway.cli.printing import print_json, print_table
from gateway.errors import SettingsError
from gateway.pipeline.rehearse import rehearse
from gateway.plugins import load_plugins
from gateway.ports.hospital import Feed
from gateway.settings import Settings


def try_messages(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files or folders; together one stream.")],
    feed: Annotated[str | None, typer.Option(help="Read as this feed of the settings.")] = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Show what would become of messages. Exit code 1 when a message is refused or a finding is an error."""
    settings = settings_of(config, None)
    plugins = load_plugins()
    readers = build_readers(plugins)
    catalogue = load_catalogue(settings, plugins, readers)
    document = rehearse(catalogue, readers, choose_feed(settings, feed), read_files(paths))
    if json:
        print_json(document)
    else:
        _print(document)
    if is_wrong(document):
        raise typer.Exit(1)


def choose_feed(settings: Settings, name: str | None) -> Feed:
    """The named feed; without a name `default`, else the first. Raises SettingsError for a wrong name."""
    if name is None:
        return settings.feeds.get("default") or next(iter(settings.feeds.values()))
    if name not in settings.feeds:
        raise SettingsError("settings.no_such_feed", f"--feed {name}: the settings have {', '.join(settings.feeds)}")
    return settings.feeds[name]


def is_wrong(document: Mapping[str, Any]) -> bool:
    """Whether a message was refused or anything found is an error."""
    parts = [*document["messages"], *document["cases"]]
    refused = any(message["ack"] != "AA" for message in document["messages"])
    return refused or any(finding["severity"] == "error" for part in parts for finding in part["findings"])


def _print(document: Mapping[str, Any]) -> None:
    columns = ("Thông điệp / Message", "Loại / Type", "ACK", "Việc / Relevance", "Phát hiện / Findings")
    messages = [
        (
            f"{message['path']}#{message['index']}" if message["index"] else message["path"],
            message["type"],
            message["ack"],
            message["relevance"],
            _findings(message["findings"]),
        )
        for message in document["messages"]
    ]
    print_table("", columns, messages)
    for case in document["cases"]:
        _print_case(case)


KINDS = {"birth": "Khai sinh / Birth", "death": "Khai tử / Death"}


def _print_case(case: Mapping[str, Any]) -> None:
    commune, dossier = case["commune"], case["dossier"]
    place = f"{commune['name']} ({commune['code']})" if commune["code"] else "chưa xác định / unknown"
    head = f"{KINDS[case['kind']]} · {dossier['procedure']} · {place} · {case['status']}"
    clocks = ", ".join(f"{name} {day}" for name, day in case["deadlines"].items())
    rows = [(name, _text(value), _source(case, name)) for name, value in dossier["fields"].items() if value]
    print_table(f"{head}\n{clocks}", ("Trường / Field", "Giá trị / Value", "Nguồn / From"), rows)
    if case["owed"]:
        owed = [(debt["field"], debt["by"]) for debt in case["owed"]]
        print_table("Còn thiếu / Owed", ("Trường / Field", "Ai bổ sung / By"), owed)
    if case["findings"]:
        print_table("", ("Phát hiện / Findings",), [(line,) for line in _findings(case["findings"]).splitlines()])


def _findings(findings: list[dict[str, str]]) -> str:
    return "\n".join(
        f"{found['severity']} {found['code']} {found['where']}: {found['detail_vi']}" for found in findings
    )


def _source(case: Mapping[str, Any], field: str) -> str:
    source = case["provenance"].get(field)
    return f"{source['message']} {source['path']}" if source else ""


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {part}" for name, part in value.items() if part)
    return str(value)
