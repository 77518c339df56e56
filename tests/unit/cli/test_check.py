"""hotich check, run as a hospital technician would: mistakes refuse, warnings do not, schemas are printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from gateway.cli.main import build_app
from gateway.settings import Settings

APP = build_app(["check"])
HEAD = "code,value,name,valid_from,valid_to,source\n"


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty directory with a settings file that names the overlay `local`."""
    for name in (*Settings.model_fields, "config"):
        monkeypatch.delenv(f"HOTICH_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "local").mkdir()
    (tmp_path / "hotich.toml").write_text('mapping_overlays = ["local"]\n')
    return tmp_path / "local"


def write(place: Path, file: str, text: str) -> None:
    (place / file).parent.mkdir(parents=True, exist_ok=True)
    (place / file).write_text(text, encoding="utf-8")


def check(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(APP, ["check", *arguments])
    return done.exit_code, done.stdout


def told(*arguments: str) -> tuple[int, Any]:
    code, printed = check("--json", *arguments)
    return code, json.loads(printed)


def test_what_ships_has_neither_mistakes_nor_warnings() -> None:
    code, document = told()
    assert (code, document["mistakes"], document["warnings"]) == (0, [], [])


def test_a_warning_is_told_and_the_answer_is_still_yes(place: Path) -> None:
    write(place, "codes/ethnicity.csv", HEAD + "25,01,Kinh,,2099-12-31,this hospital's list\n")
    code, document = told()
    (warning,) = document["warnings"]
    assert (code, document["ok"]) == (0, True)
    assert (warning["code"], warning["file"], warning["line"]) == ("table.ends", "local/codes/ethnicity.csv", 2)
    assert warning["message"] == "code 25 ends on 2099-12-31 and nothing follows"
    code, printed = check()
    assert code == 0
    assert f"warning: local/codes/ethnicity.csv:2: {warning['message']} [table.ends]\n" in printed


def test_a_mistake_is_told_with_its_place_and_remedy_apart(place: Path) -> None:
    write(place, "inbond/hl7v2/adt_birth.toml", "")
    code, document = told()
    (mistake,) = document["mistakes"]
    assert (code, document["ok"], document["mapping_hash"], document["warnings"]) == (1, False, None, [])
    assert (mistake["code"], mistake["file"], mistake["line"]) == (
        "mapping.invalid",
        "local/inbond/hl7v2/adt_birth.toml",
        1,
    )
    assert mistake["remedy"].startswith("Did you mean `inbound`?")
    assert mistake["message"].startswith("local/inbond/hl7v2/adt_birth.toml:1: file: there is no folder `inbond`.")


def test_wrong_settings_and_wrong_mappings_are_told_in_one_run(place: Path) -> None:
    write(place, "codes/sex.csv", "")
    (place.parent / "hotich.toml").write_text('mapping_overlays = ["local"]\n[population]\nuse = "nobody"\n')
    code, printed = check()
    assert code == 2
    assert "nobody" in printed


def test_a_wrong_list_of_units_is_told(place: Path) -> None:
    write(place, "units/communes.csv", "code,name\n")
    code, document = told()
    assert code == 1
    assert any("units/communes.csv" in mistake["file"] for mistake in document["mistakes"])


@pytest.mark.parametrize("name", ["inbound", "outbound", "form"])
def test_a_schema_is_printed_for_editors_as_it_is_kept(name: str) -> None:
    code, printed = check("--schema", name)
    kept = Path(__file__).parents[3] / "mappings" / f"{name}.schema.json"
    assert code == 0
    assert json.loads(printed) == json.loads(kept.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(json.loads(printed))


def test_another_schema_is_wrong_use() -> None:
    assert check("--schema", "codes")[0] == 2
