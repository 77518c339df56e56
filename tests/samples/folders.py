"""The sample folders as tests see them: what is sent, what should become of it, and what does."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from adapters.hospital.fhir import FhirReader
from adapters.hospital.hl7v2 import Hl7v2Reader
from adapters.hospital.moh_xml import MohReader
from gateway.mapping.catalogue import Catalogue
from gateway.pipeline.rehearse import rehearse
from gateway.ports.hospital import Feed, MessageReader

PROJECT = Path(__file__).parents[2]
SAMPLES = PROJECT / "sample_messages"
NOT_EXPECTED = ("findings", "provenance", "mapping_hash")
"""Parts of a case that dossier.json leaves out: findings have their own file, the others change with every edit."""


@dataclass(frozen=True, slots=True)
class Folder:
    """One sample folder; `messages` are its files with their content, in the order they are sent."""

    path: Path
    shows: str
    shows_vi: str
    messages: tuple[tuple[str, bytes], ...]
    send: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.relative_to(SAMPLES).as_posix()

    def expected(self, file: str) -> Any:
        """What dossier.json or findings.json says; fails the test when the file is not there."""
        return json.loads((self.path / file).read_text(encoding="utf-8"))


def _folder(path: Path) -> Folder:
    case = tomllib.loads((path / "case.toml").read_text(encoding="utf-8"))
    messages = tuple((message["file"], (path / message["file"]).read_bytes()) for message in case["message"])
    send = tuple(message["send"] for message in case["message"])
    return Folder(path, case["shows"], case["shows_vi"], messages, send)


FOLDERS = {folder.name: folder for folder in map(_folder, sorted(path.parent for path in SAMPLES.rglob("case.toml")))}


@lru_cache(maxsize=1)
def feed() -> Feed:
    """The invented hospital's feed, as sample_messages/feed.toml has it."""
    told = tomllib.loads((SAMPLES / "feed.toml").read_text(encoding="utf-8"))
    return Feed(**{**told, "senders": tuple(told["senders"])})


@lru_cache(maxsize=1)
def readers() -> Mapping[str, MessageReader]:
    """Every reader by format."""
    return {reader.format: reader for reader in (Hl7v2Reader(), FhirReader(), MohReader())}


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The mapping set that ships."""
    return Catalogue.load(PROJECT / "mappings", readers())


@lru_cache(maxsize=256)
def rehearsed(name: str) -> dict[str, Any]:
    """What `hotich try` says of a folder's messages."""
    return rehearse(catalogue(), readers(), feed(), FOLDERS[name].messages)


def dossiers_of(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What dossier.json keeps of a rehearsal."""
    return [{key: value for key, value in case.items() if key not in NOT_EXPECTED} for case in told["cases"]]


def findings_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """What findings.json keeps of a rehearsal: each finding as code and place."""
    messages = [
        {"relevance": message["relevance"], "ack": message["ack"], "findings": _places(message)}
        for message in told["messages"]
    ]
    return {"messages": messages, "cases": [{"findings": _places(case)} for case in told["cases"]]}


def _places(told: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"code": finding["code"], "where": finding["where"]} for finding in told["findings"]]
