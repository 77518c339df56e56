"""Folder intake in trouble: nothing lost, nothing followed out of the folder, nobody's name in the log."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.hospital import drop_folder, folder
from adapters.hospital.drop_folder import DropFolder
from gateway.errors import SettingsError
from gateway.ports.hospital import Answer, Reply
from tests.folder_world import NAME, REFUSED, TAKEN, Intake, listen_to, several_looks, tree, until, watching

pytestmark = pytest.mark.usefixtures("every_level_is_logged")


BUSY = Answer("AR", b"MSA|AR|1", "application/hl7-v2", 503)


async def test_a_symbolic_link_is_refused_and_never_followed(place: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"MSH|secret")
    (place / "a.hl7").symlink_to(secret)
    os.mkfifo(place / "pipe.hl7")
    intake = Intake()
    async with watching(listen_to(place), intake):
        await until(lambda: tree(place / "refused") >= {"a.hl7", "a.hl7.txt", "pipe.hl7", "pipe.hl7.txt"})
    assert intake.heard == []
    assert secret.read_bytes() == b"MSH|secret"
    assert "không đọc" in (place / "refused" / "a.hl7.txt").read_text()


@pytest.mark.parametrize("name", ["done", "refused", ".taken"])
async def test_directories_that_lead_elsewhere_are_not_written_to(place: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (place / name).symlink_to(outside)
    (place / "a.hl7").write_bytes(b"hello" if name == "refused" else b"MSH|1")
    intake = Intake(lambda raw: REFUSED if raw == b"hello" else TAKEN)
    async with watching(listen_to(place), intake):
        await several_looks()
    assert list(outside.iterdir()) == []
    assert len([file for file in tree(place) if file.endswith("a.hl7")]) == 1, "the file is still ours"


async def test_what_cannot_be_stored_now_stays_and_is_tried_again(place: Path) -> None:
    (place / "a.hl7").write_bytes(b"MSH|1")
    answers = iter((BUSY, BUSY, TAKEN))
    intake = Intake(lambda _raw: next(answers))
    with capture_logs() as logs:
        async with watching(listen_to(place), intake):
            await until(lambda: len(tree(place / "done")) == 3)
    assert intake.heard == [b"MSH|1"] * 3
    assert not (place / "refused").exists()
    assert [(line["event"], line.get("reasons")) for line in logs] == [
        ("folder.trouble", "not_stored"),
        ("folder.trouble_over", None),
    ]


async def test_a_file_written_to_while_it_was_being_stored_is_handed_in_again(place: Path) -> None:
    """A stalled upload goes on: what is put away is always what was stored last."""
    (place / "a.hl7").write_bytes(b"MSH|1")

    def goes_on(raw: bytes) -> Answer:
        if raw == b"MSH|1":
            with (place / ".taken" / "a.hl7").open("ab") as late:
                late.write(b"|2")
        return TAKEN

    intake = Intake(goes_on)
    async with watching(listen_to(place), intake):
        await until(lambda: len(tree(place / "done")) == 3)
    assert intake.heard == [b"MSH|1", b"MSH|1|2"]
    assert (place / "done" / "2026-11-23" / "a.hl7").read_bytes() == b"MSH|1|2"


async def test_a_folder_that_is_not_there_holds_up_nobody_and_is_taken_when_it_comes(
    place: Path, tmp_path: Path
) -> None:
    later, intake = tmp_path / "later", Intake()
    with capture_logs() as logs:
        async with watching(listen_to(later, place), intake):
            (place / "a.hl7").write_bytes(b"MSH|1")
            await until(lambda: len(tree(place / "done")) == 3)
            later.mkdir()
            (later / "b.hl7").write_bytes(b"MSH|2")
            await until(lambda: len(tree(later / "done")) == 3)
    assert intake.feeds == {"bv-0", "bv-1"}
    assert [(line["event"], line["feed"], line.get("reasons")) for line in logs] == [
        ("folder.trouble", "bv-0", "ENOENT"),
        ("folder.trouble_over", "bv-0", None),
    ]


async def test_a_file_that_may_not_be_read_does_not_hold_up_the_next_and_its_name_is_not_logged(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / f"{NAME}.hl7").write_bytes(b"MSH|1")
    (place / "b.hl7").write_bytes(b"MSH|2")
    really, intake = os.open, Intake()

    def may_not(path: Any, *given: Any, **named: Any) -> int:
        if path == f"{NAME}.hl7":  # tests may run as root, whom no mode keeps out
            raise PermissionError(13, "Permission denied")
        return really(path, *given, **named)

    monkeypatch.setattr(drop_folder.os, "open", may_not)
    with capture_logs() as logs:
        async with watching(listen_to(place), intake):
            await until(lambda: len(tree(place / "done")) == 3)
            await several_looks()
    assert intake.heard == [b"MSH|2"]
    assert [line.get("reasons") for line in logs] == ["EACCES"]
    assert NAME not in str(logs)


async def test_a_full_disk_leaves_the_file_where_it_is_and_answers_when_there_is_room(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "a.hl7").write_bytes(b"MSH|1")
    full: Iterator[bool] = iter((True, True, False, False))
    really = drop_folder._write

    def write(directory: int, name: str, content: bytes) -> None:
        if next(full, False):
            raise OSError(28, "No space left on device")
        really(directory, name, content)

    monkeypatch.setattr(drop_folder, "_write", write)
    intake = Intake()
    async with watching(listen_to(place), intake):
        await until(lambda: len(tree(place / "done")) == 3)
    assert intake.heard == [b"MSH|1"] * 3, "handed in again; the intake knows the content"


async def test_a_defect_does_not_end_the_watch(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "a.hl7").write_bytes(b"MSH|1")
    really, broken = folder._words, iter((True,))

    def words(*given: Any) -> str:
        if next(broken, False):
            raise KeyError(NAME)
        return really(*given)

    monkeypatch.setattr(folder, "_words", words)
    with capture_logs() as logs:
        async with watching(listen_to(place), Intake()):
            await until(lambda: len(tree(place / "done")) == 3)
    assert ("folder.defect", "KeyError") in [(line["event"], line.get("error")) for line in logs]
    assert NAME not in str(logs)


async def test_stopping_lets_a_file_being_stored_have_its_answer(place: Path) -> None:
    (place / "a.hl7").write_bytes(b"MSH|1")

    class Slow(Intake):
        def submit(self, raw: bytes, format: str | None, feed: str | None, reply: Reply, *_origin: Any) -> None:
            self.heard.append(raw)
            asyncio.get_running_loop().call_later(0.3, reply, TAKEN)

    intake, listener = Slow(), listen_to(place)
    await listener.start(intake)
    await until(lambda: bool(intake.heard))
    (place / "b.hl7").write_bytes(b"MSH|2")
    await listener.stop()
    assert len(tree(place / "done")) == 3
    assert intake.heard == [b"MSH|1"]
    assert (place / "b.hl7").exists()


def test_two_feeds_cannot_share_a_folder_or_lie_in_one_another(tmp_path: Path) -> None:
    for below in (tmp_path, tmp_path / "done"):
        with pytest.raises(SettingsError) as told:
            listen_to(tmp_path, below)
        assert told.value.code == "settings.folder_shared"
    assert len(listen_to(tmp_path / "a", tmp_path / "a-b").watches) == 2


def test_a_file_replaced_since_it_was_offered_is_not_taken(place: Path) -> None:
    (place / "a.hl7").write_bytes(b"MSH|1")
    with DropFolder(place) as opened:
        (offer,) = opened.offers()
        (place / "b.hl7").write_bytes(b"MSH|2")
        (place / "b.hl7").rename(place / "a.hl7")
        assert opened.take(offer, 100) is None
        (place / "a.hl7").unlink()
        assert opened.take(offer, 100) is None
