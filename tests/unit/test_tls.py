"""Server contexts from PEM files, and what is wrong with them by the setting's name."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.errors import SettingsError
from gateway.tls import server_context
from tests.certificates import Authority


def refusal(*given: Path | None) -> str:
    with pytest.raises(SettingsError) as told:
        server_context("mllp", *given, required=True)
    assert told.value.code == "settings.tls_unusable"
    return told.value.message


def test_without_a_certificate_there_is_no_tls() -> None:
    assert server_context("mllp", None, None, None, required=True) is None


def test_nothing_older_than_tls_1_2_is_spoken(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    file = authority.issue("gateway").file
    open_to_all = server_context("http", file, None, None, required=False)
    mutual = server_context("mllp", file, None, authority.file, required=True)
    asking = server_context("http", file, None, authority.file, required=False)
    contexts = [context for context in (open_to_all, mutual, asking) if context]
    assert [context.minimum_version for context in contexts] == [ssl.TLSVersion.TLSv1_2] * 3
    assert [context.verify_mode for context in contexts] == [ssl.CERT_NONE, ssl.CERT_REQUIRED, ssl.CERT_OPTIONAL]


def test_a_file_that_is_missing_or_no_certificate_is_told_by_its_setting(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    good, junk = authority.issue("gateway").file, tmp_path / "junk.pem"
    junk.write_text("junk")
    assert "mllp_tls_certificate" in refusal(tmp_path / "absent.pem", None, None)
    assert "No such file" in refusal(tmp_path / "absent.pem", None, None)
    assert "mllp_tls_certificate" in refusal(junk, None, None)
    assert "mllp_tls_certificate" in refusal(good, authority.issue("other").file, None)
    assert refusal(good, None, junk).startswith("mllp_tls_client_ca: ")
    assert refusal(good, None, tmp_path / "absent.pem").startswith("mllp_tls_client_ca: ")


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    locked = tmp_path / "key.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"mat khau"),
        )
    )
    assert "passphrase" in refusal(Authority(tmp_path, "ca").issue("gateway").file, locked, None)
