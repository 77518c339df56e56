"""Keys in PEM files, and the fake, keep the contract of a signing key."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.signing.pem_file import PemFileKey, create_development_key
from gateway.testing.signing import FakeSigningKey, SigningContract, rsa_key


class TestPemFileKey(SigningContract):
    @pytest.fixture(autouse=True)
    def directory(self, tmp_path: Path) -> None:
        self.key = create_development_key(tmp_path, "Cổng hộ tịch thử nghiệm")

    def make_key(self) -> PemFileKey:
        return self.key


class TestFakeSigningKey(SigningContract):
    def make_key(self) -> FakeSigningKey:
        return self.key

    @pytest.fixture(autouse=True, params=["ecdsa", "rsa", "issued"])
    def kind(self, request: pytest.FixtureRequest) -> None:
        keys = {
            "ecdsa": FakeSigningKey,
            "rsa": lambda: FakeSigningKey(rsa_key()),
            "issued": lambda: FakeSigningKey(issuer=FakeSigningKey(authority=True)),
        }
        self.key = keys[request.param]()
