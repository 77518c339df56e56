"""hotich try --as FORMAT: the cases as documents of a message format, or as the text on the commune's wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson
import typer

from gateway.cli.try_streams import Tried, Workbench
from gateway.mapping.wire import wire_text
from gateway.pipeline.document import find_writer, rehearsed_document
from gateway.ports.hospital import DocumentWriter, MessageReader

WIRE = "wire"
"""The format that is no message format: what the envelope of the commune's system carries as its `data`."""


def print_documents(bench: Workbench, tried: Sequence[Tried], format: str) -> None:
    """One case: its document, indented. Several: one a line (NDJSON). None: nothing. Raises BadParameter for a format
    that no installed reader writes. The wire's text is JSON or XML, as the form wants it, and printed as it is sent."""
    if format == WIRE:
        for told in (case.told["dossier"] for one in tried for case in one.rehearsal.cases):
            typer.echo(wire_text(told["wire"], told["fields"]))
        return
    writer = find_writer(bench.readers, format)
    if writer is None:
        written = ", ".join([*_formats(bench.readers), WIRE])
        raise typer.BadParameter(f"--as {format}: no such format; written are {written}")
    documents = [document for one in tried for document in _documents(bench, one, writer)]
    if len(documents) == 1:
        typer.echo(orjson.dumps(orjson.loads(documents[0]), option=orjson.OPT_INDENT_2).decode())
        return
    for document in documents:
        typer.echo(document.decode().strip())


def _documents(bench: Workbench, tried: Tried, writer: DocumentWriter) -> Iterator[bytes]:
    if not tried.stream.sent:
        return
    feed, catalogue = tried.stream.sent[0].feed, bench.now(tried.stream.overlay)
    for case in tried.rehearsal.cases:
        yield rehearsed_document(case.folded, writer, catalogue, feed, tried.rehearsal.now)


def _formats(readers: Mapping[str, MessageReader]) -> list[str]:
    return [name for name in readers if find_writer(readers, name)]
