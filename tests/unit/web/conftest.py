"""The invented world on a SQLite store, and clients signed in as each role."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.web.sessions import open_session
from tests.web_world import OTHER_HOSPITAL, PASSWORD, THERE, TestClient, World, add_people, birth, death

SignIn = Callable[[str], TestClient]


@pytest.fixture(scope="session")
def _people(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the people, made once: five argon2 hashes take half a second."""
    file = tmp_path_factory.mktemp("people") / "people.sqlite"
    shutil.copy(_sqlite_template, file)
    store = Store.open(f"sqlite:///{file}")
    add_people(store)
    store.close()
    return file


@pytest.fixture
def world(_people: Path, tmp_path: Path, vault: Vault, clock: object) -> Iterator[World]:
    """Four dossiers: a birth and a death here, a birth there, one refused."""
    file = tmp_path / "web.sqlite"
    shutil.copy(_people, file)
    store = Store.open(f"sqlite:///{file}")
    made = World(store, vault, clock)
    made.add_dossier("hs-sinh", birth())
    made.add_dossier("hs-tu", death(), "accepted")
    made.add_dossier("hs-xa-khac", birth(THERE, meHoTen="Người Xã Khác"), feed=OTHER_HOSPITAL)
    made.add_dossier("hs-tu-choi", birth(register_by="2026-12-30", meHoTen="Mẹ Bị Từ Chối"), "refused")
    yield made
    store.close()


def csrf_of(html: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', html)
    assert found
    return found[1]


def enter(client: TestClient, name: str, password: str = PASSWORD, onward: str = "/") -> object:
    """Sign in through the form; the answer of the post."""
    token = csrf_of(client.get("/dang-nhap").text)
    form = {"csrf": token, "ten": name, "mat_khau": password, "tiep": onward}
    return client.post("/dang-nhap", data=form, follow_redirects=False)


@pytest.fixture
def anyone(world: World) -> TestClient:
    """A browser nobody signed in with."""
    return TestClient(world.app)


@pytest.fixture
def sign_in(world: World) -> SignIn:
    """Makes a client with a session of the named person, without the costly password."""

    def make(name: str) -> TestClient:
        with world.store.write() as conn:
            cookie = open_session(conn, name, world.now, world.options.session_hours)
        return TestClient(world.app, cookies={"hotich": cookie})

    return make
