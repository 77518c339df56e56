"""The commands, run as a person or a script would, each on its own empty data directory."""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.main import get_command
from typer.testing import CliRunner

from gateway.cli.main import build_app
from gateway.errors import SettingsError
from gateway.lanes import lanes
from gateway.settings import Settings
from gateway.store.session import Store, execute

BIRTH = (
    "MSH|^~\\&|HIS|BV99001|GW|GW|20261120101500+0700||ADT^A01^ADT_A01|K1|P|2.5.1|||||||UNICODE UTF-8\r"
    "EVN||20261120101500+0700\r"
    "PID|1||990001^^^BV99001^MR||Bé gái^^||20261120093000+0700|F\r"
    "NK1|1|Lò^Hoa^Thị|MTH|Thôn 1^^^52^^VN^^^21583\r"
    "PV1|1|I||N\r"
)
APP = build_app()


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (*Settings.model_fields, "config", "password", "token"):
        monkeypatch.delenv(f"HOTICH_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOTICH_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands configure logging for the whole process."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def message(tmp_path: Path) -> Path:
    file = tmp_path / "birth.hl7"
    file.write_text(BIRTH, encoding="utf-8", newline="")
    return file


def run(*arguments: str | Path, given: str = "") -> Any:
    return CliRunner().invoke(APP, [str(argument) for argument in arguments], input=given)


def right(*arguments: str | Path, given: str = "") -> str:
    done = run(*arguments, given=given)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(*arguments: str | Path) -> SettingsError:
    error = run(*arguments).exception
    assert isinstance(error, SettingsError)
    return error


def test_try_tells_the_case_of_a_birth_without_a_database(message: Path, data: Path) -> None:
    document = json.loads(right("try", message, "--json"))
    assert [told["relevance"] for told in document["messages"]] == ["birth"]
    (case,) = document["cases"]
    assert case["kind"] == "birth"
    assert "nksNgaySinh" in case["dossier"]["fields"]
    assert not data.exists()


def test_try_shows_people_the_same_in_tables(message: Path) -> None:
    shown = run("try", message).stdout
    assert "Khai sinh / Birth" in shown
    assert "meHoTen" in shown
    assert "Lò Thị Hoa" in shown


def test_try_says_no_when_a_message_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.txt"
    broken.write_text("hello")
    assert run("try", broken).exit_code == 1


def test_try_refuses_a_feed_that_is_not_there(message: Path) -> None:
    assert refused("try", message, "--feed", "nobody").code == "settings.no_such_feed"


def test_check_is_content_with_what_ships() -> None:
    document = json.loads(right("check", "--json"))
    assert document["ok"] is True
    assert len(document["mapping_hash"]) == 64


def test_check_prints_the_table_of_settings() -> None:
    assert "HOTICH_MLLP_PORT" in right("check", "--settings")


def test_check_tells_wrong_settings_and_wrong_mappings_in_one_run(tmp_path: Path) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text("workerz = 1\n")
    done = run("check", "--config", config)
    assert done.exit_code == 2
    assert "did you mean workers?" in done.stdout


def test_check_says_no_for_a_mistake_in_an_overlay(tmp_path: Path) -> None:
    overlay = tmp_path / "local" / "inbound" / "hl7v2"
    overlay.mkdir(parents=True)
    (overlay / "adt_birth.toml").write_text('[[row]]\nto = "child.nmae"\nfrom = ["PID-5"]\n')
    config = tmp_path / "hotich.toml"
    config.write_text('mapping_overlays = ["local"]\n')
    done = run("check", "--json", "--config", config)
    assert done.exit_code == 1, done.output
    assert any("adt_birth.toml" in mistake["message"] for mistake in json.loads(done.stdout)["mistakes"])


def test_a_user_is_added_listed_and_closed_and_the_password_is_never_an_argument() -> None:
    right("user", "add", "canbo", "--role", "officer", "--commune", "21583", given="mot mat khau that dai\n")
    (user,) = json.loads(right("user", "list", "--json"))["users"]
    assert (user["name"], user["role"], user["communes"], user["disabled"]) == ("canbo", "officer", "21583", False)
    right("user", "password", "canbo", given="mot mat khau that khac\n")
    right("user", "disable", "canbo")
    (user,) = json.loads(right("user", "list", "--json"))["users"]
    assert user["disabled"] is True
    right("user", "enable", "canbo")


def test_a_password_can_come_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTICH_PASSWORD", "mot mat khau that dai")
    right("user", "add", "quantri", "--role", "admin")


def test_a_token_is_printed_once_and_can_be_revoked() -> None:
    token = right("token", "create", "--role", "hospital", "--name", "his").strip()
    assert token.startswith("hotich_")
    assert right("token", "revoke", "his").strip() == "1 revoked"
    assert run("token", "revoke", "his").exit_code == 1


def test_feeds_are_listed_and_two_claims_to_one_sender_are_told(tmp_path: Path, message: Path) -> None:
    config = tmp_path / "hotich.toml"
    config.write_text('[feeds.a]\nsenders = ["HIS|BV99001"]\n[feeds.b]\nsenders = ["X|Y"]\n')
    assert "HIS|BV99001" in right("feeds", "list")
    told = json.loads(right("feeds", "check", message, "--json"))
    assert told["messages"][0]["feed"] == "a"
    config.write_text('[feeds.a]\nsenders = ["X|Y"]\n[feeds.b]\nsenders = ["X|Y"]\n')
    done = run("feeds", "check", message, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["messages"][0]["feed"] is None
    assert "also belongs to" in json.loads(done.stdout)["mistakes"][0]


def test_citizens_are_loaded_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "citizens.csv"
    file.write_text("personal_id,full_name,born\n999000000001,Lò Thị Hoa,2000-01-01\n", encoding="utf-8")
    assert right("population", "load", file).startswith("1 citizens")


def test_production_prepares_database_and_keys_by_migrate_only(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right("migrate")
    assert (data / "hotich.db").exists()
    assert list((data / "keys").glob("master-*.key"))


@pytest.fixture
def given_up(data: Path) -> Iterator[str]:
    """One lane with work that nobody will do."""
    right("migrate")
    store = Store.open(f"sqlite:///{data / 'hotich.db'}")
    with store.write() as conn:
        lanes.put(conn, "dossier:ks-1", "forward", {"case": "ks-1", "version": 1}, 0)
    (claim,) = lanes.claim(store, 1, 60)
    with store.write() as conn:
        lanes.bury(conn, claim, "commune.refused")
    yield "dossier:ks-1"
    store.close()


def test_a_given_up_delivery_is_listed_and_driven_on(given_up: str) -> None:
    document = json.loads(right("deliveries", "list", "--json"))
    assert [lane["key"] for lane in document["dead"]] == [given_up]
    assert right("deliveries", "redrive", given_up).strip() == "1 driven on"
    assert run("deliveries", "redrive", "--all", "--yes").exit_code == 1
    right("deliveries", "park", given_up, "--why", "commune moves house")
    assert "commune moves house" in right("deliveries", "list")
    assert "1 lanes would be driven on" in right("deliveries", "redrive", "--all")
    assert right("deliveries", "redrive", "--all", "--yes").strip() == "1 driven on"
    assert refused("deliveries", "redrive").code == "use.nothing_chosen"
    assert refused("deliveries", "list", "--state", "lost").code == "use.wrong_state"


def test_a_filter_shows_what_it_would_do_and_does_it_at_a_pace(data: Path) -> None:
    right("migrate")
    store = Store.open(f"sqlite:///{data / 'hotich.db'}")
    keys = [f"{kind}:ks-{n}" for kind in ("answer", "dossier") for n in range(3)]
    with store.write() as conn:
        lanes.put_many(conn, [(key, "forward", {}) for key in keys], 0)
        lanes.park(conn, [key for key in keys if key.endswith(("1", "2"))], "moves")
    assert "2 lanes would be parked" not in right("deliveries", "park", "--kind", "dossier")
    assert "1 lanes would be parked" in right("deliveries", "park", "--kind", "dossier")
    assert right("deliveries", "park", "--kind", "dossier", "--yes").strip() == "1 parked"
    line = ("deliveries", "redrive", "--kind", "dossier", "--error", "lanes.parked", "--per-second", "0.5")
    assert "3 lanes would be driven on" in right(*line)
    assert right(*line, "--yes").strip() == "3 driven on"
    with store.read() as conn:
        runs = [run_at for (run_at,) in execute(conn, "SELECT run_at FROM lane WHERE NOT dead AND key LIKE 'dossier%'")]
        dead = [key for (key,) in execute(conn, "SELECT key FROM lane WHERE dead ORDER BY key")]
    store.close()
    assert sorted(at - min(runs) for at in runs) == [0, 2_000_000, 4_000_000]
    assert dead == ["answer:ks-1", "answer:ks-2"]
    assert run("deliveries", "resume", "moj").exit_code == 1


def test_the_log_verifies_is_checkpointed_and_exported_and_shows_who_looked(data: Path, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint.jws"
    right("log", "checkpoint", "--out", kept)
    right("log", "checkpoint")
    assert json.loads(right("log", "verify", "--json", "--checkpoint", kept))["intact"] is True
    assert right("log", "verify").strip().endswith("INTACT")
    right("log", "export", tmp_path / "period", "--why", "yearly audit")
    assert refused("log", "export", tmp_path / "period").code == "use.exists"
    own = [sys.executable, tmp_path / "period" / "verify.py", tmp_path / "period"]
    done = subprocess.run(own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "INTACT" in done.stdout
    (entry,) = json.loads(right("log", "show", "export", "--json"))["entries"]
    assert entry["kind"] == "read"
    assert "yearly audit" not in json.dumps(entry)
    assert run("log", "show", "nobody").exit_code == 1
    told = json.loads(right("log", "show", "export", "--json", "--content", "checking"))["entries"]
    assert told[0]["content"] == "yearly audit"
    with closing(sqlite3.connect(data / "hotich.db")) as database, database:
        database.execute("DELETE FROM payload")
    told = json.loads(right("log", "show", "export", "--json", "--content", "again"))["entries"]
    assert told[0]["content"] == "(đã xóa / erased)"


def test_an_altered_log_is_told_in_plain_words(data: Path) -> None:
    right("log", "checkpoint")
    with closing(sqlite3.connect(data / "hotich.db")) as database, database:
        database.execute("UPDATE entry SET meta = '{}' WHERE seq = 1")
    done = run("log", "verify")
    assert done.exit_code == 1
    assert "ALTERED" in done.stdout


def command_paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from command_paths(below, (*path, name))


def test_every_command_tells_how_it_is_used() -> None:
    """Square brackets in a help text are markup to what prints it."""
    paths = list(command_paths(get_command(APP)))
    wrong = [path for path in paths if CliRunner().invoke(APP, [*path, "--help"]).exit_code]
    assert len(paths) > 25
    assert wrong == []
