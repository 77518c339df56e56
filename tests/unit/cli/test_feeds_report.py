"""hotich feeds report on a data directory of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli.main import build_app
from gateway.errors import SettingsError
from gateway.messagelog.chain import NewEntry, append
from gateway.settings import Settings
from gateway.store.session import Store
from gateway.store.vault import Vault
from tests.web_world import HOSPITAL, World

APP = build_app(["feeds", "migrate"])
READING = {
    "facts": {"mother.name": {"family": "Lò", "given": "Hoa"}},
    "provenance": {"mother.name": ["test.1", "NK1-2", "inbound/hl7v2/adt_birth.toml#mother.name"]},
    "unread": ["ZPD-3"],
    "findings": [["value.no_crosswalk", "NK1[NK1-3.1 = MTH]-28", "ethnicity"]],
}


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: Any) -> World:
    for name in (*Settings.model_fields, "config"):
        monkeypatch.delenv(f"HOTICH_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOTICH_DATA_DIR", str(tmp_path / "data"))
    assert run("migrate").exit_code == 0
    store = Store.open(f"sqlite:///{tmp_path / 'data' / 'hotich.db'}")
    made = World(store, Vault.open(tmp_path / "data" / "keys"), clock)
    made.add_message(1)
    with store.write() as conn:
        append(conn, made.vault, "test", made.now, [NewEntry("interpreted", "test.1", {}, orjson.dumps([READING]))])
    return made


def run(*arguments: str) -> Any:
    return CliRunner().invoke(APP, list(arguments))


def test_places_are_counted_and_nobody_is_named() -> None:
    done = run("feeds", "report", HOSPITAL.name, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["messages"], told["readings"], told["left_out"]) == (1, 1, 0)
    assert told["unread"] == [{"path": "ZPD-3", "file": "inbound/hl7v2/adt_birth.toml", "count": 1}]
    assert told["findings"][0]["where"] == "NK1[NK1-3.1 = MTH]-28"
    assert "Hoa" not in done.stdout


def test_people_see_tables() -> None:
    shown = run("feeds", "report", HOSPITAL.name).stdout
    assert "1 messages about births and deaths" in shown
    assert "ZPD-3" in shown
    assert "value.no_crosswalk" in shown


def test_a_period_without_messages_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "hotich.toml").write_text(f'[feeds.{HOSPITAL.name}]\nsenders = ["HIS|BV"]\n')
    told = json.loads(run("feeds", "report", HOSPITAL.name, "--until", "2020-01-01", "--json").stdout)
    assert (told["messages"], told["unread"]) == (0, [])


def test_a_feed_that_never_sent_and_is_not_in_the_settings_is_refused() -> None:
    error = run("feeds", "report", "nobody").exception
    assert isinstance(error, SettingsError)
    assert error.code == "settings.no_such_feed"
