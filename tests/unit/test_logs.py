"""What libraries say of failures reaches the log without the words of the failure: they may quote a person's data."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import structlog

from gateway.logs import configure_logging
from gateway.testing.hostile_http import HostileServer, Response

NAME = "Nguyễn Thị Thanh Hương"


@contextmanager
def talkative() -> Iterator[None]:
    """The log at its most talkative; how it was is restored."""
    root, before = logging.root, structlog.get_config()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "alembic", "fhirpathpy")}
    configure_logging("debug")
    try:
        yield
    finally:
        structlog.configure(**before)
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, was in quiet.items():
            logging.getLogger(name).setLevel(was)


def test_a_server_that_set_its_own_log_up_before_is_told_alike(capfd: pytest.CaptureFixture[str]) -> None:
    own = logging.getLogger("uvicorn.error")
    own.addHandler(logging.StreamHandler())
    own.propagate = False
    with talkative():
        try:
            fail()
        except KeyError:
            own.exception("Exception in ASGI application\n")
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line)["type"] == "KeyError"


def fail() -> None:
    raise KeyError(NAME)


def test_an_exception_that_a_library_logs_is_told_by_type_and_place(capfd: pytest.CaptureFixture[str]) -> None:
    with talkative():
        try:
            fail()
        except KeyError:
            # As uvicorn and asyncio say it.
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
            logging.getLogger("asyncio").exception("Task exception was never retrieved\nfuture: <Task %s>", NAME)
            structlog.get_logger("ours").exception("work.failed", lane="case:1")
    said = capfd.readouterr().err
    assert NAME not in said
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["event"] for line in lines] == [
        "Exception in ASGI application", "Task exception was never retrieved", "work.failed",
    ]  # fmt: skip
    for line in lines:
        assert line["type"] == "KeyError"
        assert line["place"].startswith("test_logs.py:")
    assert lines[2]["lane"] == "case:1"


def test_what_a_partner_answers_in_headers_is_not_logged_either(capfd: pytest.CaptureFixture[str]) -> None:
    headers = {"X-Said": "999199001234", "Set-Cookie": "session=invented"}
    with talkative(), HostileServer(lambda _: Response(200, b"x", headers=headers)) as server, httpx.Client() as client:
        assert client.get(f"{server.url}/?so=999199001235").headers["x-said"] == "999199001234"
    said = capfd.readouterr().err
    for secret in ("999199001234", "999199001235", "session=invented"):
        assert secret not in said
