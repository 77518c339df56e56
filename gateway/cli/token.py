"""hotich token: bearer tokens for machines. A token is shown once; only its digest is stored."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.bootstrap import open_store
from gateway.cli.options import AsJson, Config, DataDir, settings_of
from gateway.cli.printing import print_json
from gateway.errors import SettingsError
from gateway.ports.clock import SystemClock
from gateway.store.session import now_us
from gateway.web.accounts import create_token, revoke_token

app = typer.Typer(no_args_is_help=True, help="Bearer tokens for machines.")
Codes = Annotated[list[str] | None, typer.Option(help="A code; repeat for several; * for all.")]


@app.command()
def create(
    role: Annotated[str, typer.Option(help="hospital, officer, auditor or admin.")],
    name: Annotated[str, typer.Option(help="What the token is for; also names it to revoke it.")] = "token",
    feed: Annotated[str, typer.Option(help="Messages under this token belong to this feed.")] = "",
    commune: Codes = None,
    facility: Codes = None,
    config: Config = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Make a token and print it: the only time it can be read."""
    settings = settings_of(config, data_dir)
    if feed and feed not in settings.feeds:
        raise SettingsError("settings.no_such_feed", f"--feed {feed}: the settings have {', '.join(settings.feeds)}")
    with open_store(settings).write() as conn:
        token = create_token(conn, name, role, now_us(SystemClock()), feed, commune or [], facility or [])
    if json:
        print_json({"token": token, "name": name, "role": role})
    else:
        typer.echo(token)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The name the token was made with.")],
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Revoke every token of that name. Exit code 1 when there is none."""
    with open_store(settings_of(config, data_dir)).write() as conn:
        revoked = revoke_token(conn, name, now_us(SystemClock()))
    typer.echo(f"{revoked} revoked")
    if not revoked:
        raise typer.Exit(1)
