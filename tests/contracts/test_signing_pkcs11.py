"""Keys on a device (SoftHSM2), RSA and P-256, with and without a chain, keep the contract of a signing key."""

from __future__ import annotations

from datetime import datetime

import pytest

from adapters.signing.pkcs11 import Pkcs11Key
from gateway.testing.dossiers import AT
from gateway.testing.signing import FakeSigningKey, SigningContract, rsa_key
from gateway.testing.software_token import SoftwareToken, make_software_token


class StoppedClock:
    def now(self) -> datetime:
        return AT

    def new_id(self) -> str:
        return "0" * 20


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> SoftwareToken:
    keys = {
        "ecdsa": FakeSigningKey(issuer=FakeSigningKey(name="Goc", authority=True)),
        "rsa": FakeSigningKey(rsa_key()),
    }
    return make_software_token(tmp_path_factory.mktemp("device"), keys)


class TestPkcs11Key(SigningContract):
    @pytest.fixture(autouse=True, params=["ecdsa", "rsa"])
    def opened(self, request: pytest.FixtureRequest, token: SoftwareToken) -> None:
        self.key = Pkcs11Key(**token.options(request.param), clock=StoppedClock())

    def make_key(self) -> Pkcs11Key:
        return self.key
