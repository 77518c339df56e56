"""The exchange of files in trouble: wrong receipts, directories that fail, a partner who plays tricks."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from adapters.commune import folder_files
from adapters.commune.folder_receipt import MAX_RECEIPT_BYTES, REASONS
from gateway.errors import Misconfigured, Misunderstood, PortError, Unreachable
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.testing.commune import delivery
from gateway.testing.dossiers import ENVELOPE
from tests.commune_folder_world import PDF, Commune, make_commune
from tests.conftest import StillClock

NAME = f"{ENVELOPE.code}-v1"
RIGHT = {"code": ENVELOPE.code, "version": 1, "state": "accepted"}


@pytest.fixture
def a_store(_sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    file = tmp_path / "hotich.sqlite"
    shutil.copy(_sqlite_template, file)
    store = Store.open(f"sqlite:///{file}")
    yield store
    store.close()


@pytest.fixture
def commune(a_store: Store, vault: Vault, clock: StillClock, tmp_path: Path) -> Commune:
    """A commune whose directories are the operator's, with one version sent."""
    for name in ("ra", "vao"):
        (tmp_path / name).mkdir()
    made = make_commune(tmp_path, a_store, vault, clock, outbox=tmp_path / "ra", inbox=tmp_path / "vao")
    made.system.submit(delivery())
    return made


WRONG: dict[str, list[bytes]] = {
    "not_json": [b"", "<html>Đăng nhập</html>".encode(), orjson.dumps(RIGHT)[:-1], "{'code'}".encode("utf-16")],
    "not_an_object": [b"[]", b'"accepted"'],
    "other_code": [orjson.dumps(RIGHT | {"code": "HT99-261123-0002"}), b"{}"],
    "other_version": [orjson.dumps(RIGHT | {"version": other}) for other in (2, True, "1")],
    "unknown_state": [orjson.dumps(RIGHT | {"state": other}) for other in ("pending", "ok", None, ["accepted"])],
    "words_not_text": [orjson.dumps(RIGHT | {"words": ["Đặng Thị Thúy Hòa"]})],
    "result_not_texts": [orjson.dumps(RIGHT | {"result": other}) for other in ([], {"so": 45}, "45/2026")],
    "nothing_withdrawn": [orjson.dumps(RIGHT | {"state": "cancelled"})],
    "too_large": [orjson.dumps(RIGHT | {"words": "a" * MAX_RECEIPT_BYTES})],
}


@pytest.mark.parametrize(
    ("reason", "raw"),
    [
        pytest.param(reason, raw, id=f"{reason}-{number}")
        for reason, raws in WRONG.items()
        for number, raw in enumerate(raws)
    ],
)
def test_a_wrong_receipt_is_told_with_file_and_remedy_and_put_aside(commune: Commune, reason: str, raw: bytes) -> None:
    commune.put_raw(f"{NAME}.json", raw, seconds_old=400)
    with capture_logs() as logs, pytest.raises(Misunderstood) as wrong:
        commune.system.status(delivery())
    assert wrong.value.code == "commune.receipt_wrong"
    assert f"{NAME}.json: {REASONS[reason][1]}" in wrong.value.message
    assert wrong.value.evidence[:1000] == raw[:1000]
    assert [(entry["event"], entry["reason"]) for entry in logs] == [("commune.receipt_wrong", reason)]
    assert "Hòa" not in f"{wrong.value} {logs}"
    aside = commune.inbox / "wrong"
    assert (aside / f"{NAME}.json").read_bytes() == raw
    assert REASONS[reason][0] in (aside / f"{NAME}.txt").read_text()
    assert [file.name for file in commune.inbox.iterdir()] == ["wrong"]


def test_once_it_is_mended_the_receipt_counts(commune: Commune) -> None:
    commune.put("no such state")
    with pytest.raises(Misunderstood):
        commune.system.status(delivery())
    pending, after = commune.system.status(delivery()), commune.put("accepted")
    assert pending is not None and pending.state == "pending"
    mended = commune.system.status(delivery())
    assert mended is not None and mended.state == "accepted"
    assert not after.exists()


def test_a_paper_that_is_no_pdf_is_wrong_after_minutes(commune: Commune) -> None:
    commune.put_raw(f"{NAME}.pdf", b"<html>", seconds_old=400)
    commune.put("registered")
    with pytest.raises(Misunderstood, match="PDF"):
        commune.system.status(delivery())
    assert {file.name for file in (commune.inbox / "wrong").iterdir()} == {f"{NAME}{end}" for end in _ENDS}


_ENDS = (".json", ".pdf", ".txt")


def test_a_marker_vouches_for_half_a_receipt_only_once(commune: Commune) -> None:
    file = commune.put_raw(f"{NAME}.json", b'{"code"', seconds_old=0)
    commune.put_raw(f"{NAME}.json.ok", b"", seconds_old=0)
    with pytest.raises(Misunderstood):
        commune.system.status(delivery())
    assert not file.exists()
    assert not (commune.inbox / f"{NAME}.json.ok").exists(), "it would vouch for the next one"


def test_a_link_is_never_followed(commune: Commune, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(orjson.dumps(RIGHT))
    link = commune.inbox / f"{NAME}.json"
    link.symlink_to(secret)
    (commune.inbox / f"{NAME}.json.ok").touch()
    commune.age(commune.inbox / f"{NAME}.json.ok", -(10**9))
    with pytest.raises(Misunderstood) as wrong:
        commune.system.status(delivery())
    assert wrong.value.evidence == b""
    assert secret.read_bytes() == orjson.dumps(RIGHT)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_read(commune: Commune, make: Callable[[Path], None]) -> None:
    strange = commune.inbox / f"{NAME}.json"
    make(strange)
    commune.age(strange, 400)
    with pytest.raises(Misunderstood):
        commune.system.status(delivery())
    assert not strange.exists()


def test_a_wrong_directory_that_leads_elsewhere_is_not_written_to(commune: Commune, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (commune.inbox / "wrong").symlink_to(outside)
    commune.put("no such state")
    for _ in range(2):
        with pytest.raises(Misunderstood):
            commune.system.status(delivery())
    assert list(outside.iterdir()) == []


def test_a_link_in_the_outbox_is_not_written_through(commune: Commune, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (commune.outbox / f".{ENVELOPE.code}-v2.asice.part").symlink_to(victim)
    commune.system.submit(delivery(version=2))
    assert victim.read_bytes() == b"mine"
    assert (commune.outbox / f"{ENVELOPE.code}-v2.asice").read_bytes().startswith(b"PK")


def test_the_reason_is_not_written_through_a_link(commune: Commune, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (commune.inbox / "wrong").mkdir()
    (commune.inbox / "wrong" / f"{NAME}.txt").symlink_to(victim)
    commune.put("no such state")
    with pytest.raises(Misunderstood):
        commune.system.status(delivery())
    assert victim.read_bytes() == b"mine"
    assert REASONS["unknown_state"][0] in (commune.inbox / "wrong" / f"{NAME}.txt").read_text()


@pytest.mark.parametrize("name", ["ra", "vao"])
def test_a_missing_directory_is_a_mistake_of_ours_and_nothing_is_sent(
    commune: Commune, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).rename(tmp_path / "away")
    with pytest.raises(Misconfigured) as refused:
        commune.system.submit(delivery(version=2))
    assert refused.value.code == "commune.folder_missing"
    assert str(tmp_path / name) in refused.value.message
    assert not (tmp_path / name).exists(), "a mount point is not made up"
    (tmp_path / "away").rename(tmp_path / name)
    assert commune.waiting() == [f"{NAME}.asice"]
    commune.system.submit(delivery(version=2))
    assert commune.waiting() == [f"{NAME}.asice", f"{ENVELOPE.code}-v2.asice"]


def failing(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    """The operating system refuses a call from now on."""

    def refuse(*_given: Any, **_named: Any) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(folder_files.os, name, refuse)


@pytest.mark.parametrize(
    ("call", "number", "kind", "code"),
    [
        ("fsync", errno.ENOSPC, Unreachable, "commune.folder_full"),
        ("fsync", errno.EDQUOT, Unreachable, "commune.folder_full"),
        ("fsync", errno.EIO, Unreachable, "commune.folder_fails"),
        ("rename", errno.ESTALE, Unreachable, "commune.folder_fails"),
        ("rename", errno.EROFS, Misconfigured, "commune.folder_not_writable"),
        ("rename", errno.EACCES, Misconfigured, "commune.folder_not_writable"),
    ],
)
def test_what_a_disk_refuses_is_told_and_made_good_later(
    commune: Commune, monkeypatch: pytest.MonkeyPatch, call: str, number: int, kind: type[PortError], code: str
) -> None:
    with monkeypatch.context() as broken:
        failing(broken, call, number)
        with pytest.raises(kind) as refused:
            commune.system.submit(delivery(version=2))
    assert type(refused.value) is kind
    assert refused.value.code == code
    assert commune.waiting() == [f"{NAME}.asice"]
    commune.system.submit(delivery(version=2))
    assert commune.waiting() == [f"{NAME}.asice", f"{ENVELOPE.code}-v2.asice"]
    assert not list(commune.outbox.glob(".*"))


def test_an_inbox_that_cannot_be_emptied_is_told_and_no_receipt_is_lost(
    commune: Commune, monkeypatch: pytest.MonkeyPatch
) -> None:
    commune.put_raw(f"{NAME}.pdf", PDF)
    commune.put("registered")
    with monkeypatch.context() as broken:
        failing(broken, "rename", errno.EROFS)
        with pytest.raises(Misconfigured) as refused:
            commune.system.status(delivery())
    assert str(commune.inbox) in refused.value.message
    found = commune.system.status(delivery())
    assert found is not None
    assert (found.state, found.paper) == ("registered", PDF)
