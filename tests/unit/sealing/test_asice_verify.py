"""Checking containers: which files, who, when, and what is wrong, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.ports.commune import Attachment
from gateway.sealing.asice import write_container, write_manifest
from gateway.sealing.asice_report import PROBLEMS, ContainerReport
from gateway.sealing.asice_signature import read, sign_files, write
from gateway.sealing.asice_verify import verify_container
from gateway.sealing.asice_zip import ContentFile, read_zip, write_zip
from gateway.sealing.xades import sign
from gateway.testing.commune import delivery
from gateway.testing.dossiers import AT, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey, rsa_key

KEY = FakeSigningKey(name="Cong ho tich thu nghiem")
PAPER = "papers/1-gcs.xml"
SIGNATURES = "META-INF/signatures0.xml"
DELIVERY = replace(
    delivery(),
    sealed=sign(sample_dossier_xml(), KEY, AT),
    attachments=(Attachment("gcs.xml", "HSDLGCS", "application/xml", "<a>Thúy Hòa</a>".encode()),),
)
CONTAINER = write_container(DELIVERY, (), KEY, AT)
Files = dict[str, bytes]


def check(files: Mapping[str, bytes]) -> ContainerReport:
    report = verify_container(write_zip(list(files.items())), KEY.certificates)
    assert report.ok == (report.problem == "")
    assert "Hòa" not in str(report.as_json()) + "".join(report.words("vi"))
    return report


def signed_again(files: Mapping[str, bytes], key: FakeSigningKey = KEY, at: datetime = AT) -> Files:
    """The files under a new signature: what the signer himself can do wrong."""
    content = [ContentFile(name, "text/xml", raw) for name, raw in files.items() if not name.startswith("META-INF/")]
    told = {"META-INF/manifest.xml": write_manifest([(file.name, file.media_type) for file in content])}
    told[SIGNATURES] = sign_files(content, key, at)
    return {file.name: file.content for file in content} | told


@pytest.mark.parametrize("key", [KEY, FakeSigningKey(rsa_key())], ids=["ecdsa", "rsa"])
def test_an_untouched_container_says_which_files_who_and_when(key: FakeSigningKey) -> None:
    report = verify_container(write_container(DELIVERY, (), key, AT), [*key.certificates, *KEY.certificates])
    assert (report.ok, report.intact, report.trusted) == (True, True, True)
    assert [(file.name, file.state) for file in report.files] == [
        ("dossier.xml", "signed"),
        ("receipt.json", "signed"),
        (PAPER, "signed"),
    ]
    assert report.signed_at == AT
    assert report.dossier is not None
    assert report.dossier.ok


def test_the_report_speaks_vietnamese_and_english() -> None:
    report = verify_container(CONTAINER, KEY.certificates)
    vi, en = "\n".join(report.words("vi")), "\n".join(report.words("en"))
    assert "Gói hồ sơ nguyên vẹn: CÓ" in vi
    assert "dossier.xml: được ký, nguyên vẹn" in vi
    assert "Container intact: YES" in en
    assert "Container signed by: CN=Cong ho tich thu nghiem" in en
    assert "  Intact: YES" in en, "the dossier's own seal is told too"
    assert "HT99-261123-0001" in vi
    told = orjson.loads(orjson.dumps(report.as_json()))
    assert (told["ok"], told["dossier"]["ok"], len(told["files"])) == (True, True, 3)


def test_trust_is_open_when_nobody_is_named_and_refused_to_strangers() -> None:
    assert verify_container(CONTAINER).trusted is None
    assert verify_container(CONTAINER).ok
    stranger = verify_container(CONTAINER, FakeSigningKey().certificates)
    assert (stranger.intact, stranger.trusted, stranger.ok) == (True, False, False)


def test_the_container_of_a_stranger_around_a_trusted_dossier_is_not_trusted() -> None:
    report = check(signed_again(read_zip(CONTAINER), FakeSigningKey(name="Nguoi la")))
    assert (report.intact, report.trusted, report.problem) == (True, False, "certificate.not_trusted")
    assert report.dossier is not None and report.dossier.ok


def test_a_certificate_that_was_not_valid_at_the_time_is_told() -> None:
    report = check(signed_again(read_zip(CONTAINER), at=AT + timedelta(days=400)))
    assert (report.intact, report.problem) == (True, "certificate.not_valid_then")


def without(name: str) -> Callable[[Files], Files]:
    return lambda files: {other: raw for other, raw in files.items() if other != name}


def changed(name: str, old: bytes, new: bytes) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        assert old in files[name]
        return files | {name: files[name].replace(old, new, 1)}

    return change


CHANGES: dict[str, tuple[Callable[[Files], Files], str, str]] = {
    "paper changed": (changed(PAPER, b"<a>", b"<b>"), "asice.file_changed", PAPER),
    "dossier changed": (changed("dossier.xml", b"23.11.2026", b"24.11.2026"), "asice.file_changed", "dossier.xml"),
    "receipt changed": (
        changed("receipt.json", b'"version": 1', b'"version": 2'),
        "asice.file_changed",
        "receipt.json",
    ),
    "paper gone": (without(PAPER), "asice.file_missing", PAPER),
    "dossier gone": (without("dossier.xml"), "asice.file_missing", "dossier.xml"),
    "signature gone": (without(SIGNATURES), "asice.file_missing", SIGNATURES),
    "manifest gone": (without("META-INF/manifest.xml"), "asice.file_missing", "META-INF/manifest.xml"),
    "file added": (lambda files: files | {"papers/2.xml": b"<x/>"}, "asice.file_unsigned", "papers/2.xml"),
    "second signature": (
        lambda files: files | {"META-INF/signatures1.xml": files[SIGNATURES]},
        "asice.file_unsigned",
        "META-INF/signatures1.xml",
    ),
    "manifest changed": (
        changed("META-INF/manifest.xml", b"application/xml", b"text/html"),
        "asice.manifest",
        "META-INF/manifest.xml",
    ),
    "time changed": (changed(SIGNATURES, b"2026-11-23T08", b"2026-11-23T09"), "asice.signature_form", SIGNATURES),
    "blank added": (changed(SIGNATURES, b"<ds:SignedInfo>", b"<ds:SignedInfo> "), "asice.signature_form", SIGNATURES),
    "unsigned property": (
        changed(SIGNATURES, b"</xades:QualifyingProperties>", b"<x></x></xades:QualifyingProperties>"),
        "asice.signature_form",
        SIGNATURES,
    ),
    "another signature around": (
        changed(SIGNATURES, b"</asic:XAdESSignatures>", b"<ds:Signature></ds:Signature></asic:XAdESSignatures>"),
        "asice.signature_form",
        SIGNATURES,
    ),
    "no certificate": (
        lambda files: files | {SIGNATURES: files[SIGNATURES].split(b"<ds:X509Certificate>")[0]},
        "asice.signature_form",
        SIGNATURES,
    ),
    "not XML": (lambda files: files | {SIGNATURES: b"%PDF"}, "asice.signature_form", SIGNATURES),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_told_with_its_place(name: str) -> None:
    change, problem, place = CHANGES[name]
    report = check(change(read_zip(CONTAINER)))
    assert (report.problem, report.detail) == (problem, place)
    assert report.intact == (problem == "asice.manifest" or name == "manifest gone")
    assert any(PROBLEMS[problem][0] in line for line in report.words("vi"))
    assert any(PROBLEMS[problem][1] in line for line in report.words("en"))


def forge(container: Files, **facts: Any) -> Files:
    """Other facts under the old signature value."""
    return container | {SIGNATURES: write(replace(read(container[SIGNATURES]), **facts))}


def test_facts_in_the_right_form_under_an_old_value_are_a_broken_signature() -> None:
    files = read_zip(CONTAINER)
    kept = read(files[SIGNATURES]).files[:2]
    for forged in (
        forge(files, at=AT + timedelta(hours=1)),
        forge(without(PAPER)(files), files=kept),
        forge(files, certificates=tuple(FakeSigningKey().certificates)),
        forge(files, certificates=tuple(FakeSigningKey(rsa_key()).certificates)),
        forge(files, value=b""),
        forge(files, value=bytes(64)),
    ):
        report = check(forged)
        assert (report.intact, report.problem) == (False, "signature.broken")


def test_a_weak_key_counts_for_nothing() -> None:
    weak = FakeSigningKey(ec.generate_private_key(ec.SECP384R1()))
    report = check(forge(read_zip(CONTAINER), certificates=tuple(weak.certificates)))
    assert (report.intact, report.problem) == (False, "certificate.weak")


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"version": 2}, "asice.receipt"),
        ({"withdrawn": True}, "asice.receipt"),
        ({"mapping": "ffff"}, "asice.receipt"),
        ({"papers": []}, "asice.receipt"),
        ({"papers": None}, "asice.receipt"),
        ({"dossier": {"sha256": "00"}}, "asice.receipt"),
        ({"register_by": "2027-01-23"}, ""),
    ],
)
def test_a_signed_receipt_must_speak_of_this_dossier(told: dict[str, object], problem: str) -> None:
    files = read_zip(CONTAINER)
    receipt = orjson.dumps(orjson.loads(files["receipt.json"]) | told)
    report = check(signed_again(files | {"receipt.json": receipt}))
    assert (report.intact, report.problem) == (True, problem)


def test_a_broken_dossier_in_a_sound_container_is_told_apart() -> None:
    files = changed("dossier.xml", b"23.11.2026", b"24.11.2026")(read_zip(CONTAINER))
    report = check(signed_again(files))
    assert (report.intact, report.problem, report.detail) == (True, "asice.dossier", "signature.broken")
    assert report.dossier is not None
    assert not report.dossier.intact


def test_no_flipped_bit_changes_what_an_accepted_container_holds() -> None:
    files = read_zip(CONTAINER)
    accepted = 0
    directory = CONTAINER.index(b"PK\x01\x02")
    for place in (*range(0, directory, 41), *range(directory, len(CONTAINER))):
        raw = bytearray(CONTAINER)
        raw[place] ^= 1
        if verify_container(bytes(raw), KEY.certificates).ok:
            accepted += 1
            assert read_zip(bytes(raw)) == files
    assert 0 < accepted < len(CONTAINER) - directory, "times and rights that ZIP notes beside a file mean nothing"


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", CONTAINER[:-1], CONTAINER[: len(CONTAINER) // 2]])
def test_half_a_container_is_told_as_such(raw: bytes) -> None:
    report = verify_container(raw, KEY.certificates)
    assert (report.intact, report.problem) == (False, "asice.not_a_zip")
    assert report.words("vi")[0] == "Gói hồ sơ nguyên vẹn: KHÔNG"
