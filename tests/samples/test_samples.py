"""Every sample folder becomes what its dossier.json and findings.json promise."""

from __future__ import annotations

import pytest

from gateway.cli.try_accept import as_text, dossiers_of, findings_of
from tests.samples.folders import FOLDERS, SAMPLES, rehearsed

every_folder = pytest.mark.parametrize("name", FOLDERS)
ACCEPT = "read the difference as an officer would; if it is right: hotich try --accept sample_messages/"


@every_folder
def test_a_sample_gives_the_dossiers_it_promises(name: str) -> None:
    expected = FOLDERS[name].expected("dossier.json")
    assert as_text(dossiers_of(rehearsed(name))) == as_text(expected), f"{ACCEPT}{name}"


@every_folder
def test_a_sample_gives_the_findings_it_promises(name: str) -> None:
    expected = FOLDERS[name].expected("findings.json")
    assert as_text(findings_of(rehearsed(name))) == as_text(expected), f"{ACCEPT}{name}"


@every_folder
def test_a_sample_says_what_it_shows_in_both_languages(name: str) -> None:
    folder = FOLDERS[name]
    assert folder.shows.endswith(".")
    assert folder.shows_vi.endswith(".")
    assert not folder.shows_vi.isascii()


@every_folder
def test_a_folder_holds_nothing_that_is_not_sent_or_promised(name: str) -> None:
    folder = FOLDERS[name]
    known = {"case.toml", "dossier.json", "findings.json", *(file for file, _ in folder.messages)}
    known |= {folder.sample.overlay.name} if folder.sample.overlay else set()
    assert {path.name for path in folder.path.iterdir()} == known


@every_folder
def test_messages_are_sent_by_a_way_that_exists(name: str) -> None:
    suffixes = {"mllp": ".hl7", "hl7v2": ".hl7", "fhir": ".json", "moh": ".xml"}
    folder = FOLDERS[name]
    for way, (file, _) in zip(folder.send, folder.messages, strict=True):
        assert file.endswith(suffixes[way])


def test_every_directory_with_messages_is_a_folder_with_a_case() -> None:
    kinds = [SAMPLES / kind for kind in ("birth", "death", "other")]
    assert {path for kind in kinds for path in kind.iterdir()} == {folder.path for folder in FOLDERS.values()}


def test_hl7_samples_keep_the_line_ends_of_real_feeds() -> None:
    ends = {b"\n" in raw.replace(b"\r\n", b"") for folder in FOLDERS.values() for file, raw in folder.messages
            if file.endswith(".hl7") and "mixed-ends" not in file}  # fmt: skip
    assert ends == {False}
