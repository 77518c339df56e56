"""Timestamps over HTTP: what is accepted, and what is not whoever sends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.signing.rfc3161 import Rfc3161Authority
from gateway.errors import GatewayError, Misconfigured, Misunderstood, PortError, Refused, SettingsError, Unreachable
from gateway.sealing.timestamp import read_timestamp
from gateway.testing.dossiers import AT
from gateway.testing.signing import FakeSigningKey
from gateway.testing.timestamp_authority import POLICY, FakeTimestampAuthority, serve_authority

DIGEST = sha256(b"content").digest()
OTHER = sha256(b"other").digest()
ROOT = FakeSigningKey(name="Goc dau thoi gian", authority=True)


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(ROOT.certificates[0].public_bytes(Encoding.PEM))
    return path


@contextmanager
def asking(
    fake: FakeTimestampAuthority, ca: Path, spoil: Callable = lambda answer: answer, **options: object
) -> Iterator[Rfc3161Authority]:
    with serve_authority(fake, spoil) as url:
        authority = Rfc3161Authority(url, ca, **options)
        try:
            yield authority
        finally:
            authority.close()


def failure(fake: FakeTimestampAuthority, ca: Path, spoil: Callable = lambda answer: answer, **options) -> PortError:
    with asking(fake, ca, spoil, **options) as authority, pytest.raises(PortError) as raised:
        authority.timestamp(DIGEST)
    return raised.value


REJECTION = bytes.fromhex("30053003020102")
"""A TimeStampResp of status 2 without a token."""


def test_a_token_is_taken_with_its_time_and_policy(ca: Path) -> None:
    with asking(FakeTimestampAuthority(root=ROOT), ca, policy=POLICY) as authority:
        stamp = read_timestamp(authority.timestamp(DIGEST))
    assert (stamp.digest, stamp.at, stamp.policy) == (DIGEST, AT, POLICY)


def test_every_question_has_a_nonce_of_its_own(ca: Path) -> None:
    with asking(FakeTimestampAuthority(root=ROOT), ca) as authority:
        nonces = {read_timestamp(authority.timestamp(DIGEST)).nonce for _ in range(3)}
    assert len(nonces) == 3
    assert None not in nonces


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"nonce": 1}, "timestamp.of_another"),
        ({"nonce": None}, "timestamp.of_another"),
        ({"message_imprint": OTHER}, "timestamp.of_another"),
        ({"policy": "1.2.3"}, "timestamp.broken"),
    ],
)
def test_a_good_token_that_answers_another_question_is_not_taken(ca: Path, change: dict, code: str) -> None:
    fake = FakeTimestampAuthority(root=ROOT)

    def fault(info: dict) -> None:
        told = dict(change)
        if "message_imprint" in told:
            told["message_imprint"] = info["message_imprint"] | {"hashed_message": told["message_imprint"]}
        info.update(told)
        if info["nonce"] is None:
            del info["nonce"]

    fake.fault = fault
    error = failure(fake, ca, policy=POLICY)
    assert isinstance(error, Misunderstood)
    assert error.code == code
    assert error.evidence


def test_a_token_that_was_given_before_is_not_taken_again(ca: Path) -> None:
    fake = FakeTimestampAuthority(root=ROOT)
    answers: list[bytes] = []

    def first_again(answer: bytes) -> bytes:
        answers.append(answer)
        return answers[0]

    with asking(fake, ca, first_again) as authority:
        authority.timestamp(DIGEST)
        with pytest.raises(Misunderstood) as replayed:
            authority.timestamp(DIGEST)
    assert replayed.value.code == "timestamp.of_another"


def test_an_authority_nobody_vouches_for_is_a_matter_of_settings(ca: Path) -> None:
    error = failure(FakeTimestampAuthority(), ca)
    assert isinstance(error, Misconfigured)
    assert error.code == "timestamp.not_trusted"


def test_a_changed_token_is_not_taken(ca: Path) -> None:
    error = failure(FakeTimestampAuthority(root=ROOT), ca, lambda answer: answer[:-1] + bytes([answer[-1] ^ 1]))
    assert isinstance(error, Misunderstood)
    assert error.code == "timestamp.broken"


@pytest.mark.parametrize("junk", [b"", b"<html>503</html>", b"0\x03\x02\x01\x00"])
def test_nonsense_is_not_taken_and_kept_as_evidence(ca: Path, junk: bytes) -> None:
    error = failure(FakeTimestampAuthority(root=ROOT), ca, lambda _: junk)
    assert isinstance(error, Misunderstood)
    assert error.evidence == junk


def test_a_no_is_told_apart_from_silence(ca: Path) -> None:
    fake = FakeTimestampAuthority(root=ROOT)
    assert failure(fake, ca, lambda _: REJECTION).code == "timestamp.refused"
    assert isinstance(failure(fake, ca, lambda _: 400), Refused)
    assert isinstance(failure(fake, ca, lambda _: 401), Misconfigured)
    assert isinstance(failure(fake, ca, lambda _: 503), Unreachable)


def test_an_authority_that_is_not_there_is_unreachable(ca: Path) -> None:
    with serve_authority(FakeTimestampAuthority(root=ROOT)) as url:
        authority = Rfc3161Authority(url, ca)
    with pytest.raises(Unreachable):
        authority.timestamp(DIGEST)
    authority.close()


def test_name_and_password_are_sent_and_the_address_s_password_is_not_its_name(ca: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mật khẩu\n", encoding="utf-8")
    authority = Rfc3161Authority("http://user:hidden@127.0.0.1:9", ca, user="benh-vien", password_file=secret)
    assert authority.name == "127.0.0.1:9"
    assert authority._partner._client.headers["authorization"].startswith("Basic ")
    authority.close()


@pytest.mark.parametrize("options", [{"policy": "mine"}, {"url": "ftp://x"}, {"ca": Path("none.pem")}])
def test_wrong_settings_are_refused_at_start(ca: Path, options: dict) -> None:
    with pytest.raises(SettingsError) as refused:
        Rfc3161Authority(**({"url": "http://127.0.0.1:9", "ca": ca} | options))
    assert isinstance(refused.value, GatewayError)
