"""The revisions make the schema that the code declares, on both databases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

import gateway.store.partner_tables
import gateway.store.tables  # noqa: F401 - both fill the metadata
from gateway.errors import SettingsError
from gateway.store.session import Store


def test_the_migrated_schema_is_the_declared_one(store: Store) -> None:
    with store.read() as conn:
        differences = compare_metadata(MigrationContext.configure(conn, opts={"compare_type": True}), SQLModel.metadata)
    assert differences == []


def test_partial_indexes_have_the_declared_condition(store: Store) -> None:
    # Alembic does not compare conditions of indexes, so this does.
    condition = f"{'sqlite' if store.is_sqlite else 'postgresql'}_where"
    with store.read() as conn:
        for table in SQLModel.metadata.tables.values():
            found = {item["name"]: item.get("dialect_options", {}) for item in inspect(conn).get_indexes(table.name)}
            for index in table.indexes:
                declared = index.dialect_options[condition.split("_", maxsplit=1)[0]]["where"]
                migrated = found[index.name].get(condition)
                assert _bare(declared) == _bare(migrated), index.name


def _bare(condition: object) -> str:
    """Without what PostgreSQL adds when it writes a condition back: parentheses and the types of texts."""
    return "" if condition is None else re.sub(r"[()]|::text", "", str(condition)).lower()


def test_migrating_twice_changes_nothing(store: Store) -> None:
    store.migrate()
    store.check()


def test_an_unmigrated_database_is_refused(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    with pytest.raises(SettingsError) as refused:
        store.check()
    assert refused.value.code == "store.not_migrated"
    store.close()


def test_a_database_of_a_newer_program_is_refused_and_left_alone(store: Store) -> None:
    with store.write() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (store.check, store.migrate):
        with pytest.raises(SettingsError) as refused:
            attempt()
        assert refused.value.code == "store.newer"


@pytest.mark.parametrize("url", ["", "mysql://somewhere/else", "sqlite://", "sqlite:///:memory:"])
def test_an_address_of_no_known_database_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        Store.open(url)
