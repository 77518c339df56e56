"""The pages people write (README and docs/), taken apart: links, code blocks, command lines and what they print."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE = ("settings.md", "commands.md", "errors.md")
"""Made from the code (tests.docs.made_pages); their usage lines are not commands to type."""

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
WRITTEN = [page for page in PAGES if page.name not in MADE]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_EXIT = re.compile(r"\s+#.*?\bexit code (\d)\b.*$")
_FRAME = re.compile(r"[│┃┏┓┗┛━┳┻┡┩╇─┬┴├┤┼└┘]")
_HEX = re.compile(r"\b[0-9a-f]{12,}\b")
_NUMBER = re.compile(r"(?<![\w.-])\d+(?![\w-])|(?<=gateway\.)\d+")


@dataclass(frozen=True, slots=True)
class Step:
    """A command line of a ```console block: what is typed after `$ `, the exit code its comment claims (0 unless it
    says otherwise), and the lines shown below it."""

    command: str
    exit_code: int
    shown: tuple[str, ...]


def blocks(page: Path) -> list[tuple[str, str]]:
    """(language, content) of every fenced block."""
    return [(found[1], found[2]) for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def steps(page: Path) -> list[Step]:
    """The commands of a page's console blocks, in order: one session."""
    return [step for language, content in blocks(page) if language == "console" for step in _steps(content)]


def _steps(content: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        claimed = _EXIT.search(command)
        yield Step(_EXIT.sub("", command), int(claimed[1]) if claimed else 0, tuple(shown))


def spans(page: Path) -> list[str]:
    """Inline code outside of fenced blocks."""
    return _SPAN.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))


def links(page: Path) -> list[str]:
    """Targets of links and pictures that stay within the project."""
    targets = _LINK.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))
    return [target for target in targets if "://" not in target]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as git hosts make them."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    return {_anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def _anchor(heading: str) -> str:
    plain = re.sub(r"[`*]", "", heading).strip().lower()
    kept = (char for char in plain if char in " -_" or unicodedata.category(char)[0] in "LNM")
    return "".join(kept).replace(" ", "-")


def is_shown(line: str, printed: list[str]) -> bool:
    """Whether a line of documentation is among the lines printed. Frames of tables, counts, ids and hashes may differ;
    `…` at an end stands for anything."""
    wanted = _settled(line)
    head, tail = wanted.startswith("… "), wanted.endswith("…")
    wanted = wanted.removeprefix("… ").removesuffix("…").rstrip()
    for found in map(_settled, printed):
        if found == wanted or head and tail and wanted in found:
            return True
        if head and found.endswith(wanted) or tail and found.startswith(wanted):
            return True
    return False


def _settled(line: str) -> str:
    bare = " ".join(_FRAME.sub(" ", line).split())
    return _NUMBER.sub("N", _HEX.sub("H", bare))
