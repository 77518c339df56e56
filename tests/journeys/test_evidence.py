"""The auditor's journey: a log that verifies, every way of falsifying it that shows, exports, and replays.

The gateway ran, took births and was stopped; each test works on a copy of its own of what it left behind.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.cli.samples import samples_directory
from gateway.cli.sending import send_mllp
from tests.journeys.conftest import SETTINGS, NewDatabase, installed
from tests.journeys.outsider import sample, segments
from tests.serving_child import CLEAN, Server, wait_until

BIRTHS = (
    "newborn-admitted-with-pv1-4-n",
    "father-unknown",
    "mother-without-papers",
    "foreign-father",
    "whole-name-in-the-family-component",
)
pytestmark = pytest.mark.timeout(90)


@dataclass(frozen=True)
class Recorded:
    """What a stopped gateway left, its messages' numbers, and the checkpoint that a second party was given."""

    server: Server
    messages: list[str]
    checkpoint: Path


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Three births, delivered; SIGTERM; a checkpoint kept elsewhere."""
    server = installed(request.param, tmp_path_factory.mktemp("recorded"), request)
    try:
        server.start()
        raws = [sample(f"birth/{name}/01-adt-a01.hl7") for name in BIRTHS]
        receipts = send_mllp("127.0.0.1", server.ports[0], raws)
        wait_until(lambda: count(server, "desk_item") == len(BIRTHS), "dossiers on the desk")
        assert server.stop() == 0
    finally:
        server.end()
    kept = server.directory / "kept-elsewhere.jws"
    server.right("log", "checkpoint", "--out", kept)
    return Recorded(server, [segments(receipt.body)["MSH"][9] for receipt in receipts], kept)


@pytest.fixture
def copy(recorded: Recorded, tmp_path: Path, request: pytest.FixtureRequest) -> Server:
    """A copy of the directory and of the database, to falsify."""
    settings = SETTINGS
    if address := address_of(recorded.server):
        new_database: NewDatabase = request.getfixturevalue("new_database")
        settings = f'database_url = "{new_database(address)}"\n{SETTINGS}'
    shutil.copytree(recorded.server.data, tmp_path / "data")
    return Server(tmp_path, settings)


def query(server: Server, sql: str) -> list[tuple[Any, ...]]:
    """Ask or change the database directly, as somebody with its password could."""
    if address := address_of(server):
        with psycopg.connect(address) as server_side:
            done = server_side.execute(sql.encode())
            return done.fetchall() if done.description else []
    with closing(sqlite3.connect(server.data / "hotich.db")) as database, database:
        return database.execute(sql).fetchall()


def count(server: Server, table: str) -> int:
    """How many rows a table has."""
    ((rows,),) = query(server, f"SELECT COUNT(*) FROM {table}")
    return int(rows)


def address_of(server: Server) -> str:
    """The PostgreSQL address in a gateway's settings, "" for SQLite."""
    return server.config.read_text().partition('database_url = "')[2].partition('"')[0]


def test_a_log_nobody_touched_verifies(copy: Server, recorded: Recorded) -> None:
    told = json.loads(copy.right("log", "verify", "--json", "--checkpoint", recorded.checkpoint))
    assert told["intact"] is True
    assert told["entries"] == count(copy, "entry")


def test_every_falsified_row_is_named(copy: Server) -> None:
    query(copy, "UPDATE entry SET meta = '{}' WHERE writer = 'gateway' AND seq = 1")
    query(copy, "UPDATE entry SET subject = 'ks-000000000000' WHERE writer = 'gateway' AND seq = 2")
    query(copy, "UPDATE payload SET sealed = salt WHERE writer = 'gateway' AND seq = 3")
    query(copy, "DELETE FROM entry WHERE writer = 'gateway' AND seq = 4")
    done = copy.run("log", "verify")
    assert done.returncode == 1
    for words in (
        "ALTERED: entry gateway 1 is not what was written",
        "ALTERED: entry gateway 2 is not what was written",
        "PAYLOAD ALTERED: what is stored for gateway 3 is not what was logged",
        "MISSING: gateway 4 was deleted",
    ):
        assert words in done.stdout.splitlines()
    assert "gateway 5" not in done.stdout


def test_a_tail_cut_off_shows_against_the_checkpoint_kept_elsewhere(copy: Server, recorded: Recorded) -> None:
    query(copy, "DELETE FROM payload WHERE writer = 'gateway' AND seq = 5")
    query(copy, "DELETE FROM entry WHERE writer = 'gateway' AND seq = 5")
    query(copy, "UPDATE chain SET seq = 4 WHERE writer = 'gateway'")
    head = "SELECT entry.hash FROM entry WHERE entry.writer = chain.writer AND entry.seq = chain.seq"
    query(copy, f"UPDATE chain SET hash = ({head}) WHERE writer = 'gateway'")
    query(copy, "DELETE FROM checkpoint")
    done = copy.run("log", "verify", "--checkpoint", recorded.checkpoint)
    assert done.returncode == 1
    assert "CUT OFF: gateway 5 is gone" in done.stdout
    without = copy.run("log", "verify")
    assert without.returncode == 0, "a cut that shows by itself proves nothing about the checkpoint"
    assert "it would not show" in without.stdout


def test_an_export_is_verified_by_the_verifier_alone(copy: Server, recorded: Recorded, tmp_path: Path) -> None:
    copy.right("log", "export", tmp_path / "period", "--why", "Kiểm toán")
    alone = tmp_path / "alone"
    alone.mkdir()
    verifier = shutil.copy(Path(__file__).parents[2] / "gateway" / "messagelog" / "verify.py", alone)
    key = shutil.copy(tmp_path / "period" / "checkpoint-key.pem", alone)
    (tmp_path / "period" / "checkpoint-key.pem").unlink()
    command = [sys.executable, "-I", verifier, tmp_path / "period", "--key", key, "--checkpoint", recorded.checkpoint]

    def verify() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=alone, env=CLEAN, capture_output=True, text=True, check=False)

    done = verify()
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(sqlite3.connect(tmp_path / "period" / "log.sqlite")) as database, database:
        database.execute("UPDATE payload SET body = zeroblob(9) WHERE writer = 'gateway' AND seq = 1")
    done = verify()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "gateway" in done.stdout


def test_the_verifier_needs_nothing_of_the_gateway() -> None:
    lines = (Path(__file__).parents[2] / "gateway" / "messagelog" / "verify.py").read_text().splitlines()
    imported = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


def test_a_replay_finds_no_difference_and_does_nothing_but_log_that_somebody_looked(
    copy: Server, recorded: Recorded
) -> None:
    did, entries = what_was_done(copy), count(copy, "entry")
    told = json.loads(copy.right("replay", "--message", recorded.messages[0], "--diff", "--json"))
    assert told["differences"] == []
    assert len(told["cases"]) == 1
    assert what_was_done(copy) == did
    ((looked,),) = query(copy, "SELECT COUNT(*) FROM entry WHERE kind = 'read'")
    assert count(copy, "entry") - entries == looked


def what_was_done(server: Server) -> list[list[tuple[Any, ...]]]:
    """All that a forwarding, or any other step, would change."""
    asked = (
        "SELECT code, version, deliveries, state, changed_at FROM desk_item ORDER BY code",
        "SELECT id, key, kind, done_at FROM work ORDER BY id",
        "SELECT case_id, version, status, changed_at FROM dossier ORDER BY case_id, version",
    )
    return [query(server, sql) for sql in asked]


def test_a_new_mapping_shows_its_one_field_and_that_days_mapping_none(copy: Server, recorded: Recorded) -> None:
    rules = copy.directory / "local" / "outbound" / "1.001193"
    rules.mkdir(parents=True)
    original = samples_directory().parent / "mappings" / "outbound" / "1.001193" / "2025-07-01.toml"
    (rules / original.name).write_text(overlay_of(original), encoding="utf-8")
    copy.config.write_text('mapping_overlays = ["local"]\n' + copy.config.read_text())
    message = recorded.messages[0]
    done = copy.run("replay", "--message", message, "--mapping", "now", "--diff", "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    told = json.loads(done.stdout)
    changed = [(d["place"], d["then"], d["now"]) for d in told["differences"] if d["subject"] in told["cases"]]
    assert changed == [("dossier.fields.meLoaiCuTru", "0", "1")]
    then = json.loads(copy.right("replay", "--message", message, "--mapping", "then", "--diff", "--json"))
    assert then["differences"] == []
    assert then["mapping"] != told["mapping"]


def overlay_of(original: Path) -> str:
    """The header of the file and one row of our own, as mappings/README.md says."""
    header = original.read_text(encoding="utf-8").partition("\n[[row]]")[0]
    return f'{header}\n[[row]]\nto = "meLoaiCuTru"\nvalue = "1"\n'
