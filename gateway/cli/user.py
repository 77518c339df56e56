"""hotich user: people who sign in to the pages. Passwords are prompted for, or come by HOTICH_PASSWORD or a pipe."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from gateway.bootstrap import open_store
from gateway.cli.options import AsJson, Config, DataDir, settings_of
from gateway.cli.printing import print_json, print_table
from gateway.web.accounts import create_user, disable_user, list_users, set_password

app = typer.Typer(no_args_is_help=True, help="People who sign in.")
Name = Annotated[str, typer.Argument(help="The name to sign in with.")]
Codes = Annotated[list[str] | None, typer.Option(help="A code; repeat for several; * for all.")]


@app.command()
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="hospital, officer, auditor or admin.")],
    shown_as: Annotated[str, typer.Option(help="Name shown on pages and in histories.")] = "",
    commune: Codes = None,
    facility: Codes = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Add a person: officers with their communes, hospital people with their facilities."""
    store = open_store(settings_of(config, data_dir))
    password = _password()
    with store.write() as conn:
        create_user(conn, name, role, shown_as, password, commune or [], facility or [])
    typer.echo(f"{name} can sign in as {role}.")


@app.command(name="list")
def list_all(config: Config = None, data_dir: DataDir = None, json: AsJson = False) -> None:
    """List everyone who may sign in."""
    with open_store(settings_of(config, data_dir)).read() as conn:
        users = list_users(conn)
    columns = ("name", "role", "shown_as", "communes", "facilities", "disabled")
    rows = [{column: getattr(user, column) for column in columns} for user in users]
    if json:
        print_json({"users": rows})
    else:
        print_table("", columns, [list(row.values()) for row in rows])


@app.command()
def disable(name: Name, config: Config = None, data_dir: DataDir = None) -> None:
    """Close an account and end its sessions."""
    with open_store(settings_of(config, data_dir)).write() as conn:
        disable_user(conn, name)
    typer.echo(f"{name} can no longer sign in.")


@app.command()
def enable(name: Name, config: Config = None, data_dir: DataDir = None) -> None:
    """Open a closed account again."""
    with open_store(settings_of(config, data_dir)).write() as conn:
        disable_user(conn, name, disabled=False)
    typer.echo(f"{name} can sign in again.")


@app.command()
def password(name: Name, config: Config = None, data_dir: DataDir = None) -> None:
    """Set a new password; open sessions end."""
    store = open_store(settings_of(config, data_dir))
    chosen = _password()
    with store.write() as conn:
        set_password(conn, name, chosen)
    typer.echo(f"The password of {name} is changed.")


def _password() -> str:
    """Never an argument: other users of the machine can read the arguments of a process."""
    if os.environ.get("HOTICH_PASSWORD"):
        return os.environ["HOTICH_PASSWORD"]
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Mật khẩu / Password", hide_input=True, confirmation_prompt=True))
