"""Signing devices to test with: tokens of SoftHSM2 in a directory of their own, never the machine's."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pkcs11 import Attribute, ObjectClass

from gateway.testing.signing import FakeSigningKey

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "271828"
TOKEN = "thu-nghiem"  # noqa: S105 a label


@dataclass(frozen=True, slots=True)
class SoftwareToken:
    """A token with the keys it was made with, by label, and a file that holds its PIN."""

    directory: Path
    pin_file: Path
    name: str = TOKEN

    def options(self, key: str) -> dict[str, Any]:
        """What `Pkcs11Key` takes for a key of this token; its certificate is read from the token."""
        return {"module": MODULE, "token": self.name, "key": key, "pin_file": self.pin_file}

    def take_away(self) -> None:
        """As if somebody pulled the device out: its sessions die, and it is not found any more."""
        (self.directory / "tokens").rename(self.directory / "away")
        (self.directory / "tokens").mkdir()
        pkcs11.lib(str(MODULE)).reinitialize()

    def bring_back(self) -> None:
        """Undo `take_away`; nobody is told."""
        (self.directory / "tokens").rmdir()
        (self.directory / "away").rename(self.directory / "tokens")


def make_software_token(directory: Path, keys: dict[str, FakeSigningKey]) -> SoftwareToken:
    """A token with `keys` and the certificates of each. The process forgets every other token: SoftHSM2 reads where
    its tokens are once."""
    tool = shutil.which("softhsm2-util")
    assert tool, "softhsm2-util is missing; install it: apt-get install -y softhsm2"
    (directory / "tokens").mkdir(parents=True)
    settings = directory / "softhsm2.conf"
    settings.write_text(
        f"directories.tokendir = {directory / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(settings)
    pin_file = directory / "pin"
    pin_file.write_text(f"{PIN}\n")
    run = [tool, "--module", str(MODULE), "--pin", PIN]
    _run([*run, "--init-token", "--free", "--label", TOKEN, "--so-pin", PIN])
    for number, (label, key) in enumerate(keys.items(), 1):
        pem = directory / f"{label}.pem"
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem.write_bytes(key.private_key.private_bytes(*form))
        _run([*run, "--import", str(pem), "--token", TOKEN, "--label", label, "--id", f"{number:02x}"])
    pkcs11.unload(str(MODULE))
    _store_certificates(keys)
    return SoftwareToken(directory, pin_file)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 our own words


def _store_certificates(keys: dict[str, FakeSigningKey]) -> None:
    with pkcs11.lib(str(MODULE)).get_token(token_label=TOKEN).open(rw=True, user_pin=PIN) as session:
        for number, (label, key) in enumerate(keys.items(), 1):
            for place, certificate in enumerate(key.certificates):
                session.create_object(_object(certificate, bytes([number]) if place == 0 else b"", label))


def _object(certificate: x509.Certificate, identifier: bytes, label: str) -> dict[Any, Any]:
    return {
        Attribute.CLASS: ObjectClass.CERTIFICATE,
        Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
        Attribute.TOKEN: True,
        Attribute.LABEL: label,
        Attribute.ID: identifier,
        Attribute.SUBJECT: certificate.subject.public_bytes(),
        Attribute.VALUE: certificate.public_bytes(Encoding.DER),
    }
