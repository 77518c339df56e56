"""hotich try: what would become of these messages? No network, nothing sent, nothing kept; no database either, unless
messages or mapping sets of the log are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.options import AsJson, Config, DataDir
from gateway.cli.printing import print_json
from gateway.cli.try_accept import Broken, broken_promises, has_promises, keep_now
from gateway.cli.try_compare import compare_sets, logged_stream
from gateway.cli.try_documents import print_documents
from gateway.cli.try_streams import Stream, Tried, Workbench, find_streams
from gateway.cli.try_tables import console, print_document
from gateway.cli.try_watch import Watch
from gateway.errors import SettingsError
from gateway.ports.clock import SystemClock

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH…", help="Files, folders or sample folders; loose files are one stream."),
]
FeedName = Annotated[
    str | None, typer.Option("--feed", help="Read as this feed of the settings, whatever feed a sample folder names.")
]
WatchFiles = Annotated[bool, typer.Option("--watch", help="Show again after every edit, until Ctrl-C.")]
Sets = Annotated[
    tuple[str, str] | None,
    typer.Option(
        metavar="A B",
        help="Show what differs between two mapping sets: `now`, a directory, or an archived set's hash.",
    ),
]
Last = Annotated[
    int | None, typer.Option(min=1, help="Compare over the newest births and deaths of the log instead of files.")
]
Reason = Annotated[str, typer.Option(metavar="WHY", help="Why the log's messages are read; it is logged.")]
Accept = Annotated[
    bool, typer.Option("--accept", help="Rewrite the expected files of sample folders and show what changed.")
]
Conformance = Annotated[
    bool, typer.Option("--conformance", help="Also check HL7 v2 messages against their version's structure (slow).")
]
Certify = Annotated[
    str | None,
    typer.Option(
        "--certify",
        metavar="FEED",
        help="Print a conformance self-test of a feed instead: which fields arrive, what will have to be asked for.",
    ),
]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="With --certify: write it as Markdown (.md or .txt).")
]
AsFormat = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="FORMAT", help="Print the cases as `fhir` documents, or as the commune's `wire` text."
    ),
]


def try_messages(
    paths: Paths = None,
    feed: FeedName = None,
    watch: WatchFiles = False,
    compare: Sets = None,
    last: Last = None,
    reason: Reason = "",
    accept: Accept = False,
    as_format: AsFormat = None,
    conformance: Conformance = False,
    certify: Certify = None,
    output: Output = None,
    config: Config = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Show what would become of messages. Exit code 1 when a message is refused, a finding is an error, a sample folder
    does not become what it promises, or two compared mapping sets differ."""
    _refuse_mixtures(bool(paths), watch, compare is not None, last, reason, accept, json)
    if as_format is not None and (watch or compare or accept or json):
        raise typer.BadParameter("--as goes with a plain try")
    special = bool(watch or compare or accept or as_format)
    _refuse_around_certificates(special, feed, conformance, certify, output)
    bench = Workbench(config, data_dir)
    if watch:
        Watch(bench, paths or [], feed, config, _show).run()
        return
    if last is not None:
        streams = [logged_stream(bench.settings, last, reason)]
    else:
        streams = find_streams(paths or [], bench.settings, certify or feed)
    if certify is not None:
        wrong = _certify(bench, streams, certify, output, json)
    elif compare is not None:
        wrong = not compare_sets(bench, streams, compare, json)
    elif accept:
        wrong = _accept(bench, streams)
    elif as_format is not None:
        tried = bench.rehearse_all(streams)
        print_documents(bench, tried, as_format)
        wrong = any(is_wrong(one.rehearsal.document) for one in tried)
    else:
        wrong = _print(bench, bench.rehearse_all(streams), json, conformance)
    if wrong:
        raise typer.Exit(1)


def is_wrong(document: Mapping[str, Any]) -> bool:
    """Whether a message was refused or anything found is an error."""
    parts = [*document["messages"], *document["cases"]]
    refused = any(message["ack"] != "AA" for message in document["messages"])
    return refused or any(finding["severity"] == "error" for part in parts for finding in part["findings"])


def _refuse_mixtures(
    paths: bool, watch: bool, compare: bool, last: int | None, reason: str, accept: bool, json: bool
) -> None:
    """Wrong use, told before anything is loaded."""
    if watch + compare + accept > 1:
        raise typer.BadParameter("--watch, --compare and --accept each stand alone")
    if json and (watch or accept):
        raise typer.BadParameter("--json goes with a plain try and with --compare")
    if last is not None and not compare:
        raise typer.BadParameter("--last goes with --compare")
    if last is not None and not reason.strip():
        raise typer.BadParameter("--last reads personal data: say why with --reason; it is logged")
    if paths == (last is not None):
        raise typer.BadParameter("name messages by PATH, or with --compare by --last")


def _refuse_around_certificates(
    special: bool, feed: str | None, conformance: bool, certify: str | None, output: Path | None
) -> None:
    """What goes with --conformance, --certify and --output."""
    if conformance and (special or certify):
        raise typer.BadParameter("--conformance goes with a plain try")
    if certify is not None and (special or feed):
        raise typer.BadParameter("--certify names the feed and stands alone")
    if output is not None and (certify is None or output.suffix not in (".md", ".txt")):
        raise typer.BadParameter("--output goes with --certify and takes a file that ends in .md or .txt")


def _certify(bench: Workbench, streams: Sequence[Stream], name: str, output: Path | None, json: bool) -> bool:
    """Print or write the certificate; whether a message was refused or anything found is an error."""
    from gateway.cli.certificate import certify
    from gateway.cli.certificate_text import markdown, print_certificate

    tried = bench.rehearse_all(streams)
    told = certify(bench, bench.settings.feeds[name], tried, SystemClock().now())
    if output is not None:
        try:
            output.write_text(markdown(told), encoding="utf-8")
        except OSError as error:
            raise SettingsError("use.unwritable_file", f"{output} cannot be written: {error.strerror}") from error
    if json:
        print_json(told)
    elif output is None:
        print_certificate(told)
    return any(is_wrong(one.rehearsal.document) for one in tried)


def _print(bench: Workbench, tried: Sequence[Tried], json: bool, conformance: bool) -> bool:
    """Print everything; whether anything is wrong. A message's structure is reported and never wrong: what cannot be
    read because of it is a finding."""
    from gateway.cli.try_conformance import conformance_of, print_conformance

    checked = conformance_of(bench.readers, [one.stream for one in tried]) if conformance else []
    if not json:
        wrong = [_show(one) for one in tried]
        if conformance:
            print_conformance(checked)
        return any(wrong)
    documents = [one.rehearsal.document for one in tried]
    whole = {part: [told for document in documents for told in document[part]] for part in ("messages", "cases")}
    print_json(whole | ({"conformance": checked} if conformance else {}))
    broken = [promise for one in tried for promise in _broken(one)]
    for promise in broken:
        typer.echo(f"hotich: {promise.file} is not what becomes of it now", err=True)
    return is_wrong(whole) or bool(broken)


def _show(tried: Tried) -> bool:
    """Print one stream; whether anything is wrong with it."""
    document = tried.rehearsal.document
    print_document(console(), document)
    broken, folder = _broken(tried), tried.stream.folder
    for promise in broken:
        typer.echo(promise.diff())
    if folder is not None and has_promises(folder.path):
        told = "khác với điều đã hứa / is not what it promises" if broken else "đúng như đã hứa / is what it promises"
        typer.echo(f"{folder.path}: {told}")
    return is_wrong(document) or bool(broken)


def _broken(tried: Tried) -> list[Broken]:
    folder = tried.stream.folder
    promises = folder is not None and has_promises(folder.path)
    return broken_promises(folder.path, tried.rehearsal.document) if folder and promises else []


def _accept(bench: Workbench, streams: Sequence[Stream]) -> bool:
    """Rewrite what the folders promise; always right, because a person asked for it."""
    folders = [stream for stream in streams if stream.folder is not None]
    if not folders:
        raise SettingsError("use.no_sample", "--accept wants sample folders: folders with a case.toml")
    changed = set()
    for one in bench.rehearse_all(folders):
        assert one.stream.folder is not None
        for promise in broken_promises(one.stream.folder.path, one.rehearsal.document):
            changed.add(one.stream.folder.path)
            typer.echo(promise.diff())
            keep_now(promise)
    typer.echo(f"{len(changed)} of {len(folders)} folders differed")
    return False
