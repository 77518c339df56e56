"""What docs/folder-exchange.md tells a commune's technicians works as written."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.commune.folder import FolderSystem
from adapters.commune.folder_receipt import STATES
from gateway.plugins import load_plugins, make
from gateway.ports.commune import Delivery
from gateway.sealing.asice_verify import verify_container
from gateway.settings import Settings
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.testing.commune import delivery
from tests.commune_folder_world import KEY, PDF, Commune, make_commune
from tests.conftest import StillClock
from tests.docs.written_pages import ROOT, blocks

PAGE = ROOT / "docs" / "folder-exchange.md"
BLOCKS = dict(blocks(PAGE))
EXAMPLE = orjson.loads(BLOCKS["json"])


@pytest.fixture
def a_store(_sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    file = tmp_path / "hotich.sqlite"
    shutil.copy(_sqlite_template, file)
    store = Store.open(f"sqlite:///{file}")
    yield store
    store.close()


@pytest.fixture
def sent() -> Delivery:
    """The version that the page's example answers."""
    return replace(delivery(), code=EXAMPLE["code"], version=EXAMPLE["version"])


@pytest.fixture
def commune(a_store: Store, vault: Vault, clock: StillClock, tmp_path: Path, sent: Delivery) -> Commune:
    made = make_commune(tmp_path, a_store, vault, clock)
    made.system.submit(sent)
    return made


def test_the_example_receipt_registers_the_dossier(commune: Commune, sent: Delivery) -> None:
    stem = f"{EXAMPLE['code']}-v{EXAMPLE['version']}"
    assert f"`{stem}.asice`" in PAGE.read_text()
    assert commune.waiting() == [f"{stem}.asice"]
    commune.put_raw(f"{stem}.pdf", PDF)
    commune.put_raw(f"{stem}.json", BLOCKS["json"].encode())
    found = commune.system.status(sent)
    assert found is not None
    assert (found.state, found.words, found.result, found.paper) == (
        EXAMPLE["state"],
        EXAMPLE["words"],
        EXAMPLE["result"],
        PDF,
    )


def test_the_page_names_every_state_and_every_file() -> None:
    told = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert set(STATES) <= set(told)
    assert {"mimetype", "dossier.xml", "receipt.json", "META-INF/manifest.xml", "META-INF/signatures0.xml"} <= set(told)


def test_the_command_of_the_page_checks_an_unpacked_container(commune: Commune, tmp_path: Path) -> None:
    (file,) = commune.outbox.iterdir()
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "unpacked")
    (tmp_path / "unpacked" / "CERT.pem").write_bytes(KEY.certificates[0].public_bytes(Encoding.PEM))
    (command,) = re.findall(r"^ *(xmlsec1 .*)$", PAGE.read_text(), re.MULTILINE)
    run = subprocess.run(shlex.split(command), cwd=tmp_path / "unpacked", capture_output=True, timeout=20)
    assert run.returncode == 0, run.stderr
    assert verify_container(file.read_bytes(), KEY.certificates).intact


def test_the_settings_of_the_page_make_the_system(
    a_store: Store, vault: Vault, clock: StillClock, tmp_path: Path
) -> None:
    chosen = Settings(**tomllib.loads(BLOCKS["toml"])).commune_systems["quy-nhon"]
    offered = {"store": a_store, "vault": vault, "clock": clock, "signing": KEY, "name": "quy-nhon"}
    offered["directory"] = tmp_path / "quy-nhon"
    system = make("t", load_plugins().choose("commune", chosen.use), chosen.options, offered, Path())
    assert isinstance(system, FolderSystem)
    assert (str(system.outbox), system.poll_seconds) == ("/srv/exchange/quy-nhon/out", 60.0)
    assert [path.name for path in (tmp_path / "quy-nhon").iterdir()] == ["sent"]
