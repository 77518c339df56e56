"""Strangers are counted, shown without long numbers, and cannot fill the database."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from gateway.pipeline import unknown_senders
from gateway.pipeline.unknown_senders import Unknown, note_unknown, shape_of
from gateway.store.session import Store
from gateway.views.unknown_senders import list_unknown_senders

SECOND = 1_000_000


def stranger(sender: str, address: str = "10.0.0.1") -> Unknown:
    return Unknown(address, sender, "hl7v2", "receive.unknown_sender", "sender")


def test_strangers_are_counted_by_name_address_and_format_the_latest_first(store: Store) -> None:
    with store.write() as conn:
        note_unknown(conn, 1 * SECOND, [stranger("HIS|A"), stranger("HIS|B"), stranger("HIS|A")])
    with store.write() as conn:
        note_unknown(conn, 2 * SECOND, [stranger("HIS|A")._replace(code="receive.sender_refused", place="address")])
    with store.read() as conn:
        lines = list_unknown_senders(conn)
    assert [(line.sender, line.count, line.code, line.place) for line in lines] == [
        ("HIS|A", 3, "receive.sender_refused", "address"),
        ("HIS|B", 1, "receive.unknown_sender", "sender"),
    ]
    assert (lines[0].first, lines[0].last) == ("1970-01-01T00:00:01+00:00", "1970-01-01T00:00:02+00:00")


def test_the_longest_silent_make_room(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown_senders, "KEPT", 3)
    for number in range(10):
        with store.write() as conn:
            note_unknown(conn, number * SECOND, [stranger(f"HIS|{number}")])
    with store.read() as conn:
        assert [line.sender for line in list_unknown_senders(conn)] == ["HIS|9", "HIS|8", "HIS|7"]


@pytest.mark.parametrize(
    ("sender", "shape"),
    [
        ("HIS|BV_99001", "HIS|BV_99001"),
        ("Bệnh viện|Quy Nhơn", "Bệnh viện|Quy Nhơn"),
        ("HIS|999099001234", "HIS|…"),
        ("HIS\x00\n|A\udc80", "HIS··|A·"),
        ("x" * 500, "x" * 80),
        ("", ""),
    ],
)
def test_a_name_is_kept_as_far_as_it_looks_like_a_systems(sender: str, shape: str) -> None:
    assert shape_of(sender) == shape


def test_the_latest_strangers_are_found_by_an_index(sqlite_store: Store) -> None:
    with sqlite_store.read() as conn:
        plan = conn.execute(text("EXPLAIN QUERY PLAN SELECT * FROM unknown_sender ORDER BY last_at DESC LIMIT 200"))
        assert "USING INDEX unknown_sender_last" in plan.all()[0][3]
