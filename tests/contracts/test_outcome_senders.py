"""Every sender of outcomes keeps the contract, each with a receiver of its kind on a real socket or disk."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import orjson
import pytest

from adapters.hospital.outcome_fhir import FhirOutcomeSender
from adapters.hospital.outcome_file import FileSender
from adapters.hospital.outcome_hl7v2 import Hl7v2OutcomeSender
from adapters.hospital.outcome_webhook import WebhookSender
from gateway.ports.hospital import Feed, OutcomeSender
from gateway.testing.hostile_http import HostileServer, Request, Response
from gateway.testing.outcome_senders import OutcomeSenderContract
from tests.conftest import StillClock
from tests.mllp_peer import MllpPeer
from tests.samples.folders import catalogue
from tests.web_world import ON

TABLE = partial(catalogue().table, on=ON)
NOWHERE = "127.0.0.1:1"  # port 1 is nobody's


class TestHl7v2(OutcomeSenderContract):
    @pytest.fixture(autouse=True)
    def _peer(self) -> Iterator[None]:
        with MllpPeer() as self.peer:
            yield

    def make_sender(self) -> OutcomeSender:
        return Hl7v2OutcomeSender(TABLE)

    def make_feed(self) -> Feed:
        return Feed("his", facility_code="99001", answer="hl7v2", answer_to=self.peer.url)

    def received(self) -> list[bytes]:
        return self.peer.received

    def nobody(self) -> Feed:
        return Feed("his", answer="hl7v2", answer_to=f"mllp://{NOWHERE}")

    def refusing(self) -> Feed:
        self.peer.always = "AR"
        return self.make_feed()


class OverHttp(OutcomeSenderContract):
    """What the two ways over HTTP have in common."""

    way: str

    @pytest.fixture(autouse=True)
    def _server(self, tmp_path: Path) -> Iterator[None]:
        self.secret = tmp_path / "secret"
        self.secret.write_text("mật-khẩu-thử\n" if self.way == "webhook" else "token-thu\n", encoding="utf-8")
        with HostileServer(self.answer) as self.server:
            yield

    def answer(self, request: Request) -> Response:
        return Response(204)

    def feed_at(self, address: str) -> Feed:
        return Feed("his", answer=self.way, answer_to=address, answer_secret=str(self.secret))  # type: ignore[arg-type]

    def make_feed(self) -> Feed:
        return self.feed_at(f"{self.server.url}/hooks/hotich?v=1")

    def received(self) -> list[bytes]:
        return [request.body for request in self.server.requests]

    def nobody(self) -> Feed:
        return self.feed_at(f"http://{NOWHERE}/")

    def refusing(self) -> Feed:
        self.server.answer = lambda _request: Response(422, b"unknown patient")
        return self.make_feed()


class TestWebhook(OverHttp):
    way = "webhook"

    def make_sender(self) -> OutcomeSender:
        return WebhookSender(StillClock())


class TestFhir(OverHttp):
    way = "fhir"

    def answer(self, request: Request) -> Response:
        told = {"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": {"status": "201"}}]}
        return Response(200, orjson.dumps(told), "application/fhir+json")

    def make_sender(self) -> OutcomeSender:
        return FhirOutcomeSender(TABLE)


class TestFile(OutcomeSenderContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "answers"
        self.folder.mkdir()

    def make_sender(self) -> OutcomeSender:
        return FileSender()

    def make_feed(self) -> Feed:
        return Feed("his", answer="file", answer_to=str(self.folder))

    def received(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.folder.iterdir())]

    def nobody(self) -> Feed:
        return Feed("his", answer="file", answer_to=str(self.folder / "away"))

    def refusing(self) -> None:
        return None
