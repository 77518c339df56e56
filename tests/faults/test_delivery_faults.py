"""Dossiers to a far side that misbehaves, by workers that are killed: each is there once, in order, none is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.delivery_run import run


@pytest.mark.timeout(240)
def test_every_dossier_is_in_the_far_sides_book_once_despite_faults_and_kills(tmp_path: Path, database: str) -> None:
    """On SQLite by one worker, on PostgreSQL by three processes."""
    shared = {} if database.startswith("sqlite") else {"workers": 3, "database": database}
    count = 40 if shared else 120
    found, figures = run(tmp_path, count=count, kills=3, patience=200, **shared)
    assert not any(found.values()), found
    assert figures["far_side"]["submissions"]["accepted"] == count
