"""The path language of mapping rows for HL7 v2, and the account of what was read."""

from __future__ import annotations

import pytest

from adapters.hospital.hl7v2_paths import compile_path
from gateway.ports.hospital import Event
from tests.hl7v2_messages import DIED, NEWBORN, events

KIN = {
    "NK1-1": "1", "NK1-2": "Trần^Nam^Văn", "NK1-3": "FTH^Bố",
    "NK1[2]-1": "2", "NK1[2]-2": "Nguyễn^Lan^Thị", "NK1[2]-3": "MTH^Mẹ", "NK1[2]-5": "0912000111",
    "OBX-1": "1", "OBX-3": "69453-9", "OBX-4": "2", "OBX-5": "dòng b",
    "OBX[2]-1": "2", "OBX[2]-3": "69453-9", "OBX[2]-4": "1", "OBX[2]-5": "dòng a",
    "ZPD-3": "nội bộ",
}  # fmt: skip


def newborn() -> Event:
    return events(NEWBORN, KIN)[0]


def texts(event: Event, path: str) -> list[str]:
    return [str(item) for item in event.scope.select(compile_path(path))]


@pytest.mark.parametrize(("path", "found"), [
    ("PID-8.1", ["F"]),
    ("PID-5.1", ["CB Nguyễn Thị Lan"]),
    ("NK1-2.1", ["Trần"]),
    ("NK1[2]-2.1", ["Nguyễn"]),
    ("NK1[NK1-3.1 = MTH]-2.2", ["Lan"]),
    ("NK1[NK1-3.1 = mth]-2.2", ["Lan"]),
    ("NK1[NK1-3.1 = GRD]-2.2", []),
    ("OBX[OBX-3.1 = 69453-9]-5.1", ["dòng b"]),
    ("OBX[OBX-3.1 = 69453-9][OBX-4 = 1]-5.1", ["dòng a"]),
    ("NK1[3]-2", []),
    ("ZZZ-1", []),
    ("PID-200.3", []),
])  # fmt: skip
def test_a_path_selects_what_it_says(path: str, found: list[str]) -> None:
    assert texts(newborn(), path) == found


def test_a_field_path_gives_every_repetition_with_its_components() -> None:
    event = events(NEWBORN, {"PID-3": "BN002^^^BV^MR~999123456789^^^BCA^NI"})[0]
    numbers = event.scope.select(compile_path("PID-3"))
    assert [(number[1], number[5], number.text) for number in numbers] == [
        ("BN002", "MR", "BN002"), ("999123456789", "NI", "999123456789"),
    ]  # fmt: skip
    assert texts(event, "PID-3.5") == ["MR", "NI"]


def test_a_subcomponent_path_reads_within_a_component() -> None:
    event = events(NEWBORN, {"PID-11": "12 Lê Lợi&Lê Lợi&12"})[0]
    assert texts(event, "PID-11.1.2") == ["Lê Lợi"]


@pytest.mark.parametrize("path", [
    "", "PID", "PID-", "PID-0", "pid-5", "PID-5.0", "PID-5.1.1.1", "PID.5", "PID5", "NK1[]-2", "NK1[0]-2",
    "NK1[NK1-3.1=MTH]-2", "NK1[NK1-3.1 = ]-2", "NK1[PID-3 = x]-2", "NK1[1][NK1-3 = MTH]-2", "NK1[NK1-3.1 = MTH-2",
])  # fmt: skip
def test_an_ungrammatical_path_is_refused_with_words(path: str) -> None:
    with pytest.raises(ValueError, match=r"should look like|must name"):
        compile_path(path)


def test_fields_that_nobody_asked_for_are_reported() -> None:
    event = newborn()
    assert {"ZPD-3", "NK1[2]-5", "NK1-2", "OBX[2]-5"} <= set(event.scope.unread())
    texts(event, "NK1[NK1-3.1 = MTH]-5")
    texts(event, "ZPD-3")
    assert {"ZPD-3", "NK1[2]-5"}.isdisjoint(event.scope.unread())


def test_set_ids_the_envelope_and_what_decided_relevance_are_no_unread_fields() -> None:
    unread = newborn().scope.unread()
    assert {"NK1-1", "NK1[2]-3", "OBX-1", "PID-7", "PV1-4", "MSH-3", "EVN-2"}.isdisjoint(unread)
    assert not any(path.startswith(("MSH", "EVN")) for path in unread)


def test_two_events_of_one_message_keep_separate_accounts() -> None:
    birth, death = events(NEWBORN, DIED, {"PID-23": "Quy Nhơn"})
    texts(birth, "PID-23.1")
    assert "PID-23" not in birth.scope.unread()
    assert "PID-23" in death.scope.unread()


def test_a_sibling_field_read_by_a_transform_counts_as_read() -> None:
    event = events(NEWBORN, {"OBX-3": "8339-4", "OBX-5": "3200", "OBX-6": "g"})[0]
    weight = event.scope.select(compile_path("OBX[OBX-3.1 = 8339-4]-5"))[0]
    assert "OBX-6" in event.scope.unread()
    assert weight.field(6) == "g"
    assert "OBX-6" not in event.scope.unread()
