"""hotich try --conformance: where HL7 v2 messages depart from their version's structure. Slow, bounded, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import typer

from gateway.cli.printing import print_table
from gateway.cli.send import find_reader, messages_of
from gateway.cli.try_streams import Stream
from gateway.cli.try_tables import plain
from gateway.errors import UnreadableMessage
from gateway.ports.hospital import ConformanceReader, MessageReader


def conformance_of(readers: Mapping[str, MessageReader], streams: Sequence[Stream]) -> list[dict[str, Any]]:
    """One item a message of a format that can be checked: {"path", "index", "departures": [{"place", "problem"}]}; none
    when it conforms. Nothing of a message's values is in it. What departs may still be read well: this judges the
    sender's structure, not the gateway's result."""
    told: list[dict[str, Any]] = []
    for sent in (sent for stream in streams for sent in stream.sent):
        reader = find_reader(readers, sent.raw)
        if reader is None or not isinstance(reader, ConformanceReader):
            continue
        for index, raw in enumerate(messages_of(reader, sent.raw)):
            told.append({"path": sent.name, "index": index, "departures": _departures(reader, raw)})
    return told


def _departures(reader: ConformanceReader, raw: bytes) -> list[dict[str, str]]:
    try:
        return [asdict(row) for row in reader.conformance(raw)]
    except UnreadableMessage as error:
        return [{"place": error.where, "problem": "not a message: cannot be checked"}]


def print_conformance(told: Sequence[Mapping[str, Any]]) -> None:
    """A row for every departure; a count of the messages without any."""
    rows = [
        (plain(message["path"]), message["index"], row["place"], row["problem"])
        for message in told
        for row in message["departures"]
    ]
    if rows:
        columns = ("Thông điệp / Message", "#", "Chỗ / Place", "Vấn đề / Problem")
        print_table("Cấu trúc HL7 v2 / HL7 v2 structure", columns, rows)
    right = sum(not message["departures"] for message in told)
    typer.echo(f"Đúng cấu trúc / conforms: {right}/{len(told)}")
