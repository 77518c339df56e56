"""The sample folders as tests see them: what is sent, what should become of it, and what does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from adapters.hospital.fhir import FhirReader
from adapters.hospital.hl7v2 import Hl7v2Reader
from adapters.hospital.moh_xml import MohReader
from gateway.cli.samples import SampleFolder, find_folders, open_folder
from gateway.cli.try_accept import dossiers_of
from gateway.mapping.catalogue import Catalogue
from gateway.pipeline.rehearse import rehearse
from gateway.ports.hospital import Feed, MessageReader

__all__ = ["dossiers_of"]

PROJECT = Path(__file__).parents[2]
SAMPLES = PROJECT / "sample_messages"


@dataclass(frozen=True, slots=True)
class Folder:
    """One sample folder; `messages` are its files with their content, in the order they are sent."""

    sample: SampleFolder
    messages: tuple[tuple[str, bytes], ...]

    @property
    def path(self) -> Path:
        return self.sample.path

    @property
    def name(self) -> str:
        return self.path.relative_to(SAMPLES).as_posix()

    @property
    def shows(self) -> str:
        return self.sample.shows

    @property
    def shows_vi(self) -> str:
        return self.sample.shows_vi

    @property
    def send(self) -> tuple[str, ...]:
        return tuple(message.send for message in self.sample.messages)

    @property
    def feed(self) -> Feed:
        """How its sender sends: the invented hospital's feed, with the folder's own settings over it."""
        return self.sample.feed or feed()

    @property
    def catalogue(self) -> Catalogue:
        """The mapping set that ships, under the folder's own overlay."""
        return catalogue(self.sample.overlay)

    def expected(self, file: str) -> Any:
        """What dossier.json or findings.json says; fails the test when the file is not there."""
        return json.loads((self.path / file).read_text(encoding="utf-8"))


def _folder(path: Path) -> Folder:
    sample = open_folder(path)
    return Folder(sample, tuple((message.file.name, message.file.read_bytes()) for message in sample.messages))


FOLDERS = {folder.name: folder for folder in map(_folder, find_folders(SAMPLES))}
COMMON = {name: folder for name, folder in FOLDERS.items() if not folder.sample.special}
"""Those that come by the common feed and are read with the common mappings."""


@lru_cache(maxsize=1)
def feed() -> Feed:
    """The invented hospital's feed, as sample_messages/feed.toml has it."""
    return next(folder.sample.feed for folder in COMMON.values() if folder.sample.feed)


@lru_cache(maxsize=1)
def readers() -> Mapping[str, MessageReader]:
    """Every reader by format."""
    return {reader.format: reader for reader in (Hl7v2Reader(), FhirReader(), MohReader())}


@lru_cache(maxsize=16)
def catalogue(overlay: Path | None = None) -> Catalogue:
    """The mapping set that ships, under an overlay where a folder has one."""
    return Catalogue.load(PROJECT / "mappings", readers(), [overlay] if overlay else [])


@lru_cache(maxsize=256)
def rehearsed(name: str) -> dict[str, Any]:
    """What `hotich try` says of a folder's messages."""
    folder = FOLDERS[name]
    return rehearse(folder.catalogue, readers(), folder.feed, folder.messages)
