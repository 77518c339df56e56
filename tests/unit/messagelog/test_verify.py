"""Tampering of every kind is found and named, in a live store and in an export; honest logs are intact."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.messagelog.audit import verify_store
from gateway.messagelog.chain import NewEntry, append, erase
from gateway.messagelog.checkpoint import CheckpointKey, make_checkpoint
from gateway.messagelog.export import export
from gateway.messagelog.verify import Fault, main, read_checkpoint, read_key, verify_export
from gateway.store.session import Store, execute
from gateway.store.vault import Vault

RAW = "Lý Thị Mận, 999000000002".encode()
KINDS = ("received", "prepared", "forwarded")


def _fill(store: Store, vault: Vault, writer: str = "gw", count: int = 10, at: int = 0) -> None:
    with store.write() as conn:
        for number in range(count):
            entry = NewEntry(KINDS[number % 3], "", {"n": number}, RAW + b"%d" % number if number % 2 == 0 else None)
            append(conn, vault, writer, at + number, [entry])


def _change(store: Store, *statements: str) -> None:
    with store.write() as conn:
        for statement in statements:
            execute(conn, statement)


def _faults(store: Store, vault: Vault, more: tuple[str, ...] = ()) -> list[tuple[str, int, int]]:
    return [(fault.kind, fault.first, fault.last) for fault in verify_store(store, vault, more).faults]


def test_an_honest_log_is_intact_and_says_how_much_is_signed(store: Store, vault: Vault) -> None:
    _fill(store, vault)
    _fill(store, vault, "other", 3)
    make_checkpoint(store, vault, "gw", 100)
    report = verify_store(store, vault)
    assert (report.intact, report.entries, report.payloads, report.signed) == (True, 14, 7, 13)
    assert report.lines()[-1] == "INTACT"


def test_an_empty_log_is_intact(store: Store, vault: Vault) -> None:
    assert verify_store(store, vault).intact


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["""UPDATE entry SET meta = '{"n":99}' WHERE seq = 4"""], [("altered", 4, 4)]),
        (["UPDATE entry SET at = at + 1 WHERE seq = 4"], [("altered", 4, 4)]),
        (["UPDATE entry SET kind = 'read' WHERE seq = 4"], [("altered", 4, 4)]),
        (["UPDATE entry SET subject = 'c1' WHERE seq = 10"], [("altered", 10, 10)]),
        (["UPDATE payload SET sealed = (SELECT sealed FROM payload WHERE seq = 3) WHERE seq = 5"], [("payload", 5, 5)]),
        (["UPDATE payload SET salt = (SELECT salt FROM payload WHERE seq = 3) WHERE seq = 5"], [("payload", 5, 5)]),
        (["UPDATE payload SET seq = 2 WHERE seq = 3"], [("payload", 2, 2)]),
        (["DELETE FROM entry WHERE seq IN (4, 5)"], [("missing", 4, 5)]),
        (["DELETE FROM entry WHERE seq = 1"], [("missing", 1, 1)]),
        (["DELETE FROM entry WHERE seq > 8"], [("cut_off", 9, 10)]),
        (["DELETE FROM entry"], [("cut_off", 1, 10)]),
        (
            ["UPDATE entry SET seq = 99 WHERE seq = 4", "UPDATE entry SET seq = 4 WHERE seq = 6",
             "UPDATE entry SET seq = 6 WHERE seq = 99"],
            [("altered", 4, 4), ("altered", 5, 5), ("altered", 6, 6), ("altered", 7, 7)],
        ),
    ],
    ids=["meta", "time", "kind", "subject", "payload swapped", "salt", "payload moved", "middle deleted",
         "first deleted", "tail deleted", "all deleted", "re-ordered"],
)  # fmt: skip
def test_tampering_is_found_and_named(
    store: Store, vault: Vault, statements: list[str], found: list[tuple[str, int, int]]
) -> None:
    _fill(store, vault)
    _change(store, *statements)
    assert [fault for fault in _faults(store, vault) if fault[0] != "payload" or "payload" in str(found)] == found


def test_an_altered_payload_is_found(store: Store, vault: Vault) -> None:
    _fill(store, vault)
    sealed = vault.seal(b"another message")
    with store.write() as conn:
        execute(conn, "UPDATE payload SET sealed = ? WHERE seq = ?", (sealed, 3))
        execute(conn, "UPDATE payload SET sealed = ? WHERE seq = ?", (b"garbage", 5))
    assert _faults(store, vault) == [("payload", 3, 3), ("payload", 5, 5)]


def _cut_cleanly(store: Store) -> None:
    """Cut the tail as somebody would who knows about the head."""
    _change(
        store,
        "DELETE FROM payload WHERE seq > 8",
        "DELETE FROM entry WHERE seq > 8",
        "UPDATE chain SET seq = 8, hash = (SELECT hash FROM entry WHERE seq = 8)",
    )


def test_a_tail_cut_off_cleanly_shows_against_a_checkpoint(store: Store, vault: Vault) -> None:
    _fill(store, vault)
    make_checkpoint(store, vault, "gw", 100)
    _cut_cleanly(store)
    assert _faults(store, vault) == [("cut_off", 9, 10)]


def test_a_tail_cut_off_with_its_checkpoint_shows_against_one_kept_elsewhere(store: Store, vault: Vault) -> None:
    _fill(store, vault)
    kept_elsewhere = make_checkpoint(store, vault, "gw", 100)
    _cut_cleanly(store)
    _change(store, "DELETE FROM checkpoint")
    assert _faults(store, vault) == []
    assert _faults(store, vault, (kept_elsewhere,)) == [("cut_off", 9, 10)]


def test_a_chain_made_anew_shows_against_a_checkpoint(store: Store, vault: Vault) -> None:
    _fill(store, vault)
    make_checkpoint(store, vault, "gw", 100)
    _change(store, "DELETE FROM payload", "DELETE FROM entry", "DELETE FROM chain")
    _fill(store, vault, at=1)
    assert _faults(store, vault) == [("rewritten", 10, 10)]


def test_a_chain_that_vanished_shows_against_a_checkpoint(store: Store, vault: Vault) -> None:
    _fill(store, vault)
    make_checkpoint(store, vault, "gw", 100)
    _change(store, "DELETE FROM payload", "DELETE FROM entry", "DELETE FROM chain")
    assert _faults(store, vault) == [("cut_off", 1, 10)]


def test_a_checkpoint_of_another_key_is_no_checkpoint(store: Store, vault: Vault, tmp_path: Path) -> None:
    _fill(store, vault)
    forged = CheckpointKey.open(tmp_path).sign(b'{"at": 1, "entries": 0, "heads": {}}')
    assert _faults(store, vault, (forged, "nonsense", "a.b.c")) == [
        ("forged", 1, 1),
        ("forged", 2, 2),
        ("forged", 3, 3),
    ]


def test_a_checkpoint_with_one_changed_character_is_no_checkpoint(store: Store, vault: Vault) -> None:
    _fill(store, vault)
    signed = make_checkpoint(store, vault, "gw", 100)
    key = read_key(CheckpointKey.open(vault.directory).public_pem)
    assert read_checkpoint(signed, key) is not None
    middle = len(signed) // 2
    changed = signed[:middle] + ("A" if signed[middle] != "A" else "B") + signed[middle + 1 :]
    assert read_checkpoint(changed, key) is None


def test_payloads_can_be_left_alone(store: Store, vault: Vault) -> None:
    _fill(store, vault)
    report = verify_store(store, vault, payloads=False)
    assert (report.intact, report.payloads, report.unread) == (True, 0, 5)


@pytest.fixture
def exported(store: Store, vault: Vault, tmp_path: Path) -> Callable[..., Path]:
    def write(since: int = 0, until: int = 1_000) -> Path:
        directory = tmp_path / f"export-{since}-{until}"
        export(store, vault, since, until, directory)
        return directory

    return write


def _verified(directory: Path, more: tuple[str, ...] = ()) -> list[Fault]:
    return verify_export(directory, read_key((directory / "checkpoint-key.pem").read_bytes()), more).faults


@pytest.mark.parametrize(("since", "until"), [(0, 1_000), (3, 7), (0, 5), (5, 1_000), (500, 600)])
def test_any_period_exports_and_verifies(
    store: Store, vault: Vault, exported: Callable[..., Path], since: int, until: int
) -> None:
    _fill(store, vault)
    _fill(store, vault, "other", 3)
    make_checkpoint(store, vault, "gw", 6)
    make_checkpoint(store, vault, "gw", 100)
    assert _verified(exported(since, until)) == []


def test_an_export_names_what_was_changed_in_it(store: Store, vault: Vault, exported: Callable[..., Path]) -> None:
    import sqlite3

    _fill(store, vault)
    with store.write() as conn:
        erase(conn, "gw.1")
    make_checkpoint(store, vault, "gw", 100)
    directory = exported()
    with closing(sqlite3.connect(directory / "log.sqlite")) as database, database:
        database.execute("UPDATE entry SET kind = 'read' WHERE seq = 2")
        database.execute("UPDATE payload SET body = x'00' WHERE seq = 3")
        database.execute("DELETE FROM entry WHERE seq = 5")
        database.execute("DELETE FROM entry WHERE seq > 9")
    found = [(fault.kind, fault.first, fault.last) for fault in _verified(directory)]
    assert found == [("altered", 2, 2), ("payload", 3, 3), ("missing", 5, 5), ("cut_off", 10, 10)]


def test_values_of_another_type_are_alterations_and_no_crash(
    store: Store, vault: Vault, exported: Callable[..., Path]
) -> None:
    import sqlite3

    _fill(store, vault)
    make_checkpoint(store, vault, "gw", 100)
    directory = exported()
    with closing(sqlite3.connect(directory / "log.sqlite")) as database, database:
        database.execute("UPDATE entry SET at = 'noon' WHERE seq = 2")
        database.execute("UPDATE payload SET body = body || 'x' WHERE seq = 3")
        database.execute("UPDATE entry SET digest = 'none' WHERE seq = 5")
    found = [(fault.kind, fault.first, fault.last) for fault in _verified(directory)]
    assert found == [("altered", 2, 2), ("payload", 3, 3), ("altered", 5, 5), ("payload", 5, 5)]


def test_a_checkpoint_made_after_the_period_does_not_ask_for_later_entries(
    store: Store, vault: Vault, exported: Callable[..., Path]
) -> None:
    _fill(store, vault)
    make_checkpoint(store, vault, "gw", 20)
    directory = exported(0, 50)
    elsewhere = make_checkpoint(store, vault, "gw", 100)
    assert _verified(directory, (elsewhere,)) == []


def test_the_verifier_runs_alone(store: Store, vault: Vault, exported: Callable[..., Path], tmp_path: Path) -> None:
    _fill(store, vault)
    make_checkpoint(store, vault, "gw", 100)
    directory = exported()
    # -I: neither this directory nor the environment's paths, so nothing of the gateway can be imported by accident.
    ran = subprocess.run(
        [sys.executable, "-I", "verify.py", "."], cwd=directory, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (0, "INTACT")
    source = (directory / "verify.py").read_text(encoding="utf-8")
    assert "import gateway" not in source
    assert "from gateway" not in source


def test_the_verifier_answers_by_exit_code(
    store: Store, vault: Vault, exported: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _fill(store, vault)
    directory = exported(0, 50)
    assert main([str(directory)]) == 0
    other = tmp_path / "other.pem"
    other.write_bytes(CheckpointKey.open(tmp_path).public_pem)
    make_checkpoint(store, vault, "gw", 100)
    elsewhere = tmp_path / "checkpoint"
    elsewhere.write_text(make_checkpoint(store, vault, "gw", 101))
    assert main([str(directory), "--checkpoint", str(elsewhere)]) == 0  # it signs entries after the period
    assert main([str(directory), "--key", str(other), "--checkpoint", str(elsewhere)]) == 1
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "NOT INTACT" in capsys.readouterr().out


def test_an_export_never_overwrites(store: Store, vault: Vault, exported: Callable[..., Path]) -> None:
    exported()
    with pytest.raises(FileExistsError):
        exported()
