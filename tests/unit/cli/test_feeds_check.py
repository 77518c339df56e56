"""hotich feeds check NAME: every mistake is told with what mends it, and the exit code says whether all is well."""

from __future__ import annotations

import json
import logging
import re
import socket
import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from gateway.cli.feeds_words import CHECKS, FINDINGS, REFUSALS
from gateway.cli.main import build_app
from gateway.domain import finding
from gateway.errors import SettingsError
from gateway.messagelog.chain import NewEntry, append
from gateway.settings import Settings
from gateway.store.session import Store
from gateway.store.vault import Vault

pytestmark = pytest.mark.slow

APP = build_app(["feeds", "migrate"])
BIRTH = (
    "MSH|^~\\&|HIS|BV|GW|GW|20261120101500+0700||ADT^A01^ADT_A01|K1|P|2.5.1|||||||UNICODE UTF-8\r"
    "EVN||20261120101500+0700\r"
    "PID|1||990001^^^BV99001^MR||Lò^Thư^Bảo||20261120093000+0700|F\r"
    "NK1|1|Lò^Hoa^Thị|MTH|Thôn 1^^^52^^VN^^^21583||||||||||||||||||||||||99^Lạ\r"
    "PV1|1|I||N\r"
)
GOOD = """
[feeds.bv]
facility_code = "99001"
facility_name = "Bệnh viện mẫu"
facility_commune = "21583"
senders = ["HIS|BV"]
"""


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (*Settings.model_fields, "config"):
        monkeypatch.delenv(f"HOTICH_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands configure logging for the whole process."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def doors() -> Iterator[str]:
    """Two ports somebody listens at, as settings."""
    with socket.create_server(("127.0.0.1", 0)) as mllp, socket.create_server(("127.0.0.1", 0)) as http:
        yield f"mllp_port = {mllp.getsockname()[1]}\nhttp_port = {http.getsockname()[1]}\n"


def _check(place: Path, settings: str, *more: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and what was said by code."""
    (place / "hotich.toml").write_text('data_dir = "data"\n' + settings, encoding="utf-8")
    done = CliRunner().invoke(APP, ["feeds", "check", "bv", "--json", *more])
    assert done.exit_code in (0, 1), done.output
    (told,) = json.loads(done.stdout)["feeds"]
    assert told["ok"] is (done.exit_code == 0)
    return done.exit_code, {check["code"]: check for check in told["checks"]}


def test_a_feed_in_order_is_told_so(place: Path, doors: str) -> None:
    code, told = _check(place, doors + GOOD)
    assert code == 0
    assert set(told) == {"settings.ok", "overlay.none", "port.open", "traffic.no_database"}
    assert not (place / "data").exists(), "looking changes nothing"


def test_a_closed_port_is_an_error(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    code, told = _check(place, f"mllp_port = {port}\nhttp_port = 0\n" + GOOD)
    assert code == 1
    assert f"127.0.0.1:{port}" in told["port.closed"]["said"]
    assert "hotich serve" in told["port.closed"]["mend"]


@pytest.mark.parametrize(
    ("line", "wrong", "code", "level"),
    [
        ('facility_code = "99001"', "", "settings.missing", "error"),
        ('facility_code = "99001"', 'facility_code = "BV1"', "settings.facility_code", "warning"),
        ('facility_commune = "21583"', 'facility_commune = "00002"', "settings.commune", "error"),
        ('senders = ["HIS|BV"]', 'senders = ["*"]', "settings.senders_anyone", "warning"),
        ('senders = ["HIS|BV"]', "", "settings.senders_none", "error"),
    ],
)
def test_what_a_dossier_needs_of_the_settings_is_looked_at(
    place: Path, doors: str, line: str, wrong: str, code: str, level: str
) -> None:
    exit_code, told = _check(place, doors + GOOD.replace(line, wrong))
    assert told[code]["level"] == level
    assert exit_code == (level == "error")
    assert "settings.ok" not in told or level == "warning"


def test_what_production_refuses_is_told_before_the_start(place: Path, doors: str) -> None:
    _, told = _check(place, 'environment = "production"\n' + doors + GOOD.replace("HIS|BV", "*"))
    assert told["settings.wrong"]["level"] == "error"


def test_mistakes_of_mappings_are_told_with_their_place(place: Path, doors: str) -> None:
    rules = place / "mine" / "inbound" / "hl7v2"
    rules.mkdir(parents=True)
    (rules / "adt_birth.toml").write_text('[[row]]\nto = "child.nmae"\nfrom = "PID-5"\n')
    code, told = _check(place, 'mapping_overlays = ["mine"]\n' + doors + GOOD)
    assert code == 1
    assert "adt_birth.toml" in told["settings.mappings"]["said"]


def test_an_overlay_in_force_is_named(place: Path, doors: str) -> None:
    (place / "mine").mkdir()
    _, told = _check(place, 'mapping_overlays = ["mine"]\n' + doors + GOOD)
    assert "mine" in told["overlay.in_force"]["said"]


def _certificate(path: Path, starts: timedelta, ends: timedelta) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway.test")])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now + starts, now + ends
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + private)


@pytest.mark.parametrize(
    ("starts", "ends", "code"),
    [
        (-400, 300, "certificate.ok"),
        (-400, 20, "certificate.soon"),
        (-400, -1, "certificate.expired"),
        (1, 300, "certificate.early"),
    ],
)
def test_the_dates_of_certificates_are_told(place: Path, doors: str, starts: int, ends: int, code: str) -> None:
    _certificate(place / "gateway.pem", timedelta(days=starts), timedelta(days=ends))
    _, told = _check(place, 'http_tls_certificate = "gateway.pem"\n' + doors + GOOD)
    assert "gateway.pem" in told[code]["said"]


def test_a_certificate_that_is_none_is_told(place: Path, doors: str) -> None:
    (place / "gateway.pem").write_text("hello")
    code, told = _check(place, 'http_tls_certificate = "gateway.pem"\n' + doors + GOOD)
    assert code == 1
    assert told["certificate.unreadable"]["level"] == "error"


def test_a_folder_is_looked_at_from_where_the_settings_lie(place: Path, doors: str) -> None:
    settings = doors + GOOD + 'folder = "in"\n'
    code, told = _check(place, settings)
    assert (code, "ENOENT" in told["folder.trouble"]["said"]) == (1, True)
    (place / "in" / "refused").mkdir(parents=True)
    (place / "in" / "refused" / "a.hl7.txt").touch()
    code, told = _check(place, settings)
    assert code == 0
    assert "1 tệp" in told["folder.refused"]["said"]
    assert "folder.ok" in told


def test_a_folder_of_a_feed_that_demands_an_address_takes_nothing_and_that_is_told(place: Path, doors: str) -> None:
    (place / "in").mkdir()
    code, told = _check(place, doors + GOOD + 'folder = "in"\naddresses = ["10.0.0.0/8"]\n')
    assert code == 1
    assert told["folder.other_marks"]["level"] == "error"


def test_a_day_of_refusals_and_a_feed_that_never_sent_are_told(place: Path, doors: str) -> None:
    (place / "hotich.toml").write_text('data_dir = "data"\n')
    assert CliRunner().invoke(APP, ["migrate"]).exit_code == 0
    store, vault = Store.open(f"sqlite:///{place / 'data' / 'hotich.db'}"), Vault.open(place / "data" / "keys")
    now = int(datetime.now(UTC).timestamp() * 1e6)
    with store.write() as conn:
        for feed, code in (("bv", "receive.control_id_reused"), ("bv", "hl7v2.no_msh"), ("", "receive.unknown_sender")):
            append(conn, vault, "gw", now, [NewEntry("refused", "", {"feed": feed, "code": code}, b"x")])
    store.close()
    code, told = _check(place, doors + GOOD)
    assert code == 1
    assert {"traffic.never", "traffic.refused", "traffic.strangers"} <= set(told)
    shown = CliRunner().invoke(APP, ["feeds", "check", "bv", "--lang", "en"]).stdout
    assert "control_id_reuse" in shown
    assert "Read ERR-2" in shown


def test_samples_tell_what_the_log_would_and_nobody_is_named(place: Path, doors: str) -> None:
    (place / "samples").mkdir()
    (place / "samples" / "a.hl7").write_text(BIRTH, encoding="utf-8", newline="")
    (place / "samples" / "b.txt").write_text("hello")
    (place / "hotich.toml").write_text('data_dir = "data"\n' + doors + GOOD, encoding="utf-8")
    done = CliRunner().invoke(APP, ["feeds", "check", "bv", "--samples", "samples", "--json"])
    assert done.exit_code == 1
    said = [(check["code"], check["said"], check["mend"]) for check in json.loads(done.stdout)["feeds"][0]["checks"]]
    assert ("sample.refused", "Mẫu thứ 2 sẽ bị trả lời AR") in [one[:2] for one in said]
    (owed,) = [mend for code, words, mend in said if code == "field.never" and "(maGCS)" in words]
    assert "paper.number" in owed
    (crosswalk,) = [mend for code, words, mend in said if code == "finding" and "value.no_crosswalk" in words]
    assert "codes/ethnicity.csv" in crosswalk
    for name in ("Hoa", "Thư", "990001"):
        assert name not in done.stdout


def test_people_are_told_in_vietnamese_unless_they_ask_for_english(place: Path, doors: str) -> None:
    (place / "hotich.toml").write_text('data_dir = "data"\n' + doors + GOOD, encoding="utf-8")
    assert "Cấu hình đủ" in CliRunner().invoke(APP, ["feeds", "check", "bv"]).stdout
    assert "The settings are complete" in CliRunner().invoke(APP, ["feeds", "check", "bv", "--lang", "en"]).stdout


@pytest.mark.parametrize("arguments", [["nobody"], ["bv", "nobody"]])
def test_a_name_that_is_neither_feed_nor_file_is_wrong_use(place: Path, arguments: list[str]) -> None:
    (place / "hotich.toml").write_text(GOOD, encoding="utf-8")
    error = CliRunner().invoke(APP, ["feeds", "check", *arguments]).exception
    assert isinstance(error, SettingsError)
    assert "bv" in error.message


def test_samples_need_one_feed(place: Path) -> None:
    (place / "hotich.toml").write_text(GOOD, encoding="utf-8")
    assert CliRunner().invoke(APP, ["feeds", "check", "--samples", "."]).exit_code == 2


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", CHECKS)
def test_both_languages_tell_the_same_and_every_trouble_has_a_remedy(code: str) -> None:
    words = CHECKS[code]
    same = {name.removesuffix("_vi").removesuffix("_en") for name in _blanks(words.vi + words.mend_vi)}
    other = {name.removesuffix("_vi").removesuffix("_en") for name in _blanks(words.en + words.mend_en)}
    assert same - {"vi", "en"} == other - {"vi", "en"}
    assert bool(words.mend_vi) == bool(words.mend_en) == (words.level != "ok")
    assert re.search(r"[À-ỹ]", words.vi)


def test_remedies_are_for_findings_and_refusals_that_there_are() -> None:
    assert set(FINDINGS) <= set(finding.FINDINGS)
    source = (Path(__file__).parents[3] / "gateway" / "pipeline").glob("*.py")
    text = "".join(file.read_text() for file in source)
    assert [code for code in REFUSALS if f'"{code}"' not in text] == []
