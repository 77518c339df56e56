"""Sample folders: where they are, by what feed their messages come, and what each says should become of it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.errors import SettingsError
from gateway.ports.hospital import Feed
from gateway.settings import Settings

CASE, FEED = "case.toml", "feed.toml"


@dataclass(frozen=True, slots=True)
class SampleMessage:
    """One file of a sample; `send` is mllp, hl7v2, fhir or moh (the last three over HTTP)."""

    file: Path
    send: str


@dataclass(frozen=True, slots=True)
class SampleFolder:
    """A folder with a `case.toml`: what it shows, and its messages in the order they are sent.

    `feed` is how the sender sends: the `feed.toml` of the folder or of the nearest one above, with the keys of
    `case.toml`'s own `[feed]` table over it; None when neither is there. `overlay` is a directory of mappings that
    count for this folder only. `special` says that one of the two is the folder's own."""

    path: Path
    shows: str
    shows_vi: str
    messages: tuple[SampleMessage, ...]
    feed: Feed | None = None
    overlay: Path | None = None
    special: bool = False


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
    return _toml(directory / FEED)


def load_samples(directory: Path) -> list[Sample]:
    """Every folder whose messages come by the common feed and are read with the common mappings, by path: what one
    running gateway can play."""
    found = (open_folder(path) for path in find_folders(directory))
    return [_sample(directory, folder) for folder in found if not folder.special]


def find_folders(directory: Path) -> list[Path]:
    """The sample folders at and below a directory, by path."""
    return sorted(case.parent for case in directory.rglob(CASE))


def open_folder(path: Path) -> SampleFolder:
    """Read a folder's `case.toml` and find its feed. Raises SettingsError naming the file and what is wrong in it."""
    stated = _toml(path / CASE)
    try:
        messages = tuple(SampleMessage(path / told["file"], told["send"]) for told in stated["message"])
    except (KeyError, TypeError) as error:
        words = f"{path / CASE} needs [[message]] tables with `file` and `send`"
        raise SettingsError("use.sample_wrong", words) from error
    overlay = path / stated["overlay"] if "overlay" in stated else None
    return SampleFolder(
        path=path,
        shows=stated.get("shows", ""),
        shows_vi=stated.get("shows_vi", ""),
        messages=messages,
        feed=_feed(path, stated.get("feed", {})),
        overlay=overlay,
        special=overlay is not None or "feed" in stated,
    )


def message_files(folder: Path) -> list[SampleMessage]:
    """The messages of a sample folder, in the order its `case.toml` has them."""
    return list(open_folder(folder).messages)


def feed_file(folder: Path) -> Path | None:
    """The nearest `feed.toml` in or above a folder."""
    here = folder.resolve()
    return next((place / FEED for place in (here, *here.parents) if (place / FEED).is_file()), None)


def _feed(folder: Path, own: Mapping[str, Any]) -> Feed | None:
    common = feed_file(folder)
    if common is None and not own:
        return None
    table = {"name": "sample", **(_toml(common) if common else {}), **own}
    name = str(table.pop("name"))
    try:
        return Settings(feeds={name: table}).feeds[name]  # checked as [feeds.NAME] is
    except ValidationError as error:
        words = "; ".join(mistake["msg"].removeprefix("Value error, ") for mistake in error.errors())
        raise SettingsError("use.sample_wrong", f"{folder / CASE} or its {FEED}: {words}") from error


def _sample(root: Path, folder: SampleFolder) -> Sample:
    findings = _json(folder.path / "findings.json")
    return Sample(
        name=folder.path.relative_to(root).as_posix(),
        shows=folder.shows,
        messages=folder.messages,
        cases=tuple(_json(folder.path / "dossier.json")),
        relevances=tuple(message["relevance"] for message in findings["messages"]),
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("use.sample_wrong", f"{path} is not TOML: {error}") from error


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
