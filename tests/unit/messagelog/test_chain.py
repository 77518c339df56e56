"""The evidence log: numbered, linked, payloads sealed and erasable."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.messagelog.audit import verify_store
from gateway.messagelog.chain import NewEntry, append, entries_of, erase, payload_of, split_ref
from gateway.store.session import Store, execute
from gateway.store.vault import Vault

RAW = "MSH|^~\\&|… Nguyễn Văn Ẩn".encode()


def test_entries_are_numbered_by_writer(store: Store, vault: Vault) -> None:
    with store.write() as conn:
        assert append(conn, vault, "gw", 1, [NewEntry("received", "", {}, RAW)] * 2) == ["gw.1", "gw.2"]
        assert append(conn, vault, "gw/worker-1", 1, [NewEntry("prepared", "c1", {})]) == ["gw/worker-1.1"]
        assert append(conn, vault, "gw", 2, []) == []
        assert append(conn, vault, "gw", 2, [NewEntry("read", "c1", {"who": "lan"})]) == ["gw.3"]


def test_a_payload_is_sealed_and_comes_back(store: Store, vault: Vault) -> None:
    with store.write() as conn:
        (ref,) = append(conn, vault, "gw", 1, [NewEntry("received", "", {}, RAW)])
    with store.read() as conn:
        assert payload_of(conn, vault, ref) == RAW
        assert RAW not in bytes(execute(conn, "SELECT sealed FROM payload").fetchone()[0])


def test_an_entry_without_a_subject_is_about_itself(store: Store, vault: Vault) -> None:
    with store.write() as conn:
        append(conn, vault, "gw", 7, [NewEntry("received", "", {"type": "ADT^A01"}, RAW), NewEntry("read", "c9", {})])
    with store.read() as conn:
        (entry,) = entries_of(conn, "gw.1")
        assert (entry.ref, entry.kind, entry.at, entry.meta) == ("gw.1", "received", 7, {"type": "ADT^A01"})


def test_entries_of_a_subject_come_in_the_order_they_happened(store: Store, vault: Vault) -> None:
    with store.write() as conn:
        append(conn, vault, "b", 1, [NewEntry("correlated", "case", {})])
        append(conn, vault, "a", 2, [NewEntry("identified", "case", {}), NewEntry("prepared", "case", {})])
    with store.read() as conn:
        assert [entry.kind for entry in entries_of(conn, "case")] == ["correlated", "identified", "prepared"]


def test_erased_data_are_gone_and_the_chain_still_verifies(store: Store, vault: Vault) -> None:
    with store.write() as conn:
        append(conn, vault, "gw", 1, [NewEntry("received", "", {}, RAW)] * 2)
    with store.write() as conn:
        assert erase(conn, "gw.1")
        assert not erase(conn, "gw.1")
    with store.read() as conn, pytest.raises(GatewayError) as gone:
        payload_of(conn, vault, "gw.1")
    assert gone.value.code == "log.no_payload"
    report = verify_store(store, vault)
    assert (report.intact, report.erased, report.payloads) == (True, 1, 1)


def test_equal_payloads_have_different_digests(store: Store, vault: Vault) -> None:
    with store.write() as conn:
        append(conn, vault, "gw", 1, [NewEntry("received", "", {}, RAW)] * 2)
        digests = {bytes(row[0]) for row in execute(conn, "SELECT digest FROM entry").fetchall()}
    assert len(digests) == 2


def test_what_rolls_back_was_never_logged(store: Store, vault: Vault) -> None:
    def fail() -> None:
        with store.write() as conn:
            append(conn, vault, "gw", 1, [NewEntry("received", "", {}, RAW)])
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with store.write() as conn:
        assert append(conn, vault, "gw", 1, [NewEntry("received", "", {}, RAW)]) == ["gw.1"]
    assert verify_store(store, vault).intact


def test_two_appenders_of_one_writer_take_turns(database: str, vault: Vault) -> None:
    stores = [Store.open(database), Store.open(database)]

    def add(store: Store) -> None:
        for _ in range(20):
            with store.write() as conn:
                append(conn, vault, "gw", 1, [NewEntry("received", "", {}, RAW)])

    threads = [threading.Thread(target=add, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = verify_store(stores[0], vault)
    assert (report.intact, report.heads["gw"][0]) == (True, 40)
    for store in stores:
        store.close()


@pytest.mark.parametrize("ref", ["", "gw", "gw.", "gw.x", "gw.-1", "gw.²"])
def test_a_bad_reference_is_refused(ref: str) -> None:
    with pytest.raises(GatewayError):
        split_ref(ref)


def test_a_writer_may_have_dots(tmp_path: Path) -> None:
    assert split_ref("host.example.12") == ("host.example", 12)
