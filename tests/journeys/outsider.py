"""Somebody outside who knows the gateway by its documentation only: sends messages, reads the API, uses the pages.

Every address asked for is kept in `asked`, what machines were told of errors in `told`: both are searched for names.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from lxml import html

from gateway.cli.samples import samples_directory
from gateway.cli.sending import MEDIA, Receipt, send_http, send_mllp
from gateway.web.pages.words import LOG_KINDS
from tests.serving_child import Server, wait_until

PASSWORD = "mật khẩu rất dài 12"
OFFICER, STRANGER, AUDITOR = "can-bo", "can-bo-xa-khac", "kiem-tra"
PEOPLE = {
    OFFICER: ("officer", "--commune", "*"),
    STRANGER: ("officer", "--commune", "24211"),
    AUDITOR: ("auditor",),
}
_KINDS = {words: kind for kind, words in LOG_KINDS.items()}


def sample(path: str) -> bytes:
    """A sample message as it lies in its folder."""
    return (samples_directory() / path).read_bytes()


def segments(answer: bytes) -> dict[str, list[str]]:
    """An acknowledgement's segments by name, each as its fields; field 0 is the name."""
    lines = [line for line in answer.decode().strip("\x0b\x1c\r\n").split("\r") if line]
    return {line[:3]: line.split("|") for line in lines}


class Outsider:
    """One hospital, one officer and one auditor before one running gateway."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.asked: list[str] = []
        self.told: list[str] = []
        self.token = ""
        self.auditor: Browser | None = None
        self.people: set[str] = set()
        self.browsers: list[Browser] = []

    def prepare(self) -> None:
        """What an operator does after installing. All at once, as every command takes a second to start."""
        run = self.server.right
        with ThreadPoolExecutor() as at_once:
            loading = at_once.submit(run, "population", "load", samples_directory() / "population.csv")
            token = at_once.submit(run, "token", "create", "--role", "hospital", "--facility", "99001")
            self.token = token.result().strip()
            loading.result()

    def add_person(self, name: str) -> None:
        """Give a person an account, once."""
        if name not in self.people:
            self.server.right("user", "add", name, "--role", *PEOPLE[name], password=PASSWORD)
            self.people.add(name)

    def close(self) -> None:
        """Close every browser."""
        for browser in self.browsers:
            browser.client.close()

    def client(self, token: str = "") -> httpx.Client:
        """A client that follows nothing by itself and remembers where it went."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        hooks: dict[str, list[Any]] = {"request": [self._note_request], "response": [self._note_response]}
        return httpx.Client(base_url=self.server.http, headers=headers, event_hooks=hooks, timeout=30)

    def _note_request(self, request: httpx.Request) -> None:
        self.asked.append(str(request.url))

    def _note_response(self, response: httpx.Response) -> None:
        self.asked.append(response.headers.get("location", ""))
        if response.status_code >= 400 and "html" not in response.headers.get("content-type", ""):
            self.told.append(response.read().decode())

    def mllp_send(self, file: Path) -> bytes:
        """The `hl7` package's own client, another people's program; what it printed."""
        program = Path(sys.executable).with_name("mllp_send")
        command: list[str | Path] = [
            program,
            "--loose",
            "--file",
            file,
            "--port",
            str(self.server.ports[0]),
            "127.0.0.1",
        ]
        return subprocess.run(command, capture_output=True, check=True, timeout=30).stdout

    def logged(self, subject: str) -> list[dict[str, Any]]:
        """What the auditor's page tells about a message or case: each entry's number, kind and facts."""
        if self.auditor is None:
            self.auditor = self.sign_in(AUDITOR)
        self.auditor.open(f"/nhat-ky?ma={subject}")
        rows = [[cell.text_content() for cell in row] for row in self.auditor.page.xpath("//tbody/tr")]
        return [{"ref": row[0], "kind": _KINDS[row[2]], "meta": json.loads(row[4])} for row in rows]

    def mllp(self, *messages: bytes) -> list[Receipt]:
        """Over one connection, one after the other."""
        return send_mllp("127.0.0.1", self.server.ports[0], list(messages))

    def post(self, path: str, raw: bytes, token: str | None = None) -> httpx.Response:
        """Hand in over HTTP with the hospital's token."""
        media = MEDIA[path.split("/")[1]]
        with self.client(self.token if token is None else token) as client:
            return client.post(path, content=raw, headers={"Content-Type": media})

    def send_sample(self, file: Path, send: str) -> Receipt:
        """Send a sample file the way its case.toml says."""
        raw = file.read_bytes()
        if send == "mllp":
            (receipt,) = self.mllp(raw)
            return receipt
        with self.client() as client:
            return send_http(self.server.http, send, raw, self.token, client)

    def api(self, path: str, token: str | None = None) -> Any:
        """A document of the API, for the hospital unless another token is given."""
        with self.client(self.token if token is None else token) as client:
            answer = client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all_of(self, path: str) -> list[Any]:
        """Every item of a paged list."""
        items: list[Any] = []
        after = ""
        while True:
            page = self.api(f"{path}?limit=200{after}")
            items += page["items"]
            if page["next"] is None:
                return items
            after = f"&after={page['next']}"

    def find_case(self, tracking: str, *states: str) -> dict[str, Any] | None:
        """The case in which a message speaks, once its status is one of `states`."""
        for line in self.all_of("/api/cases"):
            if line["status"] in states:
                case: dict[str, Any] = self.api(f"/api/cases/{line['id']}")
                if tracking in case["messages"]:
                    return case
        return None

    def get_case(self, tracking: str, *states: str) -> dict[str, Any]:
        """`find_case`, waiting for it."""
        found = wait_until(lambda: self.find_case(tracking, *(states or ("sent",))), f"case of {tracking}")
        assert found is not None
        return found

    def sign_in(self, name: str, password: str = PASSWORD) -> Browser:
        """Through the form."""
        self.add_person(name)
        browser = Browser(self.client())
        self.browsers.append(browser)
        browser.open("/")
        browser.submit("/dang-nhap", ten=name, mat_khau=password)
        return browser


class Browser:
    """A browser without JavaScript: pages, their forms with hidden fields, cookies."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.page: Any = None
        self.answer: httpx.Response | None = None

    def open(self, path: str) -> httpx.Response:
        """Go to a page and follow where it leads."""
        return self._took(self.client.get(path, follow_redirects=True))

    def submit(self, address: str, /, **typed: str) -> httpx.Response:
        """Fill in and send the form of the page in view with this address and, when typed, this `action` value."""
        form = next(form for form in self._forms(address) if _fits(form, typed))
        filled = {**dict(form.form_values()), **typed}
        return self._took(self.client.post(address, data=filled, follow_redirects=True))

    def links(self) -> list[str]:
        """Where the page in view leads."""
        return [str(link) for link in self.page.xpath("//a/@href")]

    def text(self) -> str:
        """The words of the page in view."""
        return " ".join(str(self.page.text_content()).split())

    def desk(self) -> list[str]:
        """The dossiers on the officer's desk, page by page: the address of each."""
        self.open("/")
        found: list[str] = []
        while True:
            found += [link for link in self.links() if link.startswith("/ho-so/")]
            onward = [str(link) for link in self.page.xpath("//nav[@class='pager']/a[text()='Xem tiếp']/@href")]
            if not onward:
                return found
            self.open(onward[0])

    def _forms(self, address: str) -> Sequence[Any]:
        found = [form for form in self.page.forms if form.action == address]
        assert found, f"the page has no form for {address}"
        return found

    def _took(self, answer: httpx.Response) -> httpx.Response:
        self.answer = answer
        if "html" in answer.headers.get("content-type", ""):
            self.page = html.fromstring(answer.content, parser=html.HTMLParser(encoding="utf-8"))
        return answer


def _fits(form: Any, typed: dict[str, str]) -> bool:
    hidden = dict(form.form_values())
    return "action" not in hidden or hidden["action"] == typed.get("action")
