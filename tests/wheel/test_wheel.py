"""What is installed from the built wheel, in a clean environment, outside the source tree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("HOTICH_", "PYTHON", "VIRTUAL_ENV"))}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def uv() -> str:
    found = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    assert Path(found).exists(), "uv is needed to build the wheel: make setup"
    return found


@pytest.fixture(scope="module")
def wheel(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("dist")
    subprocess.run([uv, "build", "--wheel", "--quiet", "--out-dir", place, ROOT], check=True, env=CLEAN)
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def hotich(uv: str, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program of an environment with the wheel and the locked dependencies, in an empty directory."""
    home = tmp_path_factory.mktemp("clean")
    lock = home / "requirements.txt"
    export = [uv, "export", "--locked", "--no-dev", "--no-emit-project", "--no-hashes", "--quiet"]
    subprocess.run([*export, "--output-file", lock], check=True, cwd=ROOT, env=CLEAN)
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, home / "env"], check=True, env=CLEAN)
    install = [uv, "pip", "install", "--quiet", "--python", home / "env" / "bin" / "python", "-r", lock, wheel]
    subprocess.run(install, check=True, env=CLEAN)
    empty = home / "empty"
    empty.mkdir()

    def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [home / "env" / "bin" / program, *arguments]
        return subprocess.run(command, cwd=empty, env=CLEAN, capture_output=True, text=True, check=False)

    return run


@pytest.mark.slow
class TestTheWheel:
    def test_holds_the_three_packages_and_their_data(self, wheel: Path) -> None:
        names = zipfile.ZipFile(wheel).namelist()
        tops = {name.split("/")[0] for name in names}
        assert tops == {"gateway", "adapters", "mappings", f"{wheel.name.rsplit('-', 3)[0]}.dist-info"}
        for wanted in ("mappings/inbound/hl7v2/", "mappings/outbound/", "mappings/codes/", "mappings/forms/birth.toml",
                       "gateway/web/templates/", "gateway/web/static/", "gateway/store/migrations/versions/",
                       "gateway/sealing/hotich-dossier-1.xsd", "gateway/sample_messages/birth/",
                       "gateway/sample_messages/population.csv"):  # fmt: skip
            assert any(name.startswith(wanted) for name in names), wanted
        assert not any(part in name for name in names for part in ("tests/", "__pycache__", ".pyc"))

    def test_has_its_name_version_and_command(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as opened:
            (metadata,) = (name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
            lines = opened.read(metadata).decode().splitlines()
            points = opened.read(metadata.replace("METADATA", "entry_points.txt")).decode()
        assert "Name: hotich-gateway" in lines
        assert "Requires-Python: >=3.11" in lines
        assert "hotich = gateway.cli.main:main" in points
        for group in ("hospital", "population", "commune", "signing", "mappings"):
            assert f"[gateway.{group}]" in points

    def test_answers_for_help(self, hotich: Run) -> None:
        done = hotich("hotich", "--help")
        assert done.returncode == 0, done.stderr
        for command in ("serve", "demo", "try", "send", "check", "replay", "log", "verify", "deliveries", "token"):
            assert command in done.stdout

    def test_finds_its_adapters_and_mappings(self, hotich: Run) -> None:
        done = hotich("hotich", "check", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["ok"] is True

    def test_reads_a_sample_outside_the_source_tree(self, hotich: Run) -> None:
        where = "from gateway.cli.samples import samples_directory as d; print(d())"
        samples = Path(hotich("python", "-c", where).stdout.strip())
        assert ROOT not in samples.parents
        sample = min(samples.glob("birth/*/case.toml")).parent
        done = hotich("hotich", "try", sample, "--json")
        document = json.loads(done.stdout)
        assert document["messages"][0]["relevance"] in ("birth", "related"), done.stderr
        assert document["cases"]

    def test_plays_the_demo(self, hotich: Run) -> None:
        done = hotich("hotich", "demo", "--once")
        assert done.returncode == 0, done.stdout + done.stderr
