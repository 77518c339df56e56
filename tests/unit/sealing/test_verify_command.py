"""hotich verify: files, trust and exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner, Result

from gateway.cli.main import build_app
from gateway.sealing.asice import write_container
from gateway.sealing.timestamp import add_timestamp, signature_digest
from gateway.sealing.xades import sign
from gateway.testing.commune import delivery
from gateway.testing.dossiers import AT, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey
from gateway.testing.timestamp_authority import FakeTimestampAuthority

OLD = FakeSigningKey(name="Khoa cu")
NEW = FakeSigningKey(name="Khoa moi", at=AT + timedelta(days=400))
AUTHORITY = FakeTimestampAuthority()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A dossier of last year's key with a timestamp, one of this year's without, and the certificates to trust."""
    sealed = sign(sample_dossier_xml(), OLD, AT)
    (tmp_path / "old.xml").write_bytes(add_timestamp(sealed, AUTHORITY.timestamp(signature_digest(sealed))))
    (tmp_path / "new.xml").write_bytes(sign(sample_dossier_xml(), NEW, AT + timedelta(days=400)))
    for name, certificate in (("old", OLD.certificates), ("new", NEW.certificates), ("time", AUTHORITY.trust)):
        (tmp_path / f"{name}.pem").write_bytes(certificate[0].public_bytes(Encoding.PEM))
    return tmp_path


def run(files: Path, *words: str) -> Result:
    given = [str(files / word) if "." in word else word for word in words]
    return CliRunner().invoke(build_app(), ["verify", *given])


def test_dossiers_of_two_keys_verify_together(files: Path) -> None:
    done = run(files, "old.xml", "new.xml", "--trust", "old.pem", "--trust", "new.pem", "--trust", "time.pem")
    assert done.exit_code == 0, done.output
    assert "old.xml" in done.output
    assert "Khoa cu" in done.output
    assert "Khoa moi" in done.output
    assert "authority trusted" in done.output


def test_one_bad_dossier_among_several_makes_the_answer_no(files: Path) -> None:
    done = run(files, "old.xml", "new.xml", "--trust", "old.pem", "--json")
    assert done.exit_code == 1
    told = json.loads(done.output)
    assert told["ok"] is False
    assert [(Path(each["file"]).name, each["ok"]) for each in told["files"]] == [("old.xml", True), ("new.xml", False)]


def test_one_dossier_as_json_is_one_object_with_the_timestamp(files: Path) -> None:
    told = json.loads(run(files, "old.xml", "--trust", "old.pem", "--trust", "time.pem", "--json").output)
    assert told["ok"]
    assert told["timestamp"]["trusted"]
    assert told["judged_at"] == told["timestamp"]["at"]
    assert json.loads(run(files, "new.xml", "--json").output)["timestamp"] is None


def test_a_container_is_known_by_its_bytes_and_told_with_the_dossier_in_it(files: Path) -> None:
    sealed = replace(delivery(), sealed=(files / "old.xml").read_bytes())
    (files / "any.name").write_bytes(write_container(sealed, (), OLD, AT))
    done = run(files, "any.name", "old.xml", "--trust", "old.pem", "--trust", "time.pem")
    assert done.exit_code == 0, done.output
    assert "Container intact: YES" in done.output
    assert done.output.count("authority trusted") == 2
