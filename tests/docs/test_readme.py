"""What the README and the tours tell people to type works, and prints what they say it prints."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main

from gateway.cli.main import build_app
from gateway.settings import Settings
from tests.docs import written_pages
from tests.docs.written_pages import PAGES, ROOT, WRITTEN, Step, is_shown, steps

SESSIONS = [page for page in WRITTEN if steps(page)]
LARGEST_PICTURE = 200_000
MARK = "@@done"
STARTS = 3
"""Another demo may take the usual port between this one's look and its bind; then it is started again."""


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("written", PAGES, ids=_name)
def test_every_link_of_a_page_leads_somewhere(written: Path) -> None:
    dead = []
    for target in written_pages.links(written):
        path, _, anchor = target.partition("#")
        file = written.parent / path if path else written
        if not file.exists() or (anchor and anchor not in written_pages.anchors(file)):
            dead.append(target)
    assert dead == []


def test_every_page_and_picture_of_the_docs_is_linked_from_somewhere() -> None:
    targets = [(page, target) for page in PAGES for target in written_pages.links(page)]
    linked = {(page.parent / target.partition("#")[0]).resolve() for page, target in targets}
    files = [file for file in (ROOT / "docs").rglob("*") if file.is_file() and "decisions" not in file.parts]
    assert [_name(file) for file in files if file not in linked and file.name != "README.md"] == []


def test_pictures_are_small() -> None:
    assert [file.name for file in (ROOT / "docs/img").iterdir() if file.stat().st_size > LARGEST_PICTURE] == []


# Command lines are ones the program knows.


def _lines_of_hotich(page: Path) -> list[str]:
    typed = [line for step in steps(page) for line in re.split(r"\||;|&&|\$\(|\)", step.command)]
    shell = [content for language, content in written_pages.blocks(page) if language == "sh"]
    typed += [line for content in shell for line in content.split("\n")]
    lines = (line.strip() for line in typed)
    return [line for line in (*lines, *written_pages.spans(page)) if line.startswith("hotich ")]


def _unknown(line: str) -> str | None:
    """What of a command line the program does not know; None when all of it is known."""
    words = [word for word in shlex.split(line, comments=True)[1:] if word not in (">", "<")]
    command = typer.main.get_command(build_app())
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        if name not in command.commands:
            return name
        command = command.commands[name]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return next((word for word in words if word.startswith("--") and word.partition("=")[0] not in known), None)


@pytest.mark.parametrize("written", WRITTEN, ids=_name)
def test_every_command_line_of_a_page_exists_with_its_options(written: Path) -> None:
    wrong = {line: unknown for line in _lines_of_hotich(written) if (unknown := _unknown(line)) is not None}
    assert wrong == {}


def test_make_targets_named_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


def test_settings_shown_in_the_tours_are_settings() -> None:
    shown = [content for page in WRITTEN for language, content in written_pages.blocks(page) if language == "toml"]
    assert shown
    for content in shown:
        Settings.model_validate(tomllib.loads(content))


def test_the_list_of_what_is_missing_is_true() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    points = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    assert (
        set(points["gateway.commune"]) == {"desk", "moj_rest", "folder"} and "The desk, `moj_rest` and `folder`" in text
    )
    assert set(points["gateway.population"]) == {"embedded", "soap", "rest"} and "`soap` and `rest` were tried" in text
    assert (
        set(points["gateway.signing"]) == {"development", "pem", "pkcs11", "rfc3161"} and "PKCS#11 (tried with" in text
    )
    outcomes = {f"outcome_{way}" for way in ("hl7v2", "fhir", "webhook", "file")}
    assert set(points["gateway.hospital"]) == {"hl7v2", "fhir", "moh", "mllp", "folder", *outcomes}


# The sessions run, against one demo.


@dataclass(frozen=True, slots=True)
class Demo:
    """A running `hotich demo`: its directory, and the ports it took."""

    directory: Path
    mllp: str
    http: str


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    place = tmp_path / "demo"
    place.mkdir()
    process, found = _start(place)
    try:
        yield Demo(place, found[2], found[1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _start(place: Path) -> tuple[subprocess.Popen[bytes], re.Match[str]]:
    told = place / "told.txt"
    for _ in range(STARTS):
        with told.open("wb") as out:
            command = [sys.executable, "-m", "gateway", "demo"]
            process = subprocess.Popen(command, cwd=place, stdout=out, stderr=subprocess.STDOUT)
        found = _find_addresses(told, process)
        if found:
            return process, found
        if "settings.port_taken" not in told.read_text(encoding="utf-8"):
            break
    raise AssertionError(told.read_text(encoding="utf-8"))


def _find_addresses(told: Path, process: subprocess.Popen[bytes]) -> re.Match[str] | None:
    """What the demo says when all has settled; None when it ended instead."""
    while process.poll() is None:
        text = told.read_text(encoding="utf-8")
        found = re.search(r"http://127\.0\.0\.1:(\d+)/\s+MLLP: 127\.0\.0\.1:(\d+)", text)
        if found and "hotich log verify" in text:
            return found
        time.sleep(0.1)
    return None


def _work_directory(demo: Demo, place: Path) -> Path:
    """A copy of what a reader has in front of him, with the demo's data."""
    place.mkdir()
    (place / "hotich-data").symlink_to(demo.directory / "hotich-data")
    for name in ("sample_messages", "mappings", "tests"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def _play(session: list[Step], demo: Demo, place: Path) -> list[tuple[int, list[str]]]:
    """Exit code and printed lines of every step, typed into one shell."""
    script = "".join(f"{step.command}\nprintf '\\n{MARK} %s\\n' $?\n" for step in session)
    script = script.replace("-p 2575", f"-p {demo.mllp}").replace("127.0.0.1:2575", f"127.0.0.1:{demo.mllp}")
    script = script.replace("127.0.0.1:8080", f"127.0.0.1:{demo.http}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOTICH_")}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{environment['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash"], input=script, cwd=place, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    *parts, _rest = re.split(rf"^{MARK} (\d+)\n", done.stdout, flags=re.MULTILINE)
    return [(int(code), text.splitlines()) for text, code in zip(parts[::2], parts[1::2], strict=True)]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_sessions_of_the_documentation_do_what_they_say(
    demo: Demo, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for page in SESSIONS:
        with subtests.test(page=_name(page)):
            played = _play(steps(page), demo, _work_directory(demo, tmp_path / page.stem))
            assert len(played) == len(steps(page))
            for step, (code, printed) in zip(steps(page), played, strict=True):
                assert code == step.exit_code, (step.command, printed)
                missing = [line for line in step.shown if not is_shown(line, printed)]
                assert missing == [], (step.command, printed)


def test_a_shown_line_is_found_in_a_frame_with_other_counts_and_only_then() -> None:
    assert is_shown("meHoTen Nguyễn …", ["│ meHoTen   │ Nguyễn Thị Lan │ x │"])
    assert is_shown("12 entries in 3 chains were read.", ["640 entries in 6 chains were read."])
    assert is_shown("… error value.missing nksGioiTinh", ["│ error value.missing nksGioiTinh │ "]) is True
    assert not is_shown("INTACT", ["NOT INTACT: 1 faults"])
    assert not is_shown("meHoTen Trần …", ["│ meHoTen │ Nguyễn Thị Lan │"])
