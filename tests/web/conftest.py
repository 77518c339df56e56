"""A real browser before a real server: Debian's chromium, driven by playwright, JavaScript switched off."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Response, sync_playwright

from gateway.store.session import Store
from gateway.store.vault import Vault
from tests.web_world import HERE, PASSWORD, THERE, World, add_people, birth, death

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
Visit = Callable[[str], Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser; without one these tests fail, they are not skipped. It lives as long as one file's tests: playwright
    keeps an event loop running in this thread, under which no other test could start its own."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    assert found, "no browser: run `apt-get install -y chromium`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def world(_sqlite_template: Path, tmp_path: Path, vault: Vault, clock: object) -> Iterator[World]:
    """Two dossiers of this commune, one of another."""
    file = tmp_path / "browser.sqlite"
    shutil.copy(_sqlite_template, file)
    store = Store.open(f"sqlite:///{file}")
    add_people(store)
    made = World(store, vault, clock)
    made.add_dossier("3f9c1d2ab47e60915c21", birth(HERE))
    made.add_dossier("a81c33d09b7e5f42c6d1", death(HERE))
    made.add_dossier("c0ffee00000000000001", birth(THERE, meHoTen="Người Xã Khác"))
    yield made
    store.close()


@pytest.fixture
def site(world: World) -> Iterator[str]:
    """The application on a free port of this machine."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(world.app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def _is_broken(answer: Response) -> bool:
    return answer.status >= 500 or ("/static/" in answer.url and answer.status >= 400)


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Visit]:
    """Makes a page of a person signed in through the form; a missing style sheet or a server error fails the test."""
    contexts = []
    complaints: list[str] = []

    def make(name: str) -> Page:
        context = chromium.new_context(java_script_enabled=False, base_url=site, locale="vi-VN")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("response", lambda answer: complaints.append(answer.url) if _is_broken(answer) else None)
        page.goto("/")
        page.get_by_label("Tên đăng nhập").fill(name)
        page.get_by_label("Mật khẩu").fill(PASSWORD)
        page.get_by_role("button", name="Đăng nhập").click()
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []
