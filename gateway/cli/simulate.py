"""hotich simulate: far sides to try the gateway against. They say loudly that they are simulators."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.errors import SettingsError
from gateway.plugins import find_mappings
from gateway.simulators.access import Access
from gateway.simulators.callbacks import Caller
from gateway.simulators.faults import Faults, load_faults
from gateway.simulators.moj import OPERATIONS, make_moj
from gateway.simulators.moj_server import serve
from gateway.simulators.walk import read_walk

app = typer.Typer(no_args_is_help=True, help="Simulators of partners. Nothing they say is true.")


@app.callback()
def _simulate() -> None:
    """Simulators of partners. Nothing they say is true."""


@app.command()
def moj(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    book: Annotated[
        Path | None, typer.Option(help="SQLite file that keeps the dossiers; without it they end with the process.")
    ] = None,
    faults: Annotated[Path | None, typer.Option(help="TOML file of faults to play, or mixed or passing.")] = None,
    seed: Annotated[int | None, typer.Option(help="Which faults fall where; wins over the file's.")] = None,
    secret: Annotated[
        Path | None, typer.Option(help="File of the bearer token, also the clients' secret; without it all may ask.")
    ] = None,
    walk: Annotated[
        str, typer.Option(help="Dossiers go a state on every N questions (3) or seconds (1.5s); else a person decides.")
    ] = "",
    callback: Annotated[str, typer.Option(help="Address to call when a dossier's state changes.")] = "",
    callback_secret: Annotated[Path | None, typer.Option(help="File of the secret that signs the calls.")] = None,
) -> None:
    """Simulate the civil-status exchange of the Ministry of Justice: takes dossiers, walks their states, plays faults.

    Prints one line {"event":"ready","moj":"http://host:port"} when it takes requests; SIGTERM ends it. Give it invented
    people only.
    """
    played = load_faults(faults, OPERATIONS, seed) if faults else Faults(seed=1 if seed is None else seed)
    parts = {
        "access": Access(_line(secret, "--secret") if secret else ""),
        "faults": played,
        "walk": read_walk(walk),
        "caller": _caller(callback, callback_secret),
    }
    with tempfile.TemporaryDirectory(prefix="hotich-simulate-") as temporary:
        path = book or Path(temporary) / "book.sqlite"
        if not path.parent.is_dir():
            raise SettingsError("simulator.book", f"--book {path}: there is no such directory")
        serve(make_moj(find_mappings()["default"], path, **parts), host, port, _say_ready)


def _say_ready(url: str) -> None:
    typer.echo(
        "MÔ PHỎNG: đây không phải hệ thống hộ tịch thật.\n"
        "SIMULATION of the civil-status exchange: nothing is registered anywhere. Give it invented people only.",
        err=True,
    )
    typer.echo(orjson.dumps({"event": "ready", "moj": url}).decode())


def _caller(url: str, secret: Path | None) -> Caller | None:
    if bool(url) != (secret is not None):
        raise SettingsError("simulator.callback", "--callback and --callback-secret go together")
    return Caller(url, _line(secret, "--callback-secret").encode()) if secret else None


def _line(path: Path, option: str) -> str:
    """The one line of a secret's file."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text:
        raise SettingsError("simulator.secret", f"{option} {path}: cannot be read or is empty")
    return text
