"""The store: transactions, lost races, rows by the many."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.errors import Conflict
from gateway.store.session import Store, execute, execute_many, insert_rows, now_us, ring_after_commit, stream
from tests.conftest import StillClock

ADD = "INSERT INTO chain (writer, seq, hash) VALUES (?, ?, ?)"


def _writers(store: Store) -> list[str]:
    with store.read() as conn:
        return [row[0] for row in execute(conn, "SELECT writer FROM chain ORDER BY writer").fetchall()]


def test_a_block_that_ends_is_committed(store: Store) -> None:
    with store.write() as conn:
        execute(conn, ADD, ("a", 1, b""))
    assert _writers(store) == ["a"]


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as conn:
            execute(conn, ADD, ("a", 1, b""))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert _writers(store) == []


def test_a_read_cannot_write(store: Store) -> None:
    with pytest.raises(DBAPIError), store.read() as conn:
        execute(conn, ADD, ("a", 1, b""))


def test_a_read_sees_one_moment(store: Store) -> None:
    with store.read() as conn:
        before = execute(conn, "SELECT COUNT(*) FROM chain").fetchone()
        with store.write() as other:
            execute(other, ADD, ("a", 1, b""))
        assert execute(conn, "SELECT COUNT(*) FROM chain").fetchone() == before


def test_an_error_of_the_database_tells_no_values(store: Store) -> None:
    def twice() -> None:
        with store.write() as conn:
            execute_many(conn, ADD, [("Nguyễn Văn Ẩn", 1, b"")] * 2)

    with pytest.raises(DBAPIError) as error:
        twice()
    assert "[SQL" not in str(error.value)
    if store.is_sqlite:
        assert "Ẩn" not in str(error.value)


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 200])
def test_many_rows_are_inserted_and_counted(store: Store, count: int) -> None:
    rows = [(f"w{number:03d}", number, b"") for number in range(count)]
    with store.write() as conn:
        assert insert_rows(conn, "chain (writer, seq, hash)", rows) == count
    assert _writers(store) == [row[0] for row in rows]


def test_rows_that_were_there_are_not_counted(store: Store) -> None:
    with store.write() as conn:
        execute(conn, ADD, ("w5", 1, b""))
        rows = [(f"w{number}", 2, b"") for number in range(10)]
        assert insert_rows(conn, "chain (writer, seq, hash)", rows, "ON CONFLICT DO NOTHING") == 9


def test_a_large_result_streams(store: Store) -> None:
    with store.write() as conn:
        insert_rows(conn, "chain (writer, seq, hash)", [(f"w{number}", number, b"") for number in range(5_000)])
    with store.read() as conn:
        assert sum(1 for _ in stream(conn, "SELECT writer FROM chain WHERE seq >= ?", (1_000,))) == 4_000


def test_writers_take_turns(store: Store) -> None:
    with store.write() as conn:
        execute(conn, ADD, ("sum", 0, b""))

    def add() -> None:
        for _ in range(25):
            with store.write() as conn:
                execute(conn, "UPDATE chain SET seq = seq + 1 WHERE writer = ?", ("sum",))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as conn:
        assert execute(conn, "SELECT seq FROM chain").fetchone()[0] == 100


def test_writing_within_writing_is_an_error_and_not_a_standstill(database: str) -> None:
    store = Store.open(database)
    if store.is_sqlite:
        with store.write(), pytest.raises(RuntimeError), store.write():
            pass
        with store.write():
            pass  # and the turn was given back
    store.close()


def test_a_deadlock_is_a_conflict(store: Store) -> None:
    if store.is_sqlite:
        return  # one writer at a time cannot lock another out
    with store.write() as conn:
        execute_many(conn, ADD, [("a", 0, b""), ("b", 0, b"")])
    both = threading.Barrier(2)
    lost: list[Conflict] = []

    def cross(first: str, second: str) -> None:
        try:
            with store.write() as conn:
                execute(conn, "UPDATE chain SET seq = 1 WHERE writer = ?", (first,))
                both.wait()
                execute(conn, "UPDATE chain SET seq = 1 WHERE writer = ?", (second,))
        except Conflict as conflict:
            lost.append(conflict)

    threads = [threading.Thread(target=cross, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [conflict.code for conflict in lost] == ["store.conflict"]


def test_another_process_hears_the_bell_on_postgresql(store: Store, database: str) -> None:
    other = Store.open(database)
    other.bell.listen()
    other.bell.wait(2.0)  # it says so when it listens
    with store.write() as conn:
        execute(conn, ADD, ("a", 1, b""))
        ring_after_commit(conn)
    assert store.bell.wait(5.0)
    assert other.bell.wait(0.0 if store.is_sqlite else 5.0) is not store.is_sqlite
    other.close()


def test_the_bell_is_silent_after_a_rollback(store: Store) -> None:
    def fail() -> None:
        with store.write() as conn:
            ring_after_commit(conn)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with store.write() as conn:
        execute(conn, ADD, ("a", 1, b""))
    assert not store.bell.wait(0.0)


def test_sqlite_is_on_the_disk_when_it_says_so(store: Store) -> None:
    if store.is_sqlite:
        with store.write() as conn:
            assert conn.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
            assert conn.execute(text("PRAGMA synchronous")).scalar_one() == 2  # FULL
            assert conn.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


def test_an_instant_is_whole_microseconds() -> None:
    clock = StillClock(datetime(2026, 11, 23, 3, 0, 0, 123_457, tzinfo=UTC))
    assert now_us(clock) == 1_795_402_800_123_457
