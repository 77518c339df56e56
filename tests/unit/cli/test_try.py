"""hotich try as developers of mappings use it: side by side, two sets compared, promises of samples accepted."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from typer.testing import CliRunner

from gateway.cli.main import build_app
from gateway.cli.samples import open_folder
from gateway.cli.try_tables import console, print_document
from gateway.errors import SettingsError
from gateway.settings import Settings
from tests.samples.folders import PROJECT
from tests.serving_child import CLEAN

pytestmark = pytest.mark.slow

BIRTH = (
    "MSH|^~\\&|HIS|BV99001|GW|GW|20261120101500+0700||ADT^A01^ADT_A01|K1|P|2.5.1|||||||UNICODE UTF-8\r"
    "EVN||20261120101500+0700\r"
    "PID|1||990001^^^BV99001^MR||Lò^Thư^Bảo||20261120093000+0700|F\r"
    "NK1|1|Lò^Hoa^Thị|MTH|Thôn 1^^^52^^VN^^^21583\r"
    "PV1|1|I||N\r"
)
SEXES = "code,value,name,valid_from,valid_to,source\nF,male,Nam,,,a wrong line on purpose\n"
SHOWS = 'shows = "One."\nshows_vi = "Một."\n[[message]]\nfile = "a.hl7"\nsend = "mllp"\n'
FEED = 'name = "mau"\nfacility_code = "99001"\nfacility_name = "Bệnh viện mẫu"\nfacility_commune = "21583"\n'
MESSAGE = {"path": "a", "index": 0, "type": "", "ack": "AA", "relevance": "other", "findings": [], "unread": []}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a message, and an overlay that takes every girl for a boy."""
    (tmp_path / "birth.hl7").write_text(BIRTH, encoding="utf-8", newline="")
    (tmp_path / "wrong" / "codes").mkdir(parents=True)
    (tmp_path / "wrong" / "codes" / "hl7v2_sex.csv").write_text(SEXES, encoding="utf-8")
    (tmp_path / "hotich.toml").write_text('data_dir = "data"\n')
    return tmp_path


@pytest.fixture
def sample(place: Path) -> Path:
    """A sample folder of one's own, with no expected files yet."""
    folder = place / "samples" / "birth" / "one"
    folder.mkdir(parents=True)
    (place / "samples" / "feed.toml").write_text(FEED, encoding="utf-8")
    (folder / "case.toml").write_text(SHOWS, encoding="utf-8")
    (folder / "a.hl7").write_text(BIRTH, encoding="utf-8", newline="")
    return folder


def run(place: Path, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "try", *arguments]
    return subprocess.run(command, cwd=place, env=CLEAN | variables, capture_output=True, text=True, check=False)


# Side by side


def test_a_row_shows_source_value_field_and_rule(place: Path) -> None:
    (line,) = [line for line in run(place, "birth.hl7").stdout.splitlines() if "meHoTen" in line]
    source, value, field, rule = (cell.strip() for cell in line.strip("│").split("│"))
    assert (source, value, field) == ("birth.hl7 NK1[NK1-3.1 = MTH]-2", "Lò Thị Hoa", "meHoTen")
    assert rule.startswith("inbound/hl7v2/adt_birth.toml#mother.name > outbound/1.001193/")


def test_findings_debts_commune_and_clocks_are_shown_with_words_for_their_severity(place: Path) -> None:
    broken = place / "broken.hl7"
    broken.write_text(BIRTH.replace("|F\r", "|\r").replace("21583", "99999"), encoding="utf-8", newline="")
    done = run(place, broken)
    assert done.returncode == 1
    assert "error value.missing nksGioiTinh: Thiếu thông tin bắt buộc" in done.stdout
    assert "chưa xác định / unknown · waiting" in done.stdout
    assert "│ maGCS " in done.stdout and "│ facility " in done.stdout
    assert re.search(r"^register_by 2027-\d\d-\d\d: Đăng ký trong 60 ngày", done.stdout, re.MULTILINE)


def test_a_pipe_gets_plain_text_and_a_terminal_colours_unless_it_says_no(place: Path) -> None:
    assert "\x1b[" not in run(place, "birth.hl7").stdout
    assert "\x1b[32m" in run(place, "birth.hl7", FORCE_COLOR="1").stdout
    assert "\x1b[32m" not in run(place, "birth.hl7", FORCE_COLOR="1", NO_COLOR="1").stdout


def test_a_narrow_terminal_folds_long_values_and_loses_nothing(place: Path) -> None:
    (place / "birth.hl7").write_text(BIRTH.replace("Thôn 1", "Ở" * 150), encoding="utf-8", newline="")
    narrow = run(place, "birth.hl7", FORCE_COLOR="1", COLUMNS="70").stdout
    assert narrow.count("Ở") == 150
    assert "…" not in narrow


def test_control_characters_of_a_message_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_document(console(), {"messages": [{**MESSAGE, "type": "ADT\x1b[2J^A01"}], "cases": []})
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "ADT\\x1b[2J^A01" in shown


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_is_shown_in_the_code_points_it_came_in(
    form: Literal["NFC", "NFD"], capsys: pytest.CaptureFixture[str]
) -> None:
    name = unicodedata.normalize(form, "Lò Thị Huệ")
    print_document(console(), {"messages": [{**MESSAGE, "path": name}], "cases": []})
    assert name in capsys.readouterr().out


def test_the_json_document_has_the_documented_keys_and_nothing_beside_it_on_standard_output(sample: Path) -> None:
    done = run(sample.parent, "one", "--json")
    document = json.loads(done.stdout)
    assert set(document) == {"messages", "cases"}
    keys = {"path", "index", "type", "control_id", "ack", "relevance", "findings", "unread"}
    assert set(document["messages"][0]) == keys


# Two mapping sets


def test_two_whole_sets_that_differ_by_one_row_differ_in_what_that_row_fills(place: Path) -> None:
    for name in ("old", "new"):
        shutil.copytree(PROJECT / "mappings", place / name, ignore=shutil.ignore_patterns("__pycache__"))
    rules = place / "new" / "inbound" / "hl7v2" / "adt_birth.toml"
    text = rules.read_text(encoding="utf-8")
    assert text.count('from = "PID-8.1"') == 1
    rules.write_text(text.replace('from = "PID-8.1"', 'from = "PID-8.2"'), encoding="utf-8")
    done = run(place, "birth.hl7", "--compare", "old", "new")
    assert done.returncode == 1, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "│ field" in line]
    assert [cell.strip() for cell in line.strip("│").split("│")] == ["field", "nksGioiTinh", "2", "—"]
    assert "1 case, 1 differ in 1 field" in done.stdout
    assert run(place, "birth.hl7", "--compare", "old", "old").returncode == 0


def test_an_overlay_directory_is_compared_over_the_installed_set(place: Path) -> None:
    done = run(place, "birth.hl7", "--compare", "now", "wrong", "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    (case,) = told["cases"]
    gaps = {(gap["part"], gap["place"]): (gap["a"], gap["b"]) for gap in case["differences"]}
    assert gaps == {("field", "nksGioiTinh"): ("2", "1")}
    assert told["summary"]["cases_differing"] == 1
    assert told["a"]["hash"] != told["b"]["hash"]
    assert not (place / "data").exists()


def test_equal_sets_are_equal_and_say_so(place: Path) -> None:
    done = run(place, "birth.hl7", "--compare", "now", "now")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 case, 0 differ in 0 fields; 1 message, 0 differ\n"


def test_now_means_the_set_of_the_settings(place: Path) -> None:
    (place / "hotich.toml").write_text('data_dir = "data"\nmapping_overlays = ["wrong"]\n')
    assert run(place, "birth.hl7", "--compare", "now", "wrong").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["birth.hl7", "--compare", "now", "nobody"], "neither `now`, nor a directory of mappings"),
        (["birth.hl7", "--compare", "now", "."], "holds no mappings"),
        (["birth.hl7", "--compare", "now", "0123abcd"], "holds no hotich.db"),
        (["--compare", "now", "wrong", "--last", "3", "--reason", "thử"], "holds no hotich.db"),
        (["--compare", "now", "wrong", "--last", "3"], "--reason"),
        (["birth.hl7", "--last", "3", "--reason", "thử"], "--last goes with"),
        (["--compare", "now", "wrong"], "name messages"),
        (["birth.hl7", "--watch", "--json"], "--json goes with"),
        (["birth.hl7", "--watch", "--accept"], "each stand alone"),
        (["birth.hl7", "--accept"], "wants sample folders"),
    ],
)
def test_wrong_use_is_told_and_makes_nothing(
    place: Path, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "200")
    for name in (*Settings.model_fields, "config"):
        monkeypatch.delenv(f"HOTICH_{name.upper()}", raising=False)
    done = CliRunner().invoke(build_app(["try", "check"]), ["try", *arguments])
    assert done.exit_code == 2 or isinstance(done.exception, SettingsError)
    assert words in done.stderr + str(done.exception)
    assert not (place / "data").exists()


# Promises of sample folders


def test_what_is_accepted_is_shown_and_accepting_again_changes_nothing(sample: Path) -> None:
    first = run(sample.parent, "--accept", "one")
    assert first.returncode == 0, first.stderr
    assert '+        "nksHoTen": "Lò Bảo Thư",' in first.stdout
    assert first.stdout.endswith("1 of 1 folders differed\n")
    second = run(sample.parent, "--accept", "one")
    assert second.stdout == "0 of 1 folders differed\n"
    done = run(sample.parent, "one")
    assert done.returncode == 0
    assert "is what it promises" in done.stdout


def test_a_promise_not_kept_is_shown_and_left_as_it_is(sample: Path) -> None:
    run(sample.parent, "--accept", "one")
    file = sample / "dossier.json"
    altered = file.read_text(encoding="utf-8").replace("Lò Bảo Thư", "Lò Bảo Thi")
    file.write_text(altered, encoding="utf-8")
    done = run(sample.parent, "one")
    assert done.returncode == 1
    assert '-        "nksHoTen": "Lò Bảo Thi",\n+        "nksHoTen": "Lò Bảo Thư",' in done.stdout
    assert file.read_text(encoding="utf-8") == altered
    as_json = run(sample.parent, "one", "--json")
    assert (as_json.returncode, "dossier.json" in as_json.stderr) == (1, True)


def test_a_sample_is_sent_by_its_own_feed_and_read_under_its_own_overlay(sample: Path) -> None:
    (sample / "case.toml").write_text(
        'overlay = "here"\n' + SHOWS + '[feed]\nfacility_name = "Trạm y tế xã (mẫu)"\n', encoding="utf-8"
    )
    shutil.copytree(sample.parents[2] / "wrong", sample / "here")
    done = run(sample.parent, "--accept", "one")
    assert done.returncode == 0, done.stderr
    (case,) = json.loads((sample / "dossier.json").read_text(encoding="utf-8"))
    fields = case["dossier"]["fields"]
    assert fields["nksGioiTinh"] == "1"
    assert fields["nksNoiSinh"]["dcChiTiet"] == "Trạm y tế xã (mẫu)"
    assert open_folder(sample).special


def test_several_folders_are_tried_each_by_itself(sample: Path) -> None:
    shutil.copytree(sample, sample.with_name("two"))
    told = json.loads(run(sample.parent, ".", "--json").stdout)
    assert [message["relevance"] for message in told["messages"]] == ["birth", "birth"]
    assert len(told["cases"]) == 2


def test_a_feed_named_on_the_command_line_is_everyones(sample: Path) -> None:
    feed = '[feeds.kia]\nfacility_name = "Bệnh viện kia"\nfacility_commune = "21592"\n'
    (sample.parent / "hotich.toml").write_text(feed, encoding="utf-8")
    told = json.loads(run(sample.parent, "one", "--feed", "kia", "--json").stdout)
    assert told["cases"][0]["dossier"]["fields"]["nksNoiSinh"]["dcChiTiet"] == "Bệnh viện kia"


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("shows = ", "is not TOML"),
        ('shows = "x"\n', r"needs \[\[message\]\] tables"),
        (SHOWS + "[feed]\nfacility_cod = '1'\n", "facility_cod: no such key; did you mean facility_code"),
    ],
)
def test_a_mistake_in_case_toml_is_told_with_its_file(sample: Path, case: str, words: str) -> None:
    (sample / "case.toml").write_text(case, encoding="utf-8")
    with pytest.raises(SettingsError, match=words) as told:
        open_folder(sample)
    assert str(sample / "case.toml") in told.value.message
