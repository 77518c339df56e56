"""Whatever single value of a log is changed, the verifier says so; whatever is appended, it verifies."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.messagelog.chain import GENESIS, link
from gateway.messagelog.verify import verify_rows

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
entries = st.lists(st.tuples(st.integers(0, 2**62), text, text, text, st.none() | st.binary(max_size=20)), min_size=1)


def _chained(writer: str, made: list[tuple[int, str, str, str, bytes | None]]) -> list[list[Any]]:
    rows, previous = [], GENESIS
    for seq, (at, kind, subject, meta, payload) in enumerate(made, start=1):
        salt = os.urandom(16)
        digest = b"" if payload is None else hashlib.sha256(salt + payload).digest()
        previous = link(previous, writer, seq, at, kind, subject, meta, digest)
        rows.append(
            [writer, seq, at, kind, subject, meta, digest, previous, None if payload is None else salt, payload]
        )
    return rows


@given(text, entries)
def test_what_was_appended_verifies(writer: str, made: list[Any]) -> None:
    report = verify_rows(_chained(writer, made))
    assert report.intact
    assert report.entries == len(made)


@given(text, entries, st.data())
def test_any_changed_field_is_found(writer: str, made: list[Any], data: st.DataObject) -> None:
    rows = _chained(writer, made)
    row = rows[data.draw(st.integers(0, len(rows) - 1))]
    column = data.draw(st.sampled_from([2, 3, 4, 5, 6, 7] + [9] * (row[9] is not None)))
    value = row[column]
    row[column] = value + {int: 1, str: "x", bytes: b"x"}[type(value)]
    assert not verify_rows(rows).intact


@given(entries, st.data())
def test_text_moved_between_fields_is_found(made: list[Any], data: st.DataObject) -> None:
    rows = _chained("gw", made)
    row = rows[data.draw(st.integers(0, len(rows) - 1))]
    whole = row[3] + row[4]
    cut = data.draw(st.integers(0, len(whole)))
    changed = (whole[:cut], whole[cut:]) != (row[3], row[4])
    row[3], row[4] = whole[:cut], whole[cut:]
    assert verify_rows(rows).intact is not changed


@given(entries.filter(lambda made: len(made) > 1), st.data())
def test_any_deleted_entry_before_the_last_is_found(made: list[Any], data: st.DataObject) -> None:
    rows = _chained("gw", made)
    del rows[data.draw(st.integers(0, len(rows) - 2))]
    assert not verify_rows(rows).intact
