"""ASiC-E containers: what is in them, that programs of other people accept them, and what we refuse to read."""

from __future__ import annotations

import io
import shutil
import subprocess
import unicodedata
import zipfile
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from gateway.errors import Misconfigured, SettingsError, UnreadableMessage
from gateway.ports.commune import Attachment, Delivery
from gateway.sealing import asice_zip
from gateway.sealing.asice import write_container, write_manifest
from gateway.sealing.asice_signature import read as read_signatures
from gateway.sealing.asice_zip import MIMETYPE, is_safe, read_zip, write_zip
from gateway.sealing.received import ReceivedMessage
from gateway.sealing.xades import sign
from gateway.testing.commune import delivery
from gateway.testing.dossiers import AT, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey, rsa_key

KEYS = {"ecdsa": FakeSigningKey(), "rsa": FakeSigningKey(rsa_key())}
RECEIVED = (ReceivedMessage("gw.7", AT, "ADT^A01", "ab" * 32),)
PAPERS = (
    Attachment("Giấy chứng sinh.xml", "HSDLGCS", "application/xml", "<a>Đặng Thị Thúy Hòa</a>".encode()),
    Attachment("../../etc/passwd", "HSDLGBT", "application/xml", b"<b/>"),
)
FILES = ["mimetype", "dossier.xml", "receipt.json", "papers/1-Gi_y_ch_ng_sinh.xml", "papers/2-.._.._etc_passwd"]


DELIVERIES: dict[FakeSigningKey, Delivery] = {
    key: replace(delivery(), sealed=sign(sample_dossier_xml(), key, AT), attachments=PAPERS) for key in KEYS.values()
}


@pytest.fixture(scope="module", params=KEYS)
def key(request: pytest.FixtureRequest) -> FakeSigningKey:
    return KEYS[request.param]


@pytest.fixture(scope="module")
def container(key: FakeSigningKey) -> bytes:
    return write_container(DELIVERIES[key], RECEIVED, key, AT)


@pytest.fixture
def unpacked(container: bytes, key: FakeSigningKey, tmp_path: Path) -> Path:
    """The container unpacked by the standard library, the signer's certificate beside it."""
    directory = tmp_path / "unpacked"
    with zipfile.ZipFile(io.BytesIO(container)) as archive:
        archive.extractall(directory)
    (tmp_path / "cert.pem").write_bytes(key.certificates[0].public_bytes(Encoding.PEM))
    return directory


def xmlsec1(directory: Path) -> bool:
    """Whether Debian's xmlsec1 accepts signatures0.xml with the files beside it."""
    tool = shutil.which("xmlsec1")
    assert tool, "xmlsec1 is missing; install it: apt-get install -y xmlsec1"
    properties = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"
    command = [tool, "--verify", "--id-attr:Id", properties, "--verification-time", f"{AT:%Y-%m-%d %H:%M:%S}"]
    command += ["--trusted-pem", "../cert.pem", "META-INF/signatures0.xml"]
    return subprocess.run(command, cwd=directory, capture_output=True, timeout=20).returncode == 0


def test_a_program_that_knows_nothing_of_us_lists_and_tests_it(container: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(container)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*FILES, "META-INF/manifest.xml", "META-INF/signatures0.xml"]
    assert container[30:38] == b"mimetype"
    assert container[38 : 38 + len(MIMETYPE)] == MIMETYPE.encode(), "uncompressed, without an extra field"


def test_the_dossier_and_the_papers_lie_there_as_they_were(container: bytes, key: FakeSigningKey) -> None:
    files = read_zip(container)
    assert files["dossier.xml"] == DELIVERIES[key].sealed
    assert [files[name] for name in FILES[3:]] == [paper.content for paper in PAPERS]


def test_the_receipt_says_what_came_when_and_names_nobody(container: bytes) -> None:
    files = read_zip(container)
    receipt = orjson.loads(files["receipt.json"])
    assert receipt["received"] == [
        {"message": "gw.7", "at": AT.isoformat(), "type": "ADT^A01", "log_digest": "ab" * 32}
    ]
    assert (receipt["code"], receipt["version"], receipt["mapping"]) == ("HT99-261123-0001", 1, "0123abcd")
    assert receipt["dossier"]["sha256"] == sha256(files["dossier.xml"]).hexdigest()
    assert [paper["kind"] for paper in receipt["papers"]] == ["HSDLGCS", "HSDLGBT"]
    name = "Đặng Thị Thúy Hòa"
    assert name.encode() in files["dossier.xml"]
    for form in ("NFC", "NFD"):
        assert unicodedata.normalize(form, name).encode() not in files["receipt.json"]


def test_the_manifest_is_valid_and_lists_the_files(container: bytes) -> None:
    manifest = etree.fromstring(read_zip(container)["META-INF/manifest.xml"])
    told = [entry.get(f"{{{manifest.nsmap['manifest']}}}full-path") for entry in manifest]
    assert told == ["/", *FILES[1:]]


def test_equal_inputs_are_equal_bytes() -> None:
    one = DELIVERIES[KEYS["rsa"]]
    assert write_container(one, RECEIVED, KEYS["rsa"], AT) == write_container(one, RECEIVED, KEYS["rsa"], AT)
    assert write_container(one, RECEIVED, KEYS["rsa"], AT + timedelta(seconds=1)) != write_container(
        one, RECEIVED, KEYS["rsa"], AT
    )


@pytest.mark.parametrize("changed", ["", *FILES[1:]])
def test_xmlsec1_accepts_the_signature_and_refuses_a_changed_file(unpacked: Path, changed: str) -> None:
    if changed:
        file = unpacked / changed
        file.write_bytes(file.read_bytes()[:-1] + b"~")
    assert xmlsec1(unpacked) == (not changed)


def test_xmlsec1_refuses_changed_properties(unpacked: Path) -> None:
    file = unpacked / "META-INF/signatures0.xml"
    file.write_bytes(file.read_bytes().replace(b"<xades:SigningTime>2026", b"<xades:SigningTime>2025"))
    assert not xmlsec1(unpacked)


def test_openssl_agrees_with_digests_and_signature(unpacked: Path, key: FakeSigningKey, tmp_path: Path) -> None:
    root = etree.parse(unpacked / "META-INF/signatures0.xml").getroot()
    for name in FILES[1:]:
        digest = subprocess.run(
            ["openssl", "dgst", "-sha256", "-binary", name], cwd=unpacked, capture_output=True, check=True
        ).stdout
        (told,) = root.xpath("//*[@URI=$name]/*[local-name()='DigestValue']/text()", name=name)
        assert told == b64encode(digest).decode()
    (tmp_path / "info").write_bytes(etree.tostring(root[0][0], method="c14n"))
    value = read_signatures((unpacked / "META-INF/signatures0.xml").read_bytes()).value
    if isinstance(key.private_key, ec.EllipticCurvePrivateKey):
        value = encode_dss_signature(int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))
    (tmp_path / "value").write_bytes(value)
    (tmp_path / "key").write_bytes(
        key.certificates[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    command = ["openssl", "dgst", "-sha256", "-verify", "key", "-signature", "value", "info"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0


def test_a_weak_key_signs_no_container() -> None:
    weak = FakeSigningKey(ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(SettingsError) as refused:
        write_container(DELIVERIES[KEYS["rsa"]], (), weak, AT)
    assert refused.value.code == "signing.key_weak"


@pytest.mark.parametrize("days", [-400, 400])
def test_nothing_is_signed_outside_the_certificates_dates(days: int) -> None:
    with pytest.raises(Misconfigured) as refused:
        write_container(DELIVERIES[KEYS["rsa"]], (), KEYS["rsa"], AT + timedelta(days=days))
    assert refused.value.code == "signing.certificate_not_valid_now"


def zip_of(*files: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A container as somebody else may have made it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", MIMETYPE)
        for name, content in files:
            archive.writestr(name, content, compression)
    return out.getvalue()


def refusal(raw: bytes) -> str:
    with pytest.raises(UnreadableMessage) as refused:
        read_zip(raw)
    assert "Hòa" not in f"{refused.value} {refused.value.where}"
    return refused.value.code


def test_compressed_files_are_read() -> None:
    assert read_zip(zip_of(("a", b"a" * 5000), compression=zipfile.ZIP_DEFLATED)) == {"a": b"a" * 5000}


@pytest.mark.parametrize(
    "name", ["../a", "a/../b", "/a", "a//b", "./a", "a\\b", "C:a", "a\x01b", "a/", "...", "n" * 201, "Hòa/.."]
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    assert not is_safe(name)
    assert refusal(zip_of((name, b"x"))) == "asice.name_unsafe"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a", "a"), ("Giấy", "giấy"), ("Hòa", unicodedata.normalize("NFD", "Hòa"))])
def test_names_that_are_the_same_file_to_some_are_refused(names: tuple[str, str]) -> None:
    assert refusal(zip_of(*((name, b"x") for name in names))) == "asice.name_unsafe"


def test_a_bomb_is_refused_before_it_goes_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asice_zip, "MAX_FILE_BYTES", 1000)
    monkeypatch.setattr(asice_zip, "MAX_BYTES", 3000)
    assert refusal(zip_of(("a", bytes(1001)), compression=zipfile.ZIP_DEFLATED)) == "asice.too_large"
    many = zip_of(*((str(number), bytes(900)) for number in range(4)), compression=zipfile.ZIP_DEFLATED)
    assert refusal(many) == "asice.too_large"
    assert refusal(bytes(3001)) == "asice.too_large"
    lying = bytearray(zip_of(("a", bytes(1001)), compression=zipfile.ZIP_DEFLATED))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = lying.rindex(mark) + place
        lying[at : at + 4] = (10).to_bytes(4, "little")
    assert refusal(bytes(lying)) == "asice.not_a_zip"


def test_too_many_files_are_refused() -> None:
    assert refusal(zip_of(*((str(number), b"") for number in range(asice_zip.MAX_FILES)))) == "asice.too_large"


def test_what_lies_before_between_or_behind_the_files_is_refused(container: bytes) -> None:
    second = container.index(b"PK\x03\x04", 4)
    other = zip_of(("hidden.xml", b"<x/>"))
    hidden = other[other.index(b"PK\x03\x04", 4) : other.index(b"PK\x01\x02")]
    for raw in (b"#!/bin/sh\n" + container, container + b"more", container[:second] + hidden + container[second:]):
        assert refusal(raw) == "asice.not_a_zip"
    commented = io.BytesIO(container)
    with zipfile.ZipFile(commented, "a") as archive:
        archive.comment = b"x"
    assert refusal(commented.getvalue()) == "asice.not_a_zip"


def test_a_file_without_its_size_is_refused() -> None:
    class OneWay(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError

        def tell(self) -> int:
            raise OSError

    out = OneWay()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", MIMETYPE)
    assert refusal(out.getvalue()) == "asice.not_a_zip"


@pytest.mark.parametrize("raw", [b"", b"PK", b"<dossier/>", bytes(4000), b"PK\x05\x06" + bytes(18)])
def test_what_is_no_container_is_refused(raw: bytes) -> None:
    assert refusal(raw) in ("asice.not_a_zip", "asice.wrong_type")


def test_another_kind_of_container_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
    assert refusal(out.getvalue()) == "asice.wrong_type"
    assert refusal(write_zip([])[:-22]) == "asice.not_a_zip"


def test_a_manifest_escapes_what_it_is_told() -> None:
    assert b'full-path="a&amp;&quot;b"' in write_manifest([('a&"b', "text/xml")])
