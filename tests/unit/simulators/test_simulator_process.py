"""The simulator as a process on a real socket: cut connections, kill -9, calls back, and our own client against it."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.commune.moj_rest import MojRest
from gateway.errors import Unreachable
from gateway.mapping.catalogue import Catalogue
from gateway.plugins import find_mappings
from gateway.ports.clock import SystemClock
from gateway.ports.commune import Delivery, Outcome
from tests.simulator_child import start
from tests.unit.simulators.moj_world import BIRTH, COMMUNE, birth, code, ordinary_birth

FAULTS = """
[nhanHoSoDKHT]
reset_before = 0.2
reset_after = 0.2
half = 0.2
status_503 = 0.05
too_many = 0.05
retry_after_seconds = 0
[dangKyHoTich]
reset_before = 1.0
"""


def hand_in(client: httpx.Client, number: int, log: list[str]) -> None:
    """As a stubborn client does: again and again until there is an answer."""
    while True:
        try:
            reply = client.post("/nhanHoSoDKHT", json=birth(number))
        except httpx.TransportError as error:
            log.append(type(error).__name__)
            time.sleep(0.02)
            continue
        if reply.status_code == 200:
            log.append(reply.json()["errorDescription"] or "taken")
            return
        log.append(str(reply.status_code))


def test_connections_are_cut_as_asked_and_kill_9_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text(FAULTS, encoding="utf-8")
    log: list[str] = []
    with start(tmp_path / "book.sqlite", faults=file) as moj:
        with httpx.Client(base_url=moj.url, timeout=10) as client, ThreadPoolExecutor(4) as pool:
            handed = [pool.submit(hand_in, client, number, log) for number in range(1, 61)]
            wait_for(lambda: sum(one.done() for one in handed) >= 20)
            moj.kill()
            moj.start()
            for one in handed:
                one.result()
            with pytest.raises(httpx.ReadError):
                client.post("/dangKyHoTich", json=ordinary_birth(61))
        found = moj.dossiers()
        assert moj.stop() == 0
    assert sorted(found) == [code(number) for number in range(1, 61)]
    assert {(one["accepted"], one["clashes"], len(one["versions"])) for one in found.values()} == {(1, 0, 1)}
    assert sum(one["repeats"] for one in found.values()) > 0
    seen = Counter(log)
    assert {"ReadError", "RemoteProtocolError", "503", "429"} <= set(seen)
    said = (tmp_path / "book.log").read_text(encoding="utf-8")
    assert "MÔ PHỎNG" in said
    assert "Traceback" not in said
    assert "without" not in said  # uvicorn's complaint about an answer that was left out


class Listener:
    """Where calls go: says no to the first, then yes, and keeps what was signed."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bytes]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                listener.calls.append((self.headers["x-hotich-signature"], body))
                self.send_response(503 if len(listener.calls) == 1 else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/api/callbacks/moj"


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.server.shutdown()
    listener.server.server_close()


def wait_for(found: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not found():
        assert time.monotonic() < end
        time.sleep(0.02)


def make_client(url: str, directory: Path) -> MojRest:
    catalogue = Catalogue.load(find_mappings()["default"], {})
    today = datetime.now(UTC).date()
    return MojRest(
        "moj",
        lambda name: catalogue.table(name, today),
        SystemClock(),
        url,
        agency="H21.999",
        token=directory / "secret",
        callback_secret=directory / "callback",
    )


def delivery(number: int, form: str = "nhanHoSoDKHT", module: str = "LTKS", text: str = "") -> Delivery:
    return Delivery(
        code=code(number), case_id="c", kind="birth", commune_code=COMMUNE, version=1, register_by="2027-01-19",
        sealed=b"<dossier/>", province_code="52", form=form, module=module,
        text=text or json.dumps(BIRTH | {"noiDangKy": COMMUNE}), received_at=datetime.now(UTC),
    )  # fmt: skip


def stubborn(ask: Callable[[], Outcome | None]) -> Outcome | None:
    while True:
        try:
            return ask()
        except Unreachable:
            time.sleep(0.02)


def test_our_client_gets_through_its_faults_and_hears_of_every_registration(tmp_path: Path, listener: Listener) -> None:
    for name in ("secret", "callback"):
        (tmp_path / name).write_text(f"{name} of the simulator\n", encoding="utf-8")
    faults = tmp_path / "faults.toml"
    faults.write_text(
        "[every]\nreset_after = 0.1\nhalf = 0.1\nduplicate = 0.2\ntoken_expired = 0.05\n[layKetQua]\nstate_0 = 0.1\n"
    )
    options: dict[str, Any] = {
        "faults": faults,
        "secret": tmp_path / "secret",
        "walk": "0.1s",
        "callback": listener.url,
        "callback_secret": tmp_path / "callback",
    }
    with start(tmp_path / "book.sqlite", **options) as moj, closing(make_client(moj.url, tmp_path)) as client:
        sent = [delivery(number) for number in range(1, 13)]
        assert {stubborn(lambda one=one: client.submit(one)).state for one in sent} == {"pending"}  # type: ignore[misc,union-attr]
        wait_for(lambda: all(one["state"] == 4 for one in moj.dossiers().values()))
        told = [stubborn(lambda one=one: client.status(one)) for one in sent]  # type: ignore[misc]
        wait_for(lambda: len({body for _, body in listener.calls}) == 24)
        found = moj.dossiers()
    assert {(one["accepted"], one["clashes"]) for one in found.values()} == {(1, 0)}
    assert {outcome.state for outcome in told if outcome} == {"registered"}
    assert len({outcome.result["soDinhDanh"] for outcome in told if outcome}) == 12
    assert all(outcome.paper.startswith(b"%PDF-") for outcome in told if outcome)
    check_calls(listener, client)


def check_calls(listener: Listener, client: MojRest) -> None:
    """Signed, the refused one repeated, each dossier's in order, and readable for our client."""
    for signature, body in listener.calls:
        at, _, mac = signature.removeprefix("t=").partition(",v1=")
        signed = hmac.new(b"callback of the simulator", at.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert signed == mac
    assert [body for _, body in listener.calls].count(listener.calls[0][1]) == 2
    order: dict[str, list[str]] = {}
    for signature, body in listener.calls[1:]:
        call = client.read_callback({"x-hotich-signature": signature}, body, datetime.now(UTC))
        states = order.setdefault(call.code, [])
        states += [call.outcome.state] if call.outcome.state not in states else []
    assert set(map(tuple, order.values())) == {("accepted", "registered")}


def test_our_client_is_told_what_is_wrong_and_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "callback").write_text("secret")
    book, secret = tmp_path / "book.sqlite", tmp_path / "secret"
    with start(book, secret=secret) as moj, closing(make_client(moj.url, tmp_path)) as client:
        wrong = client.submit(delivery(1, text=json.dumps(BIRTH | {"noiDangKy": COMMUNE, "nksGioiTinh": "4"})))
        assert wrong.state == "rejected"
        assert "nksGioiTinh" in wrong.words
        assert client.status(delivery(1)) is None
        assert [line for line in client.check_catalogues() if "we send" in line] == []
        moj_form = delivery(2, "dangKyHoTich", "KS", "<hotich><hoso><nksGioiTinh>1</nksGioiTinh><nksNgaySinh>2026"
                                                    "</nksNgaySinh></hoso></hotich>")  # fmt: skip
        assert client.submit(moj_form).state == "pending"
        moj.set_state(code(2), 6, words="Không thuộc thẩm quyền")
        refused = client.status(moj_form)
        assert refused is not None
        assert (refused.state, refused.words) == ("refused", "Không thuộc thẩm quyền")
