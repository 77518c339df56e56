"""hotich deliveries: what waits, was given up or rests, and driving it on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.bootstrap import open_store
from gateway.cli.options import AsJson, Config, DataDir, settings_of
from gateway.cli.printing import print_json, print_table
from gateway.errors import SettingsError
from gateway.lanes import lanes
from gateway.pipeline.partners import resume
from gateway.ports.clock import SystemClock
from gateway.store.session import Store, now_us
from gateway.views.lane_list import STATES, LaneFilter, LaneLine, find_lanes
from gateway.views.partners import list_resting

app = typer.Typer(no_args_is_help=True, help="Work that waits, was given up or parked, above all for communes.")
Keys = Annotated[list[str] | None, typer.Argument(metavar="[LANE]…", help="Lanes as `list` shows them.")]
Kind = Annotated[
    str, typer.Option(metavar="KIND", help="Lanes of one kind: dossier, follow, answer, letter, case, rx.")
]
System = Annotated[str, typer.Option(metavar="NAME", help="Lanes of one commune system.")]
Commune = Annotated[str, typer.Option(metavar="CODE", help="Dossiers of one commune.")]
Error = Annotated[str, typer.Option(metavar="CODE", help="Whose last failure's code begins so.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without, a filter only shows what it would do.")]
DEFAULT_PACE = 50.0
SHOWN = 20
COLUMNS = ("Lane", "State", "Code", "Commune", "Case is", "Tries", "Error", "Again at")


@app.command(name="list")
def list_all(
    state: Annotated[str, typer.Option(help=f"One of {', '.join(STATES)}.")] = "dead",
    kind: Kind = "",
    system: System = "",
    commune: Commune = "",
    error: Error = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many lanes.")] = 1_000,
    config: Config = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """List lanes that were given up or parked (or wait, by `--state`), systems that rest, and how much work waits."""
    if state not in STATES:
        raise SettingsError("use.wrong_state", f"--state {state}: one of {', '.join(STATES)}")
    store = open_store(settings_of(config, data_dir))
    found = _find(store, LaneFilter(state, kind, system, commune, error), limit)
    with store.read() as conn:
        depth, resting = lanes.depth(conn), list_resting(conn)
    if json:
        rest = [asdict(partner) for partner in resting]
        print_json({"depth": asdict(depth), "resting": rest, state: [asdict(line) for line in found]})
        return
    for partner in resting:
        since, again = _moment(partner.since), _moment(partner.probe_at)
        typer.echo(f"RESTS {partner.name} since {since}: {partner.code} {partner.words}; tried again at {again}")
    print_table("", COLUMNS, [_row(line) for line in found])
    typer.echo(f"due {depth.due}, waiting {depth.waiting}, given up {depth.dead}, undone work {depth.undone}")


@app.command()
def redrive(
    lane: Keys = None,
    every: Annotated[bool, typer.Option("--all", help="Everything given up or parked.")] = False,
    kind: Kind = "",
    system: System = "",
    commune: Commune = "",
    error: Error = "",
    per_second: Annotated[
        float, typer.Option(min=0.1, help="So many a second, that nobody is flooded.")
    ] = DEFAULT_PACE,
    yes: Yes = False,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Try again from the start, in order. By filter or `--all` it shows what it would do until `--yes` is added. Exit
    code 1 when nothing was given up."""
    store = open_store(settings_of(config, data_dir))
    keys = _chosen(store, lane, LaneFilter("dead", kind, system, commune, error), every, yes, "driven on")
    with store.write() as conn:
        driven = lanes.redrive(conn, keys, now_us(SystemClock()), per_second)
    typer.echo(f"{driven} driven on")
    if not driven:
        raise typer.Exit(1)


@app.command()
def park(
    lane: Keys = None,
    why: Annotated[str, typer.Option(help="Why, for whoever finds it; no personal data.")] = "",
    kind: Kind = "",
    system: System = "",
    commune: Commune = "",
    error: Error = "",
    yes: Yes = False,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Stop lanes until `redrive`. By filter it shows what it would do until `--yes` is added. Exit code 1 when there
    was none to stop."""
    store = open_store(settings_of(config, data_dir))
    keys = _chosen(store, lane, LaneFilter("all", kind, system, commune, error), False, yes, "parked")
    with store.write() as conn:
        parked = lanes.park(conn, keys, why)
    typer.echo(f"{parked} parked")
    if not parked:
        raise typer.Exit(1)


@app.command(name="resume")
def resume_system(
    system: Annotated[str, typer.Argument(help="A commune system that rests, as `list` shows it.")],
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Use a system again that refused us, after its settings were mended; its lanes wait no longer. Exit code 1 when it
    does not rest."""
    store = open_store(settings_of(config, data_dir))
    now = now_us(SystemClock())
    with store.write() as conn:
        resumed = resume(conn, system, now)
    waiting = [line.key for line in _find(store, LaneFilter("waiting", system=system)) if not line.error]
    with store.write() as conn:
        woken = lanes.wake(conn, waiting, now, DEFAULT_PACE)
    typer.echo(f"{system}: {woken} lanes wait no longer" if resumed else f"{system} does not rest")
    if not resumed:
        raise typer.Exit(1)


def _chosen(
    store: Store, lane: Sequence[str] | None, wanted: LaneFilter, every: bool, yes: bool, done: str
) -> list[str]:
    """The lanes named, or those the filter finds; without `--yes` the latter are only shown."""
    if lane:
        return list(lane)
    if not every and wanted == LaneFilter(wanted.state):
        raise SettingsError("use.nothing_chosen", "name lanes, or say which: --kind, --system, --commune, --error")
    found = [line for line in _find(store, wanted) if wanted.state != "all" or line.state != "dead"]
    if found and not yes:
        print_table("", COLUMNS, [_row(line) for line in found[:SHOWN]])
        typer.echo(f"{len(found)} lanes would be {done} (at most {SHOWN} are shown); add --yes to do it")
        raise typer.Exit(0)
    return [line.key for line in found]


def _find(store: Store, wanted: LaneFilter, limit: int | None = None) -> list[LaneLine]:
    found: list[LaneLine] = []
    with store.read() as conn:
        for line in find_lanes(conn, wanted, now_us(SystemClock())):
            found.append(line)
            if len(found) == limit:
                break
    return found


def _moment(at: int | None) -> str:
    return datetime.fromtimestamp(at / 1_000_000, UTC).isoformat(timespec="seconds") if at else ""


def _row(line: LaneLine) -> tuple[object, ...]:
    again = _moment(line.run_at)
    return (line.key, line.state, line.code, line.commune_code, line.case_status, line.tries, line.error, again)
