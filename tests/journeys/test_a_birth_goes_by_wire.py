"""A birth goes to a commune whose system takes dossiers by wire, and comes back registered: by calls, and by polls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.journeys.conftest import SAMPLE_FEED
from tests.journeys.outsider import AUDITOR, Outsider, sample, segments
from tests.serving_child import Server, quiet_port, wait_until
from tests.simulator_child import Simulator, start

BIRTH = "birth/newborn-admitted-with-pv1-4-n/01-adt-a01.hl7"
TABLE = "code,value,name,valid_from,valid_to,source\n52,moj,Simulator,2026-01-01,,test\n"
SETTINGS = """
mapping_overlays = ["overlay"]
[commune_systems.moj]
use = "moj_rest"
url = "{url}"
token = "token"
agency = "H99.001"
poll_seconds = {poll}
callback_secret = "callback"
[feeds.sample]
answer = "file"
answer_to = "{told}"
"""
pytestmark = pytest.mark.timeout(120)


def by_wire(directory: Path, stack: ExitStack, *, poll: int, calls: bool) -> tuple[Outsider, Simulator]:
    """A gateway before the simulated exchange; who tells whom: the far side calls, or we ask every second."""
    for name in ("token", "callback"):
        (directory / name).write_text(f"invented-{name}", encoding="utf-8")
    (directory / "overlay" / "codes").mkdir(parents=True)
    (directory / "overlay" / "codes" / "commune_systems.csv").write_text(TABLE, encoding="utf-8")
    (directory / "told").mkdir()
    port = quiet_port()
    call = {"callback": f"http://127.0.0.1:{port}/api/callbacks/moj", "callback_secret": directory / "callback"}
    far = stack.enter_context(start(directory / "book.sqlite", secret=directory / "token", **(call if calls else {})))
    settings = SETTINGS.format(url=far.url, poll=poll, told=directory / "told")
    server = Server(directory, settings + SAMPLE_FEED)
    server.ports[1] = port
    outsider = Outsider(server)
    stack.callback(server.end)
    stack.callback(outsider.close)
    server.start()
    outsider.prepare()
    return outsider, far


@pytest.fixture(params=["calls", "polls"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Outsider, Simulator]]:
    with ExitStack() as stack:
        yield by_wire(tmp_path, stack, poll=1 if request.param == "polls" else 100_000, calls=request.param == "calls")


def test_the_registration_of_a_commune_by_wire_comes_back(ends: tuple[Outsider, Simulator], tmp_path: Path) -> None:
    gateway, far = ends
    (receipt,) = gateway.mllp(sample(BIRTH))
    tracking = segments(receipt.body)["MSH"][9]
    case = gateway.get_case(tracking, "sent")
    (code,) = far.dossiers()
    assert code.startswith("H99.001-")
    assert case["legs"]["code"] == code
    assert [version["system"] for version in case["legs"]["versions"]] == ["moj"]

    far.set_state(code, 2, words="Thiếu giấy tờ của người cha")
    assert gateway.get_case(tracking, "needs_more")["outcome"]["words"].startswith("Thiếu giấy tờ của người cha")
    far.set_state(code, 4)
    outcome = gateway.get_case(tracking, "registered")["outcome"]
    assert outcome["result"]["soDinhDanh"].startswith("999")
    assert outcome["paper"] is True

    def told() -> list[Path]:
        return [file for file in (tmp_path / "told").iterdir() if "registered" in file.read_text(encoding="utf-8")]

    wait_until(told, "the hospital is told")
    page = gateway.sign_in(AUDITOR).open(f"/truong-hop/{case['id']}").text
    assert code in page
    assert "Đã đăng ký" in page


def test_the_far_sides_code_lists_are_compared_with_ours(tmp_path: Path) -> None:
    with start(tmp_path / "book.sqlite") as far:
        server = Server(tmp_path, f'[commune_systems.moj]\nuse = "moj_rest"\nurl = "{far.url}"\n')
        told = json.loads(server.right("check", "--system", "moj", "--json"))
    assert told == {"system": "moj", "agree": True, "differences": []}
    assert "no code lists" in server.run("check", "--system", "desk").stderr


def test_settings_that_name_no_configured_system_are_refused(tmp_path: Path) -> None:
    (tmp_path / "overlay" / "codes").mkdir(parents=True)
    (tmp_path / "overlay" / "codes" / "commune_systems.csv").write_text(TABLE, encoding="utf-8")
    done = Server(tmp_path, 'mapping_overlays = ["overlay"]\n').run("serve")
    assert done.returncode == 2
    assert "commune_systems.csv names moj" in done.stderr


def test_an_option_that_a_system_does_not_take_is_told_before_the_start(tmp_path: Path) -> None:
    table = '[commune_systems.moj]\nuse = "moj_rest"\nurl = "http://127.0.0.1:1"\nagencie = "H99.001"\n'
    done = Server(tmp_path, table).run("check")
    assert done.returncode == 2
    assert "commune_systems.moj.agencie: no such option; did you mean agency?" in done.stdout
