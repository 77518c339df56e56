"""hotich try --as fhir: the cases of messages as documents, on standard output and nothing beside them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.fhir_documents import documents_of
from tests.samples.folders import SAMPLES
from tests.serving_child import CLEAN

pytestmark = pytest.mark.slow


def run(place: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "try", *arguments]
    return subprocess.run(command, cwd=place, env=CLEAN, capture_output=True, text=True, check=False)


def test_one_case_is_the_bundle_itself(tmp_path: Path) -> None:
    name = "birth/fhir-document-of-a-gateway"
    done = run(tmp_path, SAMPLES / name, "--as", "fhir")
    ((_, raw),) = documents_of(name)
    assert (done.returncode, json.loads(done.stdout)) == (0, orjson.loads(raw))
    assert "\n  " in done.stdout


def test_several_cases_are_one_a_line_and_can_be_tried_again(tmp_path: Path) -> None:
    done = run(
        tmp_path, SAMPLES / "birth" / "twins-in-one-xml9", SAMPLES / "death" / "giay-bao-tu-document", "--as", "fhir"
    )
    lines = done.stdout.splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["document"] * 3
    (tmp_path / "again.json").write_text(done.stdout, encoding="utf-8")
    again = run(tmp_path, "again.json", "--json")
    assert sorted(case["kind"] for case in json.loads(again.stdout)["cases"]) == ["birth", "birth", "death"]


def test_what_cannot_be_read_gives_no_document_and_the_exit_code_of_a_plain_try(tmp_path: Path) -> None:
    done = run(tmp_path, SAMPLES / "other" / "malformed-xml", "--as", "fhir")
    assert (done.returncode, done.stdout.strip()) == (1, "")


@pytest.mark.parametrize("wrong", [("--as", "hl7v2"), ("--as", "fhir", "--json")])
def test_a_format_that_nobody_writes_is_wrong_use(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    done = run(tmp_path, SAMPLES / "birth" / "father-unknown", *wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--as" in done.stderr


def test_the_wire_is_printed_as_each_commune_is_sent_it(tmp_path: Path) -> None:
    done = run(tmp_path, SAMPLES / "birth" / "ordinary-form-with-both-parents", "--as", "wire")
    assert done.stdout.startswith("<hotich><hoso><maGCS>")
    done = run(tmp_path, SAMPLES / "birth" / "foreign-father", "--as", "wire")
    assert list(json.loads(done.stdout))[:2] == ["maGCS", "ngayCapGCS"]
