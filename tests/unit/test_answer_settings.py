"""The keys `answer…` of a feed: what is wrong is named before the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.cli.feeds_check_answer import check_answer
from gateway.feed_settings import find_wrong_feeds
from gateway.ports.hospital import Feed
from tests.mllp_peer import MllpPeer

MLLP = {"answer": "hl7v2", "answer_to": "mllp://his.example:2575"}
HOOK = {"answer": "webhook", "answer_to": "https://his.example/hook", "answer_secret": "/etc/hotich/hook.key"}


def wrong(**keys: Any) -> list[str]:
    """Mistakes of one feed, without its name."""
    feeds = {"his": Feed("his", **keys)}
    found = find_wrong_feeds(feeds, taken_ports={}, max_message_bytes=10, asks_certificates=False)
    return [text.removeprefix("feeds.his.") for text in found]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        MLLP,
        {**MLLP, "answer_to": "mllps://[2001:db8::7]:2575", "answer_ca": "/etc/ca.pem"},
        HOOK,
        {**HOOK, "answer": "fhir", "answer_secret": ""},
        {"answer": "file", "answer_to": "/srv/out"},
        {**MLLP, "answer_states": ("registered", "sent")},
    ],
)
def test_these_are_right(keys: dict[str, Any]) -> None:
    assert wrong(**keys) == []


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"answer_to": "mllp://his.example:2575"}, "answer_to"),
        ({"answer_secret": "/x"}, "answer_secret"),
        ({"answer_ca": "/x"}, "answer_ca"),
        ({"answer": "hl7v2"}, "answer_to"),
        ({**MLLP, "answer_to": "mllp://his.example"}, "answer_to"),
        ({**MLLP, "answer_to": "mllp://his.example:port"}, "answer_to"),
        ({**MLLP, "answer_to": "https://his.example:1"}, "answer_to"),
        ({**HOOK, "answer_to": "mllp://his.example:1"}, "answer_to"),
        ({**HOOK, "answer_to": "https://"}, "answer_to"),
        ({**HOOK, "answer_to": "https://me:secret@his.example/"}, "answer_to"),
        ({"answer": "file", "answer_to": "out"}, "answer_to"),
        ({"answer": "file"}, "answer_to"),
        ({**HOOK, "answer_secret": ""}, "answer_secret"),
        ({**MLLP, "answer_secret": "/x"}, "answer_secret"),
        ({**MLLP, "answer_ca": "/x"}, "answer_ca"),
        ({**MLLP, "answer_states": ()}, "answer_states"),
        ({**MLLP, "answer_states": ("registred",)}, "answer_states"),
    ],
)
def test_each_mistake_names_its_key(keys: dict[str, Any], key: str) -> None:
    (mistake,) = wrong(**keys)
    assert mistake.startswith(f"{key}: ")
    assert "secret@" not in mistake


def codes(**keys: Any) -> list[str]:
    return [code for code, _ in check_answer(Feed("his", **keys))]


def test_feeds_check_tells_whether_an_answer_could_arrive(tmp_path: Path) -> None:
    with MllpPeer() as peer:
        assert codes(answer="hl7v2", answer_to=peer.url) == ["answer.ok"]
        here = f"http://127.0.0.1:{peer.port}/hook?key=1"
        assert codes(answer="webhook", answer_to=here, answer_secret=str(tmp_path / "none")) == ["answer.secret"]
        assert peer.received == []
    assert codes(answer="hl7v2", answer_to=peer.url) == ["answer.closed"]
    assert codes(answer="hl7v2", answer_to="mllp://127.0.0.2:1") == ["answer.closed", "answer.in_clear"]
    assert codes(answer="file", answer_to=str(tmp_path)) == ["answer.ok"]
    assert codes(answer="file", answer_to=str(tmp_path / "none")) == ["answer.folder"]
    assert codes() == []
