"""Times of HL7 v2 at the precision the sender means."""

from __future__ import annotations

import pytest

from adapters.hospital.hl7v2_time import at_precision
from tests.hl7v2_messages import FEED, NEWBORN, READER, events, message, signs


@pytest.mark.parametrize(
    ("time", "precision", "cut"),
    [
        ("19950203000000", "Y", "1995"),
        ("19950203000000", "L", "199502"),
        ("19950203000000+0700", "D", "19950203"),
        ("19950203081500+0700", "H", "1995020308+0700"),
        ("19950203081530.1234+0700", "M", "199502030815+0700"),
        ("19950203081530.1234+0700", "S", "19950203081530.1234+0700"),
        ("1995", "D", "1995"),
        ("19950203", "", "19950203"),
        ("19950203", "X", "19950203"),
        ("sáng nay", "D", "sáng nay"),
        ("", "D", ""),
    ],
)
def test_a_time_is_cut_to_its_degree_of_precision_and_never_lengthened(time: str, precision: str, cut: str) -> None:
    assert at_precision(time, precision) == cut


def selected(path: str, *overrides: dict[str, str]) -> list[str]:
    (event,) = events(NEWBORN, *overrides)
    return [str(value) for value in event.scope.select(READER.compile(path))]


def test_rows_see_a_time_field_at_its_precision() -> None:
    sent = {"NK1-16": "19950101000000^Y", "PV1-44": "202611230700+0700", "PID-33": "20261123081530.25-0500"}
    assert selected("NK1-16", sent) == ["1995"]
    assert selected("NK1-16.1", sent) == ["1995"]
    assert selected("PV1-44", sent) == ["202611230700+0700"]
    assert selected("PID-33", sent) == ["20261123081530.25-0500"]


def test_a_result_is_a_time_only_when_its_type_says_so() -> None:
    assert selected("OBX-5.1", {"OBX-2": "TS", "OBX-5": "20261123081500^D"}) == ["20261123"]
    assert selected("OBX-5.1", {"OBX-2": "CE", "OBX-5": "20261123081500^D"}) == ["20261123081500"]


def test_other_fields_with_a_letter_in_their_second_component_are_left_alone() -> None:
    assert selected("PID-3.1", {"PID-3": "1995020300^D^^^MR"}) == ["1995020300"]


def test_a_year_filled_up_to_a_day_makes_nobody_a_newborn() -> None:
    mother = {"PID-21": "BN000", "EVN-2": "20260105"}
    assert signs(NEWBORN, mother, {"PV1-4": "", "PID-7": "20260101000000"}) == [("birth", "birth")]
    assert signs(NEWBORN, mother, {"PV1-4": "", "PID-7": "20260101000000^Y"}) == []


@pytest.mark.parametrize("sent", ["202611232400", "20261123240000+0700", "20261123236000"])
def test_a_time_outside_the_clock_orders_nothing_and_refuses_nothing(sent: str) -> None:
    (event,) = READER.events(message(NEWBORN, {"EVN-2": sent, "MSH-7": "20261123081500+0700"}), FEED)
    assert event.occurred == "2026-11-23T01:15:00+00:00"
