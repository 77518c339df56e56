"""The store: one schema on SQLite (one machine) or PostgreSQL (many), read and written in short transactions.

SQLite runs in WAL mode with synchronous=FULL, so that a commit is on the disk; writers take turns by a lock of the
process and BEGIN IMMEDIATE between processes. A read sees one moment of the database on both engines.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from gateway.errors import Conflict, SettingsError
from gateway.ports.clock import Clock
from gateway.store.bell import Bell

_BUSY_MS = 15_000
_POOL = 20
_ROWS_A_STATEMENT = 64
_STREAM_ROWS = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TRY_AGAIN = {"40001", "40P01"}
"""SQLSTATE of PostgreSQL: serialization failure and deadlock. Whoever gets one lost a race and runs again."""


def now_us(clock: Clock) -> int:
    """The clock's instant as integer microseconds since 1970 UTC."""
    return (clock.now() - _EPOCH) // _MICROSECOND


class Store:
    """The application's database. Open one per process and share it among threads."""

    def __init__(self, reader: Engine, writer: Engine, bell: Bell) -> None:
        self._reader = reader
        self._writer = writer
        self.bell = bell
        self.is_sqlite = writer.dialect.name == "sqlite"
        self._turn = threading.Lock()
        self._turn_of: int | None = None
        # A command that ends without close() leaves no connection behind.
        self._disposed = weakref.finalize(self, _dispose, reader, writer)

    @classmethod
    def open(cls, url: str) -> Store:
        """Open `sqlite:///path/to/file` or `postgresql://user@host/name`; SettingsError for any other address."""
        try:
            address = make_url(url)
        except ArgumentError:
            raise SettingsError("settings.database", "the database address is not a URL") from None
        if address.get_backend_name() == "sqlite":
            if not address.database or address.database == ":memory:":
                raise SettingsError("settings.database", "SQLite needs a file: sqlite:///path/to/hotich.sqlite")
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
            return cls(_sqlite(url, writes=False), _sqlite(url, writes=True), Bell())
        if address.get_backend_name() == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
            plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
            engine = create_engine(
                address, pool_size=_POOL, max_overflow=_POOL, pool_pre_ping=True, hide_parameters=True
            )
            reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return cls(reader, engine, Bell(plain))
        raise SettingsError("settings.database", "the database is neither SQLite nor PostgreSQL")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction that sees one moment. Writing in it is an error."""
        with _errors(self._reader), self._reader.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: commits when the block ends, rolls back when it raises. Keep it short; do not nest.

        Raises Conflict when another writer was first (deadlock, database busy): the whole work may simply run again.
        """
        if not self.is_sqlite:
            with _errors(self._writer), self._writer.connect() as conn:
                yield from self._transaction(conn)
            return
        if self._turn_of == threading.get_ident():
            raise RuntimeError("store.write() inside store.write() would wait for itself")
        with self._turn:
            self._turn_of = threading.get_ident()
            try:
                with _errors(self._writer), self._writer.connect() as conn:
                    yield from self._transaction(conn)
            finally:
                self._turn_of = None

    def _transaction(self, conn: Connection) -> Iterator[Connection]:
        conn.info.pop("ring", None)
        with conn.begin():
            yield conn
        if conn.info.pop("ring", False):
            self.bell.ring()

    def migrate(self) -> None:
        """Bring the schema to this program's version. Safe to call from several processes at once. Raises SettingsError
        when the database cannot be reached."""
        from gateway.store.schema import migrate

        with _reached(self._writer), self.write() as conn:
            migrate(conn)

    def check(self) -> None:
        """Raises SettingsError when the schema is not exactly this program's, or the database cannot be reached."""
        from gateway.store.schema import check_schema

        with _reached(self._writer), self.read() as conn:
            check_schema(conn)

    def close(self) -> None:
        """Close all connections."""
        self.bell.close()
        self._disposed()


def _dispose(*engines: Engine) -> None:
    for engine in engines:
        engine.dispose()


def ring_after_commit(conn: Connection) -> None:
    """Work was put: wake the workers once this transaction is committed."""
    conn.info["ring"] = True


def driver_sql(conn: Connection, sql: str) -> str:
    """`sql` written with `?` placeholders, in the driver's own style. `sql` has no other question or percent sign."""
    return sql if conn.dialect.name == "sqlite" else sql.replace("?", "%s")


def execute(conn: Connection, sql: str, values: Sequence[Any] = ()) -> Any:
    """Run `sql` (with `?` placeholders) on the driver itself and return its cursor. For hot paths: SQLAlchemy's own way
    costs ten times as much a statement."""
    cursor = conn.connection.cursor()
    cursor.execute(driver_sql(conn, sql), values)
    return cursor


def stream(conn: Connection, sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
    """The rows of a large result, without holding all of them in memory."""
    if conn.dialect.name == "sqlite":
        yield from execute(conn, sql, values)
        return
    driver: Any = conn.connection.driver_connection
    with driver.cursor(name="stream") as cursor:
        cursor.itersize = _STREAM_ROWS
        cursor.execute(driver_sql(conn, sql), values)
        yield from cursor


def execute_many(conn: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> int:
    """Run `sql` (with `?` placeholders) for every row on the driver itself; returns how many rows changed."""
    if not rows:
        return 0
    cursor = conn.connection.cursor()
    cursor.executemany(driver_sql(conn, sql), rows)
    return int(cursor.rowcount)


def insert_rows(conn: Connection, into: str, rows: Sequence[tuple[Any, ...]], tail: str = "") -> int:
    """`INSERT INTO <into> VALUES <rows> <tail>`, many rows a statement; returns how many were inserted.

    A statement lets go of the interpreter's lock once a row when run by `executemany`; beside a busy event loop each of
    those is a wait. The sizes are powers of two, so that the few different statements stay prepared.
    """
    one = f"({', '.join('?' * len(rows[0]))})" if rows else ""
    done = inserted = 0
    while done < len(rows):
        size = min(_ROWS_A_STATEMENT, 1 << ((len(rows) - done).bit_length() - 1))
        values = [value for row in rows[done : done + size] for value in row]
        inserted += execute(conn, f"INSERT INTO {into} VALUES {', '.join([one] * size)} {tail}", values).rowcount
        done += size
    return inserted


def _sqlite(url: str, writes: bool) -> Engine:
    # One writing connection: SQLite has one writer anyway, and a waiting thread then waits in the process's lock.
    size, more = (1, 0) if writes else (_POOL, _POOL)
    how = {"check_same_thread": False, "isolation_level": None}
    engine = create_engine(
        url, poolclass=QueuePool, pool_size=size, max_overflow=more, connect_args=how, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        pragmas = [f"busy_timeout = {_BUSY_MS}", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"]
        for pragma in pragmas + ([] if writes else ["query_only = ON"]):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        # The driver is in autocommit mode (isolation_level None): it would begin too late, and never IMMEDIATE.
        execute(conn, "BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _reached(engine: Engine) -> Iterator[None]:
    """The first use of a database: what is wrong there is wrong with the settings, or with what they name."""
    try:
        yield
    except OperationalError as error:
        where = engine.url.render_as_string(hide_password=True)
        first = str(error.orig).partition("\n")[0]
        raise SettingsError("settings.database_unreachable", f"database {where} cannot be used: {first}") from error


@contextmanager
def _errors(engine: Engine) -> Iterator[None]:
    """Give errors of the driver the one shape of SQLAlchemy's, and lost races that of a Conflict."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if getattr(cause, "sqlstate", None) in _TRY_AGAIN:
            raise Conflict("store.conflict", "another transaction was first") from error
        if getattr(cause, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
            raise Conflict("store.conflict", "the database was busy") from error
        if isinstance(error, DBAPIError):
            raise
        driver_error = engine.dialect.loaded_dbapi.Error
        raise DBAPIError.instance("", None, error, driver_error, True, dialect=engine.dialect) from error
