"""Folder intake: complete files only, in their order, with the answers beside them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from adapters.hospital.drop_folder import DropFolder
from gateway.domain.drop_folder import is_offered, marked_by
from gateway.ports.hospital import Answer
from tests.folder_world import NAME, REFUSED, TAKEN, Intake, listen_to, several_looks, tree, until, watching

pytestmark = pytest.mark.usefixtures("every_level_is_logged")


UNUSABLE = Answer("AE", b"MSA|AE|1", "application/hl7-v2", 422)


SILENT = Answer("CA", b"", "application/hl7-v2", 200)


@pytest.mark.parametrize("name", [".a.hl7", "a.hl7.tmp", "a.part", "a.FILEPART", "a.hl7.ok", "a.hl7.DONE"])
def test_what_is_hidden_unfinished_or_a_marker_is_not_offered(name: str) -> None:
    assert not is_offered(name)


def test_a_marker_names_its_file_whole() -> None:
    assert marked_by("a.hl7.OK") == marked_by("a.hl7.done") == "a.hl7"
    assert marked_by("a.hl7") == ""


async def test_a_file_is_done_with_its_answer_and_a_line_for_people(place: Path) -> None:
    (place / f"{NAME}.hl7").write_bytes(b"MSH|1")
    intake = Intake()
    async with watching(listen_to(place), intake):
        await until(lambda: tree(place / "done") == {f"2026-11-23/{NAME}.hl7{end}" for end in ("", ".ack", ".txt")})
    day = place / "done" / "2026-11-23"
    assert (intake.heard, intake.feeds) == ([b"MSH|1"], {"bv-0"})
    assert (day / f"{NAME}.hl7").read_bytes() == b"MSH|1"
    assert (day / f"{NAME}.hl7.ack").read_bytes() == TAKEN.body
    assert (day / f"{NAME}.hl7.txt").read_text() == "Đã nhận và lưu an toàn lúc 10:00:00 ngày 23/11/2026 (AA).\n"
    assert tree(place) == {f"done/2026-11-23/{NAME}.hl7{end}" for end in ("", ".ack", ".txt")}


async def test_an_answer_nobody_wants_is_no_file(place: Path) -> None:
    (place / "a.hl7").write_bytes(b"MSH|1")
    async with watching(listen_to(place), Intake(lambda _raw: SILENT)):
        await until(lambda: not (place / "a.hl7").exists() and len(tree(place)) == 2)
    assert tree(place) == {"done/2026-11-23/a.hl7", "done/2026-11-23/a.hl7.txt"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [(REFUSED, "Không chấp nhận nơi gửi này (AR, 403)"), (UNUSABLE, "nội dung không dùng được (AE, 422)")],
)
async def test_what_is_refused_or_unusable_lies_apart_with_the_reason(place: Path, answer: Answer, words: str) -> None:
    (place / "a.hl7").write_bytes(b"hello")
    async with watching(listen_to(place), Intake(lambda _raw: answer)):
        await until(lambda: len(tree(place / "refused")) == 3)
    assert words in (place / "refused" / "a.hl7.txt").read_text()
    assert (place / "refused" / "a.hl7.ack").read_bytes() == answer.body


async def test_a_file_still_being_written_waits_until_nobody_wrote_for_the_settle_time(place: Path) -> None:
    file, intake = place / "a.hl7", Intake()
    async with watching(listen_to(place, settle=0.5), intake):
        for number in range(10):
            with file.open("ab") as writing:
                writing.write(b"MSH|%d\r" % number)
            os.utime(file, (1, 1))  # a client that sets an old time must not make it look finished
            await asyncio.sleep(0.1)
            assert intake.heard == []
        await until(lambda: bool(intake.heard))
    assert intake.heard == [b"".join(b"MSH|%d\r" % number for number in range(10))]


async def test_a_file_with_another_name_until_it_is_whole_is_never_read_before(place: Path) -> None:
    intake, unfinished = Intake(), place / "a.hl7.filepart"
    unfinished.write_bytes(b"MSH|ha")
    async with watching(listen_to(place), intake):
        await several_looks()
        assert intake.heard == []
        unfinished.write_bytes(b"MSH|half|whole")
        unfinished.rename(place / "a.hl7")
        await until(lambda: len(tree(place / "done")) == 3)
    assert intake.heard == [b"MSH|half|whole"]


async def test_a_marker_says_that_a_file_is_complete_and_goes_with_it(place: Path) -> None:
    intake = Intake()
    async with watching(listen_to(place, settle=3600), intake):
        (place / "a.hl7").write_bytes(b"MSH|1")
        (place / "b.hl7").write_bytes(b"MSH|2")
        await several_looks()
        assert intake.heard == []
        (place / "a.hl7.ok").touch()
        await until(lambda: len(tree(place / "done")) == 3)
    assert intake.heard == [b"MSH|1"]
    assert tree(place) == {"b.hl7", *(f"done/2026-11-23/a.hl7{end}" for end in ("", ".ack", ".txt"))}


async def test_a_marker_left_over_from_before_vouches_for_nothing(place: Path) -> None:
    (place / "a.hl7.ok").touch()
    os.utime(place / "a.hl7.ok", (1, 1))
    (place / "a.hl7").write_bytes(b"MSH|1")
    intake = Intake()
    async with watching(listen_to(place, settle=3600), intake):
        await several_looks()
    assert intake.heard == []


async def test_an_empty_file_is_not_yet_written(place: Path) -> None:
    (place / "a.hl7").touch()
    intake = Intake()
    async with watching(listen_to(place), intake):
        await several_looks()
    assert (intake.heard, tree(place)) == ([], {"a.hl7"})


async def test_files_of_one_name_are_kept_apart(place: Path) -> None:
    async with watching(listen_to(place), Intake()):
        for number in range(3):
            (place / "a.hl7").write_bytes(b"MSH|%d" % number)
            await until(lambda number=number: len(tree(place / "done")) == 3 * (number + 1))  # type: ignore[misc]
    day = place / "done" / "2026-11-23"
    assert [(day / name).read_bytes() for name in ("a.hl7", "a~2.hl7", "a~3.hl7")] == [b"MSH|0", b"MSH|1", b"MSH|2"]
    assert (day / "a~3.hl7.ack").exists()


async def test_an_answer_never_overwrites_a_file_that_is_called_like_it(place: Path) -> None:
    async with watching(listen_to(place), Intake()):
        for number, name in enumerate(("a.txt", "a", "a.ack"), 1):
            (place / name).write_bytes(name.encode())
            await until(lambda number=number: len(tree(place / "done")) == 3 * number)  # type: ignore[misc]
    day = place / "done" / "2026-11-23"
    held = {file.read_bytes() for file in day.iterdir()}
    assert {b"a.txt", b"a", b"a.ack"} <= held
    assert len(list(day.iterdir())) == 9


async def test_thousands_of_files_come_in_the_order_they_were_written(place: Path) -> None:
    numbers = range(2000)
    for number in numbers:
        file = place / f"{number % 7}-{number:04d}.hl7"
        file.write_bytes(b"MSH|%d" % number)
        os.utime(file, ns=(0, 1_700_000_000_000_000_000 + number // 3))
    by_time_then_name = sorted(numbers, key=lambda number: (number // 3, f"{number % 7}-{number:04d}"))
    intake = Intake()
    async with watching(listen_to(place), intake):
        await until(lambda: len(intake.heard) == 2000 and not list(place.glob("*.hl7")))
    assert intake.heard == [b"MSH|%d" % number for number in by_time_then_name]


async def test_a_file_too_large_is_read_only_as_far_as_refusing_it_needs(place: Path) -> None:
    (place / "a.hl7").write_bytes(b"x" * 5000)
    intake = Intake(lambda _raw: REFUSED)
    async with watching(listen_to(place, max_bytes=1000), intake):
        await until(lambda: len(tree(place / "refused")) == 3)
    assert [len(raw) for raw in intake.heard] == [1001]
    assert (place / "refused" / "a.hl7").stat().st_size == 5000


def test_a_name_of_the_greatest_length_leaves_room_for_its_answer(place: Path) -> None:
    name = "ệ" * 80 + "x" * 11 + ".hl7"  # 255 bytes
    (place / name).write_bytes(b"MSH|1")
    with DropFolder(place) as opened:
        (offer,) = opened.offers()
        file = opened.take(offer, 100)
        assert file is not None
        assert opened.put_away(file, ("done",), b"MSA", "x")
    assert {Path(each).suffix for each in tree(place / "done")} == {".hl7", ".ack", ".txt"}
