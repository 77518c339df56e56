"""A made-up message format over plain dicts, and mapping sets written on the spot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from gateway.domain.case import Rank
from gateway.domain.finding import Finding
from gateway.mapping.catalogue import Catalogue
from gateway.ports.hospital import Event

MAPPINGS = Path(__file__).parents[3] / "mappings"


class NotebookScope:
    """Paths are keys of one dict; what no rule asked for is unread."""

    def __init__(self, page: Mapping[str, Any]) -> None:
        self.page, self.asked = page, set()

    def select(self, path: str) -> Sequence[Any]:
        self.asked.add(path)
        value = self.page.get(path, [])
        return value if isinstance(value, list) else [value]

    def unread(self) -> Sequence[str]:
        return [key for key in self.page if key not in self.asked]


class NotebookReader:
    """Only what the engine needs of a reader."""

    format = "notebook"

    def compile(self, path: str) -> str:
        if " " in path:
            raise ValueError("a page has no blanks in its headings")
        return path


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write mapping files by path under a new directory; returns the directory."""

    def write_files(files: Mapping[str, str], under: str = "set") -> Path:
        for name, text in files.items():
            file = tmp_path / under / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text), encoding="utf-8")
        return tmp_path / under

    return write_files


@pytest.fixture
def load(write: Callable[..., Path]) -> Callable[..., Catalogue]:
    """A catalogue of files written on the spot, read by the notebook reader."""

    def load_files(files: Mapping[str, str], *overlays: Mapping[str, str]) -> Catalogue:
        above = [write(overlay, f"overlay-{number}") for number, overlay in enumerate(overlays)]
        return Catalogue.load(write(files), {"notebook": NotebookReader()}, above)  # type: ignore[dict-item]

    return load_files


@pytest.fixture
def event() -> Callable[..., Event]:
    """An event of the notebook format."""

    def make(page: Mapping[str, Any], mapping: str = "birth", findings: tuple[Finding, ...] = ()) -> Event:
        scope = NotebookScope(page)
        return Event("birth", "birth", mapping, Rank.MESSAGE, ("P1",), "2026-11-23T01:00:00Z", scope, findings)

    return make


@pytest.fixture(scope="session")
def shipped() -> Catalogue:
    """The mapping set of the product, without readers: outbound forms, code tables and units."""
    return Catalogue.load(MAPPINGS, {})
