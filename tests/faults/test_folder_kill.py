"""kill -9 between any two steps of the folder intake: no file is lost, no message is there twice, none lacks its
answer."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.store.session import Store
from gateway.store.tables import DeskItem, Message
from gateway.store.vault import Vault
from gateway.testing.traffic import admission, birth
from tests.samples.folders import PROJECT
from tests.serving_child import FEED, Server, wait_until

PAPER = PROJECT / "sample_messages" / "birth" / "giay-chung-sinh-document"
STEPS = 16
"""What the child takes to put three files away; one more death hits nothing, and that is checked."""


def _child(directory: Path, die_at: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.faults.folder_child", str(directory), str(die_at)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def directory(tmp_path: Path, _sqlite_template: Path) -> Path:
    """A birth by HL7 v2 with a marker, a paper without any control id, and something nobody can read."""
    shutil.copy(_sqlite_template, tmp_path / "hotich.sqlite")
    Vault.open(tmp_path / "keys")
    place = tmp_path / "in"
    place.mkdir()
    (place / "1.hl7").write_bytes(birth(1))
    (place / "1.hl7.ok").touch()
    (paper,) = PAPER.glob("*.xml")
    shutil.copy(paper, place / "2.xml")
    (place / "3.txt").write_bytes(b"hello")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("die_at", range(1, STEPS + 2))
def test_death_at_any_step_loses_nothing_and_doubles_nothing(directory: Path, die_at: int) -> None:
    first = _child(directory, die_at)
    assert first.returncode == (-signal.SIGKILL if die_at <= STEPS else 0), first.stderr
    assert _child(directory, 0).returncode == 0

    place = directory / "in"
    assert [file.name for file in place.iterdir() if file.is_file()] == []
    assert list((place / ".taken").iterdir()) == []
    (day,) = (place / "done").iterdir()
    for name in ("1.hl7", "2.xml"):
        assert (day / name).read_bytes(), "put away whole"
        assert (day / f"{name}.ack").read_bytes(), "answered"
    assert {file.name for file in day.iterdir()} == {f"{name}{end}" for name in ("1.hl7", "2.xml") for end in _ENDS}
    assert {file.name for file in (place / "refused").iterdir()} == {f"3.txt{end}" for end in _ENDS}
    store = Store.open(f"sqlite:///{directory / 'hotich.sqlite'}")
    with store.read() as conn:
        stored = conn.execute(select(Message.format, Message.control_key)).all()
    store.close()
    assert sorted(row.format for row in stored) == ["hl7v2", "moh"]


_ENDS = ("", ".ack", ".txt")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "in").mkdir()
    made = Server(tmp_path, FEED + 'folder = "in"\nfolder_settle_seconds = 0.3\n')
    yield made
    made.end()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_gateway_killed_while_files_come_in_delivers_each_birth_once(server: Server) -> None:
    place, total, births, kills = server.directory / "in", 400, 40, 3
    server.start()
    for number in range(total):
        raw = birth(number) if number % (total // births) == 0 else admission(number)
        unfinished = place / f"{number:04d}.hl7.part"
        unfinished.write_bytes(raw)
        unfinished.rename(place / f"{number:04d}.hl7")
        if number % (total // (kills + 1)) == total // (kills + 1) - 1 and number < total - 1:
            wait_until(lambda: any(place.glob(".taken/*")) or any(place.glob("done/*/*")), "files are taken")
            server.kill()
            server.start()
    wait_until(lambda: len([*place.glob("done/*/*.hl7")]) == total, "all files are done", 120)
    store = Store.open(f"sqlite:///{server.data}/hotich.db")
    give_up = time.monotonic() + 60
    while True:
        with store.read() as conn:
            stored = conn.execute(select(Message.control_key)).scalars().all()
            desk = conn.execute(select(DeskItem.case_id)).scalars().all()
        if len(desk) >= births or time.monotonic() > give_up:
            break
        time.sleep(0.2)
    assert server.stop() == 0
    store.close()
    assert len(stored) == len(set(stored)) == total
    assert len(desk) == births
    assert len([*place.glob("done/*/*.ack")]) == total
    assert not (place / "refused").exists()
    assert "BB" not in server.log.read_text()
