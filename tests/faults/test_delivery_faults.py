"""Dossiers to a far side that misbehaves, by a worker that is killed: each is there once, in order, none is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.delivery_run import run


@pytest.mark.timeout(240)
def test_every_dossier_is_in_the_far_sides_book_once_despite_faults_and_kills(tmp_path: Path) -> None:
    found, figures = run(tmp_path, count=120, kills=3, patience=200)
    assert not any(found.values()), found
    assert figures["far_side"]["submissions"]["accepted"] == 120
