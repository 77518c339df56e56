"""hotich simulate moj refuses what it cannot do before it listens."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import build_app
from gateway.errors import SettingsError

APP = build_app(["simulate"])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--walk", "soon"), "simulator.walk"),
        (("--callback", "http://127.0.0.1:1/"), "simulator.callback"),
        (("--callback-secret", "given"), "simulator.callback"),
        (("--secret", "empty"), "simulator.secret"),
        (("--secret", "none"), "simulator.secret"),
        (("--faults", "none"), "simulator.faults_unreadable"),
        (("--book", "none/book.sqlite"), "simulator.book"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("given").write_text("secret", encoding="utf-8")
    Path("empty").write_text("\n", encoding="utf-8")
    error = CliRunner().invoke(APP, ["simulate", "moj", *options]).exception
    assert isinstance(error, SettingsError)
    assert error.code == code


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        error = CliRunner().invoke(APP, ["simulate", "moj", "--port", str(port)]).exception
    assert isinstance(error, SettingsError)
    assert (error.code, str(port) in error.message) == ("simulator.port", True)
