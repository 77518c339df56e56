"""What `hotich try` works on: messages in streams, and the mapping sets to read them with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.bootstrap import build_readers, load_catalogue
from gateway.cli.message_files import read_files
from gateway.cli.options import settings_of
from gateway.cli.samples import SampleFolder, find_folders, open_folder
from gateway.errors import SettingsError
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.overlays import Overlay
from gateway.pipeline.rehearse import Rehearsal, Sent, rehearse_stream
from gateway.plugins import load_plugins
from gateway.ports.hospital import Feed, MessageReader
from gateway.settings import Settings

Marks = dict[Path, tuple[int, int]]
"""Files by when they were last written (nanoseconds) and how long they are: equal marks, nothing was edited."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Messages that are tried together, in order. A sample folder is a stream of its own, by its own feed."""

    sent: tuple[Sent, ...]
    folder: SampleFolder | None = None

    @property
    def overlay(self) -> Path | None:
        return self.folder.overlay if self.folder else None


@dataclass(frozen=True, slots=True)
class Tried:
    """A stream and what would become of it."""

    stream: Stream
    rehearsal: Rehearsal


def find_streams(paths: Sequence[Path], settings: Settings, feed: str | None) -> list[Stream]:
    """The streams at the paths: loose files together by the settings' feed, and every sample folder. A feed named on
    the command line is everyone's. Raises SettingsError for what cannot be read."""
    usual, streams, loose = choose_feed(settings, feed), list[Stream](), list[Path]()
    for path in paths:
        folders = find_folders(path) if path.is_dir() else []
        streams += [_stream_of(open_folder(folder), usual, feed is not None) for folder in folders]
        loose += [] if folders else [path]
    sent = tuple(Sent(name, raw, usual) for name, raw in read_files(loose))
    return [Stream(sent), *streams] if sent or not streams else streams


def choose_feed(settings: Settings, name: str | None) -> Feed:
    """The named feed; without a name `default`, else the first. Raises SettingsError for a wrong name."""
    if name is None:
        return settings.feeds.get("default") or next(iter(settings.feeds.values()))
    if name not in settings.feeds:
        raise SettingsError("settings.no_such_feed", f"--feed {name}: the settings have {', '.join(settings.feeds)}")
    return settings.feeds[name]


def _stream_of(folder: SampleFolder, usual: Feed, named: bool) -> Stream:
    feed = usual if named or folder.feed is None else folder.feed
    return Stream(tuple(Sent(name, raw, feed) for name, raw in read_files([folder.path])), folder)


def marks_of(places: Iterable[Path]) -> Marks:
    """Marks of every file at or below the places; hidden files and what is gone meanwhile are left out."""
    found: Marks = {}
    for place in places:
        for file in [place] if not place.is_dir() else sorted(place.rglob("[!.]*")):
            try:
                stat = file.stat()
            except OSError:
                continue
            if not file.is_dir() and file.suffix != ".pyc":
                found[file] = (stat.st_mtime_ns, stat.st_size)
    return found


_State = tuple[tuple[Overlay, ...], Marks]


class Workbench:
    """Settings, readers and mapping sets of one command. A set is read once; `refresh` lets go of edited ones."""

    def __init__(self, config: Path | None, data_dir: Path | None) -> None:
        self._given = config, data_dir
        self._sets: dict[Path | None, tuple[_State, Catalogue]] = {}
        self.plugins = load_plugins()
        self.readers: Mapping[str, MessageReader] = build_readers(self.plugins)
        self.settings = settings_of(config, data_dir)

    def refresh(self) -> None:
        """Read the settings anew, and let go of sets whose files changed. Raises SettingsError; the old ones stay."""
        self.settings = settings_of(*self._given)
        self._sets = {overlay: kept for overlay, kept in self._sets.items() if kept[0] == self._state(overlay)}

    def places(self, overlay: Path | None = None) -> list[Path]:
        """The directories of the set in use."""
        overlays = (*self.settings.mapping_overlays, *_given(overlay))
        return [*self.plugins.mappings.values(), *(stated.path for stated in overlays)]

    def _state(self, overlay: Path | None) -> _State:
        return self.settings.mapping_overlays, marks_of(self.places(overlay))

    def now(self, overlay: Path | None = None) -> Catalogue:
        """The set the settings give, under one overlay more. Raises MappingError with every mistake."""
        if overlay not in self._sets:
            state = self._state(overlay)  # taken first: what is saved while reading is read again
            self._sets[overlay] = state, self.over(*self.settings.mapping_overlays, *_given(overlay))
        return self._sets[overlay][1]

    def over(self, *overlays: Overlay) -> Catalogue:
        """The installed set under these overlays instead of the settings'."""
        settings = self.settings.model_copy(update={"mapping_overlays": overlays})
        return load_catalogue(settings, self.plugins, self.readers)

    def rehearse(self, stream: Stream, catalogue: Catalogue) -> Tried:
        """What would become of a stream under a set."""
        return Tried(stream, rehearse_stream(catalogue, self.readers, stream.sent))

    def rehearse_all(self, streams: Iterable[Stream]) -> list[Tried]:
        """What would become of the streams now, each under its own overlay where it has one."""
        return [self.rehearse(stream, self.now(stream.overlay)) for stream in streams]


def _given(overlay: Path | None) -> list[Overlay]:
    return [] if overlay is None else [Overlay(overlay)]
