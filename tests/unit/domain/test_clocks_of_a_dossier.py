"""The clocks as preparing a dossier gives them, from sample messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.domain.dossier import as_json, from_json
from gateway.pipeline.rehearse import rehearse
from tests.samples.folders import FOLDERS, catalogue, feed, readers, rehearsed
from tests.unit.domain.test_office import overlaid

PAPER = "birth/giay-chung-sinh-document"
DEATH, DIED = "death/discharge-with-death-and-cause", b"|20261103041500+0700|Y"


@pytest.mark.parametrize("name", FOLDERS)
def test_every_case_has_each_clock_and_the_deadlines_are_their_ends(name: str) -> None:
    for case in rehearsed(name)["cases"]:
        told = {clock["name"]: clock for clock in case["clocks"]}
        assert list(told) == ["register_by", "send_paper_by", "decide_by", "supplement_by"]
        assert {clock: one["ends"] for clock, one in told.items() if one["ends"]} == case["deadlines"]
        for clock in told.values():
            assert clock["label"] and clock["rule"] and clock["source"]
            assert clock["ends"] or clock["waits"]


def test_a_dossier_is_stored_with_its_clocks_and_one_of_before_is_still_read() -> None:
    (case,) = rehearsed(PAPER)["cases"]
    assert as_json(from_json(case)) == case
    assert from_json({name: part for name, part in case.items() if name != "clocks"}).clocks == ()


def test_a_death_of_which_only_the_year_is_known_starts_no_clock_and_says_so() -> None:
    ((path, raw),) = FOLDERS[DEATH].messages
    assert DIED in raw
    (case,) = rehearse(catalogue(), readers(), feed(), [(path, raw.replace(DIED, b"|2026|Y"))])["cases"]
    register = case["clocks"][0]
    assert (register["name"], register["starts"], register["ends"]) == ("register_by", "2026", "")
    assert register["waits"] == "chưa có ngày chết"
    assert "register_by" not in case["deadlines"]


def test_the_offices_own_hours_count_for_deciding_and_for_sending(tmp_path: Path) -> None:
    (usual,) = rehearsed(PAPER)["cases"]
    day, commune, hospital = usual["deadlines"]["decide_by"], usual["commune"]["code"], feed().facility_commune
    assert hospital and hospital != commune
    closed = [f"{commune}/{weekday}," for weekday in range(1, 7)] + [f"{commune}/7,08:00-09:00"]
    own = rehearse(overlaid(tmp_path / "a", *closed, readers=readers()), readers(), feed(), FOLDERS[PAPER].messages)[
        "cases"
    ][0]
    assert own["deadlines"]["decide_by"] > day
    assert own["deadlines"]["send_paper_by"] == usual["deadlines"]["send_paper_by"]
    assert own["deadlines"]["register_by"] == usual["deadlines"]["register_by"]
    far = [f"{hospital}/{weekday}," for weekday in range(1, 7)] + [f"{hospital}/7,08:00-12:00"]
    own = rehearse(overlaid(tmp_path / "b", *far, readers=readers()), readers(), feed(), FOLDERS[PAPER].messages)[
        "cases"
    ][0]
    assert own["deadlines"]["decide_by"] == day
    assert own["deadlines"]["send_paper_by"] > usual["deadlines"]["send_paper_by"]
