"""The authority over HTTP, and the fake, keep the contract of a timestamp authority."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.signing.rfc3161 import Rfc3161Authority
from gateway.testing.timestamp_authority import FakeTimestampAuthority, TimestampContract, serve_authority


class TestFakeTimestampAuthority(TimestampContract):
    @pytest.fixture(autouse=True)
    def made(self) -> None:
        self.fake = FakeTimestampAuthority()

    def make_authority(self) -> FakeTimestampAuthority:
        return self.fake

    def trust(self) -> list[x509.Certificate]:
        return self.fake.trust


class TestRfc3161Authority(TimestampContract):
    @pytest.fixture(autouse=True)
    def served(self, tmp_path: Path) -> Iterator[None]:
        self.fake = FakeTimestampAuthority()
        ca = tmp_path / "ca.pem"
        ca.write_bytes(self.fake.trust[0].public_bytes(Encoding.PEM))
        with serve_authority(self.fake) as url:
            self.authority = Rfc3161Authority(url, ca)
            yield
            self.authority.close()

    def make_authority(self) -> Rfc3161Authority:
        return self.authority

    def trust(self) -> list[x509.Certificate]:
        return self.fake.trust
