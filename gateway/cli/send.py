"""hotich send: deliver message files to a gateway (or any receiver), as a hospital system would."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import httpx
import typer

from gateway.bootstrap import build_readers
from gateway.cli.message_files import read_files
from gateway.cli.options import AsJson
from gateway.cli.printing import print_json, print_table
from gateway.cli.sending import Receipt, send_http, send_mllp, target
from gateway.errors import SettingsError, UnreadableMessage
from gateway.plugins import load_plugins
from gateway.ports.hospital import MessageReader


def send(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Message files, batches or folders.")],
    to: Annotated[str, typer.Option("--to", help="mllp://host:port, or http://host:port and a path if it has one.")],
    token: Annotated[str | None, typer.Option(envvar="HOTICH_TOKEN", help="Bearer token for HTTP.")] = None,
    json: AsJson = False,
) -> None:
    """Send messages and show the answers. Exit code 1 when one is not accepted."""
    address, readers = target(to), build_readers(load_plugins())
    told: list[tuple[str, int, Receipt]] = []
    with httpx.Client() as client:
        for path, raw in read_files(files):
            reader = reader_of(readers, path, raw)
            if address.scheme == "mllp":
                receipts = send_mllp(address.hostname or "", address.port or 0, messages_of(reader, raw))
            else:
                receipts = [send_http(to, reader.format, raw, token, client)]
            told += [(path, index, receipt) for index, receipt in enumerate(receipts)]
    _print(told, json)
    if not all(receipt.taken for _path, _index, receipt in told):
        raise typer.Exit(1)


def reader_of(readers: Mapping[str, MessageReader], path: str, raw: bytes) -> MessageReader:
    """Who reads this file. Raises SettingsError when no format is recognised."""
    reader = find_reader(readers, raw)
    if reader is not None:
        return reader
    raise SettingsError("use.unknown_format", f"{path} is neither HL7 v2 nor FHIR JSON nor Ministry of Health XML")


def find_reader(readers: Mapping[str, MessageReader], raw: bytes) -> MessageReader | None:
    """The reader whose format the bytes look like."""
    return next((reader for reader in readers.values() if reader.recognises(raw)), None)


def messages_of(reader: MessageReader, raw: bytes) -> list[bytes]:
    """The single messages of a file; a file that cannot be split is sent as it is, for the receiver to refuse."""
    try:
        return reader.split(raw) or [raw]
    except UnreadableMessage:
        return [raw]


def _print(told: list[tuple[str, int, Receipt]], json: bool) -> None:
    rows = [
        {"path": path, "index": index, "code": receipt.code, "answer": receipt.body.decode("utf-8", "replace")}
        for path, index, receipt in told
    ]
    if json:
        print_json({"sent": rows})
    else:
        lines = [(row["path"], row["index"], row["code"], str(row["answer"]).replace("\r", os.linesep)) for row in rows]
        print_table("", ("Tệp / File", "#", "Trả lời / Code", "Nội dung / Answer"), lines)
