"""hotich letters: whether every registered birth and death has its letter, in time; making those that are missing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.bootstrap import build_readers, load_catalogue, open_store, open_vault
from gateway.cli.options import EPOCH, FORMATS, AsJson, Config, DataDir, microseconds, settings_of, who
from gateway.cli.printing import print_json, print_table
from gateway.domain.office import OFFICE_ZONE
from gateway.lanes import lanes
from gateway.mapping.catalogue import Catalogue
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.letter_wording import Review, check_templates, review_letters
from gateway.pipeline.letters import find_letter, letter_work
from gateway.plugins import load_plugins
from gateway.ports.clock import SystemClock
from gateway.settings import Settings
from gateway.store.session import Store, now_us
from gateway.views.letters import LetterLine, list_letters
from gateway.views.reach import EVERYTHING, Reach

app = typer.Typer(no_args_is_help=True, help="Letters to families: thư chúc mừng, thư chia buồn.")
Commune = Annotated[list[str] | None, typer.Option(help="Only this commune's code; may be given several times.")]
Since = Annotated[datetime, typer.Option(formats=FORMATS, help="Registered from this moment on (UTC).")]
Until = Annotated[datetime | None, typer.Option(formats=FORMATS, help="Registered before this moment (UTC).")]


@app.command()
def check(
    commune: Commune = None,
    since: Since = EPOCH,
    until: Until = None,
    config: Config = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """List registered cases without a letter and letters that came late, by case id; set every template with invented
    data. Exit code 1 when a letter is missing or a template cannot be set."""
    settings = settings_of(config, data_dir)
    catalogue, store = _catalogue(settings), open_store(settings)
    wrong = check_templates(catalogue, _today())
    review = review_letters(catalogue, _lines(store, commune, since, until), now_us(SystemClock()), _today())
    if json:
        print_json({"templates": wrong, **_told(review)})
    else:
        _print(review, wrong)
    if review.missing or wrong:
        raise typer.Exit(1)


@app.command()
def make(
    commune: Commune = None,
    since: Since = EPOCH,
    until: Until = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Put the work that makes every letter that is not there; a worker does it. What was given up is tried again."""
    store = open_store(settings_of(config, data_dir))
    lacking = [line.case_id for line in _lines(store, commune, since, until) if line.made_at is None]
    with store.write() as conn:
        now = now_us(SystemClock())
        lanes.put_many(conn, [letter_work(case_id) for case_id in lacking], now)
        lanes.redrive(conn, [letter_work(case_id)[0] for case_id in lacking], now)
    typer.echo(f"{len(lacking)} to be made")


@app.command(name="print")
def print_letter(
    case: Annotated[str, typer.Argument(metavar="CASE")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write the PDF to.", dir_okay=False)],
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Write a case's letter to a file. That it was read is logged. Exit code 1 when there is none."""
    settings = settings_of(config, data_dir)
    store, vault = open_store(settings), open_vault(settings)
    with store.read() as conn:
        letter = find_letter(conn, vault, case)
    if letter is None or not letter.pdf:
        typer.echo("the case has no letter", err=True)
        raise typer.Exit(1)
    entry = NewEntry("read", case, {"who": who(), "role": "command", "why": "letter"})
    with store.write() as conn:
        append(conn, vault, f"{settings.instance}/desk", now_us(SystemClock()), [entry])
    out.touch(mode=0o600)  # it names a family
    out.write_bytes(letter.pdf)


def _catalogue(settings: Settings) -> Catalogue:
    plugins = load_plugins()
    return load_catalogue(settings, plugins, build_readers(plugins))


def _lines(store: Store, communes: list[str] | None, since: datetime, until: datetime | None) -> list[LetterLine]:
    reach = Reach(None, frozenset(communes), None) if communes else EVERYTHING
    with store.read() as conn:
        return list_letters(conn, reach, microseconds(since), microseconds(until) if until else None)


def _today() -> date:
    return SystemClock().now().astimezone(OFFICE_ZONE).date()


def _told(review: Review) -> dict[str, Any]:
    listed = {name: [asdict(line) for line in getattr(review, name)] for name in ("missing", "late", "pending")}
    return {**listed, "in_time": review.in_time}


def _print(review: Review, wrong: dict[str, str]) -> None:
    for name, words in wrong.items():
        typer.echo(f"{name}: {words}")
    rows = [("missing", line) for line in review.missing] + [("late", line) for line in review.late]
    if rows:
        now = now_us(SystemClock())
        cells = ((line.case_id, line.kind, line.commune_code, what, round(line.hours(now))) for what, line in rows)
        print_table("", ("Case", "Kind", "Commune", "Letter", "Hours"), cells)
    counts = (f"missing {len(review.missing)}", f"late {len(review.late)}", f"pending {len(review.pending)}")
    typer.echo(", ".join((*counts, f"in time {review.in_time}")))
