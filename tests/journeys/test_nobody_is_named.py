"""No personal data where it must not be: every sample goes through, readable or not, and the log tells all it can.

The words looked for come from the samples (personal_data.py); the guards below show that they would be found.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.samples import load_samples, samples_directory
from tests.journeys.conftest import SETTINGS, assert_nobody_is_named
from tests.journeys.outsider import OFFICER, Outsider
from tests.journeys.personal_data import personal_data_in, personal_words
from tests.serving_child import Server, wait_until

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outsider]:
    """Every sample delivered to a gateway that logs all it can."""
    outsider = Outsider(Server(tmp_path_factory.mktemp("talkative"), SETTINGS))
    try:
        outsider.server.start(log_level="debug")
        outsider.prepare()
        for sample in load_samples(samples_directory()):
            for message in sample.messages:
                receipt = outsider.send_sample(message.file, message.send)
                if not receipt.taken:
                    outsider.told.append(receipt.body.decode("utf-8", "replace"))
        wait_until(lambda: settled(outsider), "all samples settle")
        yield outsider
    finally:
        outsider.close()
        outsider.server.end()


def settled(gateway: Outsider) -> bool:
    """Whether everything received was interpreted and nothing is due."""
    if any(line["relevance"] is None for line in gateway.all_of("/api/messages")):
        return False
    numbers = metrics(gateway).splitlines()
    waiting = [float(line.split()[-1]) for line in numbers if line.startswith("hotich_lanes")]
    assert waiting, "no lanes on the metrics page"
    return sum(waiting) == 0


def metrics(gateway: Outsider) -> str:
    """The page of numbers."""
    with gateway.client() as client:
        return client.get("/metrics").text


def test_the_search_would_find_a_name_however_it_is_written() -> None:
    words = personal_words()
    assert len(words) > 300
    name = "Nguyễn Thị Thanh Hương"
    composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    assert {composed, decomposed} <= set(words)
    for written in (
        composed,
        decomposed,
        json.dumps({"x": composed}),
        "?ten=Nguy%E1%BB%85n+Th%E1%BB%8B",
        "so 999197200114.",
    ):
        assert personal_data_in(written), "a name or number went unnoticed"
    assert not personal_data_in('{"event": "ready", "facility": "99001", "seq": 999}')


def test_logs_addresses_and_refusals_name_nobody(gateway: Outsider) -> None:
    assert gateway.server.log.stat().st_size > 1000
    assert len(gateway.told) >= 5, "no sample was refused"
    assert_nobody_is_named(gateway)


def test_metrics_name_nobody(gateway: Outsider) -> None:
    text = metrics(gateway)
    assert "hotich_" in text
    assert not personal_data_in(text)


def test_lists_and_errors_of_the_interface_name_nobody(gateway: Outsider) -> None:
    for path in ("/api/cases", "/api/messages", "/api/deliveries"):
        assert not personal_data_in(json.dumps(gateway.all_of(path)))


def test_what_commands_say_of_errors_names_nobody(gateway: Outsider, tmp_path: Path) -> None:
    server = gateway.server
    wrong = tmp_path / "citizens.csv"
    lines = (samples_directory() / "population.csv").read_text(encoding="utf-8").splitlines()
    wrong.write_text("\n".join([lines[0], *(line.replace(",999", ",99X9") for line in lines[1:])]) + "\nx,y,z\n")
    assert server.run("population", "load", wrong).returncode == 2
    broken = samples_directory() / "other" / "truncated-message" / "01-truncated.hl7"
    assert server.run("send", broken, "--to", f"mllp://127.0.0.1:{server.ports[0]}").returncode == 1
    assert server.run("verify", broken).returncode == 1
    assert server.run("replay", "--message", "gateway.999999").returncode == 1
    assert len(server.said) > 4
    assert_nobody_is_named(gateway)


def test_addresses_of_the_pages_name_nobody(gateway: Outsider) -> None:
    officer = gateway.sign_in(OFFICER)
    dossiers = officer.desk()
    assert len(dossiers) > 20
    for address in dossiers[:3]:
        officer.open(address)
        assert not personal_data_in("\n".join(officer.links()))
    officer.open("/")
    officer.submit("/tim", ma="Nguyễn Thị Thanh Hương")
    assert officer.answer is not None
    assert officer.answer.status_code == 404
    assert_nobody_is_named(gateway)
