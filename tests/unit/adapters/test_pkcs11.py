"""Keys on a device: what is refused at start, and what happens when the device goes away or wants no more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import TokenFlag

from adapters.signing import device as device_module
from adapters.signing.device import Device
from adapters.signing.pkcs11 import Pkcs11Key
from gateway.errors import Misconfigured, SettingsError, Unreachable
from gateway.sealing.verify import verify_dossier
from gateway.sealing.xades import sign
from gateway.testing.dossiers import AT, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey, rsa_key
from gateway.testing.software_token import MODULE, SoftwareToken, make_software_token

ROOT = FakeSigningKey(name="Goc", authority=True)
KEYS = {
    "ecdsa": FakeSigningKey(name="Benh vien", issuer=ROOT),
    "earlier": FakeSigningKey(name="Benh vien", issuer=FakeSigningKey(name="Goc", authority=True)),
    "rsa": FakeSigningKey(rsa_key(), name="Benh vien"),
    "other": FakeSigningKey(name="Benh vien khac"),
    "curve": FakeSigningKey(ec.generate_private_key(ec.SECP384R1())),
}


class StoppedClock:
    def __init__(self, at: datetime = AT) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def new_id(self) -> str:
        return "0" * 20


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> SoftwareToken:
    return make_software_token(tmp_path_factory.mktemp("device"), KEYS)


def opened(device: SoftwareToken, key: str = "ecdsa", at: datetime = AT, **options: object) -> Pkcs11Key:
    return Pkcs11Key(**(device.options(key) | options), clock=StoppedClock(at))


def refusal(device: SoftwareToken, key: str = "ecdsa", **options: object) -> str:
    with pytest.raises(SettingsError) as refused:
        opened(device, key, **options)
    return refused.value.code


def seals(key: Pkcs11Key) -> bool:
    return verify_dossier(sign(sample_dossier_xml(), key, AT), key.certificates).ok


def pem_of(directory: Path, *keys: FakeSigningKey) -> Path:
    path = directory / "chain.pem"
    path.write_bytes(b"".join(key.certificates[0].public_bytes(Encoding.PEM) for key in keys))
    return path


def test_the_chain_is_read_from_the_token_though_another_authority_has_the_same_name(token: SoftwareToken) -> None:
    for label in ("ecdsa", "earlier"):
        assert opened(token, label).certificates == KEYS[label].certificates


def test_the_chain_may_stand_in_a_file(token: SoftwareToken, tmp_path: Path) -> None:
    key = opened(token, certificate=pem_of(tmp_path, KEYS["ecdsa"], ROOT))
    assert key.certificates == KEYS["ecdsa"].certificates
    assert seals(key)


def test_what_is_not_there_is_refused_at_start_by_name(token: SoftwareToken, tmp_path: Path) -> None:
    assert refusal(token, "nobody") == "signing.no_such_key"
    assert refusal(token, token="khac") == "signing.no_such_token"
    assert refusal(token, module=tmp_path / "none.so") == "signing.file_unreadable"
    assert refusal(token, pin_file=tmp_path / "none") == "signing.file_unreadable"
    junk = tmp_path / "junk.so"
    junk.write_bytes(b"junk")
    assert refusal(token, module=junk) == "signing.device_unusable"


def test_a_key_of_another_certificate_is_refused(token: SoftwareToken, tmp_path: Path) -> None:
    assert refusal(token, certificate=pem_of(tmp_path, KEYS["other"])) == "signing.key_mismatch"
    assert refusal(token, certificate=pem_of(tmp_path, KEYS["rsa"])) == "signing.key_mismatch"


def test_a_chain_out_of_order_is_refused(token: SoftwareToken, tmp_path: Path) -> None:
    assert refusal(token, certificate=pem_of(tmp_path, KEYS["ecdsa"], KEYS["other"])) == "signing.chain_broken"


def test_a_curve_nobody_accepts_is_refused(token: SoftwareToken) -> None:
    assert refusal(token, "curve") == "signing.key_weak"


@pytest.mark.parametrize("days", [-366, 366])
def test_a_certificate_not_valid_today_is_refused(token: SoftwareToken, days: int) -> None:
    assert refusal(token, at=AT + timedelta(days=days)) == "signing.certificate_not_valid_now"


def test_a_device_that_was_away_seals_again_once_it_is_back(token: SoftwareToken) -> None:
    keys = [opened(token), opened(token, "rsa")]
    token.take_away()
    for key in keys:
        with pytest.raises(Unreachable) as away:
            seals(key)
        assert away.value.code == "signing.device_away"
    token.bring_back()
    assert all(seals(key) for key in keys)


def test_a_session_that_died_is_opened_again_unnoticed(token: SoftwareToken) -> None:
    key, neighbour = opened(token), opened(token, "rsa")
    pkcs11.lib(str(MODULE)).reinitialize()
    assert seals(key)
    neighbour.close()  # logs the whole process out
    assert seals(key)
    assert seals(neighbour)


def test_nothing_but_sha256_is_signed_and_the_key_stays_inside(token: SoftwareToken) -> None:
    key = opened(token).private_key
    with pytest.raises(NotImplementedError):
        key.sign(b"x", ec.ECDSA(SHA384()))
    with pytest.raises(NotImplementedError):
        key.private_numbers()


def test_a_wrong_pin_is_refused_at_start_and_not_shown(token: SoftwareToken, tmp_path: Path) -> None:
    wrong = tmp_path / "pin"
    wrong.write_text("9090909")
    pkcs11.lib(str(MODULE)).reinitialize()  # nobody of this process is logged in
    with pytest.raises(SettingsError) as refused:
        opened(token, pin_file=wrong)
    assert refused.value.code == "signing.pin_wrong"
    assert "9090909" not in str(refused.value)


class ScriptedDevice:
    """A device's library that does as told: counts PINs, has flags, fails to sign."""

    def __init__(self, *, flags: int = 0, pin: str = "right", faults: list[Exception] | None = None) -> None:
        self.flags, self.pin, self.faults = TokenFlag(flags), pin, faults or []
        self.asked: list[str] = []
        self.logged_in = self.each_time = False
        self.key_type, self.id = pkcs11.KeyType.EC, b"1"

    def get_token(self, token_label: str) -> ScriptedDevice:
        return self

    def open(self, user_pin: str | None = None) -> ScriptedDevice:
        if user_pin is not None:
            self.enter(user_pin)
        return self

    def enter(self, pin: str) -> None:
        self.asked.append(pin)
        if pin != self.pin:
            raise pkcs11.exceptions.PinIncorrect
        self.logged_in = True

    def get_key(self, **_: object) -> ScriptedDevice:
        if not self.logged_in:
            raise pkcs11.exceptions.NoSuchKey
        return self

    def get_objects(self, _: object) -> list[object]:
        return []

    def __getitem__(self, _: object) -> bool:
        return self.each_time

    def sign(self, content: bytes, mechanism: object, pin: str | None = None) -> bytes:
        if pin is not None:
            self.enter(pin)
        if self.faults:
            raise self.faults.pop(0)
        return b"signed " + content

    def close(self) -> None:
        self.logged_in = False


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch):
    def make(pin: str = "right", **told: object) -> tuple[ScriptedDevice, Device]:
        library = ScriptedDevice(**told)
        fake = SimpleNamespace(lib=lambda _: library)
        monkeypatch.setattr(device_module, "pkcs11", fake)
        return library, Device(Path("device.so"), "token", "key", pin)

    return make


def test_a_pin_that_became_wrong_is_tried_once_however_often_is_signed(scripted) -> None:
    library, key = scripted()
    key.start()
    library.pin, library.asked, library.faults = "changed", [], [pkcs11.exceptions.DeviceRemoved()]
    for _ in range(5):
        with pytest.raises(Misconfigured) as refused:
            key.sign(b"x", pkcs11.Mechanism.ECDSA)
        assert refused.value.code == "signing.pin_wrong"
    assert library.asked == ["right"]


@pytest.mark.parametrize("flag", [TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED])
def test_the_last_try_before_the_device_locks_itself_is_never_taken(scripted, flag: TokenFlag) -> None:
    library, key = scripted(pin="wrong", flags=flag)
    with pytest.raises(SettingsError) as refused:
        key.start()
    assert refused.value.code == "signing.pin_final_try"
    assert library.asked == []


@pytest.mark.parametrize("name", ["DeviceRemoved", "SessionHandleInvalid", "SessionClosed", "UserNotLoggedIn"])
def test_one_failure_of_a_stale_session_costs_no_seal(scripted, name: str) -> None:
    library, key = scripted()
    key.start()
    library.faults = [getattr(pkcs11.exceptions, name)()]
    assert key.sign(b"x", pkcs11.Mechanism.ECDSA) == b"signed x"


def test_a_device_that_fails_twice_is_away(scripted) -> None:
    library, key = scripted()
    key.start()
    library.faults = [pkcs11.exceptions.DeviceError(), pkcs11.exceptions.DeviceRemoved()]
    with pytest.raises(Unreachable) as away:
        key.sign(b"x", pkcs11.Mechanism.ECDSA)
    assert "DeviceRemoved" in str(away.value)
    assert key.sign(b"x", pkcs11.Mechanism.ECDSA) == b"signed x"


def test_a_device_that_wants_the_pin_each_time_gets_it(scripted) -> None:
    library, key = scripted()
    library.each_time = True
    key.start()
    key.sign(b"x", pkcs11.Mechanism.ECDSA)
    assert library.asked == ["right", "right"]
    library.pin = "changed"
    for _ in range(3):
        with pytest.raises(Misconfigured):
            key.sign(b"x", pkcs11.Mechanism.ECDSA)
    assert library.asked == ["right", "right", "right"]


def test_the_device_is_asked_by_one_thread_at_a_time(token: SoftwareToken, monkeypatch: pytest.MonkeyPatch) -> None:
    key = opened(token).private_key
    inside: list[int] = []
    plain = Device._sign

    def watched(self: Device, content: bytes, mechanism: pkcs11.Mechanism) -> bytes:
        inside.append(1)
        assert len(inside) == 1
        signed = plain(self, content, mechanism)
        inside.pop()
        return signed

    monkeypatch.setattr(Device, "_sign", watched)
    with ThreadPoolExecutor(4) as threads:
        signed = list(threads.map(lambda number: key.sign(bytes([number]), ec.ECDSA(SHA256())), range(40)))
    for number, value in enumerate(signed):
        key.public_key().verify(value, bytes([number]), ec.ECDSA(SHA256()))
