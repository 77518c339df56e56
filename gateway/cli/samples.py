"""The sample messages that ship with the gateway: where they are and what each folder says should become of it."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from gateway.errors import SettingsError


@dataclass(frozen=True, slots=True)
class SampleMessage:
    """One file of a sample; `send` is mllp, hl7v2, fhir or moh (the last three over HTTP)."""

    file: Path
    send: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One folder. `cases` is its dossier.json and `relevances` come from its findings.json, message by message: what
    `hotich try` says of it."""

    name: str
    shows: str
    messages: tuple[SampleMessage, ...]
    cases: tuple[dict[str, Any], ...]
    relevances: tuple[str, ...]


def samples_directory() -> Path:
    """`gateway/sample_messages` in an installed wheel, `sample_messages` beside the packages in a source tree."""
    package = Path(str(files("gateway")))
    for directory in (package / "sample_messages", package.parent / "sample_messages"):
        if directory.is_dir():
            return directory
    raise SettingsError("demo.no_samples", "sample_messages is not installed; reinstall the gateway")


def sample_feed(directory: Path) -> dict[str, Any]:
    """The feed of the invented hospital that sends the samples, as a `[feeds.NAME]` table has it."""
    return tomllib.loads((directory / "feed.toml").read_text(encoding="utf-8"))


def load_samples(directory: Path) -> list[Sample]:
    """Every folder with a `case.toml`, by path."""
    return [_sample(directory, case.parent) for case in sorted(directory.rglob("case.toml"))]


def message_files(folder: Path) -> list[SampleMessage]:
    """The messages of a sample folder, in the order its `case.toml` has them."""
    stated = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    return [SampleMessage(folder / message["file"], message["send"]) for message in stated["message"]]


def _sample(root: Path, folder: Path) -> Sample:
    stated = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    findings = _json(folder / "findings.json")
    return Sample(
        name=folder.relative_to(root).as_posix(),
        shows=stated["shows"],
        messages=tuple(message_files(folder)),
        cases=tuple(_json(folder / "dossier.json")),
        relevances=tuple(message["relevance"] for message in findings["messages"]),
    )


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
