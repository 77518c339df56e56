"""hotich try --certify and --conformance: what samples bring and lack, told without anybody's data."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from gateway.cli import certificate
from gateway.cli.certificate_text import markdown
from gateway.cli.main import build_app
from gateway.domain.finding import Finding
from gateway.errors import SettingsError
from gateway.settings import Settings
from tests.samples.folders import PROJECT

pytestmark = pytest.mark.slow

APP = build_app(["try", "check"])
BIRTH = (
    "MSH|^~\\&|HIS|BV|GW|GW|20261120101500+0700||ADT^A01^ADT_A01|K1|P|2.5.1|||||||UNICODE UTF-8\r"
    "EVN||20261120101500+0700\r"
    "PID|1||990001^^^BV99001^MR||Lò^Thư^Bảo||20261120093000+0700|F\r"
    "NK1|1|Lò^Hoa^Thị|MTH|Thôn 1^^^52^^VN^^^21583\r"
    "PV1|1|I||N\r"
    "ZZZ|1|Lò\r"
)
DEATH = (
    "MSH|^~\\&|HIS|BV|GW|GW|20261121101500+0700||ADT^A03^ADT_A03|K2|P|2.5.1|||||||UNICODE UTF-8\r"
    "EVN||20261121101500+0700\r"
    "PID|1||990002^^^BV99001^MR||Ksor^Bluh||19400101|M|||Thôn 2^^^52^^VN^^^21583||||||||||||||||||202611210930+0700|Y\r"
    "PV1|1|I\r"
)
PEOPLE = ("Lò", "Hoa", "Thư", "Ksor", "Bluh", "990001", "990002", "Thôn 1", "Thôn 2")


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (*Settings.model_fields, "config"):
        monkeypatch.delenv(f"HOTICH_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    feed = '[feeds.bv]\nsenders = ["HIS|BV"]\nfacility_code = "99001"\nfacility_name = "Bệnh viện mẫu"\n'
    (tmp_path / "hotich.toml").write_text(feed + 'facility_commune = "21583"\n', encoding="utf-8")
    samples = tmp_path / "Lò Thị Hoa"  # paths may hold names too
    samples.mkdir()
    (samples / "1.hl7").write_text(BIRTH, encoding="utf-8", newline="")
    (samples / "2.hl7").write_text(DEATH, encoding="utf-8", newline="")
    return tmp_path


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands configure logging for the whole process."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def _run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(APP, ["try", *map(str, arguments)])


def _certificate(*paths: str | Path) -> dict[str, Any]:
    done = _run("--certify", "bv", *paths, "--json")
    assert done.exit_code in (0, 1), done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_fields_that_arrive_and_that_the_family_or_the_facility_will_be_asked_for(place: Path) -> None:
    told = _certificate("Lò Thị Hoa")
    births, deaths = told["kinds"]["birth"], told["kinds"]["death"]
    assert (births["cases"], births["events"], deaths["events"]) == (1, {"hl7v2": 1}, {"hl7v2": 1})
    fields = {one["field"]: one for one in births["fields"]}
    assert (fields["mother.name"]["arrives"], fields["mother.name"]["by_format"]) == (1, {"hl7v2": 1})
    assert fields["mother.name"]["label"] == "Người mẹ: Họ, chữ đệm, tên"
    assert (fields["mother.ethnicity"]["arrives"], fields["mother.ethnicity"]["asked_of"]) == (0, ["family"])
    owed = {(one["field"], one["by"]): one["cases"] for one in births["owed"]}
    assert (owed["nksQueQuan", "family"], owed["maGCS", "facility"]) == (1, 1)
    assert {"meHoTen", "nksGioiTinh"}.isdisjoint(one["field"] for one in births["never"])
    assert {"maGCS", "meDanToc"} <= {one["field"] for one in births["never"]}
    assert "nksNoiSinh" not in {one["field"] for one in births["never"]}, "the settings' facility fills it"


def test_an_old_identity_number_is_not_missed_where_the_new_one_arrives(place: Path) -> None:
    raw = BIRTH.replace("PV1|1", "PV1|1").replace("^^^21583", "^^^21583" + "|" * 29 + "999300000001^^^BCA^NI")
    (place / "one.hl7").write_text(raw, encoding="utf-8", newline="")
    (births,) = _certificate("one.hl7")["kinds"].values()
    arriving = {one["field"] for one in births["fields"] if one["arrives"]}
    assert "mother.personal_id" in arriving
    assert "mother.cmnd" not in arriving
    assert not any("mother.cmnd" in one["from"] for one in births["never"])


def test_what_was_tested_when_and_by_which_rules_is_written_down(place: Path) -> None:
    told = _certificate("Lò Thị Hoa")
    (rules,) = re.findall(r"mapping set ([0-9a-f]{64})", CliRunner().invoke(APP, ["check"]).stdout)
    assert told["self_test"] is True
    assert told["mapping_hash"] == rules
    assert re.fullmatch(r"\d+\.\d+\.\d+", told["gateway_version"])
    assert [message["number"] for message in told["messages"]] == [1, 2]
    assert [message["relevance"] for message in told["messages"]] == ["birth", "death"]
    assert {message["ack"] for message in told["messages"]} == {"AA"}
    again = _certificate("Lò Thị Hoa")
    assert [message["digest"] for message in again["messages"]] == [message["digest"] for message in told["messages"]]


def test_nobody_is_named_in_any_of_its_forms(place: Path) -> None:
    written = place / "giay.md"
    shown = _run("--certify", "bv", "Lò Thị Hoa").stdout
    assert _run("--certify", "bv", "Lò Thị Hoa", "--output", written).exit_code in (0, 1)
    for text in (json.dumps(_certificate("Lò Thị Hoa"), ensure_ascii=False), shown, written.read_text()):
        for name in PEOPLE:
            assert name not in text, name
        assert "ZZZ" in text


def test_a_step_of_a_path_that_a_sender_made_up_is_not_shown() -> None:
    place = "Bundle.entry[0].resource.Lò Thị Hoa"
    told = certificate._findings([{"findings": [Finding("value.unreadable", place).as_json()]}])
    reading: Any = SimpleNamespace(unread=(place,))
    told += certificate._unread([certificate._Read("fhir", "0", (reading,))])
    assert [one.get("where") or one["path"] for one in told] == ["Bundle.entry[*].resource.…"] * 2


def test_people_read_that_it_is_a_self_test_without_a_signature(place: Path) -> None:
    for end in ("md", "txt"):
        _run("--certify", "bv", "Lò Thị Hoa", "--output", f"giay.{end}")
        text = (place / f"giay.{end}").read_text()
        assert "TỰ KIỂM TRA" in text
        assert "không có chữ ký" in text
        assert "SELF-TEST" in text
        assert "| Gia đình bổ sung |" in text
        assert "| mother.name | Người mẹ: Họ, chữ đệm, tên | 1/1 |" in text


def test_a_sample_that_is_refused_is_said_and_the_exit_code_says_no(place: Path) -> None:
    (place / "broken.txt").write_text("hello")
    done = _run("--certify", "bv", "broken.txt", "Lò Thị Hoa", "--json")
    assert done.exit_code == 1
    assert [message["ack"] for message in json.loads(done.stdout)["messages"]] == ["AR", "AA", "AA"]


def test_the_samples_that_ship_can_be_certified_together(place: Path) -> None:
    told = _certificate(PROJECT / "sample_messages" / "birth" / "giay-chung-sinh-document", "Lò Thị Hoa")
    assert told["kinds"]["birth"]["events"] == {"moh": 1, "hl7v2": 1}
    (number,) = [one for one in told["kinds"]["birth"]["fields"] if one["field"] == "paper.number"]
    assert number["by_format"] == {"moh": 1}


def test_text_of_an_envelope_cannot_break_a_table(place: Path) -> None:
    told = _certificate("Lò Thị Hoa")
    told["messages"][0]["type"] = "A|B\n# <script>`"
    (line,) = [line for line in markdown(told).splitlines() if line.startswith("| 1 |")]
    assert "A\\|B # &lt;script>\\`" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ("--certify", "bv", "--feed", "bv"),
        ("--certify", "bv", "--watch"),
        ("--certify", "bv", "--conformance"),
        ("--certify", "bv", "--output", "x.html"),
        ("--output", "x.md"),
        ("--conformance", "--accept"),
    ],
)
def test_mixtures_that_mean_nothing_are_wrong_use(arguments: tuple[str, ...]) -> None:
    assert _run("Lò Thị Hoa", *arguments).exit_code == 2


def test_a_feed_that_is_not_there_and_a_file_that_cannot_be_written_are_told(place: Path) -> None:
    wrong = {"settings.no_such_feed": ("nobody", "x.md"), "use.unwritable_file": ("bv", "none/x.md")}
    for code, (feed, file) in wrong.items():
        error = _run("--certify", feed, "Lò Thị Hoa", "--output", file).exception
        assert isinstance(error, SettingsError)
        assert error.code == code


# --conformance


def test_departures_from_the_structure_are_told_by_place_and_are_not_wrong(place: Path) -> None:
    without_visit = BIRTH.replace("PV1|1|I||N\r", "").replace("|K1|", "|K3|")
    (place / "3.hl7").write_text(without_visit, encoding="utf-8", newline="")
    done = _run("--conformance", "Lò Thị Hoa", "3.hl7", "--json")
    assert done.exit_code == _run("Lò Thị Hoa", "3.hl7", "--json").exit_code
    told = {Path(one["path"]).name: one["departures"] for one in json.loads(done.stdout)["conformance"]}
    missing = {"place": "PV1", "problem": "required in ADT_A01, and missing"}
    assert missing in told["3.hl7"]
    assert missing not in told["1.hl7"]
    for name in PEOPLE:
        assert name not in json.dumps(list(told.values()), ensure_ascii=False)


def test_a_plain_try_checks_no_structure_and_other_formats_have_none(place: Path) -> None:
    assert "conformance" not in json.loads(_run("Lò Thị Hoa", "--json").stdout)
    paper = PROJECT / "sample_messages" / "birth" / "giay-chung-sinh-document"
    assert json.loads(_run("--conformance", paper, "--json").stdout)["conformance"] == []


def test_people_see_a_table_of_departures(place: Path) -> None:
    shown = _run("--conformance", "Lò Thị Hoa").stdout
    assert "Cấu trúc HL7 v2" in shown
    assert re.search(r"conforms: \d/2", shown)
