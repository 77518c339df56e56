"""Signing keys in PEM files: what is made for development, and what is refused at start."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from adapters.signing.pem_file import DEVELOPMENT, PemFileKey, create_development_key
from gateway.errors import SettingsError
from gateway.testing.dossiers import AT
from gateway.testing.signing import FakeSigningKey


class StoppedClock:
    def __init__(self, at: datetime = AT) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def new_id(self) -> str:
        return "0" * 20


def write_pair(directory: Path, private_key, certificate, encryption=None) -> tuple[Path, Path]:
    key_file, cert_file = directory / "key.pem", directory / "cert.pem"
    key_file.write_bytes(private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
    cert_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return key_file, cert_file


def refusal(*args) -> str:
    with pytest.raises(SettingsError) as refused:
        PemFileKey(*args, StoppedClock())
    return refused.value.code


def test_a_development_key_says_that_it_has_no_legal_value(tmp_path: Path) -> None:
    key = create_development_key(tmp_path, "Cổng hộ tịch")
    assert DEVELOPMENT in key.certificates[0].subject.rfc4514_string()
    assert key.development_only
    assert isinstance(key.private_key.curve, ec.SECP256R1)


def test_only_the_owner_can_read_a_development_key(tmp_path: Path) -> None:
    key = create_development_key(tmp_path / "keys", "Cổng hộ tịch")
    for path in (key.path_key, key.path_cert):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_start_uses_the_same_key(tmp_path: Path) -> None:
    first = create_development_key(tmp_path, "Cổng hộ tịch")
    assert create_development_key(tmp_path, "Tên khác").certificates == first.certificates


def test_half_a_pair_is_never_completed(tmp_path: Path) -> None:
    create_development_key(tmp_path, "Cổng hộ tịch").path_cert.unlink()
    with pytest.raises(SettingsError) as refused:
        create_development_key(tmp_path, "Cổng hộ tịch")
    assert refused.value.code == "signing.file_unreadable"


def test_an_ordinary_certificate_is_not_for_development(tmp_path: Path) -> None:
    fake = FakeSigningKey()
    key = PemFileKey(*write_pair(tmp_path, fake.private_key, fake.certificates[0]), StoppedClock())
    assert not key.development_only


def test_a_chain_is_read_signer_first(tmp_path: Path) -> None:
    fake = FakeSigningKey(issuer=FakeSigningKey(authority=True))
    paths = write_pair(tmp_path, fake.private_key, fake.certificates[0])
    paths[1].write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in fake.certificates))
    assert PemFileKey(*paths, StoppedClock()).certificates == fake.certificates


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    paths = write_pair(tmp_path, FakeSigningKey().private_key, FakeSigningKey().certificates[0])
    assert refusal(*paths) == "signing.key_mismatch"


@pytest.mark.parametrize("days", [-366, 366])
def test_a_certificate_not_valid_today_is_refused(tmp_path: Path, days: int) -> None:
    fake = FakeSigningKey(at=AT + timedelta(days=days))
    assert refusal(*write_pair(tmp_path, fake.private_key, fake.certificates[0])) == "signing.certificate_not_valid_now"


@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024),
        lambda: ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate,
    ],
    ids=["RSA 1024", "P-384", "Ed25519"],
)
def test_a_weak_or_unusual_key_is_refused(tmp_path: Path, make) -> None:
    assert refusal(*write_pair(tmp_path, make(), FakeSigningKey().certificates[0])) == "signing.key_weak"


def test_a_key_with_a_password_is_refused(tmp_path: Path) -> None:
    fake = FakeSigningKey()
    paths = write_pair(tmp_path, fake.private_key, fake.certificates[0], BestAvailableEncryption(b"secret"))
    assert refusal(*paths) == "signing.key_unreadable"


def test_files_that_are_missing_or_no_pem_are_refused(tmp_path: Path) -> None:
    fake = FakeSigningKey()
    key_file, cert_file = write_pair(tmp_path, fake.private_key, fake.certificates[0])
    junk = tmp_path / "junk.pem"
    junk.write_bytes(b"junk")
    assert refusal(tmp_path / "none.pem", cert_file) == "signing.file_unreadable"
    assert refusal(junk, cert_file) == "signing.key_unreadable"
    assert refusal(key_file, junk) == "signing.certificate_unreadable"


def test_the_certificate_is_dated_by_the_clock_given(tmp_path: Path) -> None:
    at = datetime(2031, 1, 1, tzinfo=UTC)
    certificate = create_development_key(tmp_path, "Cổng hộ tịch", StoppedClock(at)).certificates[0]
    assert certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc
