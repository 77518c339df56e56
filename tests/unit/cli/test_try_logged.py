"""Two mapping sets compared over messages of the log: nothing is sent, and that somebody read is evidence."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.cli.samples import samples_directory
from tests.serving_child import Server, wait_until

pytestmark = pytest.mark.slow

SEXES = "code,value,name,valid_from,valid_to,source\nF,male,Nam,,,a wrong line on purpose\n"
MESSAGES = ("birth/father-unknown/01-adt-a01.hl7", "other/adult-admission", "birth/resent-message")
TABLES = ("message", "case_message", '"case"', "dossier", "work", "desk_item")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gateway that took a few messages and was stopped."""
    place = tmp_path_factory.mktemp("logged")
    gateway = Server(place)
    gateway.start()
    try:
        files = [samples_directory() / name for name in MESSAGES]
        gateway.right("send", *files, "--to", f"mllp://127.0.0.1:{gateway.ports[0]}")
        wait_until(lambda: count(gateway, "dossier") == 2, "two dossiers")
        gateway.stop()
        (place / "wrong" / "codes").mkdir(parents=True)
        (place / "wrong" / "codes" / "hl7v2_sex.csv").write_text(SEXES, encoding="utf-8")
        yield gateway
    finally:
        gateway.end()


def count(server: Server, table: str) -> int:
    with closing(sqlite3.connect(server.data / "hotich.db")) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def last(server: Server, number: int, *sets: str) -> tuple[int, dict[str, object]]:
    done = server.run("try", "--last", str(number), "--compare", *sets, "--reason", "xem thử bảng mã mới", "--json")
    return done.returncode, json.loads(done.stdout)


def test_the_last_births_are_compared_as_they_came(server: Server) -> None:
    code, told = last(server, 10, "now", "wrong")
    assert code == 1
    places = [gap["place"] for case in told["cases"] for gap in case["differences"]]  # type: ignore[attr-defined]
    assert places == ["nksGioiTinh"]
    assert told["summary"]["cases"] == 2  # type: ignore[index]


def test_only_as_many_as_asked_are_read_and_irrelevant_ones_do_not_count(server: Server) -> None:
    _, told = last(server, 1, "now", "now")
    assert told["summary"]["messages"] == 1  # type: ignore[index]
    assert told["summary"]["cases"] == 1  # type: ignore[index]


def test_reading_is_evidence_with_who_and_why_and_nothing_else_is_written(server: Server) -> None:
    before = {table: count(server, table) for table in TABLES}
    entries = count(server, "entry")
    code, told = last(server, 1, "now", "now")
    assert code == 0, told
    assert {table: count(server, table) for table in TABLES} == before
    assert count(server, "entry") == entries + 1
    with closing(sqlite3.connect(server.data / "hotich.db")) as database:
        newest = "SELECT kind, subject, meta FROM entry WHERE kind = 'read' ORDER BY at DESC LIMIT 1"
        kind, subject, meta = database.execute(newest).fetchone()
    assert "@command" in json.loads(meta)["who"]
    assert "bảng mã" not in meta
    shown = json.loads(server.right("log", "show", subject, "--json", "--content", "kiểm tra"))["entries"]
    assert "xem thử bảng mã mới" in [entry["content"] for entry in shown if entry["kind"] == kind]
    assert json.loads(server.right("log", "verify", "--json"))["intact"] is True


def test_a_set_of_the_archive_is_named_by_the_beginning_of_its_hash(server: Server) -> None:
    used = json.loads(server.right("check", "--json"))["mapping_hash"]
    sample: Path = samples_directory() / MESSAGES[0]
    done = server.run("try", sample, "--compare", used[:10], "now")
    assert done.returncode == 0, done.stderr
    done = server.run("try", sample, "--compare", used[:10], "now", mapping_overlays='["wrong"]')
    assert done.returncode == 1
    assert "nksGioiTinh" in done.stdout
    done = server.run("try", sample, "--compare", "00000000000", "now")
    assert (done.returncode, "no archived set begins" in done.stderr) == (2, True)


def test_a_message_erased_since_is_left_out(server: Server) -> None:
    with closing(sqlite3.connect(server.data / "hotich.db")) as database, database:
        newest = "SELECT id FROM message WHERE relevance = 'birth' ORDER BY received_at LIMIT 1"
        writer, _, seq = database.execute(newest).fetchone()[0].rpartition(".")
        database.execute("DELETE FROM payload WHERE writer = ? AND seq = ?", (writer, int(seq)))
    _, told = last(server, 10, "now", "now")
    assert told["summary"]["cases"] == 1  # type: ignore[index]
