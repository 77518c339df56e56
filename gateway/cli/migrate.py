"""hotich migrate: the database's schema and, on a first installation, the keys."""

from __future__ import annotations

import typer

from gateway.bootstrap import make_private
from gateway.cli.options import Config, DataDir, settings_of
from gateway.store.session import Store
from gateway.store.vault import Vault


def migrate(config: Config = None, data_dir: DataDir = None) -> None:
    """Bring the database to this version; on a first installation also make the encryption keys."""
    settings = settings_of(config, data_dir)
    make_private(settings.data_dir)
    store = Store.open(settings.url)
    store.migrate()
    store.close()
    Vault.open(settings.keys)
    typer.echo(
        f"The database is ready; the keys are in {settings.keys}. Keep a copy of the keys: they are not in backups."
    )
