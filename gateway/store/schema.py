"""Which version the schema has, and bringing it to this program's. Revisions are in store/migrations (Alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from gateway.errors import SettingsError

_ONE_AT_A_TIME = 0x686F74696368  # "hotich": the key of PostgreSQL's advisory lock


def migrate(conn: Connection) -> None:
    """Run what revisions are missing, in the caller's transaction. Raises SettingsError when the schema is newer."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    config = _config()
    if _revision(conn) not in _known(config):
        raise _newer()
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def check_schema(conn: Connection) -> None:
    """Raises SettingsError unless the schema is exactly this program's."""
    config, revision = _config(), _revision(conn)
    if revision not in _known(config):
        raise _newer()
    if revision != ScriptDirectory.from_config(config).get_current_head():
        raise SettingsError("store.not_migrated", "the database schema is older than this; run `hotich migrate`")


def _newer() -> SettingsError:
    return SettingsError("store.newer", "the database schema is newer than this program; install the newer program")


def _known(config: Config) -> set[str | None]:
    return {None} | {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def _revision(conn: Connection) -> str | None:
    return MigrationContext.configure(conn).get_current_revision()


def _config() -> Config:
    config = Config()
    # The configuration format expands percent signs, which a path may have.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
