"""hotich letters: the answer is "no" while a registered case has no letter."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import insert, select
from typer.testing import CliRunner

from gateway.bootstrap import open_store, open_vault
from gateway.cli.main import build_app
from gateway.settings import Settings, load
from gateway.store.partner_tables import Letter
from gateway.store.session import Store
from gateway.store.tables import CaseRow, Entry, Work

APP = build_app(["letters"])
PDF = b"%PDF-1.7"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands configure logging for the whole process."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return load(None, {"data_dir": tmp_path / "data"})


def run(settings: Settings, *args: str) -> Any:
    return CliRunner().invoke(APP, ["letters", *args, "--data-dir", str(settings.data_dir)])


def add_registered(store: Store, case_id: str, commune: str) -> None:
    row = dict.fromkeys(("opened_at", "changed_at", "settle_at", "version"), 1)
    marks = {"id": case_id, "kind": "birth", "facility": "99001", "status": "registered", "feed": "", "sealed": b""}
    with store.write() as conn:
        conn.execute(insert(CaseRow).values(**row, **marks, commune_code=commune))


def test_a_missing_letter_is_named_put_to_be_made_and_no_longer_missing(settings: Settings, tmp_path: Path) -> None:
    store, vault = open_store(settings), open_vault(settings)
    assert run(settings, "check").exit_code == 0
    add_registered(store, "ks-cu", "21583")
    told = run(settings, "check", "--json")
    assert told.exit_code == 1
    assert [line["case_id"] for line in json.loads(told.stdout)["missing"]] == ["ks-cu"]
    assert run(settings, "check", "--commune", "21589").exit_code == 0
    assert run(settings, "print", "ks-cu", "-o", str(tmp_path / "a.pdf")).exit_code == 1

    assert "1 to be made" in run(settings, "make").stdout
    with store.read() as conn:
        assert conn.execute(select(Work.key, Work.kind)).all() == [("letter:ks-cu", "letter")]
    with store.write() as conn:
        row = {"case_id": "ks-cu", "kind": "birth", "commune_code": "21583", "made_at": 2, "sealed": vault.seal(PDF)}
        conn.execute(insert(Letter).values(**row))

    told = run(settings, "check")
    assert told.exit_code == 0
    assert "in time 1" in told.stdout
    assert "0 to be made" in run(settings, "make").stdout
    assert run(settings, "print", "ks-cu", "-o", str(tmp_path / "a.pdf")).exit_code == 0
    assert (tmp_path / "a.pdf").stat().st_mode & 0o077 == 0
    assert (tmp_path / "a.pdf").read_bytes() == PDF
    with store.read() as conn:
        assert conn.execute(select(Entry.subject).where(Entry.kind == "read")).scalars().all() == ["ks-cu"]
    store.close()
