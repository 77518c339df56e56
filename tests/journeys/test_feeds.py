"""An operator runs the gateway with mutual TLS and a port for one hospital alone."""

from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path

import httpx
import pytest

from gateway.testing.traffic import admission
from tests.certificates import Authority, client_context
from tests.serving_child import Server

pytestmark = pytest.mark.timeout(90)
SETTINGS = """
mllp_tls_certificate = "{server}"
mllp_tls_client_ca = "{ca}"
http_tls_certificate = "{server}"
http_tls_client_ca = "{ca}"
[feeds.a]
facility_code = "99001"
client_certificates = ["{print}"]
ports = [0]
"""


def exchange(address: str, context: ssl.SSLContext, raw: bytes) -> bytes:
    """One message over MLLP and TLS."""
    host, port = address.rsplit(":", 1)
    with (
        socket.create_connection((host, int(port)), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as line,
    ):
        line.sendall(b"\x0b" + raw + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            more = line.recv(65536)
            assert more, "closed without an answer"
            answer += more
    return answer


def test_a_hospital_with_its_certificate_and_port_is_taken_and_one_without_is_not(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    server_file, shown, other = authority.issue("gateway").file, authority.issue("his.a"), authority.issue("his.b")
    settings = SETTINGS.format(server=server_file, ca=authority.file, print=shown.fingerprint)
    server = Server(tmp_path, settings)
    try:
        server.process = server.spawn("serve", "--mllp-port", "0", "--http-port", "0")
        assert server.process.stdout is not None
        line = server.process.stdout.readline()
        assert line, server.log.read_text()
        ready = json.loads(line)
        assert ready["http"].startswith("https://")
        own = ready["feeds"]["a"][0]
        right, wrong = client_context(authority, shown), client_context(authority, other)
        for address, number in ((ready["mllp"], 1), (own, 2)):
            assert b"MSA|AA" in exchange(address, right, admission(number))
            assert b"MSA|AR" in exchange(address, wrong, admission(number))
        with pytest.raises((OSError, AssertionError)):
            exchange(own, client_context(authority), admission(3))
        with httpx.Client(base_url=ready["http"], verify=client_context(authority)) as client:
            assert client.get("/healthz").status_code == 200
            assert client.post("/hl7v2", content=admission(4)).status_code == 401
        assert server.stop() == 0
    finally:
        server.end()
    log = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line for line in log if line["level"] == "error"] == []
