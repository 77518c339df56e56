"""The hospital's page tells what of its messages nobody reads: places and counts, never values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import orjson

from gateway.messagelog.chain import NewEntry, append
from tests.unit.web.conftest import SignIn
from tests.web_world import HOSPITAL, OTHER_HOSPITAL, World

READING = {
    "facts": {"mother.name": {"family": "Lò", "given": "Hoa"}},
    "provenance": {"mother.name": ["test.1", "NK1-2", "inbound/hl7v2/adt_birth.toml#mother.name"]},
    "unread": ["ZPD-3"],
    "findings": [["value.no_crosswalk", "NK1[NK1-3.1 = MTH]-28", "ethnicity"]],
}


def add(world: World, number: int, feed: Any, reading: dict[str, Any]) -> None:
    world.add_message(number, feed)
    with world.store.write() as conn:
        entry = NewEntry("interpreted", f"test.{number}", {}, orjson.dumps([reading]))
        append(conn, world.vault, "test", world.now, [entry])


def test_the_page_counts_what_of_the_own_feed_is_not_read(world: World, sign_in: SignIn) -> None:
    add(world, 1, HOSPITAL, READING)
    add(world, 2, OTHER_HOSPITAL, {**READING, "unread": ["ZZZ-9"]})
    page = sign_in("benh-vien").get("/benh-vien").text
    assert "ZPD-3" in page
    assert "Mã không có trong bảng đối chiếu" in page
    assert "ZZZ-9" not in page
    assert "Lò" not in page


def test_a_feed_of_which_all_is_read_is_not_mentioned(world: World, sign_in: SignIn) -> None:
    add(world, 1, HOSPITAL, {**READING, "unread": [], "findings": []})
    assert "chưa dùng được" not in sign_in("benh-vien").get("/benh-vien").text


def test_the_page_tells_that_a_drop_folder_cannot_be_used_and_what_was_refused(
    world: World, sign_in: SignIn, tmp_path: Path
) -> None:
    cast("Any", world.services).feeds[HOSPITAL.name] = replace(HOSPITAL, folder=str(tmp_path / "in"))
    assert "Không dùng được thư mục (ENOENT)" in sign_in("benh-vien").get("/benh-vien").text
    (tmp_path / "in" / "refused").mkdir(parents=True)
    (tmp_path / "in" / "Lò Thị Hoa.hl7").touch()
    (tmp_path / "in" / "refused" / "a.hl7.txt").touch()
    page = sign_in("benh-vien").get("/benh-vien").text
    assert "Đang chờ 1 tệp; 1 tệp" in page
    assert "Lò" not in page
