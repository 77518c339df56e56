"""hotich deliveries: dossiers that could not be delivered, and driving them on."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.bootstrap import open_store
from gateway.cli.options import AsJson, Config, DataDir, settings_of
from gateway.cli.printing import print_json, print_table
from gateway.lanes import lanes
from gateway.ports.clock import SystemClock
from gateway.store.session import Store, now_us

app = typer.Typer(no_args_is_help=True, help="Work that was given up or parked, above all deliveries to communes.")
Keys = Annotated[list[str] | None, typer.Argument(metavar="[LANE]…", help="Lanes as `list` shows them.")]
PAGE = 500


@app.command(name="list")
def list_all(config: Config = None, data_dir: DataDir = None, json: AsJson = False) -> None:
    """List what was given up or parked, and how much work waits."""
    store = open_store(settings_of(config, data_dir))
    dead = _dead(store)
    with store.read() as conn:
        depth = lanes.depth(conn)
    if json:
        print_json({"depth": asdict(depth), "dead": [asdict(lane) for lane in dead]})
    else:
        columns = ("Lane", "Work", "Case", "Version", "Tries", "Error", "Since")
        print_table("", columns, [_row(lane) for lane in dead])
        typer.echo(f"due {depth.due}, waiting {depth.waiting}, given up {depth.dead}, undone work {depth.undone}")


@app.command()
def redrive(
    lane: Keys = None,
    every: Annotated[bool, typer.Option("--all", help="Everything given up or parked.")] = False,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Try again from the start, in order. Exit code 1 when nothing was waiting for it."""
    store = open_store(settings_of(config, data_dir))
    keys = [found.key for found in _dead(store)] if every else lane or []
    with store.write() as conn:
        driven = lanes.redrive(conn, keys, now_us(SystemClock()))
    typer.echo(f"{driven} driven on")
    if not driven:
        raise typer.Exit(1)


@app.command()
def park(
    lane: Annotated[list[str], typer.Argument(metavar="LANE…")],
    why: Annotated[str, typer.Option(help="Why, for whoever finds it; no personal data.")] = "",
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Stop lanes until `redrive`. Exit code 1 when there was none to stop."""
    with open_store(settings_of(config, data_dir)).write() as conn:
        parked = lanes.park(conn, lane, why)
    typer.echo(f"{parked} parked")
    if not parked:
        raise typer.Exit(1)


def _dead(store: Store) -> list[lanes.DeadLane]:
    found: list[lanes.DeadLane] = []
    with store.read() as conn:
        while page := lanes.dead_lanes(conn, PAGE, found[-1].key if found else ""):
            found += page
    return found


def _row(lane: lanes.DeadLane) -> tuple[object, ...]:
    since = datetime.fromtimestamp(lane.put_at / 1_000_000, UTC).isoformat(timespec="seconds")
    return (lane.key, lane.kind, lane.args.get("case"), lane.args.get("version"), lane.tries, lane.error, since)
