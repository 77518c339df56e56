"""hotich log: the evidence log, for auditors."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from gateway.bootstrap import open_store, open_vault
from gateway.cli.options import EPOCH, FORMATS, AsJson, Config, DataDir, microseconds, settings_of, who
from gateway.cli.printing import print_json, print_table
from gateway.errors import GatewayError, SettingsError
from gateway.messagelog.audit import verify_store
from gateway.messagelog.chain import LoggedEntry, NewEntry, append, entries_of, payload_of
from gateway.messagelog.checkpoint import make_checkpoint
from gateway.messagelog.export import export as export_period
from gateway.ports.clock import SystemClock
from gateway.settings import Settings
from gateway.store.session import Store, now_us
from gateway.store.vault import Vault

app = typer.Typer(no_args_is_help=True, help="The evidence log.")


@app.command()
def verify(
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint kept elsewhere; repeatable.", exists=True, dir_okay=False)
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Check the chains only, not what is stored for them.")] = False,
    config: Config = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Say in plain words what of the log is intact and what is not. Exit code 1 when something is not."""
    _settings, store, vault = _open(config, data_dir)
    kept = [path.read_text(encoding="ascii").strip() for path in checkpoint or []]
    report = verify_store(store, vault, kept, payloads=not quick)
    if json:
        faults = [{**asdict(fault), "words": str(fault)} for fault in report.faults]
        counts = ("entries", "payloads", "erased", "unread", "checkpoints", "signed", "newest_checkpoint_at")
        print_json({"intact": report.intact, **{name: getattr(report, name) for name in counts}, "faults": faults})
    else:
        for line in report.lines():
            typer.echo(line)
    if not report.intact:
        raise typer.Exit(1)


@app.command()
def checkpoint(
    out: Annotated[Path | None, typer.Option(help="Also write it to this file, for the second party.")] = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Sign where every chain stands and print the statement; a copy kept elsewhere shows if the end is ever cut off."""
    settings, store, vault = _open(config, data_dir)
    signed = make_checkpoint(store, vault, _writer(settings), now_us(SystemClock()))
    if out is not None:
        out.write_text(signed + "\n", encoding="ascii")
    typer.echo(signed)


@app.command()
def export(
    to: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="A new directory.")],
    since: Annotated[datetime, typer.Option(help="From this moment, UTC.", formats=FORMATS)] = EPOCH,
    until: Annotated[datetime | None, typer.Option(help="Up to, not including; else now.", formats=FORMATS)] = None,
    why: Annotated[str, typer.Option(help="The reason; it is logged.")] = "",
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Write a period that an auditor can verify offline: personal data in clear. A checkpoint is made first."""
    settings, store, vault = _open(config, data_dir)
    if to.exists():
        raise SettingsError("use.exists", f"{to} is there already; name a new directory")
    end = now_us(SystemClock()) + 1 if until is None else microseconds(until)
    meta = {"since": microseconds(since), "until": end}
    _log_reading(settings, store, vault, "export", why, meta)
    make_checkpoint(store, vault, _writer(settings), now_us(SystemClock()))
    end = now_us(SystemClock()) + 1 if until is None else end
    entries = export_period(store, vault, microseconds(since), end, to)
    typer.echo(f"{entries} entries in {to}. Verify: python {to / 'verify.py'} {to}")


@app.command()
def show(
    subject: Annotated[str, typer.Argument(help="A message (<writer>.<number>), a case or a user.")],
    content: Annotated[
        str | None, typer.Option("--content", metavar="WHY", help="Also show what entries hold; the reason is logged.")
    ] = None,
    config: Config = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Show everything logged about a message, case or user. Exit code 1 when there is nothing."""
    settings, store, vault = _open(config, data_dir)
    with store.read() as conn:
        entries = entries_of(conn, subject)
    if content is not None and entries:
        # The evidence that somebody looked is written before anything is shown.
        _log_reading(settings, store, vault, subject, content, {})
    with store.read() as conn:
        rows = [_row(entry, None if content is None else _content(conn, vault, entry)) for entry in entries]
    if json:
        print_json({"subject": subject, "entries": rows})
    else:
        print_table("", ("ref", "at", "kind", "meta", "content"), [list(row.values()) for row in rows])
    if not rows:
        raise typer.Exit(1)


def _open(config: Path | None, data_dir: Path | None) -> tuple[Settings, Store, Vault]:
    settings = settings_of(config, data_dir)
    return settings, open_store(settings), open_vault(settings)


def _log_reading(settings: Settings, store: Store, vault: Vault, subject: str, why: str, meta: dict[str, int]) -> None:
    """Log that whoever runs this command looked at personal data, and why. The reason may name people: it is sealed."""
    told = {"who": who(), **meta}
    with store.write() as conn:
        reading = NewEntry("read", subject, told, why.encode() or None)
        append(conn, vault, _writer(settings), now_us(SystemClock()), [reading])


def _content(conn: Connection, vault: Vault, entry: LoggedEntry) -> str | None:
    """What the entry is evidence of, as text."""
    if not entry.digest:
        return None
    try:
        return payload_of(conn, vault, entry.ref).decode("utf-8", "replace")
    except GatewayError as error:
        if error.code != "log.no_payload":
            raise
        return "(đã xóa / erased)"


def _writer(settings: Settings) -> str:
    """The chain that pages and commands of this instance share (pipeline.services.Services.chain)."""
    return f"{settings.instance}/desk"


def _row(entry: LoggedEntry, text: str | None) -> dict[str, object]:
    at = datetime.fromtimestamp(entry.at / 1_000_000, UTC).isoformat(timespec="milliseconds")
    return {"ref": entry.ref, "at": at, "kind": entry.kind, "meta": dict(entry.meta), "content": text}
